"""kill -9 at the worst moments, each made certain: before the commit, after it, and between publishing and marking.

Nothing of ours is changed for that: a lock in the database holds a transaction exactly where it is to be hit, and a
trigger that only this test knows holds it at its commit.
"""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx2
import pytest
import pytest_asyncio

from deploy.local.stack import Stack
from shared.contracts.certificates import life_id
from tests.faults.ledger import Ledger, Witness, insist
from tests.journeys.people import BODY, EXPORTER, JSON, STORY, People, Refusal, fresh_key, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

GATE, MARK = 0x0FA1, 0x0FA2
TRIGGERS = f"""
CREATE OR REPLACE FUNCTION test_hold_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_advisory_xact_lock_shared({GATE}, hashtext(NEW.certificate_id::text)); RETURN NULL; END $$;
CREATE OR REPLACE FUNCTION test_hold_mark() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_advisory_xact_lock_shared({MARK}, 0); RETURN NEW; END $$;
DROP TRIGGER IF EXISTS test_hold_commit ON journal;
DROP TRIGGER IF EXISTS test_hold_mark ON outbox;
CREATE CONSTRAINT TRIGGER test_hold_commit AFTER INSERT ON journal DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION test_hold_commit();
CREATE TRIGGER test_hold_mark BEFORE UPDATE ON outbox
    FOR EACH ROW WHEN (NEW.kind = 'event' AND OLD.done_at IS NULL AND NEW.done_at IS NOT NULL)
    EXECUTE FUNCTION test_hold_mark();
"""


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def triggers(hand: asyncpg.Connection) -> AsyncIterator[None]:
    """A commit of a journal line, and the mark of a published event, wait for whoever holds their gate."""
    await hand.execute(TRIGGERS)
    yield
    if hand.is_closed():
        return
    await hand.execute("SELECT pg_advisory_unlock_all()")
    await hand.execute("DROP TRIGGER test_hold_commit ON journal; DROP TRIGGER test_hold_mark ON outbox")


async def held(hand: asyncpg.Connection, number: int) -> list[int]:
    """The backends that wait for a lock, once there are so many."""

    async def waiting() -> list[int]:
        await hand.execute("SELECT pg_stat_clear_snapshot()")  # within a transaction one would see the same for ever
        rows = await hand.fetch(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            " AND pid <> pg_backend_pid()"
        )
        return [each["pid"] for each in rows] if len(rows) >= number else []

    return list(await until(waiting))


async def ready_to_submit(ledger: Ledger, number: int) -> list[JSON]:
    return list(await asyncio.gather(*(ledger.draft() for _ in range(number))))


@pytest.mark.parametrize("blow", ["first", "second"])
async def test_certificates_killed_before_and_after_the_commit(
    stack: Stack, people: People, witness: Witness, hand: asyncpg.Connection, blow: str
) -> None:
    """Three moments in one blow: a row not yet read, a move written and rolled back, a move written and committed."""
    ledger = Ledger(people)
    await ledger.life(last="sign")  # the body has its signing key
    certificates = [(await ledger.life(last="submit"))["id"] for _ in range(9)]
    not_read, rolled_back, committed = certificates[:3], certificates[3:6], certificates[6:]

    async def signed(those: list[str]) -> int:
        query = "SELECT count(*) FROM journal WHERE action = 'sign' AND certificate_id = ANY($1)"
        return int(await witness.paper(query, those))

    async with hand.transaction():
        await hand.execute("SELECT 1 FROM certificate WHERE id = ANY($1) FOR UPDATE", not_read)
        for certificate in rolled_back + committed:
            await hand.execute(f"SELECT pg_advisory_lock({GATE}, hashtext($1))", certificate)
        orders = [asyncio.create_task(ledger.order(certificate, BODY, "sign")) for certificate in certificates]
        await held(hand, len(certificates))
        assert await signed(certificates) == 0
        dead = stack.kill("certificates")
        await terminate(hand, rolled_back)
        await hand.execute("SELECT pg_advisory_unlock_all()")
        # What waited at its commit is written now, by a process that is dead: nobody was told.
        await until(lambda: signed(committed), every=0.01)
    await stack.ready("certificates")
    assert stack.pid("certificates") != dead
    answers = await asyncio.gather(*orders)
    assert {answer["status"] for answer in answers} == {"ISSUED"}
    await witness.agrees(ledger)


async def terminate(hand: asyncpg.Connection, certificates: list[str]) -> None:
    """End the backends that wait at the commit of these: what they wrote is rolled back."""
    ended = await hand.fetch(
        "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN unnest($1::text[]) AS c(id)"
        " ON l.objid::bigint = hashtext(c.id)::bigint & 4294967295"
        " WHERE l.locktype = 'advisory' AND l.classid = $2 AND NOT l.granted",
        certificates,
        GATE,
    )
    assert len(ended) == len(certificates), "each of them waited at its commit"


