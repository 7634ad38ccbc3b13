"""Coming in and going out: sign-in, sessions, the language, and for whom somebody acts."""

import re

from tests.portal.conftest import Browser
from tests.portal.reading import EXPORTER
from tests.portal.world import PASSWORD, World, organisation_id


async def test_the_reader_is_brought_back_to_the_page_he_wanted(browser: Browser) -> None:
    answer = await browser.client.get("/certificates?status=DRAFT", follow_redirects=False)
    assert answer.headers["location"] == "/sign-in?next=/certificates%3Fstatus%3DDRAFT"
    form = {"email": EXPORTER, "password": PASSWORD, "next": "/certificates?status=DRAFT"}
    answer = await browser.post("/sign-in", form, follow=False)
    assert answer.headers["location"] == "/certificates?status=DRAFT"


async def test_a_wrong_password_says_so_and_keeps_the_address(browser: Browser) -> None:
    answer = await browser.post("/sign-in", {"email": EXPORTER, "password": "no"})
    assert answer.status_code == 401
    assert "E-mail address and password do not match" in answer.text
    assert f'value="{EXPORTER}"' in answer.text


async def test_signing_out_ends_the_session(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    await browser.post("/sign-out")
    assert not world.identity.sessions
    assert (await browser.client.get("/", follow_redirects=False)).status_code == 303


async def test_a_session_that_ended_elsewhere_leads_to_the_door(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    world.identity.sessions.clear()
    browser.client._transport.app.state.house.doorkeeper.known.clear()  # type: ignore[attr-defined]
    wanted = await browser.client.get("/certificates", follow_redirects=False)
    assert wanted.headers["location"] == "/sign-in?next=/certificates&ended=true"
    assert "Your session has ended" in (await browser.get(wanted.headers["location"])).text
    from_a_page = {"referer": "http://portal.example/profile?of=mine"}
    sent = await browser.post("/profile", {"language": "fr"}, follow=False, **from_a_page)
    assert sent.headers["location"] == "/sign-in?next=/profile%3Fof%3Dmine&ended=true"
    part = await browser.client.get("/pick", headers={"hx-request": "true"})
    assert part.status_code == 401, "the page stays, with what is typed there"


async def test_the_language_is_that_of_the_person_and_can_be_switched(browser: Browser) -> None:
    await browser.post("/sign-in", {"email": EXPORTER, "password": PASSWORD})
    assert '<html lang="fr">' in (await browser.get("/")).text
    answer = await browser.client.get("/language/en?back=/certificates", follow_redirects=False)
    assert answer.headers["location"] == "/certificates"
    assert '<html lang="en">' in (await browser.get("/")).text
    assert (await browser.get("/language/xx")).status_code == 404


async def test_demo_people_are_offered_only_where_the_demo_setting_is_on(world: World, browser: Browser) -> None:
    assert "exporter@atlas.example" in (await browser.get("/sign-in")).text
    house = browser.client._transport.app.state.house  # type: ignore[attr-defined]
    house.settings.demo = False
    page = (await browser.get("/sign-in")).text
    assert "exporter@atlas.example" not in page
    assert PASSWORD not in page


async def test_a_person_of_several_organisations_chooses_for_which_he_acts(world: World, browser: Browser) -> None:
    await browser.sign_in("reviewer@ecocert.example")
    assert "change" in (await browser.get("/profile")).text
    tunisia = organisation_id("ecocert-tn")
    await browser.post("/profile/post", {"organisation": tunisia})
    assert world.identity.people["reviewer@ecocert.example"].posts[1].organisation_id == tunisia
    page = (await browser.get("/profile")).text
    assert re.search(rf'value="{tunisia}" checked', page)
    assert (await browser.post("/profile/post", {"organisation": organisation_id("perpignan")})).status_code == 404


async def test_language_and_zone_can_be_changed(world: World, browser: Browser) -> None:
    await browser.sign_in(EXPORTER)
    page = await browser.post("/profile", {"language": "en", "time_zone": "Asia/Makassar"})
    assert "Saved." in page.text
    assert world.identity.people[EXPORTER].time_zone == "Asia/Makassar"
    assert "Makassar" in (await browser.get("/")).text


async def test_somebody_without_a_role_is_told_how_to_get_one(world: World, browser: Browser) -> None:
    world.identity.people[EXPORTER] = world.identity.people[EXPORTER].model_copy(update={"posts": []})
    await browser.sign_in(EXPORTER)
    assert "You currently have no role that gives you access" in (await browser.get("/")).text
