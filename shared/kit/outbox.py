"""The letter box: news and wake-up calls are rows written with the change they tell of; the relay carries them out.

NATS rings the bell, the outbox is the letter box: a row stays after it was published, and the catch-up feed serves it
again to whoever finds a gap in the numbers. News go to JetStream, wake lines to Temporal; neither waits for the other.
"""

import asyncio
import contextlib
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

import asyncpg
from nats.js import JetStreamContext
from pydantic import BaseModel
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    MetaData,
    String,
    Table,
    Uuid,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel.ext.asyncio.session import AsyncSession

from shared.events.base import Event
from shared.kit.log import CORRELATION, logger

METADATA = MetaData()
OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", String(8), nullable=False),  # "event" or "wake"
    Column("message_id", Uuid, nullable=False, unique=True),
    Column("subject", String(200), nullable=False),  # of the event; the workflow's type for a wake line
    Column("target", String(200)),  # the workflow's id
    Column("body", JSONB, nullable=False),
    Column("correlation", String(64), nullable=False, server_default=""),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("not_before", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("seq", BigInteger, unique=True),  # the publisher's own number, given by the relay before it publishes
    Column("done_at", DateTime(timezone=True)),
    Index("outbox_open", "kind", "id", postgresql_where=text("done_at IS NULL")),
    Index("outbox_target", "target", postgresql_where=text("done_at IS NULL AND kind = 'wake'")),
)
HEARD = Table(
    "heard",
    METADATA,
    Column("publisher", String(40), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
DEAD_LETTER = Table(
    "dead_letter",
    METADATA,
    Column("message_id", Uuid, primary_key=True),
    Column("publisher", String(40), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("subject", String(200), nullable=False),
    Column("body", JSONB, nullable=False),
    Column("error", String(400), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("settled_at", DateTime(timezone=True)),
)
log = logger("outbox")


class Letterbox(BaseModel):
    """One published event, as the catch-up feed hands it out."""

    seq: int
    message_id: UUID
    subject: str
    body: dict[str, Any]
    correlation: str = ""


async def announce(session: AsyncSession, event: Event) -> None:
    """Tell the others what has happened, if and only if this transaction commits."""
    await session.execute(
        _ANNOUNCE,
        {
            "message_id": event.id,
            "subject": event.subject,
            "body": event.model_dump_json(),
            "correlation": CORRELATION.get(),
        },
    )


_ANNOUNCE = text(
    "WITH announced AS (INSERT INTO outbox (kind, message_id, subject, body, correlation)"
    " VALUES ('event', :message_id, :subject, cast(:body AS jsonb), :correlation))"
    " SELECT pg_notify('outbox', 'event')"
)


async def wake(
    session: AsyncSession, workflow: str, workflow_id: str, life: dict[str, Any], after: timedelta = timedelta(0)
) -> None:
    """Have a process look at its record (and start it from the record when it does not run), once this commits.

    Delivered at least once, harmless twice. ``after`` lets several edits share one call.
    """
    await session.execute(
        insert(OUTBOX).values(
            kind="wake",
            message_id=uuid4(),
            subject=workflow,
            target=workflow_id,
            body=life,
            correlation=CORRELATION.get(),
            not_before=func.now() + after,
        )
    )
    if not after:
        await session.execute(text("SELECT pg_notify('outbox', 'wake')"))


async def spare_wakes(session: AsyncSession, workflow_id: str) -> None:
    """The process is being told in this very transaction: open wake lines for it have become superfluous."""
    await session.execute(
        update(OUTBOX)
        .where(OUTBOX.c.kind == "wake", OUTBOX.c.target == workflow_id, OUTBOX.c.done_at.is_(None))
        .values(done_at=func.now())
    )


async def feed(session: AsyncSession, after: int, limit: int = 500) -> list[Letterbox]:
    """The events numbered after ``after``, oldest first: what a listener reads when it finds a gap."""
    rows = await session.execute(
        select(OUTBOX.c.seq, OUTBOX.c.message_id, OUTBOX.c.subject, OUTBOX.c.body, OUTBOX.c.correlation)
        .where(OUTBOX.c.kind == "event", OUTBOX.c.seq > after)
        .order_by(OUTBOX.c.seq)
        .limit(limit)
    )
    return [Letterbox.model_validate(row, from_attributes=True) for row in rows]


async def state(session: AsyncSession) -> dict[str, Any]:
    """How much waits in the letter box and what could not be understood (not what it said): for ops."""
    waiting = await session.execute(
        select(OUTBOX.c.kind, func.count(), func.min(OUTBOX.c.created_at))
        .where(OUTBOX.c.done_at.is_(None))
        .group_by(OUTBOX.c.kind)
    )
    dead = await session.execute(
        select(DEAD_LETTER).where(DEAD_LETTER.c.settled_at.is_(None)).order_by(DEAD_LETTER.c.at.desc()).limit(100)
    )
    heard = await session.execute(select(HEARD))
    return {
        "waiting": [{"kind": kind, "number": number, "oldest": oldest} for kind, number, oldest in waiting],
        "dead_letters": [{key: value for key, value in row._mapping.items() if key != "body"} for row in dead],
        "heard": [dict(row._mapping) for row in heard],
    }


async def _as_it_is(_: object) -> None:
    """Nothing done here leaves anything behind in a connection."""


class Waker(Protocol):
    """Starts or signals a process: Temporal in life, a list in a test."""

    async def wake(self, workflow: str, workflow_id: str, life: dict[str, Any]) -> None:
        """Have this process look at its record."""


class Relay:
    """Carries the letter box out: the only one of its service at a time, by an advisory lock held while it lives."""

    LOCK = 0x0B0D_E2EB

    def __init__(self, dsn: str, js: JetStreamContext | None, waker: Waker | None, batch: int = 200) -> None:
        self.dsn, self.js, self.waker, self.batch = dsn, js, waker, batch
        self._numbered = True
        """Whether events may wait that have their number already."""
        self._bell = {"event": asyncio.Event(), "wake": asyncio.Event()}

    async def run(self) -> None:
        """Carry letters until cancelled; a lost connection means starting over, never losing a letter."""
        while True:
            try:
                await self._hold_office()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ExceptionGroup) as problem:
                log.warning("relay starts over", reason=type(problem).__name__)
                await asyncio.sleep(0.5)

    async def _hold_office(self) -> None:
        self._numbered = True
        lock = await asyncpg.connect(self.dsn)
        try:
            # another process may hold the office: knock until it lets go
            while not await lock.fetchval("SELECT pg_try_advisory_lock($1)", self.LOCK):  # noqa: ASYNC110
                await asyncio.sleep(1)
            await lock.add_listener("outbox", self._ring)
            async with (
                asyncpg.create_pool(self.dsn, min_size=1, max_size=2, reset=_as_it_is) as pool,
                asyncio.TaskGroup() as rounds,
            ):
                rounds.create_task(self._watch(lock))
                if self.js is not None:
                    rounds.create_task(self._round(pool, "event", self.carry_news))
                if self.waker is not None:
                    rounds.create_task(self._round(pool, "wake", self.carry_wakes))
        finally:
            await lock.close(timeout=2)

    def _ring(self, _: object, __: int, ___: str, kind: object) -> None:
        self._bell[str(kind)].set()

    async def _watch(self, lock: asyncpg.Connection) -> None:
        """Whoever loses the connection that holds the lock has lost the office."""
        while True:
            await asyncio.sleep(2)
            await lock.fetchval("SELECT 1")

    async def _round(self, pool: asyncpg.Pool, kind: str, carry: Any) -> None:
        bell, trouble, myself = self._bell[kind], 0.0, asyncio.current_task()
        # a cancellation that comes with the bus's answer is swallowed (Python 3.11's ``wait_for``), but counted
        while myself is None or not myself.cancelling():
            bell.clear()
            try:
                while await carry(pool):
                    pass
                trouble = 0.0
            except (asyncpg.PostgresError, asyncpg.InterfaceError):
                raise
            except Exception as problem:  # the bus or the engine is away; the other round does not wait for it
                trouble = min(2.0, trouble * 2 or 0.1)
                log.warning("letters wait", kind=kind, reason=type(problem).__name__)
                await asyncio.sleep(trouble)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await bell.wait()

    async def carry_news(self, pool: asyncpg.Pool) -> bool:
        """Number and publish one batch of events; true when there may be more."""
        assert self.js is not None
        rows = await pool.fetch(
            """
            UPDATE outbox SET seq = numbered.seq FROM (
                SELECT id, (SELECT coalesce(max(seq), 0) FROM outbox) + row_number() OVER (ORDER BY id) AS seq
                FROM outbox WHERE kind = 'event' AND seq IS NULL AND done_at IS NULL ORDER BY id LIMIT $1
            ) AS numbered WHERE outbox.id = numbered.id AND outbox.seq IS NULL
            RETURNING outbox.seq, message_id, subject, body, correlation
            """,
            self.batch,
        )
        if self._numbered:  # in an earlier round, or by who held the office before
            rows = await pool.fetch(
                "SELECT seq, message_id, subject, body, correlation FROM outbox"
                " WHERE kind = 'event' AND done_at IS NULL AND seq IS NOT NULL ORDER BY seq LIMIT $1",
                self.batch,
            )
        self._numbered = True
        for row in sorted(rows, key=lambda row: int(row["seq"])):
            headers = {"Nats-Msg-Id": str(row["message_id"]), "Seq": str(row["seq"]), "Correlation": row["correlation"]}
            await self.js.publish(row["subject"], row["body"].encode(), headers=headers, timeout=5)
        if rows:
            await pool.execute("UPDATE outbox SET done_at = now() WHERE seq = ANY($1)", [row["seq"] for row in rows])
        self._numbered = len(rows) == self.batch
        return self._numbered

    async def carry_wakes(self, pool: asyncpg.Pool) -> bool:
        """Deliver one batch of wake lines, one call per process; true when there may be more."""
        rows = await pool.fetch(
            "SELECT id, subject, target, body FROM outbox"
            " WHERE kind = 'wake' AND done_at IS NULL AND not_before <= now() ORDER BY id LIMIT $1",
            self.batch,
        )
        newest = {row["target"]: row for row in rows}
        await self._wake_all(list(newest.values()))
        if rows:
            await pool.execute("UPDATE outbox SET done_at = now() WHERE id = ANY($1)", [row["id"] for row in rows])
        return len(rows) == self.batch

    async def _wake_all(self, rows: Sequence[asyncpg.Record]) -> None:
        assert self.waker is not None
        for start in range(0, len(rows), 8):
            await asyncio.gather(
                *(
                    self.waker.wake(row["subject"], row["target"], json.loads(row["body"]))
                    for row in rows[start : start + 8]
                )
            )
