"""Extracts: batches of a certificate, from their beginning to their consignee's signature."""

import pytest

from services.certificates import extracts, store, verify, views
from shared.contracts.certificates import BatchRecord, BatchRing, Order, extract_life_id
from shared.rules.status import Status
from tests.services.certificates import world
from tests.services.certificates.batches import base, begun, edited, left, move, part, row_of
from tests.services.certificates.conftest import House, fresh
from tests.services.certificates.refusing import refused
from tests.services.certificates.test_after_signature import NOTICE
from tests.services.certificates.world import (
    BODY,
    CENTRE,
    CONSIGNEE,
    EXPORTER,
    FORWARDER,
    IMPORTER,
    POST,
    STRANGER,
    person,
)

# ── one life ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_batch_from_its_beginning_to_its_consignees_signature(house: House) -> None:
    certificate = await base(house)
    extract = await begun(house, certificate)
    row, parent = await row_of(house, extract), await house.row(certificate)
    assert (row.number, row.status, parent.booked) == (f"{parent.number}-E01", "EXT_NEW", {})
    assert row.content["country_of_destination"] == "FR"
    assert (row.content["operator"], row.content["control_body"]) == (IMPORTER, world.EUROPEAN_BODY)
    await move(house, extract, "submit", IMPORTER)
    assert await left(house, certificate) == [(90, "900.000")]
    await move(house, extract, "verify", POST)
    await move(house, extract, "receive", CONSIGNEE)
    row = await row_of(house, extract)
    assert (row.status, row.due_name) == ("EXT_CONSIGNEE_SIGNED", None)
    shown = await house.get(CONSIGNEE, f"/extracts/{extract}")
    assert [(each["box"], each["action"]) for each in shown["signatures"]] == [("13", "verify"), ("14", "receive")]
    async with house.database.transaction() as session:
        export = await views.export(session, await extracts.found(session, extract))
        whole = await views.export(session, await store.found(session, certificate))
    assert (verify.check(export), verify.check(whole)) == ([], [])
    assert [each["target"] for each in await house.told("extract.moved")] == [
        "EXT_NEW",
        "EXT_SUBMITTED",
        "EXT_VERIFIED",
        "EXT_CONSIGNEE_SIGNED",
    ]


@pytest.mark.parametrize("by", [IMPORTER, FORWARDER, POST, CENTRE])
async def test_importer_forwarder_and_authorities_begin_extracts(house: House, by: str) -> None:
    certificate = await base(house)
    assert (await row_of(house, await begun(house, certificate, by))).creator == by


@pytest.mark.parametrize("by", [EXPORTER, BODY])
async def test_nobody_else_begins_one(house: House, by: str) -> None:
    certificate = await base(house)
    await refused("not_permitted", begun(house, certificate, by))
    await refused("not_found", begun(house, certificate, STRANGER))


async def test_only_a_base_for_extract_is_cut(house: House) -> None:
    certificate = await house.at(Status.ISSUED, first_consignee=None, release_by_batches=True)
    await refused("wrong_status", begun(house, certificate))


async def test_an_authority_that_splits_leaves_the_submission_to_the_importer(house: House) -> None:
    certificate = await base(house)
    extract = await begun(house, certificate, POST)
    await refused("not_permitted", move(house, extract, "submit", POST))
    await move(house, extract, "submit", FORWARDER)


async def test_the_same_key_begins_one_extract(house: House) -> None:
    certificate = await base(house)
    key = fresh()
    assert await begun(house, certificate, key=key) == await begun(house, certificate, key=key)
    await refused("key_reused", begun(house, certificate, key=key, product_lines=part(5)))


async def test_the_same_order_told_twice_books_once(house: House) -> None:
    certificate = await base(house)
    order = Order("submit", person(IMPORTER), 1, {}, None)
    key = fresh()
    other = await begun(house, certificate)
    answers = [await house.pen.extracts.record(BatchRecord(other, order, key)) for _ in range(2)]
    assert answers[0].answer == answers[1].answer
    assert await left(house, certificate) == [(90, "900.000")]


