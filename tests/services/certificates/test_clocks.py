"""The clocks of a certificate: each rings once, and only where it still matters."""

from datetime import timedelta

from services.certificates import moves
from shared.contracts.certificates import Ring, life_id
from shared.rules.status import Status
from tests.services.certificates.conftest import House
from tests.services.certificates.world import (
    BODY,
    EXPORTER,
    POST,
)


async def test_a_clock_rings_once(house: House) -> None:
    certificate = await house.at(Status.ISSUED, transport=None, arrival_at=None)
    life = await house.look(certificate)
    assert life.due is not None
    assert (life.due.name, life.due.at) == ("completion_first_call", house.clock() + timedelta(days=5))
    house.clock.forward(days=5)
    rung = await house.activities.ring(Ring(certificate, life.due))
    assert rung.due is not None
    assert rung.due.name == "completion_last_call"
    before = await house.digest()
    assert await house.activities.ring(Ring(certificate, life.due)) == rung
    assert await house.digest() == before
    (told,) = await house.told("clock_rang")
    assert (told["clock"], told["concerns"]) == ("completion_first_call", [BODY])
    assert told["due_at"] == rung.due.at.isoformat().replace("+00:00", "Z")
    *_, line_ = await house.journal(certificate)
    assert (line_.action, line_.person, line_.form["clock"]) == ("clock", "Bordereau", "completion_first_call")


async def test_a_clock_that_has_not_come_or_is_over_rings_for_nobody(house: House) -> None:
    certificate = await house.at(Status.ISSUED, transport=None, arrival_at=None)
    due = (await house.look(certificate)).due
    assert due is not None
    before = await house.digest()
    assert (await house.activities.ring(Ring(certificate, due))).due == due  # five days too early
    house.clock.forward(days=5)
    await house.edit(certificate, BODY, transport={"mode": "3", "identification": "AB-123-CD", "document": "CMR"})
    journal = await house.journal(certificate)
    assert (await house.activities.ring(Ring(certificate, due))).due is None  # what it called for has been done
    assert len(await house.journal(certificate)) == len(journal)
    assert await house.told("clock_rang") == []
    assert before != await house.digest()


async def test_a_draft_is_announced_stale_and_then_deleted(house: House) -> None:
    certificate = await house.draft(departure_at=None, arrival_at=None)
    house.clock.forward(days=90)
    assert (await house.ring(certificate)).status is Status.DRAFT
    house.clock.forward(days=30)
    life = await house.ring(certificate)
    assert (life.status, life.over, life.due, life.revision) == (Status.DELETED, True, None, 2)
    row = await house.row(certificate)
    assert (row.status, row.previous, row.visible_to, row.awaited_by) == ("DELETED", "DRAFT", [EXPORTER], [])
    *_, end = await house.journal(certificate)
    assert (end.source, end.target, end.person) == ("DRAFT", "DELETED", "Bordereau")
    assert [each["clock"] for each in await house.told("clock_rang")] == ["draft_stale", "draft_expired"]


async def test_an_edit_makes_a_draft_young_again(house: House) -> None:
    certificate = await house.draft(departure_at=None, arrival_at=None)
    house.clock.forward(days=90)
    await house.ring(certificate)
    await house.edit(certificate, EXPORTER, seals=["S-2"])
    due = (await house.look(certificate)).due
    assert due is not None
    assert (due.name, due.at) == ("draft_stale", house.clock() + timedelta(days=90))


async def test_looking_and_ringing_tell_the_same_life(house: House) -> None:
    certificate = await house.at(Status.ISSUED, transport=None)
    house.clock.forward(days=5)
    assert await house.ring(certificate) == await house.look(certificate)
    recorded = await house.move(certificate, "reject", POST)
    assert recorded.answer == recorded.now == await house.look(certificate)


async def test_late_clocks_are_woken(house: House) -> None:
    certificate, other = await house.at(Status.ISSUED, transport=None, arrival_at=None), await house.draft()
    await house.run("UPDATE outbox SET done_at = now() WHERE kind = 'wake'")

    async def overdue() -> int:
        async with house.database.transaction() as session:
            return await moves.overdue(session, house.clock() - timedelta(minutes=1))

    assert await overdue() == 0
    house.clock.forward(days=5)
    assert await overdue() == 1  # the draft's departure, on Monday
    await house.run("UPDATE outbox SET done_at = now() WHERE kind = 'wake'")
    house.clock.forward(minutes=2)
    assert await overdue() == 2
    assert (await house.wakes(certificate), await house.wakes(other)) == (1, 1)
    body = await house.one("SELECT body FROM outbox WHERE target = :t AND done_at IS NULL", t=life_id(certificate))
    assert (body["certificate_id"], body["status"], body["revision"]) == (certificate, "ISSUED", 0)
