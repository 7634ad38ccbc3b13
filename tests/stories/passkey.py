"""A passkey by hand in a real browser, with Chromium's virtual authenticator: made, used, shown as proof."""

import asyncpg
from playwright.sync_api import expect

from tests.portal.chromium import window
from tests.stories.site import Site, types

DEPUTY = "deputy@perpignan.example"  # in no other story: from now on a password alone does not let this person in
DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


def walk(site: Site) -> None:
    """A window of its own, because of the device in it."""
    with window(site.windows.browser, site.address) as eye:
        device = eye.page.context.new_cdp_session(eye.page)
        device.send("WebAuthn.enable")
        device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
        page = eye.page
        types(eye, DEPUTY)
        expect(page.locator("#email")).to_have_count(0)
        eye.goto("/language/en")
        eye.goto("/security/passkey")
        page.locator("#name").fill("This very machine")
        page.get_by_role("button", name="Make the passkey").click()
        expect(page.get_by_text("recovery code").first).to_be_visible()
        eye.goto("/security")
        expect(page.get_by_text("This very machine")).to_be_visible()

        page.context.clear_cookies()
        eye.goto("/language/en")
        types(eye, DEPUTY)
        expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
        assert eye.violations() == []
        page.get_by_role("button", name="Use my passkey").click()
        expect(page.get_by_role("heading", name="Second factor")).to_have_count(0)
        eye.goto("/language/en")

        site.wait(_six_minutes_pass(site.stack.database_url("identity", scheme="postgresql")))
        eye.goto("/security/app")
        expect(page.get_by_role("heading", name="Is it really you?")).to_be_visible()
        page.get_by_role("button", name="Use my passkey").click()
        expect(page.locator("svg").first).to_be_visible()
        expect(page.get_by_role("heading", name="Is it really you?")).to_have_count(0)
        assert eye.complaints == []
        assert eye.asked_elsewhere == []


async def _six_minutes_pass(identity: str) -> None:
    """The proofs of this session are older than the law wants: time is moved, on paper."""
    base = await asyncpg.connect(identity)
    try:
        await base.execute("UPDATE session SET proved_at = proved_at - interval '6 minutes'")
    finally:
        await base.close()
