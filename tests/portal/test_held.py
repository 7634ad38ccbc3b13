"""A form sent after its session has ended: whoever signs in again finds what he typed, and nothing was done."""

import html
import re

from shared.contracts.identity import SecondProof, SessionView, SignIn
from shared.rules.extracts import ExtractStatus
from shared.rules.permissions import Tie
from shared.rules.status import Status
from tests.portal.batches import EXTRACT
from tests.portal.conftest import Browser
from tests.portal.reading import CONTROL_BODY, EXPORTER
from tests.portal.world import PASSWORD, World

REASON = 'Drawn up "twice", <by mistake>'


def fields(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that is sent there, as a browser without scripts sends them."""
    form = page[(at := page.index(f'action="{action}"')) : page.index("</form>", at)]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return {name: html.unescape(value) for name, value in found}


def end(world: World, browser: Browser) -> None:
    """His session ends, somewhere else."""
    world.identity.sessions.clear()
    browser.client._transport.app.state.house.doorkeeper.known.clear()  # type: ignore[attr-defined]


async def send(browser: Browser, page: str, action: str, **typed: str) -> str:
    """Fill in the form and send it; the page that comes of it."""
    return (await browser.client.post(action, data={**fields(page, action), **typed}, follow_redirects=True)).text


async def test_a_reason_is_found_again_after_signing_in_and_was_not_sent(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DESCRIPTION_COMPLETED)
    await browser.sign_in(CONTROL_BODY)
    action = f"/certificates/{paper.id}/do/delete"
    page = (await browser.get(action)).text
    key = fields(page, action)["key"]
    end(world, browser)
    door = await send(browser, page, action, **{"form.reason": REASON, "password": PASSWORD, "code": "123456"})
    assert "what you typed there is kept for you" in door
    assert PASSWORD not in door.replace("<code>" + PASSWORD, ""), "nothing that proves a person goes along"
    assert "123456" not in door
    door = await send(browser, door, "/sign-in", email=CONTROL_BODY, password="wrong")
    again = await send(browser, door, "/sign-in", email=CONTROL_BODY, password=PASSWORD)
    assert "You are signed in again" in again
    page = await send(browser, again, action)
    assert html.escape(REASON, quote=False).replace('"', "&#34;") in page
    assert fields(page, action)["key"] == key, "the same order, were it sent twice"
    assert paper.status is Status.DESCRIPTION_COMPLETED
    await send(browser, page, action, **{"form.reason": REASON})
    assert paper.status.value == "DELETED"


async def test_nobody_else_finds_it(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DESCRIPTION_COMPLETED)
    await browser.sign_in(CONTROL_BODY)
    action = f"/certificates/{paper.id}/do/delete"
    page = (await browser.get(action)).text
    end(world, browser)
    door = await send(browser, page, action, **{"form.reason": REASON})
    seen = await send(browser, door, "/sign-in", email=EXPORTER, password=PASSWORD)
    assert "You are signed in again" not in seen
    assert "Drawn up" not in seen


async def test_the_declaration_on_an_extract_is_found_again(world: World, browser: Browser) -> None:
    world.extracts.status, world.extracts.ties = ExtractStatus.SUBMITTED, frozenset({Tie.ENTRY_AUTHORITY})
    await browser.sign_in(EXPORTER)
    action = f"/extracts/{EXTRACT}/do/reject"
    page = (await browser.get(action)).text
    end(world, browser)
    door = await send(browser, page, action, **{"form.reason": "Not these goods"})
    again = await send(browser, door, "/sign-in", email=EXPORTER, password=PASSWORD)
    assert "Not these goods" in await send(browser, again, action)
    assert world.extracts.orders == []


async def test_it_passes_by_the_second_factor_too(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DESCRIPTION_COMPLETED)
    await browser.sign_in(CONTROL_BODY)
    action = f"/certificates/{paper.id}/do/delete"
    page = (await browser.get(action)).text
    end(world, browser)
    held = fields(await send(browser, page, action, **{"form.reason": REASON}), "/sign-in")["held"]
    form = {"ticket": "t", "ways": "code", "next": action, "held": held, "code": "000000"}
    asked = (await browser.post("/sign-in/second", form)).text
    assert "This code is not right." in asked

    async def right(said: SecondProof) -> SessionView:
        return await world.identity.sign_in(SignIn(email=CONTROL_BODY, password=PASSWORD))

    world.factors.second = right  # type: ignore[method-assign]
    again = await send(browser, asked, "/sign-in/second", code="123456")
    assert "Drawn up" in await send(browser, again, action)
