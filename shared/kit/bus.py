"""JetStream: one stream per publisher, and listeners that hear everything in order, exactly once in effect.

A listener remembers the last number it heard of each publisher in the same transaction as the effect. A number heard
before is skipped, a missing one is read from the publisher's catch-up feed, and what cannot be understood after five
tries becomes a dead letter that ops can see.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import nats
import nats.errors
from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlmodel.ext.asyncio.session import AsyncSession

from shared.events.base import CATALOGUE
from shared.kit.db import Database, is_away
from shared.kit.log import CORRELATION, logger
from shared.kit.outbox import DEAD_LETTER, HEARD, Letterbox

Handler = Callable[[AsyncSession, Any], Awaitable[None]]
Handlers = Mapping[Any, Handler]  # event class -> what this service does about it
Feed = Callable[[str, int], Awaitable[list[Letterbox]]]
TRIES = 5
GAP_PATIENCE = 0.5
log = logger("bus")


async def connect(url: str, name: str, back: Callable[[], Awaitable[None]] | None = None) -> NatsClient:
    """A connection that never gives up: when the server is away it comes back to it, and calls ``back``."""
    return await nats.connect(
        url,
        name=name,
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.2,
        allow_reconnect=True,
        connect_timeout=2,
        error_cb=_quiet,
        reconnected_cb=back,
    )


async def _quiet(problem: Exception) -> None:
    log.info("bus trouble", reason=type(problem).__name__)


async def declare(js: JetStreamContext, publisher: str) -> None:
    """Make the publisher's stream when it is not there yet; harmless when it is."""
    config = StreamConfig(
        name=publisher.upper(),
        subjects=[f"{publisher}.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        max_age=30 * 86400,
        duplicate_window=600,
    )
    try:
        await js.stream_info(publisher.upper())
    except NotFoundError:
        await js.add_stream(config)


class Listener:
    """Hears one publisher on behalf of one service, in order; the handlers are that service's table."""

    def __init__(
        self,
        service: str,
        publisher: str,
        handlers: Handlers,
        database: Database,
        js: JetStreamContext,
        feed: Feed,
    ) -> None:
        self.service, self.publisher, self.database, self.js, self.feed = service, publisher, database, js, feed
        self.handlers = {kind.subject: (kind, do) for kind, do in handlers.items() if kind.publisher() == publisher}
        self.last = 0
        self._saved = 0

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await declare(self.js, self.publisher)
                self.last = self._saved = await self._remembered()
                await self._listen()
            except (nats.errors.Error, OSError, DBAPIError) as problem:
                log.warning("listener starts over", publisher=self.publisher, reason=type(problem).__name__)
                await asyncio.sleep(0.5)

    async def _listen(self) -> None:
        subscription = await self.js.pull_subscribe(
            f"{self.publisher}.>",
            durable=f"{self.service}-hears-{self.publisher}",
            stream=self.publisher.upper(),
            config=ConsumerConfig(
                ack_policy=AckPolicy.EXPLICIT, deliver_policy=DeliverPolicy.ALL, ack_wait=30, max_ack_pending=1000
            ),
        )
        await self.catch_up()
        while True:
            try:
                messages = await subscription.fetch(100, timeout=5)
            except (nats.errors.TimeoutError, TimeoutError):
                await self.catch_up()
                continue
            for message in messages:
                await self._hear(message)
            await self._save()

    async def _hear(self, message: Msg) -> None:
        headers = message.headers or {}
        seq = int(headers.get("Seq", 0))
        while seq > self.last + 1:
            await self.catch_up(until=seq)
            if seq > self.last + 1:  # nobody there who knows what we missed: wait, for order goes before haste
                log.warning("gap not filled", publisher=self.publisher, after=self.last, before=seq)
                await asyncio.sleep(GAP_PATIENCE)
        if seq > self.last:
            letter = Letterbox(
                seq=seq,
                message_id=UUID(headers["Nats-Msg-Id"]),
                subject=message.subject,
                body=json.loads(message.data),
                correlation=headers.get("Correlation", ""),
            )
            if not await self.take(letter):
                await message.term()
                return
        await message.ack()

    async def catch_up(self, until: int | None = None) -> None:
        """Read from the publisher's own letter box what the bus did not bring."""
        while until is None or self.last < until:
            letters = await self.feed(self.publisher, self.last)
            for letter in letters:
                await self.take(letter)
            if len(letters) < 100:
                break
        await self._save()

    async def take(self, letter: Letterbox) -> bool:
        """Let one event have its effect, once; false when it became a dead letter."""
        if letter.seq <= self.last:
            return True
        if letter.subject not in self.handlers:
            self.last = letter.seq
            return True
        CORRELATION.set(letter.correlation)
        attempt = 0
        while True:
            try:
                async with self.database.transaction() as session:
                    await self._effect(session, letter)
                self.last = self._saved = letter.seq
                return True
            except Exception as problem:
                if is_away(problem):
                    log.warning("database away", reason=type(problem).__name__)
                    await asyncio.sleep(0.5)
                    continue
                attempt += 1
                log.warning("event not understood", subject=letter.subject, seq=letter.seq, attempt=attempt)
                if attempt >= TRIES:
                    await self._bury(letter, problem)
                    return False
                await asyncio.sleep(0.1 * 2**attempt)

    async def _effect(self, session: AsyncSession, letter: Letterbox) -> None:
        await session.execute(
            insert(HEARD).values(publisher=self.publisher, seq=0).on_conflict_do_nothing(index_elements=["publisher"])
        )
        heard = select(HEARD.c.seq).where(HEARD.c.publisher == self.publisher).with_for_update()
        if (await session.execute(heard)).scalar_one() >= letter.seq:
            return
        kind, handler = self.handlers[letter.subject]
        await handler(session, kind.model_validate(letter.body))
        await session.execute(
            HEARD.update().where(HEARD.c.publisher == self.publisher).values(seq=letter.seq, at=func.now())
        )

    async def _bury(self, letter: Letterbox, problem: Exception) -> None:
        async with self.database.transaction() as session:
            await session.execute(
                insert(DEAD_LETTER)
                .values(
                    message_id=letter.message_id,
                    publisher=self.publisher,
                    seq=letter.seq,
                    subject=letter.subject,
                    body=letter.body,
                    error=type(problem).__name__,
                )
                .on_conflict_do_nothing(index_elements=["message_id"])
            )
            await self._write(session, letter.seq)
        self.last = self._saved = letter.seq
        log.error("dead letter", subject=letter.subject, seq=letter.seq, reason=type(problem).__name__)

    async def _save(self) -> None:
        """Remember how far we heard, also where nothing had to be done."""
        if self.last > self._saved:
            async with self.database.transaction() as session:
                await self._write(session, self.last)
            self._saved = self.last

    async def _write(self, session: AsyncSession, seq: int) -> None:
        await session.execute(
            insert(HEARD)
            .values(publisher=self.publisher, seq=seq)
            .on_conflict_do_update(
                index_elements=["publisher"],
                set_={"seq": func.greatest(HEARD.c.seq, seq), "at": func.now()},
            )
        )

    async def _remembered(self) -> int:
        async with self.database.transaction() as session:
            row = await session.execute(select(HEARD.c.seq).where(HEARD.c.publisher == self.publisher))
            return row.scalar_one_or_none() or 0


def handlers_by_publisher(handlers: Handlers) -> set[str]:
    """The publishers a table of handlers needs to hear."""
    for kind in handlers:
        if kind.subject not in CATALOGUE:
            raise LookupError(f"{kind.__name__} is not in the catalogue")
    return {kind.publisher() for kind in handlers}
