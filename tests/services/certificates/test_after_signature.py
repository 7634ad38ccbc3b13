"""After box 18: customs procedures, samples, replacements, renewed seals, notices of irregularity."""

from datetime import timedelta
from typing import Any

import pytest

from services.certificates import store, verify, views
from shared.contracts.certificate_views import Edit
from shared.rules.status import Status
from tests.services.certificates import world
from tests.services.certificates.conftest import House, fresh
from tests.services.certificates.refusing import refused
from tests.services.certificates.world import (
    BODY,
    CENTRE,
    CONSIGNEE,
    EXPORTER,
    FORWARDER,
    IMPORTER,
    POST,
    STRANGER,
    line,
    person,
)

WAREHOUSE: dict[str, Any] = {"type": "warehousing", "operator": FORWARDER, "reference": "26FR000123"}
NOTICE: dict[str, Any] = {
    "notice_reference": "FR-2026-17",
    "notice_category": "a",
    "notice_trade_name": "Dates",
    "notice_origin": "MA",
    "notice_lots": "L-1",
    "nature": "Residues of chlorpyrifos",
    "legal_aspect": "Article 29",
}
REPLY = {"results": "A neighbour's spray", "measures": "The lot was withdrawn"}


async def codes(house: House, asked: Any) -> set[str]:
    """The codes of the problems an order is refused for."""
    return {each.code for each in (await refused("incomplete", asked))["problems"]}


async def seen(house: House, organisation: str, certificate: str) -> dict[str, Any]:
    """The certificate as this organisation sees it."""
    return dict(await house.get(organisation, f"/certificates/{certificate}"))


# ── box 19 ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_customs_procedure_is_noted_whole_or_not_at_all(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    for missing in WAREHOUSE:
        half = {name: said for name, said in WAREHOUSE.items() if name != missing}
        assert await codes(house, house.move(certificate, "start_customs_procedure", POST, form=half)) == {"needed"}
    nobody = {**WAREHOUSE, "operator": world.identity(998)}
    assert await codes(house, house.move(certificate, "start_customs_procedure", POST, form=nobody)) == {
        "unknown_organisation"
    }
    await refused("not_permitted", house.move(certificate, "start_customs_procedure", CENTRE, form=WAREHOUSE))
    before = await house.row(certificate)
    await house.move(certificate, "start_customs_procedure", POST, form=WAREHOUSE)
    row = await house.row(certificate)
    assert (row.status, row.entered_at, row.content["customs_procedure"]) == (
        "ISSUED",
        before.entered_at,
        WAREHOUSE,
    )
    assert "customs_procedure_open" in (await seen(house, IMPORTER, certificate))["flags"]


