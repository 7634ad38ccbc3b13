"""Two records of one organisation became one: open journeys name the one that stays, what is sealed does not move."""

from services.certificates.merging import repoint
from shared.events.directory import OrganisationMerged
from shared.rules.status import Status
from tests.services.certificates.batches import base, begun, row_of
from tests.services.certificates.conftest import House
from tests.services.certificates.world import BODY, CENTRE, CONSIGNEE, EXPORTER, IMPORTER, POST, STRANGER
from tests.services.conftest import NOON


async def merge(house: House, gone: str, kept: str) -> str:
    """What the directory says of a merge: the record that goes is deleted, and the two are one."""
    await house.directory_says(gone, status="DELETED")
    event = OrganisationMerged(at=NOON, organisation_id=gone, kept=kept, by=CENTRE)
    async with house.database.transaction() as session:
        await repoint(session, event)
    return str(event.id)


async def test_an_issued_certificate_goes_on_with_the_record_that_stays(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    sealed = await house.all("SELECT * FROM sealed WHERE certificate_id = :id", id=certificate)
    event = await merge(house, IMPORTER, STRANGER)
    row = await house.row(certificate)
    assert row.content["importer"] == STRANGER
    assert row.importer == STRANGER
    assert STRANGER in row.visible_to
    assert IMPORTER not in str(row.content)
    *_, line = await house.journal(certificate)
    assert (line.action, line.changes["importer"], line.relies_on) == ("merge", [IMPORTER, STRANGER], {STRANGER: event})
    assert line.organisation_id == CENTRE
    assert await house.all("SELECT * FROM sealed WHERE certificate_id = :id", id=certificate) == sealed
    await house.move(certificate, "verify", POST)
    assert (await house.row(certificate)).status == Status.CONSIGNMENT_VERIFIED


async def test_a_draft_nobody_else_sees_is_rewritten_too(house: House) -> None:
    certificate = await house.draft(importer=IMPORTER, first_consignee=CONSIGNEE)
    await merge(house, CONSIGNEE, STRANGER)
    row = await house.row(certificate)
    assert (row.content["first_consignee"], row.revision) == (STRANGER, 2)
    await merge(house, EXPORTER, BODY)
    assert (await house.row(certificate)).creator == BODY


async def test_a_journey_that_has_ended_is_shown_and_not_rewritten(house: House) -> None:
    certificate = await house.at(Status.FIRST_CONSIGNEE_SIGNED)
    before = await house.row(certificate)
    await merge(house, IMPORTER, STRANGER)
    row = await house.row(certificate)
    assert (row.content, row.revision, row.journal_head) == (before.content, before.revision, before.journal_head)
    assert set(row.visible_to) == {*before.visible_to, STRANGER}
    shown = await house.get(STRANGER, f"/certificates/{certificate}")
    assert shown["content"]["importer"] == IMPORTER


async def test_extracts_follow(house: House) -> None:
    certificate = await base(house)
    extract = await begun(house, certificate)
    await merge(house, IMPORTER, STRANGER)
    row = await row_of(house, extract)
    assert row.creator == STRANGER
    assert STRANGER in row.visible_to
    assert IMPORTER not in row.visible_to
    await merge(house, CONSIGNEE, STRANGER)
    assert (await row_of(house, extract)).content["consignee"] == STRANGER


async def test_told_twice_is_told_once(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    await merge(house, IMPORTER, STRANGER)
    before = await house.row(certificate)
    await merge(house, IMPORTER, STRANGER)
    assert (await house.row(certificate)).revision == before.revision
