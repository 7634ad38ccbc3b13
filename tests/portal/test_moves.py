"""The moves of a certificate on the page, without scripts: what is shown before, what is asked, what is refused."""

import re
from typing import Any

import pytest

from shared.contracts.certificate_views import Edit
from shared.rules.status import Status
from tests.portal.conftest import Browser
from tests.portal.reading import BORDER, CONSIGNEE, CONTROL_BODY, EXPORTER, IMPORTER, hidden
from tests.portal.world import PASSWORD, World, organisation_id


async def test_the_whole_journey_is_walked_by_hand(world: World, browser: Browser, another: Any) -> None:
    paper = world.paper(Status.DRAFT)
    await browser.sign_in(EXPORTER)
    page = (await browser.get(f"/certificates/{paper.id}/do/submit")).text
    answer = await browser.post(f"/certificates/{paper.id}/do/submit", hidden(page))
    assert "The certificate is submitted and has its number" in answer.text
    for email, action, form, status in (
        (CONTROL_BODY, "sign", {"form.documentary": "acceptable", "form.physical": "not_done"}, Status.ISSUED),
        (BORDER, "verify", {"form.documentary": "acceptable"}, Status.CONSIGNMENT_VERIFIED),
        (CONSIGNEE, "receive", {"form.in_order": "true"}, Status.FIRST_CONSIGNEE_SIGNED),
    ):
        person = await another().sign_in(email)
        assert paper.number in (await person.get("/")).text, "it stands among what awaits him"
        page = (await person.get(f"/certificates/{paper.id}/do/{action}")).text
        sent = hidden(page)
        assert re.sub(r"\s", "", re.search(r'class="fingerprint">([^<]+)', page).group(1)) == sent["fingerprint"]  # type: ignore[union-attr]
        for shown in ("Medjool dates", "Atlas Bio Export", "MSKU 482120-5", f"revision {paper.revision}"):
            assert shown in page
        answer = await person.post(f"/certificates/{paper.id}/do/{action}", {**sent, **form})
        assert answer.status_code == 200
        assert paper.status is status
        again = await person.post(f"/certificates/{paper.id}/do/{action}", {**sent, **form})
        assert again.status_code in (200, 403, 409)
    assert [each.person for each in paper.signatures] == ["Hélène Castan", "Jordi Puig", "Luc Marty"]
    page = (await browser.get(f"/certificates/{paper.id}/journal")).text
    for done in ("Draft begun", "Submitted for certification", "Consignment verified", "Jordi Puig"):
        assert done in page


async def test_after_a_signature_the_next_certificate_is_one_click_away(world: World, browser: Browser) -> None:
    paper, other = world.paper(Status.ISSUED), world.paper(Status.ISSUED)
    await browser.sign_in(BORDER)
    home = (await browser.get("/")).text
    assert home.count("Verify and sign box 20") == 1, "what is to be done is said once, above those it is said of"
    page = (await browser.get(f"/certificates/{paper.id}/do/verify")).text
    form = {**hidden(page), "form.documentary": "acceptable"}
    page = (await browser.post(f"/certificates/{paper.id}/do/verify", form)).text
    assert f'The next one that awaits you: verify and sign box 20. <a href="/certificates/{other.id}">' in page


async def test_nobody_signs_what_he_has_not_seen(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DESCRIPTION_COMPLETED)
    await browser.sign_in(CONTROL_BODY)
    page = (await browser.get(f"/certificates/{paper.id}/do/sign")).text
    colleague = world.caller("reviewer@ecocert.example")
    await world.certificates.edit(colleague, paper.id, Edit(revision=7, changes={"seals": ["NEW-1"]}), "k")
    form = {**hidden(page), "form.documentary": "acceptable", "form.physical": "not_done"}
    answer = await browser.post(f"/certificates/{paper.id}/do/sign", form)
    assert answer.status_code == 409
    assert "NEW-1" in answer.text
    assert "Karim Ziani" in answer.text
    assert paper.status is Status.DESCRIPTION_COMPLETED


async def test_what_stands_in_the_way_is_said_before_the_button_can_be_pressed(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DRAFT, importer=None)
    await browser.sign_in(EXPORTER)
    page = (await browser.get(f"/certificates/{paper.id}/do/submit")).text
    assert "This stands in the way" in page
    assert re.search(r"<button[^>]*disabled", page)
    answer = await browser.post(f"/certificates/{paper.id}/do/submit", hidden(page))
    assert answer.status_code == 422
    assert paper.status is Status.DRAFT


