"""A publisher and a reader with a PostgreSQL database each, and a NATS between them."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, text
from sqlmodel.ext.asyncio.session import AsyncSession

from deploy.local.nats import Bus, nats
from deploy.local.postgres import Server, postgres
from shared.events.identity import AccountActivated, PersonChanged
from shared.kit import bus, log, outbox
from shared.kit.bus import Handlers, Listener
from shared.kit.db import Database
from shared.kit.outbox import Letterbox, Relay, announce, wake
from shared.kit.process import end
from tests.services.conftest import NOON

METADATA = MetaData()
for _table in outbox.METADATA.tables.values():
    _table.to_metadata(METADATA)
EFFECT = Table("effect", METADATA, Column("place", Integer, primary_key=True), Column("what", String(40)))
"""What the reader does about an event, in the order it did it."""


async def note(session: AsyncSession, event: AccountActivated) -> None:
    """The effect of an event on the reader."""
    await session.execute(insert(EFFECT).values(what=event.person_id))


MEMORY = "/dev/shm"
HANDLERS: Handlers = {AccountActivated: note}


@dataclass
class Calls:
    """Whoever is woken, in order; `away` lets it fail so often as an engine that cannot be reached."""

    away: float = 0
    made: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    asked: int = 0

    async def wake(self, workflow: str, workflow_id: str, life: dict[str, Any]) -> None:
        self.asked += 1
        if self.away > 0:
            self.away -= 1
            raise LookupError("the engine is away")
        self.made.append((workflow, workflow_id, life))

    async def until(self, often: int) -> None:
        """Wait until the engine was asked so often."""

        async def asked() -> bool:
            return self.asked >= often

        await patiently(asked)


@dataclass
class Line:
    """A publisher, a reader, and what lies between them."""

    publisher: Database
    reader: Database
    js: JetStreamContext
    pool: asyncpg.Pool
    feed_away: int = 0
    fed: list[int] = field(default_factory=list)

    async def say(self, *what: str, heeded: bool = True) -> None:
        """Announce these events, each in a transaction of its own."""
        for each in what:
            async with self.publisher.transaction() as session:
                kind = AccountActivated if heeded else PersonChanged
                await announce(session, kind(at=NOON, person_id=each))

    async def call(self, workflow_id: str, after: timedelta = timedelta(0), **life: Any) -> None:
        """Ask for a process to be woken."""
        async with self.publisher.transaction() as session:
            await wake(session, "SomeLife", workflow_id, life, after)

    def relay(self, calls: Calls | None = None, batch: int = 200) -> Relay:
        """A relay of the publisher's letter box."""
        return Relay(self.publisher.dsn, self.js, calls, batch)

    async def carried(self, batch: int = 200) -> None:
        """Everything in the letter box carried to the bus."""
        relay = self.relay(batch=batch)
        while await relay.carry_news(self.pool):
            pass

    async def feed(self, publisher: str, after: int) -> list[Letterbox]:
        """The publisher's catch-up feed, as over HTTP: a hundred at a time, nothing while it is away."""
        assert publisher == "identity"
        self.fed.append(after)
        if self.feed_away > 0:
            self.feed_away -= 1
            return []
        async with self.publisher.transaction() as session:
            return await outbox.feed(session, after, limit=100)

    def listener(self, handlers: Handlers = HANDLERS) -> Listener:
        """A listener of the reader."""
        return Listener("reader", "identity", handlers, self.reader, self.js, self.feed)

    async def effects(self) -> list[str]:
        """What the reader did, in order."""
        return [row[0] for row in await self.rows(self.reader, "SELECT what FROM effect ORDER BY place")]

    async def heard(self) -> int:
        """The last number the reader remembers."""
        rows = await self.rows(self.reader, "SELECT seq FROM heard WHERE publisher = 'identity'")
        return int(rows[0][0]) if rows else 0

    async def until(self, number: int) -> list[str]:
        """Wait until the reader remembers this number; what it did."""

        async def remembered() -> bool:
            return await self.heard() >= number

        await patiently(remembered)
        return await self.effects()

    async def in_hand(self) -> None:
        """Wait until the relay has an event in hand that it has not brought away."""

        async def taken() -> bool:
            query = "SELECT 1 FROM outbox WHERE seq IS NOT NULL AND done_at IS NULL"
            return bool(await self.rows(self.publisher, query))

        await patiently(taken)

    async def rows(self, base: Database, query: str) -> list[Any]:
        """The rows a query finds."""
        async with base.transaction() as session:
            return list((await session.execute(text(query))).all())

    async def run(self, statement: str) -> None:
        """A statement on the publisher's database."""
        async with self.publisher.transaction() as session:
            await session.execute(text(statement))

    async def published(self) -> int:
        """How many messages lie in the publisher's stream."""
        return int((await self.js.stream_info("IDENTITY")).state.messages)


async def patiently(there: Callable[[], Awaitable[bool]]) -> None:
    """Look again and again until it is so; nobody rings when a row of another process appears."""
    async with asyncio.timeout(20):
        while not await there():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@asynccontextmanager
async def at_work(*works: Any) -> AsyncIterator[None]:
    """These run meanwhile, until cancelled; one that fails is heard of."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        yield
    finally:
        await end(tasks)
        for task in tasks:
            if not task.cancelled():
                task.result()


@pytest.fixture(scope="session", autouse=True)
def quiet() -> None:
    """Logs as in life: one line each."""
    log.set_up("kit", "CRITICAL")


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Bus]]:
    """One PostgreSQL and one NATS for the session of this test process."""
    loop = asyncio.new_event_loop()
    folder = tmp_path_factory.mktemp("kit")
    base = postgres(folder, fsync=False, databases=("identity", "notifications"))
    # NATS writes every message through to the disk, as it must; in memory that costs nothing
    streams = Path(tempfile.mkdtemp(dir=MEMORY if os.access(MEMORY, os.W_OK) else folder))
    bell = nats(streams)
    try:
        yield loop.run_until_complete(base.__aenter__()), loop.run_until_complete(bell.__aenter__())
    finally:
        loop.run_until_complete(bell.__aexit__(None, None, None))
        loop.run_until_complete(base.__aexit__(None, None, None))
        loop.close()
        shutil.rmtree(streams)


@pytest.fixture
async def line(servers: tuple[Server, Bus]) -> AsyncIterator[Line]:
    """A line with nothing on it yet."""
    server, bell = servers
    async with lines(server, bell.url) as made:
        yield made


@asynccontextmanager
async def lines(server: Server, url: str) -> AsyncIterator[Line]:
    """A line over a bus at this address: empty databases, and no stream but the publisher's own."""
    publisher, reader = Database(server.url("identity"), pool=6), Database(server.url("notifications"), pool=4)
    for base in (publisher, reader):
        async with base.engine.begin() as connection:
            await connection.run_sync(METADATA.drop_all)
            await connection.run_sync(METADATA.create_all)
    connection_ = await bus.connect(url, "kit")
    js = connection_.jetstream()
    with suppress(NotFoundError):
        await js.delete_stream("IDENTITY")
    await bus.declare(js, "identity")
    async with asyncpg.create_pool(publisher.dsn, min_size=1, max_size=3) as pool:
        yield Line(publisher, reader, js, pool)
    await connection_.close()
    await publisher.close()
    await reader.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for what a test starts itself."""
    return tmp_path
