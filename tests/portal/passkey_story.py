"""A passkey by hand in a real browser, with Chromium's virtual authenticator: made, used, shown as proof."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import asyncpg
from playwright.sync_api import Browser, expect

from tests.portal.chromium import window
from tests.portal.world import PASSWORD

SUPERVISOR = "supervisor@dgccrf.example"
DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


def walk(browser: Browser, address: str, identity: str) -> None:
    """Browsers know no passkeys for a bare IP: on this machine the site is called localhost."""
    site = f"http://localhost:{urlsplit(address).port}"
    with window(browser, site) as eye:
        device = eye.page.context.new_cdp_session(eye.page)
        device.send("WebAuthn.enable")
        device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
        page = eye.page

        def sign_in() -> None:
            eye.goto("/sign-in")
            page.locator("#email").fill(SUPERVISOR)
            page.locator("#password").fill(PASSWORD)
            page.locator("#password").press("Enter")

        sign_in()
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
        sign_in()
        expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
        assert eye.violations() == []
        page.get_by_role("button", name="Use my passkey").click()
        expect(page.get_by_role("heading", name="Second factor")).to_have_count(0)
        eye.goto("/language/en")

        with ThreadPoolExecutor(1) as elsewhere:  # playwright's own loop runs in this thread
            elsewhere.submit(lambda: asyncio.run(_six_minutes_pass(identity))).result()
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
