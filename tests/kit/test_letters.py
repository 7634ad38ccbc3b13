"""Relay and listener: nothing is lost, nothing has its effect twice, order is kept, whatever dies in between."""

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from nats.js import JetStreamContext
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from deploy.local.nats import Bus, nats
from deploy.local.ports import free_port
from deploy.local.postgres import Server
from shared.events.base import Event
from shared.events.identity import AccountActivated
from shared.kit import outbox
from shared.kit.bus import TRIES, Handlers, handlers_by_publisher
from shared.kit.outbox import Relay, announce
from tests.kit.conftest import HANDLERS, Calls, Line, at_work, lines, note, patiently
from tests.services.conftest import NOON


async def test_what_is_said_is_heard_once_and_in_order(line: Line) -> None:
    said = [str(n) for n in range(120)]
    async with at_work(line.relay().run(), line.listener().run()):
        await line.say(*said)
        assert await line.until(120) == said


async def test_what_is_rolled_back_was_never_said(line: Line) -> None:
    async def interrupted() -> None:
        async with line.publisher.transaction() as session:
            await announce(session, AccountActivated(at=NOON, person_id="never"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await interrupted()
    await line.say("said")
    await line.carried()
    assert (await line.published(), await line.rows(line.publisher, "SELECT seq FROM outbox")) == (1, [(1,)])


# ── the relay dies ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_relay_killed_between_publish_and_mark_publishes_again_with_one_effect(line: Line) -> None:
    await line.say("a", "b")
    await line.run("ALTER TABLE outbox ADD CONSTRAINT broken CHECK (done_at IS NULL)")
    with pytest.raises(asyncpg.CheckViolationError):
        await line.carried()
    await line.run("ALTER TABLE outbox DROP CONSTRAINT broken")
    assert await line.published() == 2  # it was told, but nobody noted it down
    await line.say("c")
    async with at_work(line.listener().run()):
        assert await line.until(2) == ["a", "b"]
        await line.carried()
        assert await line.until(3) == ["a", "b", "c"]
    assert await line.rows(line.publisher, "SELECT count(*) FROM outbox WHERE done_at IS NULL") == [(0,)]


async def test_what_the_bus_brings_twice_has_one_effect(line: Line) -> None:
    """As after the bus has forgotten which messages it knows, or when an acknowledgement was lost."""
    await line.say("a", "b")
    await line.carried()
    rows = await line.rows(line.publisher, "SELECT seq, subject, message_id, body::text FROM outbox ORDER BY seq")
    for again in range(3):
        for seq, subject, message_id, body in rows:
            headers = {"Nats-Msg-Id": f"{message_id}{'0' * again}"[-36:] if again else str(message_id), "Seq": str(seq)}
            await line.js.publish(subject, body.encode(), headers=headers)
    assert await line.published() > 2
    async with at_work(line.listener().run()):
        assert await line.until(2) == ["a", "b"]
        await line.say("c")
        await line.carried()
        assert await line.until(3) == ["a", "b", "c"]


async def test_of_two_relays_one_holds_the_office_until_it_dies(line: Line) -> None:
    first, second = line.relay(), line.relay()
    async with at_work(second.run(), line.listener().run()):
        async with at_work(first.run()):
            await line.say("a")
            await line.until(1)
            held = await line.rows(line.publisher, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
            assert held == [(1,)]
            await line.say("b")
            await line.until(2)
        await line.say("c")
        assert await line.until(3) == ["a", "b", "c"]


async def test_a_relay_that_loses_its_database_starts_over(line: Line) -> None:
    async with at_work(line.relay().run(), line.listener().run()):
        await line.say("a")
        await line.until(1)
        await line.rows(line.reader, "SELECT 1")
        await line.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = user"
        )
        await line.publisher.engine.dispose()
        await line.say("b")
        assert await line.until(2) == ["a", "b"]


@dataclass
class Deaf:
    """A bus whose answer comes in the very moment its asker is cancelled: Python 3.11 then forgets the cancellation."""

    js: JetStreamContext
    told: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish(self, *letter: Any, **more: Any) -> None:
        await self.js.publish(*letter, **more)
        self.told.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


async def test_a_relay_ends_though_its_cancellation_was_forgotten_in_the_answer(line: Line) -> None:
    bus = Deaf(line.js)
    await line.say("a")
    async with asyncio.timeout(20):
        async with at_work(Relay(line.publisher.dsn, bus, None).run()):  # type: ignore[arg-type]
            await bus.told.wait()
    assert await line.published() == 1


# ── numbers ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_numbers_have_no_gap_though_many_write_at_once_and_some_take_it_back(line: Line) -> None:
    chance = random.Random(7)

    async def write(name: int) -> None:
        for n in range(6):
            try:
                async with line.publisher.transaction() as session:
                    for part in range(chance.randint(1, 3)):
                        await announce(session, AccountActivated(at=NOON, person_id=f"{name}.{n}.{part}"))
                        await asyncio.sleep(chance.random() / 200)  # the random moment itself
                    if chance.random() < 0.3:
                        raise ZeroDivisionError
            except ZeroDivisionError:
                pass

    async with at_work(line.relay(batch=5).run()):
        await asyncio.gather(*(write(name) for name in range(8)))
        (count,) = (await line.rows(line.publisher, "SELECT count(*) FROM outbox"))[0]

        async def carried() -> bool:
            return not await line.rows(line.publisher, "SELECT 1 FROM outbox WHERE done_at IS NULL LIMIT 1")

        await patiently(carried)
    numbers = [row[0] for row in await line.rows(line.publisher, "SELECT seq FROM outbox ORDER BY seq")]
    assert numbers == list(range(1, count + 1))
    assert await line.published() == count
    # what was said in one transaction is heard in the order it was said
    told = [row[0] for row in await line.rows(line.publisher, "SELECT body->>'person_id' FROM outbox ORDER BY seq")]
    for name in range(8):
        mine = [each for each in told if each.startswith(f"{name}.")]
        assert mine == sorted(mine)


async def test_two_relays_that_both_believe_to_hold_the_office_number_nothing_twice(line: Line) -> None:
    await line.say(*(str(n) for n in range(30)))

    async def carry() -> None:
        with suppress(asyncpg.UniqueViolationError):  # it starts over
            await line.carried(batch=7)

    for _ in range(8):
        await asyncio.gather(carry(), carry(), line.say("more"))
    await line.carried()
    rows = await line.rows(line.publisher, "SELECT seq FROM outbox ORDER BY seq")
    assert [row[0] for row in rows] == list(range(1, 39))
    assert await line.published() == 38  # each once
    async with at_work(line.listener().run()):
        assert sorted(await line.until(38)) == sorted([*(str(n) for n in range(30)), *["more"] * 8])


# ── the bus loses something ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_message_the_bus_has_lost_is_read_from_the_letter_box(line: Line) -> None:
    await line.say("a", "b", "c", "d")
    await line.carried()
    await line.js.delete_msg("IDENTITY", 2)
    await line.js.delete_msg("IDENTITY", 4)
    async with at_work(line.listener().run()):
        assert await line.until(4) == ["a", "b", "c", "d"]


async def test_a_gap_waits_until_it_is_filled_for_order_goes_before_haste(line: Line) -> None:
    await line.say("a", "b", "c")
    await line.carried()
    await line.js.delete_msg("IDENTITY", 2)
    line.feed_away = 3
    async with at_work(line.listener().run()):
        assert await line.until(3) == ["a", "b", "c"]
    assert line.fed[:4] == [0, 1, 1, 1]


async def test_a_stream_that_is_gone_is_made_anew_and_all_of_it_is_read_from_the_letter_box(line: Line) -> None:
    said = [str(n) for n in range(130)]
    await line.say(*said)
    await line.carried()
    await line.js.delete_stream("IDENTITY")
    async with at_work(line.listener().run()):
        assert await line.until(130) == said
        await line.say("after")
        await line.carried()
        assert (await line.until(131))[-1] == "after"


async def test_a_reader_that_was_away_goes_on_where_it_stopped(line: Line) -> None:
    await line.say("a")
    await line.carried()
    async with at_work(line.listener().run()):
        await line.until(1)
    await line.say("b", "c")
    await line.carried()
    await line.js.purge_stream("IDENTITY")
    await line.say("d")
    await line.carried()
    async with at_work(line.listener().run()):
        assert await line.until(4) == ["a", "b", "c", "d"]


async def test_what_nobody_heeds_is_passed_over_and_remembered(line: Line) -> None:
    await line.say("x", "y", heeded=False)
    await line.carried()
    async with at_work(line.listener().run()):
        assert await line.until(2) == []
        await line.say("a")
        await line.carried()
        assert await line.until(3) == ["a"]


async def test_a_bus_that_goes_down_and_comes_back_has_lost_nothing(servers: tuple[Server, Bus], folder: Path) -> None:
    port = free_port()
    first = nats(folder, port)
    bell = await first.__aenter__()
    async with lines(servers[0], bell.url) as line, at_work(line.relay().run(), line.listener().run()):
        await line.say("a")
        await line.until(1)
        await first.__aexit__(None, None, None)
        await line.say("b", "c")
        await line.in_hand()  # the relay runs into the silence
        assert await line.rows(line.publisher, "SELECT count(*) FROM outbox WHERE done_at IS NULL") == [(2,)]
        async with nats(folder, port):
            assert await line.until(3) == ["a", "b", "c"]


# ── what cannot be understood ─────────────────────────────────────────────────────────────────────────────────────


async def test_poison_is_put_aside_and_the_next_go_on(line: Line) -> None:
    await line.say("a")
    await line.run(
        "INSERT INTO outbox (kind, message_id, subject, body)"
        " VALUES ('event', gen_random_uuid(), 'identity.account.activated.v1', '{\"at\": \"never\"}')"
    )
    await line.say("c")
    await line.carried()
    async with at_work(line.listener().run()):
        assert await line.until(3) == ["a", "c"]
    (dead,) = await line.rows(line.reader, "SELECT publisher, seq, subject, body, error, settled_at FROM dead_letter")
    assert tuple(dead)[:3] == ("identity", 2, "identity.account.activated.v1")
    assert (dead.body, dead.error, dead.settled_at) == ({"at": "never"}, "ValidationError", None)
    async with line.reader.transaction() as session:
        shown = await outbox.state(session)
    assert [(each["seq"], each["error"]) for each in shown["dead_letters"]] == [(2, "ValidationError")]


async def test_a_handler_that_fails_half_way_leaves_no_trace_and_is_tried_again(line: Line) -> None:
    failures = [1, 2]

    async def clumsy(session: AsyncSession, event: AccountActivated) -> None:
        await note(session, event)
        if event.person_id == "b" and failures:
            failures.pop()
            raise ZeroDivisionError

    await line.say("a", "b", "c")
    await line.carried()
    async with at_work(line.listener({AccountActivated: clumsy}).run()):
        assert await line.until(3) == ["a", "b", "c"]
    assert await line.rows(line.reader, "SELECT count(*) FROM dead_letter") == [(0,)]


async def test_a_database_that_is_away_makes_no_dead_letters(line: Line) -> None:
    outages = list(range(TRIES))

    async def unlucky(session: AsyncSession, event: AccountActivated) -> None:
        if outages:
            outages.pop()
            await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        await note(session, event)

    await line.say("a")
    await line.carried()
    async with at_work(line.listener({AccountActivated: unlucky}).run()):
        assert await line.until(1) == ["a"]
    assert await line.rows(line.reader, "SELECT count(*) FROM dead_letter") == [(0,)]


# ── processes to be woken ─────────────────────────────────────────────────────────────────────────────────────────


async def test_several_calls_for_one_process_are_one_call_with_the_newest_words(line: Line) -> None:
    for revision in range(3):
        await line.call("one", revision=revision)
        await line.call(f"other-{revision}")
    calls = Calls()
    assert await line.relay(calls).carry_wakes(line.pool) is False
    assert sorted(each for _, each, _ in calls.made) == ["one", "other-0", "other-1", "other-2"]
    assert ("SomeLife", "one", {"revision": 2}) in calls.made
    assert await line.relay(calls).carry_wakes(line.pool) is False
    assert len(calls.made) == 4


async def test_a_call_for_later_waits_and_one_that_became_superfluous_is_not_made(line: Line) -> None:
    calls = Calls()
    await line.call("later", timedelta(hours=1))
    await line.call("spared")
    async with line.publisher.transaction() as session:
        await outbox.spare_wakes(session, "spared")
    await line.relay(calls).carry_wakes(line.pool)
    assert calls.made == []
    await line.run("UPDATE outbox SET not_before = now() WHERE target = 'later'")
    await line.relay(calls).carry_wakes(line.pool)
    assert [each for _, each, _ in calls.made] == ["later"]


async def test_a_call_nobody_answers_is_made_again(line: Line) -> None:
    calls = Calls(away=3)
    await line.call("one")
    async with at_work(line.relay(calls).run()):

        async def made() -> bool:
            return bool(calls.made)

        await patiently(made)
    assert [each for _, each, _ in calls.made] == ["one"]


async def test_an_engine_that_is_away_does_not_stop_the_news(line: Line) -> None:
    calls = Calls(away=float("inf"))
    await line.call("one")
    relay = line.relay(calls)
    async with at_work(relay.run(), line.listener().run()):
        for n in range(1, 6):
            await line.say(str(n))
            await line.until(n)
        await calls.until(2)
        held = await line.rows(line.publisher, "SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory'")
        assert len(held) == 1  # and it is the same relay that goes on, not one that starts over at each failure
        await calls.until(calls.asked + 2)
        assert await line.rows(line.publisher, "SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory'") == held


# ── the catch-up feed, and what ops see ───────────────────────────────────────────────────────────────────────────


async def test_the_feed_hands_out_what_is_numbered_a_page_at_a_time(line: Line) -> None:
    await line.say(*(str(n) for n in range(7)))
    await line.call("one")
    async with line.publisher.transaction() as session:
        assert await outbox.feed(session, 0) == []  # nobody has numbered them yet
    await line.carried()
    async with line.publisher.transaction() as session:
        page = await outbox.feed(session, 2, limit=3)
        waiting = (await outbox.state(session))["waiting"]
    assert [(each.seq, each.body["person_id"]) for each in page] == [(3, "2"), (4, "3"), (5, "4")]
    assert [(each["kind"], each["number"]) for each in waiting] == [("wake", 1)]


def test_a_table_of_handlers_names_known_events_only() -> None:
    assert handlers_by_publisher(HANDLERS) == {"identity"}

    class Unheard(Event):
        """Not in the catalogue: it has no subject of its own."""

    Unheard.subject = "identity.nobody.knows.v1"
    wrong: Handlers = {Unheard: note}
    with pytest.raises(LookupError, match="Unheard"):
        handlers_by_publisher(wrong)


def test_the_reader_heeds_what_its_table_says(line: Line) -> None:
    listener: Any = line.listener()
    assert list(listener.handlers) == ["identity.account.activated.v1"]