# ── frozen ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_extracts_are_frozen_while_their_certificate_is_under_an_irregularity(house: House) -> None:
    certificate = await base(house)
    new, waiting, released = [await begun(house, certificate) for _ in range(3)]
    await move(house, waiting, "submit", IMPORTER)
    await move(house, released, "submit", IMPORTER)
    await move(house, released, "verify", POST)
    await house.move(certificate, "signal_irregularity", POST, form=NOTICE)
    await refused("wrong_status", begun(house, certificate))
    for extract, action, by in ((new, "submit", IMPORTER), (waiting, "verify", POST), (waiting, "delete", IMPORTER)):
        await refused("frozen", move(house, extract, action, by))
    await refused("frozen", move(house, released, "receive", CONSIGNEE))
    await refused("frozen", edited(house, new, IMPORTER, product_lines=part(1, "1")))
    shown = await house.get(CONSIGNEE, f"/extracts/{released}")
    assert (shown["frozen"], shown["may"]["do"]) == (True, [])
    await house.move(certificate, "conclude_irregularity", POST, form={"decision": "as_before", "conclusion": "none"})
    await move(house, released, "receive", CONSIGNEE)
    await move(house, waiting, "verify", POST)


async def test_an_irregularity_of_one_batch_leaves_the_others_alone(house: House) -> None:
    certificate = await base(house)
    one, other = [await begun(house, certificate) for _ in range(2)]
    for each in (one, other):
        await move(house, each, "submit", IMPORTER)
        await move(house, each, "verify", POST)
    await refused("not_permitted", move(house, one, "signal_irregularity", IMPORTER))
    await move(house, one, "signal_irregularity", POST)
    await refused("wrong_status", move(house, one, "receive", CONSIGNEE))
    await move(house, other, "receive", CONSIGNEE)
    await move(house, one, "conclude_irregularity", POST, form={"decision": "as_before", "conclusion": "no fault"})
    assert (await row_of(house, one)).status == "EXT_VERIFIED"


# ── clocks ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_consignee_of_a_batch_is_reminded_three_times(house: House) -> None:
    extract = await begun(house, await base(house))
    await move(house, extract, "submit", IMPORTER)
    await move(house, extract, "verify", POST)
    rung = []
    while due := (await house.pen.extracts.look(extract)).due:
        house.clock.time = due.at
        await house.pen.extracts.ring(BatchRing(extract, due))
        await house.pen.extracts.ring(BatchRing(extract, due))
        rung.append(due.name)
    assert rung == ["extract_reception_first", "extract_reception_last", "extract_reception_over"]
    told = await house.told("extract.clock_rang")
    assert [each["clock"] for each in told] == rung
    assert POST in told[-1]["concerns"]


# ── an answer that was lost ───────────────────────────────────────────────────────────────────────────────────────


async def wakes(house: House, extract: str) -> int:
    """How many calls wait to wake the extract's process."""
    query = "SELECT count(*) FROM outbox WHERE target = :t AND kind = 'wake' AND done_at IS NULL"
    return int(await house.one(query, t=extract_life_id(extract)))


async def test_a_move_whose_answer_was_lost_is_heard_of_when_it_is_told_again(house: House) -> None:
    extract = await begun(house, await base(house))
    key = fresh()
    await move(house, extract, "submit", IMPORTER, key=key, fingerprint=None)
    await house.run("UPDATE outbox SET done_at = now() WHERE kind = 'wake'")
    headers = {"Idempotency-Key": key}
    wish = {"action": "submit", "revision": 1}
    for forward, expected in ((0, 1), (120, 0)):
        house.clock.forward(minutes=forward)
        answer = await house.door(IMPORTER).post(f"/extracts/{extract}/actions", json=wish, headers=headers)
        assert (answer.status_code, answer.json()["status"]) == (200, "EXT_SUBMITTED")
        assert await wakes(house, extract) == expected
        await house.run("UPDATE outbox SET done_at = now() WHERE kind = 'wake'")


async def test_who_starts_again_wakes_the_extracts_that_changed_last(house: House) -> None:
    certificate = await base(house)
    old, new = await begun(house, certificate), await begun(house, certificate)
    house.clock.forward(hours=1)
    await move(house, new, "submit", IMPORTER)
    await house.run("UPDATE outbox SET done_at = now() WHERE kind = 'wake'")
    async with house.database.transaction() as session:
        assert await extracts.latest(session) == 1
    assert (await wakes(house, old), await wakes(house, new)) == (0, 1)
