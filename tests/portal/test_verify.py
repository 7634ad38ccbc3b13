"""The public page where a copy is checked: what it tells, to whom, how often, and what it never tells."""

import re

from shared.rules.status import Status
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
