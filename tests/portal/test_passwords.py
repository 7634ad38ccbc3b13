"""A new password, my sessions, signing out everywhere: in a browser without scripts."""

import pytest

from tests.portal.conftest import Browser
from tests.portal.registry import REGISTRATION
from tests.portal.world import World

EXPORTER = "exporter@atlas.example"
GOOD = {"password": "Plum-tree-42!", "password_again": "Plum-tree-42!"}


@pytest.fixture(autouse=True)
async def english(browser: Browser) -> None:
    await browser.get("/language/en")


async def test_the_answer_is_the_same_for_every_address(world: World, browser: Browser) -> None:
    pages = [await browser.post("/password", {"email": each}) for each in (EXPORTER, "nobody@nowhere.example")]
    assert {page.status_code for page in pages} == {200}
    assert all("If there is an account with this address" in page.text for page in pages)
    assert world.accounts.asked == [EXPORTER, "nobody@nowhere.example"]
    assert (await browser.post("/password", {"email": "nowhere"})).status_code == 422


async def test_the_link_leads_to_a_new_password(world: World, browser: Browser) -> None:
    assert (await browser.get("/password/old")).status_code == 410
    assert "Ann O&#39;Neill" in (await browser.get("/password/good")).text
    assert (await browser.post("/password/new", {"password": "plum", "password_again": "plum"})).status_code == 422
    done = await browser.post("/password/new", GOOD)
    assert "Your password was changed" in done.text
    assert world.accounts.chosen[0].form == "the-form"


async def test_i_see_where_i_am_signed_in_and_end_it(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    page = await browser.get("/security")
    assert "this browser" in page.text
    assert page.text.count("Sign out there") == 1
    await browser.post(f"/security/sessions/{REGISTRATION}")
    out = await browser.post("/security/sessions")
    assert world.accounts.asked == [REGISTRATION, "everywhere"]
    assert out.url.path == "/sign-in"


async def test_changing_the_password_needs_the_present_one(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    wrong = await browser.post("/security/password", GOOD | {"present": "wrong"})
    assert "The present password is not right" in wrong.text
    done = await browser.post("/security/password", GOOD | {"present": "right"})
    assert done.url.path == "/sign-in"
    assert world.accounts.asked == ["changed"]
