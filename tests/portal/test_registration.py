"""Registering in the browser: the form, the waiting page, the link, the password."""

from collections.abc import Callable

import pytest

from tests.portal.conftest import Browser
from tests.portal.registry import REGISTRATION
from tests.portal.world import World

FORM = {
    "first_name": "Ann", "last_name": "O'Neill", "email": "ann@tarn.example", "email_again": "ann@tarn.example",
    "language": "en", "privacy": "true", "altcha": "solved",
}  # fmt: skip


@pytest.fixture(autouse=True)
async def english(browser: Browser) -> None:
    await browser.get("/language/en")


async def test_the_landing_page_has_both_ways_in(browser: Browser) -> None:
    page = await browser.client.get("/", follow_redirects=True)
    assert page.url.path == "/welcome"
    assert 'href="/sign-in"' in page.text
    assert 'href="/registration"' in page.text


async def test_the_form_is_empty_and_asks_for_everything(browser: Browser) -> None:
    page = await browser.get("/registration")
    assert page.status_code == 200
    for name in ("first_name", "last_name", "email", "email_again", "language", "altcha", "privacy"):
        assert f'name="{name}"' in page.text


async def test_a_registration_leads_to_the_waiting_page(world: World, browser: Browser) -> None:
    page = await browser.post("/registration", FORM)
    assert page.url.path == f"/registration/sent/{REGISTRATION}"
    assert "90 minutes" in page.text
    assert "No letter came?" in page.text
    assert world.accounts.taken[0].proof == "solved"
    again = await browser.post(f"/registration/sent/{REGISTRATION}")
    assert "Another letter is on its way" in again.text


async def test_pages_state_the_lengths_that_are_set(browser: Browser, otherwise: Callable[[str], None]) -> None:
    otherwise("link=120 inactivity=6 registration=1 confirmation=9 confirmation_reminder=1 temporary_password=48")
    waiting, classic = f"/registration/sent/{REGISTRATION}", f"/registration/classic/sent/{REGISTRATION}"
    said = {
        waiting: ("You have 120 minutes", "Vous avez 120 minutes"),
        classic: ("within 9 days to", "dans un délai de 9 jours"),
        "/password": ("after 6 months", "après 6 mois"),
        "/privacy": ("forgotten after 1 day.", "oubliée après 1 jour."),
        "/help": ("works for 120 minutes", "valable 120 minutes"),
    }
    for place, language in enumerate(("en", "fr")):
        await browser.get(f"/language/{language}")
        for path, sentences in said.items():
            assert sentences[place] in (await browser.get(path)).text


async def test_what_was_typed_stays_when_something_is_not_right(browser: Browser) -> None:
    page = await browser.post("/registration", FORM | {"email_again": "anna@tarn.example"})
    assert page.status_code == 422
    assert "The two addresses differ" in page.text
    assert 'value="O&#39;Neill"' in page.text


async def test_the_link_opens_a_form_in_that_browser_only(world: World, browser: Browser) -> None:
    page = await browser.get("/registration/password/good")
    assert "Ann O&#39;Neill" in page.text
    cookie = page.headers["set-cookie"]
    assert "choosing=the-form" in cookie
    assert "HttpOnly" in cookie
    assert "the-form" not in page.text
    weak = await browser.post("/registration/password", {"password": "short", "password_again": "short"})
    assert weak.status_code == 422
    good = {"password": "Plum-tree-42!", "password_again": "Plum-tree-42!"}
    done = await browser.post("/registration/password", good)
    assert "Your account is active" in done.text
    assert world.accounts.chosen[0].form == "the-form"


async def test_an_expired_link_offers_a_new_one_in_one_click(world: World, browser: Browser) -> None:
    page = await browser.get("/registration/password/old")
    assert page.status_code == 410
    assert "Send me a new link" in page.text
    sent = await browser.post("/registration/password/old")
    assert sent.url.path == f"/registration/sent/{REGISTRATION}"
    assert world.accounts.asked == ["old"]
    await browser.get("/registration/password/good")
    browser.client.cookies.delete("choosing")  # the quarter of an hour is over
    wish = {"password": "Plum-tree-42!", "password_again": "Plum-tree-42!", "secret": "good"}
    late = await browser.post("/registration/password", wish)
    assert late.status_code == 410
    assert 'action="/registration/password/good"' in late.text, "also after the form was left open"


@pytest.mark.parametrize(("password", "said"), [("plum", "lacks"), ("Plum-tree-42!", "holds")])
async def test_the_meter_says_what_is_missing(browser: Browser, password: str, said: str) -> None:
    part = await browser.post("/registration/meter", {"password": password})
    assert f'class="{said}"' in part.text
    assert "<html" not in part.text


async def test_the_privacy_statement_is_a_page_in_both_languages(browser: Browser) -> None:
    assert "Your rights" in (await browser.get("/privacy")).text
    await browser.get("/language/fr")
    assert "Vos droits" in (await browser.get("/privacy")).text
