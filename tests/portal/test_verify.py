"""The public page where a copy is checked: what it tells, to whom, how often, and what it never tells."""

import re

import httpx2

from shared.rules.status import Status
from tests.portal.batches import EXTRACT
from tests.portal.conftest import Browser
from tests.portal.world import World

CODE = "ABCDE-12345"


async def test_without_a_code_there_is_a_form_and_nothing_else(browser: Browser, world: World) -> None:
    number = world.paper(Status.ISSUED).number
    for path in ("/verify", f"/verify/{number}", "/verify/COI.MA.2026.9999999"):
        page = await browser.get(path)
        assert page.status_code == 200
        assert "ECOCERT" not in page.text
        assert 'name="c"' in page.text


async def test_number_and_code_tell_status_body_and_dates_to_anybody(browser: Browser, world: World) -> None:
    paper = world.paper(Status.ISSUED)
    page = await browser.get(f"/verify/{paper.number}?c={CODE}&r={paper.revision}")
    assert page.status_code == 200
    for expected in (str(paper.number), "ECOCERT", "MA-BIO-154"):
        assert expected in page.text
    for unsaid in ("Atlas", "Pyrénées", "Garonne"):
        assert unsaid not in page.text
    assert (await browser.get(f"/verify?number={paper.number}&c={CODE}")).status_code == 200
    await browser.get("/language/fr")
    assert "révision en cours" in (await browser.get(f"/verify/{paper.number}?c={CODE}&r={paper.revision}")).text
    assert "a changé depuis" in (await browser.get(f"/verify/{paper.number}?c={CODE}&r=99")).text


async def test_a_wrong_number_and_a_wrong_code_get_the_same_page(browser: Browser, world: World) -> None:
    number = str(world.paper(Status.ISSUED).number)
    wrong = await browser.get(f"/verify/{number}?c=ABCDE-99999")
    missing = await browser.get(f"/verify/COI.MA.2026.9999999?c={CODE}")
    assert wrong.status_code == missing.status_code == 404

    def plain(text: str, typed: str) -> str:
        return re.sub(r"\w{64}", "", text.replace(typed, "").replace("ABCDE-99999", "").replace(CODE, ""))

    assert plain(wrong.text, number) == plain(missing.text, "COI.MA.2026.9999999")


async def test_whoever_asks_too_often_waits(browser: Browser) -> None:
    answers = [(await browser.get(f"/verify/COI.MA.2026.0000001?c={place}")).status_code for place in range(32)]
    assert answers[:30] == [404] * 30
    assert answers[30:] == [429, 429]


async def test_a_certificate_is_printed_for_those_who_see_it(browser: Browser, world: World) -> None:
    paper = world.paper(Status.ISSUED)
    await browser.sign_in("exporter@atlas.example")
    sheet = await browser.get(f"/certificates/{paper.id}")
    assert f"/certificates/{paper.id}/print.pdf" in sheet.text
    answer = await browser.get(f"/certificates/{paper.id}/print.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.endswith(b" en")


async def uploaded(browser: Browser, content: bytes) -> httpx2.Response:
    """A file sent to be checked, without scripts."""
    return await browser.upload("/verify/file", "file", content)


async def test_a_file_is_checked_by_anybody_and_tells_its_certificate_only_when_it_is_genuine(
    browser: Browser, world: World
) -> None:
    number = str(world.paper(Status.ISSUED).number)
    await browser.get("/language/en")
    good = await uploaded(browser, f"%PDF- {number}".encode())
    assert good.status_code == 200
    for expected in ("This file is genuine", number, "of the current revision", "ECOCERT SA"):
        assert expected in good.text
    changed = await uploaded(browser, b"%PDF- nothing")
    assert (changed.status_code, "changed after it was sealed" in changed.text) == (422, True)
    strange = await uploaded(browser, b"hello")
    assert (strange.status_code, "no PDF that can be read" in strange.text) == (422, True)
    assert (await uploaded(browser, b"%PDF-" + b"0" * 5_100_000)).status_code == 413
    assert number not in changed.text + strange.text


async def test_files_are_opened_slowly(browser: Browser) -> None:
    answers = [(await uploaded(browser, b"hello")).status_code for _ in range(8)]
    assert answers == [422] * 6 + [429] * 2


async def test_the_second_square_code_is_checked_by_anybody(browser: Browser) -> None:
    await browser.get("/language/en")
    page = await browser.post("/verify/code", {"statement": "BDR1.good.a.b"})
    assert page.status_code == 200
    assert "This square code is genuine" in page.text
    wrong = await browser.post("/verify/code", {"statement": "BDR1.bad"})
    assert (wrong.status_code, "no square code of ours" in wrong.text) == (422, True)
    keys = await browser.get("/verify/keys.json")
    assert keys.json() == {"keys": []}


async def test_extract_and_certificate_are_printed_in_either_language(browser: Browser, world: World) -> None:
    paper = world.paper(Status.ISSUED)
    await browser.sign_in("exporter@atlas.example")
    for path in (f"/certificates/{paper.id}/print.pdf", f"/extracts/{EXTRACT}/print.pdf"):
        for language in ("fr", "en"):
            answer = await browser.get(f"{path}?language={language}")
            assert answer.content.endswith(f" {language}".encode())
        assert (await browser.get(f"{path}?language=xx")).status_code == 422


async def test_the_journal_of_an_extract_is_a_page_and_a_file(browser: Browser) -> None:
    await browser.sign_in("exporter@atlas.example")
    page = await browser.get(f"/extracts/{EXTRACT}/journal")
    for expected in ("Extract begun", "Submitted for endorsement", "Garonne Bio", "France"):
        assert expected in page.text
    answer = await browser.get(f"/extracts/{EXTRACT}/journal.json")
    assert answer.headers["content-disposition"].startswith("attachment")
