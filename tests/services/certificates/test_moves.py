"""Every move of the journey, by everybody who may make it."""

from typing import Any

import pytest

from shared.contracts.certificates import Record
from shared.rules.status import Status
from tests.services.certificates import world
from tests.services.certificates.conftest import House, fresh
from tests.services.certificates.refusing import refused
from tests.services.certificates.world import (
    BELGIAN_POST,
    BODY,
    CENTRE,
    CONSIGNEE,
    EXPORTER,
    FORWARDER,
    IMPORTER,
    POST,
)


async def test_the_whole_journey(house: House) -> None:
    certificate = await house.at(Status.FIRST_CONSIGNEE_SIGNED)
    moved = await house.told("moved")
    assert [(each["action"], each["source"], each["target"], each["by"]) for each in moved] == [
        ("submit", "DRAFT", "DESCRIPTION_COMPLETED", EXPORTER),
        ("sign", "DESCRIPTION_COMPLETED", "ISSUED", BODY),
        ("verify", "ISSUED", "CONSIGNMENT_VERIFIED", POST),
        ("receive", "CONSIGNMENT_VERIFIED", "FIRST_CONSIGNEE_SIGNED", CONSIGNEE),
    ]
    assert {each["number"] for each in moved} == {"COI.MA.2026.0000001"}
    assert moved[1]["parties"]["CENTRAL_AUTHORITY"] == [CENTRE]
    life = await house.look(certificate)
    assert (life.over, life.due, life.awaited) == (True, None, None)


async def test_a_control_body_signs_its_own_draft_directly(house: House) -> None:
    certificate = await house.draft(by=BODY)
    recorded = await house.move(certificate, "sign", BODY)
    assert (recorded.answer.status, recorded.answer.number) == (Status.ISSUED, "COI.MA.2026.0000001")
    row = await house.row(certificate)
    assert {EXPORTER, IMPORTER, CONSIGNEE, POST, CENTRE, FORWARDER, BODY} <= set(row.visible_to)
    await refused("wrong_status", house.move(certificate, "submit", BODY))


async def test_a_body_only_named_in_a_draft_neither_sees_nor_signs_it(house: House) -> None:
    certificate = await house.draft()
    await refused("not_found", house.move(certificate, "sign", BODY))
    await refused("not_found", house.edit(certificate, IMPORTER, entry_authority=POST))


async def test_a_draft_is_deleted_by_its_creator_and_stays_hidden(house: House) -> None:
    certificate = await house.draft()
    await house.move(certificate, "delete", EXPORTER, form={})
    row = await house.row(certificate)
    assert (row.status, row.submitted, row.number, row.visible_to) == ("DELETED", False, None, [EXPORTER])
    assert (await house.look(certificate)).over


async def test_the_body_deletes_a_submitted_certificate_with_a_reason(house: House) -> None:
    certificate = await house.at(Status.DESCRIPTION_COMPLETED)
    await refused("not_permitted", house.move(certificate, "delete", EXPORTER))
    details = await refused("incomplete", house.move(certificate, "delete", BODY, form={}))
    assert [(each.field, each.code) for each in details["problems"]] == [("reason", "needed")]
    await house.move(certificate, "delete", BODY)
    row = await house.row(certificate)
    assert row.status == "DELETED"
    assert {EXPORTER, IMPORTER, BODY} <= set(row.visible_to)
    assert row.number == "COI.MA.2026.0000001"
    assert (await house.told("moved"))[-1]["reason"] == "drawn up by mistake"
    assert (await house.journal(certificate))[-1].reason == "drawn up by mistake"


@pytest.mark.parametrize("by", [POST, CENTRE])
async def test_either_authority_deletes_a_verified_certificate(house: House, by: str) -> None:
    certificate = await house.at(Status.CONSIGNMENT_VERIFIED)
    await refused("incomplete", house.move(certificate, "delete", by, form={"reason": "   "}))
    recorded = await house.move(certificate, "delete", by)
    assert (recorded.answer.status, recorded.answer.over) == (Status.DELETED, True)


@pytest.mark.parametrize(
    ("action", "target"), [("release_conventional", "RELEASED_CONVENTIONAL"), ("reject", "NOT_RELEASED")]
)
@pytest.mark.parametrize("by", [POST, CENTRE])
async def test_the_authority_decides_otherwise_with_a_reason(house: House, action: str, target: str, by: str) -> None:
    certificate = await house.at(Status.ISSUED)
    details = await refused("incomplete", house.move(certificate, action, by, form={}))
    assert [(each.field, each.code) for each in details["problems"]] == [("entry_checks.reason", "needed")]
    await house.move(certificate, action, by)
    row = await house.row(certificate)
    assert (row.status, row.content["entry_checks"]) == (target, world.FORMS[action])
    assert (await house.journal(certificate))[-1].seal["statement"]["box"] == "20"


@pytest.mark.parametrize("by", [POST, CENTRE])
async def test_the_authority_of_box_9_or_its_superior_verifies(house: House, by: str) -> None:
    certificate = await house.at(Status.ISSUED)
    await refused("not_found", house.move(certificate, "verify", BELGIAN_POST))
    await refused("not_permitted", house.move(certificate, "verify", IMPORTER))
    await house.move(certificate, "verify", by)
    assert (await house.row(certificate)).awaited_by == [CONSIGNEE]


async def test_a_release_in_batches_opens_the_base_for_extracts(house: House) -> None:
    batches = {"first_consignee": None, "release_by_batches": True}
    certificate = await house.at(Status.ISSUED, **batches)
    details = await refused("incomplete", house.move(certificate, "verify", POST))
    assert [each.code for each in details["problems"] if each.severity == "error"] == ["consignee_open"]
    await house.move(certificate, "open_batches", POST)
    row = await house.row(certificate)
    assert (row.status, row.awaited_by) == ("BASE_FOR_EXTRACT", sorted([IMPORTER, FORWARDER]))
    named = await house.at(Status.ISSUED)
    assert "batches_not_ticked" in [
        each.code for each in (await refused("incomplete", house.move(named, "open_batches", POST)))["problems"]
    ]


async def test_moves_without_a_form_are_refused_politely(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    await refused("unknown_action", house.move(certificate, "explode", POST))
    await refused("not_found", house.activities.record(Record(world.identity(999), await _any(house), fresh())))


async def _any(house: House) -> Any:
    return await house.order(await house.draft(), "submit", EXPORTER)


async def test_a_move_spares_the_wake_lines_that_wait(house: House) -> None:
    certificate = await house.draft()
    await house.edit(certificate, EXPORTER, arrival_at="2026-12-02T08:00:00Z")
    assert await house.wakes(certificate) == 2
    other = await house.draft()
    await house.move(certificate, "submit", EXPORTER)
    assert (await house.wakes(certificate), await house.wakes(other)) == (0, 1)