async def test_certificates_killed_while_it_retries_and_postgresql_is_stopped(
    stack: Stack, people: People, witness: Witness, hand: asyncpg.Connection
) -> None:
    ledger = Ledger(people)
    drafts = await ready_to_submit(ledger, 3)
    await witness.clocks(ledger)  # each process has read its row: what waits from now on are the orders
    blocker = await asyncpg.connect(stack.database_url("certificates", scheme="postgresql"))
    hold = blocker.transaction()
    await hold.start()
    for draft in drafts:
        await blocker.execute("SELECT 1 FROM certificate WHERE id = $1 FOR UPDATE", draft["id"])
    orders = [asyncio.create_task(ledger.order(draft["id"], EXPORTER, "submit")) for draft in drafts]
    await held(hand, len(drafts))
    await stack.stop("postgres")
    await until(lambda: tried_in_vain(stack, [draft["id"] for draft in drafts]))  # and will be tried again
    stack.kill("certificates")
    await stack.start("postgres")
    await stack.ready("certificates")
    blocker.terminate()
    answers = await asyncio.gather(*orders)
    assert {answer["status"] for answer in answers} == {"DESCRIPTION_COMPLETED"}
    await witness.agrees(ledger)


def tried_in_vain(stack: Stack, certificates: list[str]) -> bool:
    """Whether an attempt to record something of each of these has failed, as the worker's log says."""
    said = "".join(file.read_text() for file in stack.log("certificates").parent.glob("certificates*.log"))
    failed = [line for line in said.splitlines() if "Completing activity as failed" in line]
    return all(any(life_id(each) in line and "certificates.record" in line for line in failed) for each in certificates)


async def test_an_order_that_failed_may_be_sent_again_under_its_key(
    stack: Stack, people: People, witness: Witness, hand: asyncpg.Connection
) -> None:
    """Three attempts failed and the client was told so; once the paper is back, the same order is carried out."""
    ledger = Ledger(people)
    (draft,) = await ready_to_submit(ledger, 1)
    exporter = await ledger.person(EXPORTER)
    wish, key = await exporter.wish(draft["id"], "submit"), fresh_key()
    await hand.execute("ALTER TABLE journal ADD CONSTRAINT test_no_submission CHECK (action <> 'submit') NOT VALID")
    try:
        with pytest.raises(Refusal) as refusal:
            await exporter.orders(draft["id"], wish, key)
        assert (refusal.value.status, refusal.value.code) == (503, "unavailable")
    finally:
        await hand.execute("ALTER TABLE journal DROP CONSTRAINT test_no_submission")
    answer = await exporter.orders(draft["id"], wish, key)
    assert answer["status"] == "DESCRIPTION_COMPLETED"
    again = await exporter.orders(draft["id"], wish, key)
    assert again["revision"] == answer["revision"]


async def test_the_relay_killed_between_publishing_and_marking(
    stack: Stack, people: People, witness: Witness, hand: asyncpg.Connection
) -> None:
    ledger = Ledger(people)
    (draft,) = await ready_to_submit(ledger, 1)
    await witness.at_rest()
    await hand.execute(f"SELECT pg_advisory_lock({MARK}, 0)")
    await ledger.order(draft["id"], EXPORTER, "submit")
    (relay,) = await held(hand, 1)
    query = "SELECT count(*) > 0 FROM notice WHERE certificate_id = $1"
    await until(lambda: witness.post(query, draft["id"]))  # the news are out, the mark is not made
    assert await hand.fetchval("SELECT count(*) > 0 FROM outbox WHERE kind = 'event' AND done_at IS NULL")
    stack.kill("certificates")
    await hand.execute("SELECT pg_terminate_backend($1)", relay)
    await hand.execute("SELECT pg_advisory_unlock_all()")
    await stack.ready("certificates")
    await witness.agrees(ledger)


async def test_a_process_that_never_heard_of_its_move_is_told(
    stack: Stack, people: People, witness: Witness, hand: asyncpg.Connection
) -> None:
    """The move is on paper, then engine, worker and client are gone at once: nobody asks again, and yet it is known."""
    ledger = Ledger(people)
    certificate = (await ledger.life(last="verify"))["id"]
    await witness.clocks(ledger)
    await hand.execute(f"SELECT pg_advisory_lock({GATE}, hashtext($1))", certificate)
    email, action = STORY[3]
    person, key = await ledger.person(email), fresh_key()
    wish = await person.wish(certificate, action)
    asking = asyncio.create_task(person.orders(certificate, wish, key))
    await held(hand, 1)
    stack.kill("temporal")  # with it goes the update, which is nowhere but in its memory
    stack.kill("certificates")
    await hand.execute("SELECT pg_advisory_unlock_all()")
    with pytest.raises(httpx2.HTTPError):
        await asking
    await asyncio.gather(stack.ready("temporal"), stack.ready("certificates"))
    assert await witness.paper("SELECT status FROM certificate WHERE id = $1", certificate) == "FIRST_CONSIGNEE_SIGNED"
    await witness.clocks(ledger)  # the process has ended, though nobody asked for anything
    answer = await insist(lambda: person.orders(certificate, wish, key))
    assert answer["status"] == "FIRST_CONSIGNEE_SIGNED"


async def test_of_an_answer_nobody_waited_for_the_journal_knows(stack: Stack, people: People, witness: Witness) -> None:
    """Whoever asks what became of his order hears it, after everything was killed."""
    ledger = Ledger(people)
    certificate = await ledger.life(last="sign")
    for name in ("certificates", "temporal", "postgres", "nats"):
        stack.kill(name)
    await asyncio.gather(*(stack.ready(name) for name in ("certificates", "temporal", "postgres", "nats")))
    told = ledger.of(certificate["id"])[-1]
    body = await ledger.person(BODY)
    state = await insist(lambda: body.asks("GET", f"/orders/{told.key}"))
    assert (state["state"], state["status"]) == ("done", "ISSUED")
    await ledger.order(certificate["id"], *STORY[2])
    await witness.agrees(ledger, doubles=4)
