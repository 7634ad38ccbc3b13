"""Questions in the browser: asked at a box, answered, settled; an open page brings itself up to date."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect

from shared.rules.questions import Ask
from shared.rules.status import Status
from tests.portal import chromium
from tests.portal.chromium import window
from tests.portal.conftest import Browser
from tests.portal.making import QUESTION, a_question
from tests.portal.routes import EXPORTER
from tests.portal.test_browser import address, come_in, look  # noqa: F401
from tests.portal.test_documents import sent
from tests.portal.world import NOON, World

BODY = "inspector@ecocert.example"
PART = {"HX-Request": "true"}


@pytest.fixture(scope="module")
def running() -> Iterator[Chromium]:
    """A browser with scripts."""
    with chromium.chromium() as one:
        yield one


async def test_a_box_is_asked_about_answered_with_a_file_and_settled(
    world: World, browser: Browser, another: Callable[[], Browser]
) -> None:
    paper = world.paper(Status.DESCRIPTION_COMPLETED)
    here = f"/certificates/{paper.id}/questions"
    await browser.sign_in(BODY)
    sheet = await browser.get(f"/certificates/{paper.id}")
    assert f'href="{here}?field=transport#question-form"' in sheet.text
    form = await browser.get(f"{here}?field=transport")
    assert '<option value="transport" selected>17 · ' in form.text
    wish = {"kind": Ask.CORRECTION, "field": "transport", "asked_of": world.making.asked[0].asked_of, "text": ""}
    refused = await browser.post(here, wish)
    assert (refused.status_code, "Please fill in: What you write." in refused.text) == (422, True)
    nobody = await browser.post(here, {**wish, "asked_of": "", "text": "Which ship?"})
    assert (nobody.status_code, "somebody who may be asked this" in nobody.text, "Which ship?" in nobody.text) == (
        422, True, True,
    )  # fmt: skip
    done = await browser.post(here, {**wish, "text": "Which ship?"})
    assert "Your question is sent." in done.text
    assert "Request for correction 2" in done.text
    exporter = await another().sign_in(EXPORTER)
    newest = world.making.asked[0].id
    answered = await sent(exporter, f"{here}/{newest}", {"text": "MV Tafraout"})
    assert "Your answer is sent." in answered.text
    assert "facture.pdf" in answered.text
    assert (await browser.post(f"{here}/{newest}/settlement", {})).text.count("The question is settled.") == 1


async def test_an_open_page_learns_of_an_answer_and_stops_asking_after_a_while(world: World, browser: Browser) -> None:
    here = f"/certificates/{world.paper(Status.ISSUED).id}/questions"
    await browser.sign_in(EXPORTER)
    page = await browser.get(here)
    asking = re.search(r'hx-get="([^"]+/live[^"]+)"', page.text)
    assert asking
    path = asking.group(1).replace("&amp;", "&")
    assert (await browser.get(path, **PART)).status_code == 204
    world.making.asked = [a_question(id="another", number=2), *world.making.asked]
    assert 'id="question-2"' in (await browser.get(path, **PART)).text
    long_ago = int((NOON - timedelta(minutes=11)).timestamp())
    over = await browser.get(f"{here}/live?since={long_ago}", **PART)
    assert (over.status_code, "hx-get" in over.text) == (286, False)
    first = await browser.get(f"{here}/notice", **PART)
    (again,) = re.findall(r'hx-get="([^"]+)"', first.text)
    assert (await browser.get(again.replace("&amp;", "&"), **PART)).status_code == 204
    world.making.asked = world.making.asked[1:]
    told = await browser.get(again.replace("&amp;", "&"), **PART)
    assert "Something was asked or answered meanwhile." in told.text


async def test_a_stranger_to_a_question_reads_it_and_cannot_write(world: World, browser: Browser) -> None:
    here = f"/certificates/{world.paper(Status.ISSUED).id}/questions"
    await browser.sign_in("importer@pyrenees.example")
    page = await browser.get(here)
    assert "The pallets are missing." in page.text
    assert f"answer={QUESTION}" not in page.text
    assert (await browser.get(f"{here}?answer={QUESTION}")).status_code == 403


@chromium.NEEDED
def test_an_open_list_shows_a_new_question_by_itself(world: World, address: str, running: Chromium) -> None:  # noqa: F811
    paper = world.paper(Status.DESCRIPTION_COMPLETED)
    with window(running, address, 390, language="fr") as eye:
        come_in(eye, EXPORTER, "fr")
        eye.page.clock.install()
        look(eye, f"/certificates/{paper.id}/questions?field=gross_weight")
        world.making.asked = [a_question(id="another", number=2), *world.making.asked]
        eye.page.clock.fast_forward(4_500)
        expect(eye.page.locator("#question-2")).to_be_visible()
        assert eye.violations() == []
