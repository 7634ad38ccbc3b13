"""Extracts on the screen, without scripts: list, filling in, submitting, signing."""

from shared.rules.extracts import ExtractStatus
from shared.rules.permissions import Tie
from shared.rules.status import Status
from tests.portal.batches import EXTRACT, GOAL, POST
from tests.portal.conftest import Browser
from tests.portal.reading import fields
from tests.portal.world import World

IMPORTER = "importer@pyrenees.example"
BORDER = "officer@perpignan.example"


async def test_what_is_left_is_shown_and_an_extract_is_begun(world: World, browser: Browser) -> None:
    paper = world.paper(Status.BASE_FOR_EXTRACT, first_consignee=None, release_by_batches=True)
    await browser.sign_in(IMPORTER)
    page = (await browser.client.get(f"/certificates/{paper.id}/extracts")).text
    assert "What is left" in page
    assert "<strong>900</strong>" in page
    assert "The way of the goods" in page
    answer = await browser.post(f"/certificates/{paper.id}/extracts", {"key": "k"}, follow=False)
    assert answer.headers["location"] == f"/extracts/{EXTRACT}"


async def test_a_batch_is_filled_in_and_submitted(world: World, browser: Browser) -> None:
    await browser.sign_in(IMPORTER)
    page = (await browser.client.get(f"/extracts/{EXTRACT}")).text
    assert "90 left" in page
    sent = fields(page) | {
        "line.1.packages": "10", "line.1.net_weight": "100.5", "consignee": GOAL, "entry_authority": POST,
        "do": "submit",
    }  # fmt: skip
    answer = await browser.post(f"/extracts/{EXTRACT}", sent, follow=False)
    assert answer.headers["location"] == f"/extracts/{EXTRACT}/do/submit"
    assert world.extracts.content["product_lines"] == [{"id": "1", "packages": 10, "net_weight": "100.5"}]
    assert world.extracts.content["consignee"] == GOAL
    form = {"revision": "2", "key": "k"}
    answer = await browser.post(f"/extracts/{EXTRACT}/do/submit", form, follow=False)
    assert answer.headers["location"] == f"/extracts/{EXTRACT}?said=submit"
    assert world.extracts.status is ExtractStatus.SUBMITTED


async def test_the_authority_signs_what_it_was_shown(world: World, browser: Browser) -> None:
    world.extracts.status, world.extracts.ties = ExtractStatus.SUBMITTED, frozenset({Tie.ENTRY_AUTHORITY})
    await browser.sign_in(BORDER)
    page = (await browser.client.get(f"/extracts/{EXTRACT}/do/verify")).text
    assert "Release as organic" in page
    assert "Refuse release" in page
    refused = await browser.post(f"/extracts/{EXTRACT}/do/reject", {"revision": "1", "key": "k"})
    assert refused.status_code == 422
    form = {"revision": "1", "key": "k", "fingerprint": "ab" * 32, "form.remarks": "fine"}
    await browser.post(f"/extracts/{EXTRACT}/do/verify", form)
    (order,) = world.extracts.orders
    assert (order.action, order.fingerprint, order.form) == ("verify", "ab" * 32, {"remarks": "fine"})
    page = (await browser.client.get(f"/extracts/{EXTRACT}")).text
    assert "<strong>Paul</strong>" in page


async def test_what_he_may_not_do_is_not_there(world: World, browser: Browser) -> None:
    world.extracts.ties = frozenset({Tie.CONSIGNEE})
    await browser.sign_in(IMPORTER)
    assert "Submit for endorsement" not in (await browser.client.get(f"/extracts/{EXTRACT}")).text
    assert (await browser.client.get(f"/extracts/{EXTRACT}/do/submit")).status_code == 403
    assert (await browser.client.get("/extracts/x")).status_code == 404


async def test_a_list_without_extracts_says_so(world: World, browser: Browser) -> None:
    await browser.sign_in(IMPORTER)
    assert "No extract yet" in (await browser.client.get("/extracts?awaits_me=true")).text


async def test_an_extract_that_awaits_me_stands_on_the_first_page(world: World, browser: Browser) -> None:
    world.extracts.awaiting = True
    await browser.sign_in(IMPORTER)
    assert f'href="/extracts/{EXTRACT}"' in (await browser.client.get("/")).text
    assert "COI.MA.2026.0000001-E01" in (await browser.client.get("/extracts?awaits_me=true")).text
