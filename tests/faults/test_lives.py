"""Twenty blows at running lives, twenty lives ended by an operator, a bus that lies: what clients were told stays true.

The seed of the blows is printed; `FAULTS_SEED=…` strikes them again, `FAULTS_BLOWS=…` strikes more of them.
"""

import asyncio
import json
import os
import random
import sys
import time
from typing import Final

import asyncpg
import nats
import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from deploy.local.stack import Stack
from shared.contracts.certificates import life_id
from tests.faults.ledger import Ledger, Witness, running_timers
from tests.journeys.people import BODY, EXPORTER, STORY, People, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

SEED: Final = int(os.environ.get("FAULTS_SEED") or random.SystemRandom().randrange(10**6))
BLOWS: Final = int(os.environ.get("FAULTS_BLOWS") or 20)
AT_ONCE: Final = 4


async def test_twenty_blows_at_running_lives(stack: Stack, people: People, witness: Witness) -> None:
    """Every service, NATS, PostgreSQL and Temporal, killed while certificates are drafted, signed, received."""
    print(f"FAULTS_SEED={SEED}", file=sys.stderr)
    dice, ledger, over = random.Random(SEED), Ledger(people), asyncio.Event()
    victims = [*stack.pids] * (BLOWS // len(stack.pids) + 1)
    dice.shuffle(victims)

    births = asyncio.Semaphore(AT_ONCE)  # two lives for each blow: some are always running, and they can be counted

    async def live() -> None:
        while await births.acquire() and not over.is_set():
            await ledger.life()

    lives = [asyncio.create_task(live()) for _ in range(AT_ONCE)]
    blows: list[str] = []
    for victim in victims[:BLOWS]:
        done = len(ledger.orders)
        await asyncio.sleep(dice.uniform(0, 0.4))  # the random moment itself; nothing is waited for here
        await stack.ready(victim)
        dead = stack.kill(victim)
        blows.append(victim)
        for _ in range(2):
            births.release()
        await stack.ready(victim)
        assert stack.pid(victim) != dead
        if len(blows) % 5 == 0:  # the lives go on, whatever was hit
            await until(lambda done=done: len(ledger.orders) > done, 30)
    over.set()
    for _ in lives:
        births.release()
    await asyncio.gather(*lives)
    print(f"{len(ledger.drafts)} lives, {len(ledger.orders)} orders, struck: {' '.join(blows)}", file=sys.stderr)
    assert len(ledger.drafts) >= AT_ONCE
    await witness.agrees(ledger, doubles=BLOWS)


async def test_twenty_lives_ended_by_an_operator(
    stack: Stack, people: People, witness: Witness, engine: Client, hand: asyncpg.Connection
) -> None:
    """Terminated in the engine's own pages: the next order finds them from their rows, and their clocks ring."""
    ledger = Ledger(people)
    steps = ["submit", "sign", "verify", "receive"]
    certificates = list(await asyncio.gather(*(ledger.life(last=steps[n % 3]) for n in range(12))))
    drafts = list(await asyncio.gather(*(ledger.draft() for _ in range(8))))
    await witness.at_rest()
    for each in (*certificates, *drafts):
        await engine.get_workflow_handle(life_id(each["id"])).terminate("by an operator")
    stale = [each["id"] for each in drafts[:4]]
    # Nobody touched these for ninety days and two minutes: the row's time is moved, as nobody can move the world's.
    moved = await hand.fetch(
        "UPDATE certificate SET updated_at = once, entered_at = once, due_at = now() - interval '2 minutes',"
        " due_name = 'draft_stale', content = content - 'departure_at' - 'arrival_at'"
        " FROM (SELECT now() - interval '90 days 2 minutes' AS once) AS long_ago WHERE id = ANY($1) RETURNING id",
        stale,
    )
    assert len(moved) == len(stale)
    stack.kill("certificates")  # whoever starts looks at once for clocks that are late
    await stack.ready("certificates")

    async def orders() -> None:
        for each in certificates:
            done = steps.index(ledger.of(each["id"])[-1].wish["action"])
            await ledger.order(each["id"], *STORY[done + 1])

    await asyncio.gather(orders(), *(ledger.order(each["id"], EXPORTER, "submit") for each in drafts[4:]))

    async def rung() -> bool:
        query = "SELECT count(DISTINCT certificate_id) FROM journal WHERE action = 'clock' AND certificate_id = ANY($1)"
        return bool(await witness.paper(query, stale) == len(stale))

    await until(rung, 30)
    reminded = await witness.post("SELECT count(*) FROM notice WHERE letter = 'draft-stale'")
    assert reminded == len(stale)
    await witness.agrees(ledger)


async def test_a_life_waits_through_the_death_of_its_worker(
    stack: Stack, people: People, witness: Witness, engine: Client
) -> None:
    """Nothing in flight, only waiting: the timer goes on in the engine, and the next order finds everything."""
    ledger = Ledger(people)
    certificate = await ledger.life(last="sign")
    await witness.clocks(ledger)
    handle = engine.get_workflow_handle(life_id(certificate["id"]))
    before = (await handle.describe()).run_id
    stack.kill("certificates")
    stack.kill("temporal")
    await asyncio.gather(stack.ready("certificates"), stack.ready("temporal"))
    await ledger.order(certificate["id"], *STORY[2])
    assert (await handle.describe()).run_id == before, "the same run, not a new one"
    await witness.agrees(ledger)


async def test_news_that_come_twice_tell_once_and_news_that_were_lost_are_found(
    stack: Stack, people: People, witness: Witness
) -> None:
    """What NATS does with a message does not matter: the letter box keeps it, and the numbers tell."""
    ledger = Ledger(people)
    certificate = await ledger.life(last="submit")
    await witness.at_rest()
    bus = await nats.connect(stack.addresses["nats"])
    try:
        stream = bus.jetstream()
        last = await stream.get_last_msg("CERTIFICATES", "certificates.certificate.moved.v1")
        assert last.headers is not None
        twice = dict(last.headers) | {"Nats-Msg-Id": "another, beyond the window in which the bus notices"}
        await stream.publish(last.subject or "", last.data or b"", headers=twice)
        await stack.stop("notifications")
        await ledger.order(certificate["id"], BODY, "sign")
        await until(lambda: witness.paper("SELECT count(*) = 0 FROM outbox WHERE done_at IS NULL AND kind = 'event'"))
        lost = await stream.get_last_msg("CERTIFICATES", "certificates.certificate.moved.v1")
        assert lost.seq is not None
        assert await stream.delete_msg("CERTIFICATES", lost.seq)
        await stack.start("notifications")
    finally:
        await bus.close()
    await witness.agrees(ledger)


async def test_a_dead_engine_stops_neither_births_nor_news(
    stack: Stack, people: People, witness: Witness, engine: Client
) -> None:
    """Drafts are born and edits are told of while Temporal is away; its processes start when it is back."""
    ledger = Ledger(people)
    certificate = await ledger.life(last="sign")
    await witness.at_rest()
    await stack.stop("temporal")
    try:
        began = time.monotonic()
        draft = await ledger.draft()
        body = await ledger.person(BODY)
        await body.edits(certificate["id"], certificate["revision"], seals=["ML-9"])
        query = "SELECT count(*) > 0 FROM notice WHERE certificate_id = $1 AND letter = 'amended'"
        await until(lambda: witness.post(query, certificate["id"]), 10)
        assert time.monotonic() - began < 10
    finally:
        await stack.start("temporal")
    handle = engine.get_workflow_handle(life_id(draft["id"]))

    async def clock_runs() -> bool:
        try:
            history = await handle.fetch_history()
        except RPCError:
            return False
        return bool(running_timers(json.loads(history.to_json())))

    await until(clock_runs, 30)
    await ledger.order(draft["id"], EXPORTER, "submit")


async def test_a_dead_bus_stops_neither_orders_nor_clocks(stack: Stack, people: People, witness: Witness) -> None:
    """Whole lives while NATS is away; the letters follow."""
    ledger = Ledger(people)
    await witness.at_rest()
    await stack.stop("nats")
    try:
        certificate = await ledger.life(last="sign")
        await witness.clocks(ledger)
    finally:
        await stack.start("nats")
    await ledger.order(certificate["id"], *STORY[2])
    await witness.agrees(ledger)