async def test_after_a_customs_procedure_the_goods_are_verified_again(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    await house.move(certificate, "start_customs_procedure", POST, form=WAREHOUSE)
    assert await codes(house, house.move(certificate, "verify", POST)) == {"not_verified_again"}
    await house.move(certificate, "verify", POST, form={**world.ENDORSED, "verified_again": True})
    shown = await seen(house, IMPORTER, certificate)
    assert (shown["status"], shown["flags"]) == ("CONSIGNMENT_VERIFIED", [])


async def test_an_open_customs_procedure_is_asked_after_every_thirty_days(house: House) -> None:
    certificate = await house.at(Status.ISSUED, arrival_at=None)
    await house.move(certificate, "start_customs_procedure", POST, form=WAREHOUSE)
    for number in (1, 2):
        row = await house.row(certificate)
        assert row.due_name == f"customs_procedure_open#{number}"
        house.clock.forward(days=30)
        await house.ring(certificate)


# ── the laboratory ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_nothing_is_decided_while_a_laboratory_result_is_awaited(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    await house.move(certificate, "record_checks", POST, form={"documentary": "acceptable", "laboratory": "pending"})
    shown = await seen(house, POST, certificate)
    assert {"lab_pending", "checks_in_progress"} <= set(shown["flags"])
    assert shown["signatures"][-1]["box"] == "18"
    assert await codes(house, house.move(certificate, "verify", POST)) == {"laboratory_pending"}
    row = await house.row(certificate)
    assert row.sampled_at == house.clock()
    result = {**world.ENDORSED, "laboratory": "acceptable"}
    await house.move(certificate, "verify", POST, form=result)
    assert (await house.row(certificate)).content["entry_checks"] == result


async def test_the_authority_is_reminded_of_a_laboratory_result_after_five_working_days(house: House) -> None:
    certificate = await house.at(Status.ISSUED, arrival_at=None)
    await house.move(certificate, "record_checks", POST, form={"laboratory": "pending"})
    row = await house.row(certificate)
    assert row.due_name == "laboratory_awaited"
    assert row.due_at is not None
    assert row.due_at - house.clock() == timedelta(days=7)
    await house.move(certificate, "record_checks", POST, form={"laboratory": "acceptable"})
    assert (await house.row(certificate)).due_name is None


# ── amendments ────────────────────────────────────────────────────────────────────────────────────────────────────


async def amended(house: House, certificate: str, by: str, **changes: Any) -> None:
    """Boxes changed at the store with the house's seals."""
    async with house.database.transaction() as session:
        row = await store.found(session, certificate)
        edit = Edit(revision=row.revision, changes=changes)
        gather = timedelta(0)
        await store.edit(session, certificate, person(by), edit, fresh(), house.clock(), gather, house.activities.seals)


@pytest.mark.parametrize(
    "changes",
    [
        {"product_lines": [line(packages=99)]},
        {"gross_weight": {"value": "1200", "unit": "KGM"}},
        {"transport": {"mode": "1", "identification": "MV Agadir", "document": "BL-2"}},
    ],
    ids=["box 13", "box 16", "box 17"],
)
async def test_the_seal_is_renewed_when_the_body_changes_what_was_sealed(house: House, changes: dict[str, Any]) -> None:
    certificate = await house.at(Status.ISSUED)
    await amended(house, certificate, BODY, **changes)
    shown = await seen(house, IMPORTER, certificate)
    assert [(each["box"], each["action"], each["revision"]) for each in shown["signatures"]] == [
        ("18", "sign", 2),
        ("18", "amend", shown["revision"]),
    ]
    assert shown["signatures"][-1]["fingerprint"] == await house.fingerprint(certificate)
    assert "amended_after_issue" in shown["flags"]
    async with house.database.transaction() as session:
        export = await views.export(session, await store.found(session, certificate))
    assert verify.check(export) == []


async def test_another_box_or_another_hand_leaves_the_seal_as_it_is(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    await amended(house, certificate, BODY, seals=["S-2"])
    await amended(house, certificate, IMPORTER, arrival_at="2026-12-02T08:00:00+01:00")
    shown = await seen(house, IMPORTER, certificate)
    assert len(shown["signatures"]) == 1
    assert "amended_after_issue" in shown["flags"]


async def test_the_door_renews_the_seal_too(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    row = await house.row(certificate)
    answer = await house.door(BODY).put(
        f"/certificates/{certificate}/boxes",
        json={"revision": row.revision, "changes": {"gross_weight": {"value": "1300", "unit": "KGM"}}},
        headers={"Idempotency-Key": fresh()},
    )
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["signatures"]) == 2


# ── one certificate in the place of another ───────────────────────────────────────────────────────────────────────


async def replaced(house: House, certificate: str) -> str:
    """A replacement begun; the successor's id."""
    await house.move(certificate, "replace", BODY, form={"reason": "a wrong lot number"})
    successor = (await house.row(certificate)).replaced_by
    assert successor is not None
    return successor


async def test_a_successor_has_all_the_data_and_none_of_the_signatures(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    successor = await replaced(house, certificate)
    old, new = await house.row(certificate), await house.row(successor)
    signed = {"issuing_declaration"}
    assert new.content == {name: value for name, value in old.content.items() if name not in signed}
    assert (new.status, new.number, new.replaces, new.creator) == ("DRAFT", None, certificate, BODY)
    assert (await seen(house, BODY, certificate))["replaced_by"]["id"] == successor
    assert (await seen(house, BODY, successor))["replaces"]["number"] == old.number
    assert (await seen(house, IMPORTER, certificate))["replaced_by"] is None  # a draft is its creator's secret
    assert await house.wakes(successor) == 1


async def test_the_original_is_locked_meanwhile(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    await replaced(house, certificate)
    for action, by in (("verify", POST), ("reject", POST), ("replace", BODY), ("record_checks", POST)):
        form = {"reason": "once more"} if action in ("replace", "reject") else world.FORMS.get(action, {})
        assert "replacement_pending" in await codes(house, house.move(certificate, action, by, form=form))
    assert await codes(house, house.edit(certificate, BODY, seals=["S-9"])) == {"replacement_pending"}
    shown = await seen(house, POST, certificate)
    assert (shown["may"], "replacement_pending" in shown["flags"]) == ({"edit": [], "do": []}, True)


async def test_the_original_is_replaced_by_its_own_clock_when_the_successor_is_signed(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    successor = await replaced(house, certificate)
    house.clock.forward(days=5)  # the goods have left meanwhile: their successor may be signed all the same
    await house.run("UPDATE outbox SET done_at = now() WHERE kind = 'wake'")
    await house.move(successor, "sign", BODY)
    assert (await house.row(successor)).status == "ISSUED"
    original = await house.row(certificate)
    assert (original.status, original.due_name, original.due_at) == ("ISSUED", "replaced", house.clock())
    assert await house.wakes(certificate) == 1
    assert "replacement_pending" in await codes(house, house.move(certificate, "verify", POST))
    await house.ring(certificate)
    original = await house.row(certificate)
    assert (original.status, original.due_name, original.awaited_by) == ("REPLACED", None, [])
    assert (await seen(house, IMPORTER, certificate))["replaced_by"]["number"] != original.number
    assert (await house.told("clock_rang"))[-1]["clock"] == "replaced"


async def test_a_replacement_that_is_not_signed_in_seven_days_is_dropped(house: House) -> None:
    certificate = await house.at(Status.ISSUED, arrival_at=None)
    successor = await replaced(house, certificate)
    house.clock.forward(days=7)
    await house.ring(certificate)
    assert (await house.row(certificate)).replaced_by is None
    assert "replacement_lapsed" in await codes(house, house.move(successor, "sign", BODY))
    again = await replaced(house, certificate)
    assert (await house.row(certificate)).due_name == "replacement_unsigned"
    assert again != successor


async def test_a_successor_that_is_given_up_frees_the_original(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    successor = await replaced(house, certificate)
    await house.move(successor, "delete", BODY, form={})
    await house.move(certificate, "verify", POST)
    assert [each.action for each in await house.journal(certificate)][-3:] == ["replace", "drop_replacement", "verify"]


async def test_a_replacement_on_the_form_of_2022_waits_for_the_authority(house: House) -> None:
    content = world.boxes(product_lines=[line(organic="organic")])
    certificate = await house.drafted(content, model="COI_2022")
    await house.move(certificate, "submit", EXPORTER)
    await house.move(certificate, "sign", BODY)
    successor = await replaced(house, certificate)
    assert await codes(house, house.move(successor, "sign", BODY)) == {"replacement_not_accepted"}
    assert (await seen(house, POST, certificate))["may"]["do"] == ["accept_replacement"]
    await house.move(certificate, "accept_replacement", POST, form={})
    assert await codes(house, house.move(certificate, "accept_replacement", POST, form={})) == {"nothing_to_accept"}
    await house.move(successor, "sign", BODY)


async def test_only_the_issuing_body_replaces_and_only_what_is_issued(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    await refused("not_permitted", house.move(certificate, "replace", IMPORTER, form={"reason": "x"}))
    await house.move(certificate, "verify", POST)
    await refused("wrong_status", house.move(certificate, "replace", BODY, form={"reason": "x"}))


# ── irregularities ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [Status.CONSIGNMENT_VERIFIED, Status.FIRST_CONSIGNEE_SIGNED])
async def test_an_irregularity_is_signalled_answered_and_dismissed(house: House, status: Status) -> None:
    certificate = await house.at(status)
    await house.move(certificate, "signal_irregularity", POST, form=NOTICE)
    row = await house.row(certificate)
    assert (row.status, row.previous, row.due_name) == ("OFIS_IRREGULARITY", status, "reply_first_call")
    await refused("not_permitted", house.move(certificate, "reply_irregularity", IMPORTER, form=REPLY))
    house.clock.forward(days=3)
    await house.move(certificate, "reply_irregularity", BODY, form=REPLY)
    row = await house.row(certificate)
    assert (row.status, row.previous, row.due_name) == ("OFIS_IRREGULARITY", status, None)
    assert await codes(house, house.move(certificate, "reply_irregularity", BODY, form=REPLY)) == {"notice_answered"}
    conclusion = {"decision": "as_before", "conclusion": "no fault"}
    await house.move(certificate, "conclude_irregularity", CENTRE, form=conclusion)
    shown = await seen(house, IMPORTER, certificate)
    (notice,) = shown["irregularities"]
    assert shown["status"] == status
    assert (notice["notice"], notice["reply"], notice["conclusion"]) == (NOTICE, REPLY, conclusion)
    assert (notice["outcome"], notice["reporter"], notice["notified_body"], notice["notified_country"]) == (
        status,
        "ENTRY_AUTHORITY",
        BODY,
        "MA",
    )


@pytest.mark.parametrize("decision", ["RELEASED_CONVENTIONAL", "NOT_RELEASED"])
async def test_an_irregularity_may_end_the_journey(house: House, decision: str) -> None:
    certificate = await house.at(Status.FIRST_CONSIGNEE_SIGNED)
    await house.move(certificate, "signal_irregularity", IMPORTER, form=NOTICE)
    await house.move(certificate, "conclude_irregularity", POST, form={"decision": decision, "conclusion": "proven"})
    shown = await seen(house, IMPORTER, certificate)
    assert (shown["status"], shown["irregularities"][0]["reporter"]) == (decision, "IMPORTER")


async def test_the_importer_signals_only_once_the_goods_were_received(house: House) -> None:
    certificate = await house.at(Status.CONSIGNMENT_VERIFIED)
    await refused("not_permitted", house.move(certificate, "signal_irregularity", IMPORTER, form=NOTICE))
    assert await codes(house, house.move(certificate, "signal_irregularity", POST, form={})) == {"needed"}
    await refused("not_found", house.move(certificate, "signal_irregularity", STRANGER, form=NOTICE))


async def test_a_notice_beside_a_release_as_conventional_leaves_the_status(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    await house.move(certificate, "release_conventional", POST)
    await house.move(certificate, "signal_irregularity", POST, form=NOTICE)
    shown = await seen(house, CONSIGNEE, certificate)
    assert (shown["status"], len(shown["irregularities"])) == ("RELEASED_CONVENTIONAL", 1)


async def test_a_notice_that_is_not_answered_rings_on_days_fifteen_twenty_five_and_thirty(house: House) -> None:
    certificate = await house.at(Status.CONSIGNMENT_VERIFIED)
    await house.move(certificate, "signal_irregularity", POST, form=NOTICE)
    begun, rung = house.clock(), []
    while (due := (await house.look(certificate)).due) is not None:
        house.clock.time = due.at
        await house.ring(certificate)
        rung.append((due.name, (due.at - begun).days))
    assert rung == [("reply_first_call", 15), ("reply_last_call", 25), ("reply_overdue", 30)]