async def test_a_signature_may_ask_for_the_password_once_more(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DESCRIPTION_COMPLETED)
    world.identity.proof_needed = True
    await browser.sign_in(CONTROL_BODY)
    page = (await browser.get(f"/certificates/{paper.id}/do/sign")).text
    assert 'name="password"' in page, "the page knows that the last proof is an hour old"
    form = {**hidden(page), "form.documentary": "acceptable", "form.physical": "not_done"}
    answer = await browser.post(f"/certificates/{paper.id}/do/sign", form)
    assert answer.status_code == 401
    assert 'name="password"' in answer.text
    assert re.search(r'name="form.documentary" value="acceptable" checked', answer.text), "what was answered stays"
    answer = await browser.post(f"/certificates/{paper.id}/do/sign", {**form, "password": "wrong"})
    assert answer.status_code == 401
    answer = await browser.post(f"/certificates/{paper.id}/do/sign", {**form, "password": PASSWORD})
    assert paper.status is Status.ISSUED


async def test_the_operator_of_box_19_is_any_operator_of_the_directory(world: World, browser: Browser) -> None:
    paper = world.paper(Status.ISSUED)
    await browser.sign_in(BORDER)
    here = f"/certificates/{paper.id}/do/start_customs_procedure"
    page = (await browser.get(here)).text
    assert 'name="find.form.operator"' in page
    form = {**hidden(page), "find": "form.operator", "find.form.operator": "acme", "form.reference": "26FR-77"}
    found = (await browser.post(here, form)).text
    operator = organisation_id("acme-bio-imports")
    assert f'name="form.operator" value="{operator}"' in found
    assert "26FR-77" in found, "what was answered stays"
    options = (await browser.get("/pick?find.form.operator=perpignan")).text
    assert organisation_id("perpignan") not in options, "a border post is no operator"


async def test_the_importer_writes_the_customs_reference_into_box_23(world: World, browser: Browser) -> None:
    paper, older = world.paper(Status.ISSUED), world.paper(Status.ISSUED)
    paper.form_model = "COI_2022"
    field = 'name="has" value="customs_procedure.reference"'
    await browser.sign_in(IMPORTER)
    assert field not in (await browser.get(f"/certificates/{paper.id}?edit=all")).text, "none was started"
    begun = {"type": "warehousing", "operator": organisation_id("acme-bio-imports")}
    for each in (paper, older):
        each.content["customs_procedure"] = dict(begun)
    assert field not in (await browser.get(f"/certificates/{older.id}?edit=all")).text, "there the border writes it"
    turn = "Write the customs reference into box 23"
    assert (await browser.get("/")).text.count(turn) == 1
    assert "It is your turn: write the customs reference" in (await browser.get(f"/certificates/{paper.id}")).text
    page = (await browser.get(f"/certificates/{paper.id}?edit=23")).text
    assert field in page
    assert "ACME Bio Imports" in page, "what the border said stands above"
    form = {
        **hidden(page),
        "has": "customs_procedure.reference",
        "customs_procedure.reference": "26FR-77",
        "revision": str(paper.revision),
        "save": "23",
    }
    answer = await browser.post(f"/certificates/{paper.id}", form)
    assert paper.content["customs_procedure"] == {**begun, "reference": "26FR-77"}
    assert "26FR-77" in answer.text
    assert turn not in (await browser.get("/")).text
    assert "26FR-77" in (await browser.get(f"/certificates/{paper.id}/journal")).text


@pytest.mark.parametrize(
    ("action", "status"),
    [("release_conventional", Status.RELEASED_CONVENTIONAL), ("reject", Status.NOT_RELEASED)],
)
async def test_the_border_may_decide_otherwise(world: World, browser: Browser, action: str, status: Status) -> None:
    paper = world.paper(Status.ISSUED)
    await browser.sign_in(BORDER)
    page = (await browser.get(f"/certificates/{paper.id}/do/verify")).text
    assert f"/do/{action}" in page, "one decision leads to the others"
    page = (await browser.get(f"/certificates/{paper.id}/do/{action}")).text
    await browser.post(f"/certificates/{paper.id}/do/{action}", {**hidden(page), "form.reason": "Residues"})
    assert paper.status is status
    assert "Residues" in (await browser.get(f"/certificates/{paper.id}/journal")).text


async def test_a_certificate_is_copied_as_new(world: World, browser: Browser) -> None:
    paper = world.paper(Status.ISSUED)
    await browser.sign_in(EXPORTER)
    page = (await browser.get(f"/certificates/{paper.id}/do/copy")).text
    answer = await browser.post(f"/certificates/{paper.id}/do/copy", hidden(page))
    assert "This draft was copied" in answer.text
    assert len(world.certificates.papers) == 2


async def test_a_move_that_is_not_mine_is_refused(world: World, browser: Browser) -> None:
    paper = world.paper(Status.DESCRIPTION_COMPLETED)
    await browser.sign_in(EXPORTER)
    assert (await browser.get(f"/certificates/{paper.id}/do/sign")).status_code == 403
    assert (await browser.get(f"/certificates/{paper.id}/do/fly")).status_code == 422
    answer = await browser.post(f"/certificates/{paper.id}/do/sign", {"revision": "7", "key": "abcdefgh"})
    assert answer.status_code == 409
    assert paper.status is Status.DESCRIPTION_COMPLETED
