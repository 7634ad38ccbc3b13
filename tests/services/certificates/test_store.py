"""One transaction or nothing: birth, edits, moves, clocks, numbers and seals against a real PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from services.certificates import moves, store, verify, views
from shared.contracts.certificate_views import Edit, NewCertificate
from shared.contracts.certificates import Record, Ring, life_id
from shared.rules.refusals import Refused
from shared.rules.status import Status
from tests.services.certificates import world
from tests.services.certificates.conftest import House, fresh
from tests.services.certificates.world import (
    BELGIAN_POST,
    BODY,
    CENTRE,
    CONSIGNEE,
    EUROPEAN_BODY,
    EXPORTER,
    FORWARDER,
    IMPORTER,
    OTHER_PRODUCER,
    POST,
    PRODUCER,
    STRANGER,
    boxes,
    line,
    person,
    without,
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


async def refused(code: str, asked: Awaitable[object]) -> dict[str, Any]:
    """The details of the refusal with this code."""
    with pytest.raises(Refused) as no:
        await asked
    assert no.value.code == code, (no.value.code, no.value.details)
    return dict(no.value.details)


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


# ── nobody signs what he has not seen ─────────────────────────────────────────────────────────────────────────────


async def test_an_old_revision_is_refused_and_the_new_one_named(house: House) -> None:
    certificate = await house.draft()
    order = await house.order(certificate, "submit", EXPORTER)
    await house.edit(certificate, EXPORTER, seals=["S-2"])
    before = await house.digest()
    assert (await refused("stale_revision", house.activities.record(Record(certificate, order, fresh()))))[
        "revision"
    ] == 2
    assert (await refused("stale_revision", house.edit(certificate, EXPORTER, revision=1, seals=["S-3"])))[
        "revision"
    ] == 2
    assert await house.digest() == before


async def test_two_edits_of_one_revision_at_once_leave_one(house: House) -> None:
    certificate = await house.draft()
    edits = await asyncio.gather(
        *(house.edit(certificate, EXPORTER, revision=1, seals=[f"S-{n}"]) for n in range(5)), return_exceptions=True
    )
    assert sorted(each.code if isinstance(each, Refused) else str(each) for each in edits) == [
        "2",
        *["stale_revision"] * 4,
    ]


@pytest.mark.parametrize("mark", [None, "", "0" * 64])
async def test_a_signature_names_the_fingerprint_that_was_shown(house: House, mark: str | None) -> None:
    certificate = await house.at(Status.DESCRIPTION_COMPLETED)
    before = await house.digest()
    details = await refused("stale_revision", house.move(certificate, "sign", BODY, fingerprint=mark))
    assert details["field"] == "fingerprint"
    assert await house.digest() == before


async def test_a_partner_who_moved_house_changes_what_would_be_signed(house: House) -> None:
    certificate = await house.at(Status.DESCRIPTION_COMPLETED)
    order = await house.order(certificate, "sign", BODY)
    await house.directory_says(IMPORTER, address="12, rue Neuve")
    details = await refused("stale_revision", house.activities.record(Record(certificate, order, fresh())))
    assert details["field"] == "fingerprint"


async def test_a_signature_is_sealed_and_anybody_can_check_it(house: House) -> None:
    certificate = await house.at(Status.DESCRIPTION_COMPLETED)
    shown = await house.fingerprint(certificate)
    await house.move(certificate, "sign", BODY)
    *_, signed = await house.journal(certificate)
    statement = signed.seal["statement"]
    assert (statement["box"], statement["fingerprint"], statement["revision"]) == ("18", shown, 2)
    assert (statement["person"], statement["organisation_id"]) == ("Person of ECOCERT SA", BODY)
    assert statement["proved_at"] == "2026-11-20T12:00:00+00:00"
    assert statement["form"] == world.SIGNED
    assert statement["journal"] == signed.previous
    assert (await house.row(certificate)).content["issuing_declaration"] == world.SIGNED
    async with house.database.transaction() as session:
        export = await views.export(session, await store.found(session, certificate))
    assert verify.check(export) == []


async def test_one_organisation_has_one_key_however_often_and_however_many_sign_at_once(house: House) -> None:
    some = [await house.at(Status.DESCRIPTION_COMPLETED) for _ in range(4)]
    orders = [(each, await house.order(each, "sign", BODY)) for each in some]
    await asyncio.gather(*(house.activities.record(Record(each, order, fresh())) for each, order in orders))
    keys = await house.all("SELECT DISTINCT seal->>'key' FROM journal WHERE action = 'sign'")
    assert len(keys) == 1
    assert await house.one("SELECT count(*) FROM signing_key") == 1


async def test_the_private_key_is_not_in_the_database(house: House) -> None:
    await house.at(Status.ISSUED)
    wrapped = await house.one("SELECT wrapped FROM signing_key")
    key = house.activities.seals._unwrap(wrapped)
    dump = str(await house.all("SELECT * FROM signing_key")).encode()
    assert len(key) == 32
    assert key not in dump
    assert key.hex().encode() not in dump


async def test_a_partner_suspended_after_submission_stops_the_signature(house: House) -> None:
    certificate = await house.at(Status.DESCRIPTION_COMPLETED)
    await house.directory_says(IMPORTER, status="SUSPENDED")
    before = await house.digest()
    details = await refused("incomplete", house.move(certificate, "sign", BODY))
    assert [(each.field, each.box, each.code) for each in details["problems"]] == [
        ("importer", 11, "partner_not_valid")
    ]
    assert await house.digest() == before
    again = await house.directory_says(IMPORTER, revision=3)
    await house.move(certificate, "sign", BODY)
    *_, signed = await house.journal(certificate)
    assert signed.relies_on[IMPORTER] == again
    assert set(signed.relies_on) >= {EXPORTER, BODY, IMPORTER, CONSIGNEE, POST, CENTRE, PRODUCER, FORWARDER}


async def test_an_old_word_of_the_directory_does_not_overwrite_a_newer_one(house: House) -> None:
    await house.directory_says(IMPORTER, revision=5, status="SUSPENDED")
    await house.directory_says(IMPORTER, revision=4)
    assert await house.one("SELECT record->>'status' FROM party WHERE id = :id", id=IMPORTER) == "SUSPENDED"


# ── clocks ────────────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── every move of the journey ─────────────────────────────────────────────────────────────────────────────────────


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


# ── amendments ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_after_box_18_the_body_may_change_packages_and_nothing_else_of_box_13(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    (goods,) = (await house.row(certificate)).content["product_lines"]
    assert await house.edit(certificate, BODY, product_lines=[{**goods, "packages": 90, "package_type": "BX"}]) == 4
    for part, value in (("net_weight", "900"), ("lot", "L-9"), ("cn_code", "08044000"), ("trade_name", "Autres")):
        details = await refused(
            "not_permitted", house.edit(certificate, BODY, product_lines=[{**goods, "packages": 90, part: value}])
        )
        assert details["field"] == f"product_lines.{part}"
    details = await refused("not_permitted", house.edit(certificate, BODY, product_lines=[goods, line(2)]))
    assert details["field"] == "product_lines"
    details = await refused("not_permitted", house.edit(certificate, BODY, first_consignee=IMPORTER))
    assert details["field"] == "first_consignee"


async def test_the_importer_routes_and_adds_who_is_responsible_for_the_load(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    await house.edit(certificate, IMPORTER, first_consignee=IMPORTER)
    await house.edit(certificate, IMPORTER, entry_authority=BELGIAN_POST, clearance_country="BE")
    row = await house.row(certificate)
    assert row.content["country_of_destination"] == "FR"
    assert BELGIAN_POST in row.visible_to
    assert not {POST, CENTRE, CONSIGNEE} & set(row.visible_to)  # no longer named, no longer there
    await house.edit(certificate, IMPORTER, responsible_for_load=[FORWARDER, STRANGER])
    details = await refused("not_permitted", house.edit(certificate, IMPORTER, responsible_for_load=[STRANGER]))
    assert details["field"] == "responsible_for_load"
    await house.edit(certificate, FORWARDER, arrival_at="2026-12-03T08:00:00Z")
    details = await refused("not_permitted", house.edit(certificate, IMPORTER, seals=["S-9"], containers=[]))
    assert (details["field"], details["fields"]) == ("containers", ["containers", "seals"])


async def test_an_amendment_obeys_the_guards_of_the_signature_it_touches(house: House) -> None:
    certificate = await house.at(Status.ISSUED)
    await house.directory_says(STRANGER, status="SUSPENDED")
    before = await house.digest()
    details = await refused("incomplete", house.edit(certificate, IMPORTER, first_consignee=STRANGER))
    assert {each.code for each in details["problems"]} == {"partner_not_valid"}
    details = await refused("incomplete", house.edit(certificate, BODY, gross_weight={"value": "10", "unit": "KGM"}))
    assert [each.code for each in details["problems"]] == ["net_over_gross"]
    assert await house.digest() == before


async def test_the_exporter_has_nothing_to_edit_once_he_has_submitted(house: House) -> None:
    certificate = await house.at(Status.DESCRIPTION_COMPLETED)
    await refused("not_permitted", house.edit(certificate, EXPORTER, seals=["S-2"]))
    await refused("wrong_status", house.edit(await house.at(Status.CONSIGNMENT_VERIFIED), BODY, seals=["S-2"]))


async def test_an_edit_that_names_nobody_known_or_has_no_shape_changes_nothing(house: House) -> None:
    certificate = await house.draft()
    before = await house.digest()
    nobody = world.identity(404)
    assert (await refused("invalid", house.edit(certificate, EXPORTER, importer=nobody)))["field"] == "importer"
    goods = [line(1), line(2, producer=nobody)]
    details = await refused("invalid", house.edit(certificate, EXPORTER, product_lines=goods))
    assert details["field"] == "product_lines[1].producer"
    for field, value in (("number", "COI.MA.2026.0000001"), ("producers", []), ("issuing_declaration", {}), ("x", 1)):
        assert (await refused("invalid", house.edit(certificate, EXPORTER, changes={field: value})))["field"] == field
    details = await refused("invalid", house.edit(certificate, EXPORTER, gross_weight={"value": 3, "unit": "KGM"}))
    assert details["field"] == "gross_weight.value"
    assert await house.digest() == before


async def test_what_is_derived_is_never_believed(house: House) -> None:
    goods = [line(1, category="f"), line(2, producer=OTHER_PRODUCER, producer_control_body=None)]
    certificate = await house.draft(product_lines=goods)
    content = (await house.row(certificate)).content
    assert [each["category"] for each in content["product_lines"]] == ["a", "a"]
    assert content["producers"] == [PRODUCER, OTHER_PRODUCER]
    assert content["producers_control_bodies"] == [BODY, world.OTHER_BODY]


async def test_an_edit_wakes_the_process_only_when_it_matters_to_it(house: House) -> None:
    certificate = await house.at(Status.ISSUED, transport=None)
    assert await house.wakes(certificate) == 0
    await house.edit(certificate, BODY, seals=["S-2"])
    assert await house.wakes(certificate) == 0
    await house.edit(certificate, IMPORTER, arrival_at="2026-12-08T08:00:00Z")  # clocks count from it
    assert await house.wakes(certificate) == 1
    await house.edit(certificate, IMPORTER, responsible_for_load=[FORWARDER, STRANGER])  # somebody new is bound
    assert await house.wakes(certificate) == 2
    (goods,) = (await house.row(certificate)).content["product_lines"]
    await house.edit(certificate, BODY, transport={"mode": "3", "identification": "AB-123-CD", "document": "CMR"})
    await house.run("UPDATE outbox SET done_at = now()")
    await house.edit(certificate, BODY, product_lines=[{**goods, "packages": None}])  # incomplete again: a clock is set
    assert await house.wakes(certificate) == 1


async def test_edits_of_one_moment_share_their_wake_up_call(house: House) -> None:
    certificate = await house.draft()
    await house.edit(certificate, EXPORTER, arrival_at="2026-12-02T08:00:00Z")
    waits = await house.one(
        "SELECT not_before > created_at FROM outbox WHERE target = :t ORDER BY id DESC LIMIT 1", t=life_id(certificate)
    )
    assert waits is True


async def test_the_first_time_of_arrival_is_announced(house: House) -> None:
    certificate = await house.at(Status.ISSUED, arrival_at=None)
    await house.edit(certificate, IMPORTER, arrival_at="2026-12-02T08:00:00Z")
    await house.edit(certificate, IMPORTER, arrival_at="2026-12-03T08:00:00Z")
    told = await house.told("edited")
    assert [(each["announced"], each["boxes"], each["by"]) for each in told] == [
        (True, ["arrival_at"], IMPORTER),
        (False, ["arrival_at"], IMPORTER),
    ]
    assert [each["arrival_at"] for each in told] == ["2026-12-02T08:00:00Z", "2026-12-03T08:00:00Z"]
    draft = await house.draft(arrival_at=None)
    await house.edit(draft, EXPORTER, arrival_at="2026-12-02T08:00:00Z")
    assert (await house.told("edited"))[-1]["announced"] is False


async def test_news_say_until_when_the_next_step_is_expected(house: House) -> None:
    certificate = await house.at(Status.CONSIGNMENT_VERIFIED)
    life = await house.look(certificate)
    moved = (await house.told("moved"))[-1]
    assert life.due is not None
    assert (moved["due"], datetime.fromisoformat(moved["due_at"])) == ("reception_first_call", life.due.at)
    assert datetime.fromisoformat(moved["arrival_at"]) == datetime(2026, 12, 1, 7, 0, tzinfo=UTC)


async def test_the_journal_says_what_an_edit_changed(house: House) -> None:
    certificate = await house.draft()
    await house.edit(certificate, EXPORTER, seals=["S-2"], first_consignee=None)
    *_, amended = await house.journal(certificate)
    assert amended.changes == {
        "country_of_destination": ["FR", None],
        "first_consignee": [CONSIGNEE, None],
        "seals": [["S-1"], ["S-2"]],
    }


# ── birth and copy ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("by", [POST, CONSIGNEE, world.CUSTOMS, FORWARDER])
async def test_who_has_no_business_with_it_starts_no_certificate(house: House, by: str) -> None:
    details = await refused("not_permitted", house.draft(by=by))
    assert details["field"] == "creator"
    assert await house.one("SELECT count(*) FROM certificate") == 0


async def test_a_suspended_exporter_starts_no_certificate(house: House) -> None:
    await house.directory_says(EXPORTER, status="SUSPENDED")
    await refused("not_permitted", house.draft())


@pytest.mark.parametrize("missing", ["exporter", "product_lines"])
async def test_a_draft_needs_boxes_1_and_4_and_a_product(house: House, missing: str) -> None:
    details = await refused("incomplete", house.drafted(without(missing), by=IMPORTER))
    assert {each.field for each in details["problems"]} == {missing}


async def test_a_form_nobody_prints_is_refused(house: House) -> None:
    assert (await refused("invalid", house.drafted(boxes(), model="COI_1999")))["field"] == "form_model"


async def test_a_copy_takes_parties_and_products_and_leaves_the_load(house: House) -> None:
    certificate = await house.at(Status.FIRST_CONSIGNEE_SIGNED)

    async def copy(by: str, key: str) -> str:
        async with house.database.transaction() as session:
            return (await store.copy(session, certificate, person(by), key, house.clock())).id

    made = await copy(IMPORTER, "copy-key")
    row = await house.row(made)
    assert (row.status, row.creator, row.number, row.revision) == ("DRAFT", IMPORTER, None, 1)
    content = row.content
    assert (content["exporter"], content["issuing_body"], content["entry_authority"]) == (EXPORTER, BODY, POST)
    assert [(each["trade_name"], each.get("lot")) for each in content["product_lines"]] == [
        ("Dattes Medjool biologiques", None)
    ]
    left = {"containers", "seals", "gross_weight", "transport", "departure_at", "arrival_at", "issuing_declaration"}
    assert not left & content.keys()
    (birth,) = await house.journal(made)
    assert birth.changes["copied_from"] == [None, certificate]
    assert await copy(IMPORTER, "copy-key") == made
    await refused("key_reused", copy(EXPORTER, "copy-key"))
    await refused("not_found", copy(STRANGER, fresh()))


async def test_a_copy_asked_for_twice_is_one_copy_though_the_original_was_changed_meanwhile(house: House) -> None:
    certificate = await house.draft()

    async def copy() -> str:
        async with house.database.transaction() as session:
            return (await store.copy(session, certificate, person(EXPORTER), "copy-key", house.clock())).id

    made = await copy()
    await house.edit(certificate, EXPORTER, first_consignee=None)
    assert await copy() == made


async def test_a_producer_who_sees_his_own_lines_copies_nothing(house: House) -> None:
    goods = [line(1), line(2, producer=OTHER_PRODUCER, producer_control_body=world.OTHER_BODY)]
    certificate = await house.at(Status.ISSUED, product_lines=goods, gross_weight={"value": "3", "unit": "TNE"})

    async def copy() -> None:
        async with house.database.transaction() as session:
            await store.copy(session, certificate, person(PRODUCER), fresh(), house.clock())

    await refused("not_found", copy())


async def test_the_form_of_2022_has_its_own_boxes(house: House) -> None:
    goods = [line(organic="organic")]
    certificate = await house.drafted(boxes(product_lines=goods), model="COI_2022")
    await house.edit(certificate, EXPORTER, trader_without_handling=STRANGER)
    await house.move(certificate, "submit", EXPORTER)
    details = await refused(
        "incomplete", house.move(certificate, "sign", BODY, form={**world.SIGNED, "documentary": "not_acceptable"})
    )
    assert [(each.box, each.code) for each in details["problems"] if each.is_error] == [(18, "papers_not_acceptable")]
    old = await house.draft()
    assert (await refused("invalid", house.edit(old, EXPORTER, trader_without_handling=STRANGER)))["field"] == (
        "trader_without_handling"
    )


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
