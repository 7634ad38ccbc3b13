"""Second factors, details and the pace of letters: in a browser without scripts."""

import pytest

from shared.contracts.notifications import Pace
from tests.portal.conftest import Browser
from tests.portal.world import PASSWORD, World

EXPORTER = "exporter@atlas.example"


@pytest.fixture(autouse=True)
async def english(browser: Browser) -> None:
    await browser.get("/language/en")
    await browser.sign_in(EXPORTER)


async def test_the_profile_says_what_the_guide_says(browser: Browser) -> None:
    """Guide 000: full name, domain, user name, e-mail; three links; requested, suspended and valid roles."""
    page = (await browser.get("/profile")).text
    for said in ("Full name", "Domain", "External", "User name", "E-mail address", EXPORTER):
        assert said in page
    assert all(f'href="{link}"' in page for link in ("/profile/details", "/security", "/security#change"))
    assert 'hx-get="/roles"' in page


async def test_each_kind_of_letter_has_its_pace(world: World, browser: Browser) -> None:
    wish = {"certificates": "daily", "batches": "now", "reminders": "never", "roles": "now"}
    saved = await browser.post("/profile/letters", wish)
    assert "Saved." in saved.text
    assert world.identity.people[EXPORTER].notify == wish
    assert '<option value="daily" selected>' in saved.text
    wrong = await browser.post("/profile/letters", wish | {"roles": "often"})
    assert wrong.status_code == 422
    assert set(world.identity.people[EXPORTER].notify.values()) <= set(Pace)


async def test_details_are_asked_for_and_confirmed_by_mail(browser: Browser) -> None:
    page = (await browser.get("/profile/details")).text
    assert 'name="password"' not in page, "he signed in a moment ago"
    wish = {"first_name": "Marie", "last_name": "Skłodowska", "email": "marie@atlas.example", "username": ""}
    assert "We have written to you" in (await browser.post("/profile/details", wish)).text
    link = await browser.get("/profile/confirmation/good")
    assert "Marie Skłodowska" in link.text
    assert "The change is made." not in link.text, "following the link alone changes nothing"
    assert "The change is made." in (await browser.post("/profile/confirmation/good")).text
    assert (await browser.get("/profile/confirmation/dead")).status_code == 410


async def test_an_old_proof_is_asked_for_before_details_and_factors(world: World, browser: Browser) -> None:
    world.identity.proof_needed = True
    await browser.sign_in(EXPORTER)
    assert 'name="password"' in (await browser.get("/profile/details")).text
    for page in ("/security/app", "/security/passkey"):
        assert "Is it really you?" in (await browser.get(page)).text
    wrong = await browser.post("/security/proof", {"goal": "/security/app", "password": "wrong"})
    assert wrong.status_code == 401
    right = await browser.post("/security/proof", {"goal": "/security/app", "password": PASSWORD})
    assert right.url.path == "/security/app"
    elsewhere = await browser.post("/security/proof", {"goal": "https://evil.example", "password": PASSWORD})
    assert elsewhere.url.path == "/security"


async def test_an_app_is_set_up_with_its_first_code_and_recovery_codes_are_shown_once(browser: Browser) -> None:
    page = (await browser.get("/security/app")).text
    assert "<svg" in page
    assert "JBSWY3DP EHPK3PXP" in page
    wrong = await browser.post("/security/app", {"code": "000000"})
    assert wrong.status_code == 422
    assert "This code is not right." in wrong.text
    right = await browser.post("/security/app", {"code": "314159"})
    assert "1111-2222" in right.text
    assert "1111-2222" not in (await browser.get("/security")).text


async def test_factors_are_listed_and_removed(world: World, browser: Browser) -> None:
    page = (await browser.get("/security")).text
    assert "My telephone" in page
    assert "8 recovery codes are left." in page
    await browser.post("/security/app/remove")
    assert world.factors.removed == "app"
    await browser.post("/security/passkeys/00000000-0000-4000-8000-00000000f001/remove")
    assert "My telephone" not in (await browser.get("/security")).text
    assert "3333-4444" in (await browser.post("/security/codes")).text
