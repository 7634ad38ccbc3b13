"""One transaction or nothing: births, edits, moves, keys, numbers and races against a real PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from services.certificates import moves, store
from shared.contracts.certificate_views import Edit, NewCertificate
from shared.contracts.certificates import Record, Ring
from shared.rules.refusals import Refused
from shared.rules.status import Status
from tests.services.certificates import world
from tests.services.certificates.conftest import House, fresh
from tests.services.certificates.refusing import refused
from tests.services.certificates.world import (
    BODY,
    CENTRE,
    CONSIGNEE,
    EUROPEAN_BODY,
    EXPORTER,
    IMPORTER,
    POST,
    PRODUCER,
    person,
)

BROKEN = {
    "the journal line": "ALTER TABLE journal ADD CONSTRAINT broken CHECK (seq < {seq})",
    "the event": "ALTER TABLE outbox ADD CONSTRAINT broken CHECK (subject NOT LIKE '%.moved.%')",
    "the sealed document": "ALTER TABLE sealed ADD CONSTRAINT broken CHECK (revision < 0)",
    "the signing key": "ALTER TABLE signing_key ADD CONSTRAINT broken CHECK (length(public_key) < 0)",
    "the number": "ALTER TABLE number_series ADD CONSTRAINT broken CHECK (last < 2)",
    "the row": "ALTER TABLE certificate ADD CONSTRAINT broken CHECK (revision < {revision})",
    "the wake lines": "ALTER TABLE outbox ADD CONSTRAINT broken CHECK (kind <> 'wake' OR done_at IS NULL)",
}


# ── one transaction or nothing ────────────────────────────────────────────────────────────────────────────────────


async def test_a_draft_is_born_with_its_journal_its_event_and_its_wake_line(house: House) -> None:
    certificate = await house.draft()
    row, (birth,) = await house.row(certificate), await house.journal(certificate)
    assert (row.status, row.revision, row.number, row.submitted) == ("DRAFT", 1, None, False)
    assert (birth.action, birth.source, birth.target, birth.seq) == ("create", None, "DRAFT", 1)
    assert (birth.person, birth.organisation) == ("Person of Atlas Bio Export", "Atlas Bio Export")
    assert (birth.hash, birth.seq) == (row.journal_head, row.journal_length)
    assert [each["certificate_id"] for each in await house.told("drafted")] == [certificate]
    assert await house.wakes(certificate) == 1


async def test_what_the_system_knows_is_filled_in_and_what_follows_is_derived(house: House) -> None:
    goods = [{"cn_code": "08041000", "trade_name": "Dattes", "producer": PRODUCER}]
    certificate = await house.drafted({"product_lines": goods, "first_consignee": CONSIGNEE})
    content = (await house.row(certificate)).content
    assert (content["exporter"], content["country_of_export"], content["issuing_body"]) == (EXPORTER, "MA", BODY)
    assert content["procedure"] == "EQUIVALENT_CONTROL_BODY"
    assert content["country_of_destination"] == "FR"
    assert (content["producers"], content["producers_control_bodies"]) == ([PRODUCER], [BODY])
    (first,) = content["product_lines"]
    assert (first["id"], first["unit"], first["category"], first["producer_control_body"]) == ("1", "KGM", "a", BODY)


@pytest.mark.parametrize("step", BROKEN)
async def test_a_move_writes_everything_or_nothing(house: House, step: str) -> None:
    certificate = await house.at(Status.DESCRIPTION_COMPLETED)
    action, by = ("submit", EXPORTER) if step == "the number" else ("sign", BODY)
    if step == "the number":
        certificate = await house.draft()
    await house.edit(certificate, by, national_reference="A wake line that the move would spare", arrival_at=None)
    row = await house.row(certificate)
    order = await house.order(certificate, action, by)
    broken = BROKEN[step].format(seq=row.journal_length + 1, revision=row.revision + 1)
    await house.run(f"{broken} NOT VALID")
    before = await house.digest()
    with pytest.raises(DBAPIError):
        await house.activities.record(Record(certificate, order, "the-key-0"))
    assert await house.digest() == before
    await house.run(f"ALTER TABLE {broken.split()[2]} DROP CONSTRAINT broken")
    recorded = await house.activities.record(Record(certificate, order, "the-key-0"))
    assert recorded.answer.revision == row.revision + 1
    assert await house.one("SELECT max(number) FROM certificate") == (
        "COI.MA.2026.000000" + ("2" if action == "submit" else "1")
    )


async def test_a_birth_and_an_edit_write_everything_or_nothing(house: House) -> None:
    certificate = await house.draft()
    before = await house.digest()
    await house.run("ALTER TABLE outbox ADD CONSTRAINT broken CHECK (kind <> 'wake') NOT VALID")
    for attempt in (house.draft(), house.edit(certificate, EXPORTER, arrival_at="2026-12-02T08:00:00Z")):
        with pytest.raises(DBAPIError):
            await attempt
    await house.run("ALTER TABLE outbox DROP CONSTRAINT broken")
    await house.run("ALTER TABLE outbox ADD CONSTRAINT broken CHECK (kind <> 'event') NOT VALID")
    for attempt in (house.draft(), house.edit(certificate, EXPORTER, seals=["S-2"])):
        with pytest.raises(DBAPIError):
            await attempt
    assert await house.digest() == before


async def test_a_ring_writes_everything_or_nothing(house: House) -> None:
    certificate = await house.draft(departure_at=None, arrival_at=None)
    due = (await house.look(certificate)).due
    assert due is not None
    house.clock.forward(days=90)
    await house.run("ALTER TABLE outbox ADD CONSTRAINT broken CHECK (subject NOT LIKE '%.clock_rang.%') NOT VALID")
    before = await house.digest()
    with pytest.raises(DBAPIError):
        await house.activities.ring(Ring(certificate, due))
    assert await house.digest() == before


# ── keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_same_order_told_twice_gets_the_recorded_answer(house: House) -> None:
    certificate = await house.draft()
    order = await house.order(certificate, "submit", EXPORTER)
    first = await house.activities.record(Record(certificate, order, "the-key-0"))
    await house.move(certificate, "sign", BODY)
    before = await house.digest()
    again = await house.activities.record(Record(certificate, order, "the-key-0"))
    assert again.answer == first.answer
    assert (again.answer.status, again.now.status) == (Status.DESCRIPTION_COMPLETED, Status.ISSUED)
    assert await house.digest() == before


async def test_a_key_stands_for_one_order_of_one_person_on_one_certificate(house: House) -> None:
    certificate, other = await house.draft(), await house.draft()
    order = await house.order(certificate, "submit", EXPORTER)
    await house.activities.record(Record(certificate, order, "the-key-0"))
    colleague = replace(person(EXPORTER), person_id=world.identity(77))
    elsewhere = replace(person(EXPORTER), organisation_id=IMPORTER)
    before = await house.digest()
    for wrong in (
        Record(certificate, replace(order, revision=2), "the-key-0"),
        Record(certificate, replace(order, action="delete"), "the-key-0"),
        Record(certificate, replace(order, form={"reason": "x"}), "the-key-0"),
        Record(certificate, replace(order, actor=colleague), "the-key-0"),
        Record(certificate, replace(order, actor=elsewhere), "the-key-0"),
        Record(other, order, "the-key-0"),
    ):
        details = await refused("key_reused", house.activities.record(wrong))
        assert details["field"] == "Idempotency-Key"
    assert await house.digest() == before


async def test_the_same_person_in_another_session_tells_the_same_order(house: House) -> None:
    certificate = await house.draft()
    order = await house.order(certificate, "submit", EXPORTER)
    first = await house.activities.record(Record(certificate, order, "the-key-0"))
    later = person(EXPORTER, session="another", proved_at=None)
    again = await house.activities.record(Record(certificate, replace(order, actor=later), "the-key-0"))
    assert again.answer == first.answer


async def test_births_and_edits_have_keys_too(house: House) -> None:
    certificate = await house.draft(key="born-key")
    assert await house.draft(key="born-key") == certificate
    await refused("key_reused", house.draft(key="born-key", seals=["other"]))
    await refused("key_reused", house.draft(by=IMPORTER, key="born-key"))
    assert await house.edit(certificate, EXPORTER, "edit-key", 1, seals=["S-2"]) == 2
    assert await house.edit(certificate, EXPORTER, "edit-key", 1, seals=["S-2"]) == 2
    await refused("key_reused", house.edit(certificate, EXPORTER, "edit-key", 1, seals=["S-3"]))
    await refused("key_reused", house.edit(certificate, EXPORTER, "born-key", 1, seals=["S-2"]))
    assert [each.action for each in await house.journal(certificate)] == ["create", "amend"]


async def test_one_key_sent_by_many_at_once_has_one_effect(house: House) -> None:
    born = await asyncio.gather(*(house.draft(key="born-key") for _ in range(6)))
    (certificate,) = set(born)
    assert await house.one("SELECT count(*) FROM certificate") == 1
    revisions = await asyncio.gather(
        *(house.edit(certificate, EXPORTER, "edit-key", 1, seals=["S-2"]) for _ in range(6))
    )
    assert set(revisions) == {2}
    order = await house.order(certificate, "submit", EXPORTER)
    answers = await asyncio.gather(*(house.activities.record(Record(certificate, order, "move-key")) for _ in range(6)))
    assert {each.answer.revision for each in answers} == {3}
    assert await house.one("SELECT count(*) FROM journal") == 3


async def test_one_key_on_two_certificates_at_once_is_refused_for_one_of_them(house: House) -> None:
    one, two = await house.draft(), await house.draft()
    orders = [(each, await house.order(each, "submit", EXPORTER)) for each in (one, two)]
    answers = await asyncio.gather(
        *(house.activities.record(Record(each, order, "move-key")) for each, order in orders), return_exceptions=True
    )
    (no,) = [each for each in answers if isinstance(each, BaseException)]
    assert isinstance(no, Refused)
    assert no.code == "key_reused"


# ── append-only ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET reason = 'another'",
        "DELETE FROM journal",
        "TRUNCATE journal",
        "UPDATE sealed SET document = '{}'",
        "DELETE FROM sealed",
        "TRUNCATE sealed",
    ],
)
async def test_what_is_written_in_the_journal_stays(house: House, statement: str) -> None:
    await house.at(Status.ISSUED)
    before = await house.digest()
    with pytest.raises(DBAPIError, match="append-only"):
        await house.run(statement)
    assert await house.digest() == before


async def test_each_line_of_a_journal_follows_the_one_before(house: House) -> None:
    certificate = await house.at(Status.FIRST_CONSIGNEE_SIGNED)
    lines, row = await house.journal(certificate), await house.row(certificate)
    assert [each.seq for each in lines] == [1, 2, 3, 4, 5]
    assert [each.previous for each in lines] == ["", *(each.hash for each in lines[:-1])]
    assert (row.journal_head, row.journal_length) == (lines[-1].hash, 5)


# ── numbers ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_twenty_submissions_at_once_get_twenty_numbers_without_a_gap(house: House) -> None:
    orders = []
    for _ in range(20):
        certificate = await house.draft()
        orders.append((certificate, await house.order(certificate, "submit", EXPORTER)))
    await asyncio.gather(*(house.activities.record(Record(each, order, fresh())) for each, order in orders))
    numbers = sorted(row[0] for row in await house.all("SELECT number FROM certificate"))
    assert numbers == [f"COI.MA.2026.{count:07d}" for count in range(1, 21)]


async def test_a_submission_that_is_rolled_back_leaves_no_gap(house: House) -> None:
    certificate, other = await house.draft(), await house.draft()
    record = Record(certificate, await house.order(certificate, "submit", EXPORTER), fresh())

    async def interrupted() -> None:
        async with house.database.transaction() as session:
            await moves.record(session, record, house.activities.seals, house.clock())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await interrupted()
    assert (await house.row(certificate)).status == "DRAFT"
    assert (await house.move(other, "submit", EXPORTER)).answer.number == "COI.MA.2026.0000001"
    assert (await house.activities.record(record)).answer.number == "COI.MA.2026.0000002"


async def test_numbers_start_anew_each_year_and_in_each_country(house: House) -> None:
    assert (await house.move(await house.draft(), "submit", EXPORTER)).answer.number == "COI.MA.2026.0000001"
    elsewhere = await house.draft(country_of_export="TN")
    assert (await house.move(elsewhere, "submit", EXPORTER)).answer.number == "COI.TN.2026.0000001"
    house.clock.forward(days=45)
    later = {"departure_at": "2027-01-20T08:00:00Z", "arrival_at": "2027-01-29T08:00:00Z"}
    assert (await house.move(await house.draft(**later), "submit", EXPORTER)).answer.number == "COI.MA.2027.0000001"


# ── races ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_of_two_authorities_who_decide_at_once_one_is_first(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    orders = [
        await house.order(certificate, "verify", POST),
        await house.order(certificate, "reject", CENTRE),
    ]
    answers = await asyncio.gather(
        *(house.activities.record(Record(certificate, order, fresh())) for order in orders), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in answers) == ["Recorded", "Refused"]
    assert len(await house.journal(certificate)) == 4


async def test_an_edit_and_a_signature_at_once_never_both_count(house: House) -> None:
    certificate = await house.at(Status.DESCRIPTION_COMPLETED)
    order = await house.order(certificate, "sign", BODY)

    async def sign() -> object:
        return await house.activities.record(Record(certificate, order, fresh()))

    async def reroute() -> object:
        async with house.database.transaction() as session:
            change = Edit(revision=order.revision, changes={"first_consignee": IMPORTER})
            return await store.edit(
                session, certificate, person(IMPORTER), change, fresh(), house.clock(), timedelta(0)
            )

    steps: list[Callable[[], Awaitable[object]]] = [sign, reroute]
    answers = await asyncio.gather(*(step() for step in steps), return_exceptions=True)
    (no,) = [each for each in answers if isinstance(each, BaseException)]
    assert isinstance(no, Refused)
    assert no.code == "stale_revision"


async def test_times_are_kept_with_their_zone(house: House) -> None:
    certificate = await house.draft(arrival_at="2026-12-01T08:00:00+05:30")
    row = await house.row(certificate)
    assert row.arrival_at == datetime(2026, 12, 1, 2, 30, tzinfo=UTC)
    assert NewCertificate(content={}).form_model == "COI_2017"
    assert EUROPEAN_BODY not in row.visible_to
