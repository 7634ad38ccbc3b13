"""One process of a service: its HTTP door, its background work, or both in one (``all``, what `make run` starts).

A service tells three things: its settings, how its HTTP app is made, and what works in the background. Everything
they need from the outside stands in ``Surroundings``, made once and handed down.
"""

import asyncio
import contextlib
import gc
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

import uvicorn
import uvloop
from fastapi import FastAPI
from nats.aio.client import Client as NatsClient
from nats.js import JetStreamContext
from temporalio.client import Client

from shared.kit import bus, clock, log, migrations, outbox, sessions, temporal
from shared.kit.bus import Handlers, Listener
from shared.kit.db import Database
from shared.kit.http import ServiceClient, create_app
from shared.kit.keys import keyring
from shared.kit.sessions import Gatekeeper
from shared.kit.settings import ServiceSettings
from shared.kit.temporal import Processes


@dataclass
class Surroundings:
    """What a service finds around it: its database, the engine, the bus, the others, the time."""

    name: str
    settings: Any
    database: Database
    client: Client
    processes: Processes
    gatekeeper: Gatekeeper
    others: ServiceClient
    now: Callable[[], datetime] = clock.now
    nats: NatsClient | None = None

    @property
    def js(self) -> JetStreamContext:
        """JetStream, once the background work has connected."""
        assert self.nats is not None
        return self.nats.jetstream()


T = TypeVar("T")
MakeApp = Callable[[Surroundings], FastAPI]
Working = Callable[[Surroundings], AbstractAsyncContextManager[None]]
Command = Callable[[Any, Sequence[str]], Coroutine[Any, Any, None]]
"""Done once, with the service's settings and what was said behind its name."""


@asynccontextmanager
async def surroundings(name: str, settings: ServiceSettings) -> AsyncIterator[Surroundings]:
    """Everything a service needs, closed again at the end. Nothing here waits for a server to be up but PostgreSQL."""
    services = keyring(settings.codec_key_file, "services")
    database = Database(settings.database_url)
    client = await temporal.connect(settings)
    others = ServiceClient(name, settings.base_url, services)
    gatekeeper = Gatekeeper(settings.identity_url, services)
    try:
        if settings.migrate_at_start:
            await migrations.upgrade(database, name)
        yield Surroundings(name, settings, database, client, Processes(client, name), gatekeeper, others)
    finally:
        await others.close()
        await database.close()


@asynccontextmanager
async def background(
    around: Surroundings,
    *,
    handlers: Handlers,
    workflows: Sequence[type] = (),
    activities: Sequence[Callable[..., Any]] = (),
    chores: Sequence[Callable[[], Awaitable[None]]] = (),
) -> AsyncIterator[None]:
    """A service's background work: relay, listeners, Temporal worker, chores. If one of them dies, the process does."""
    around.nats = await _patiently(lambda: bus.connect(around.settings.nats_url, around.name))
    await _patiently(lambda: bus.declare(around.js, around.name))
    works: list[Callable[[], Awaitable[None]]] = [
        outbox.Relay(around.database.dsn, around.js, around.processes if workflows else None).run,
        *(
            Listener(around.name, publisher, handlers, around.database, around.js, around.others.feed).run
            for publisher in sorted(bus.handlers_by_publisher(handlers))
        ),
        *chores,
    ]
    if workflows or activities:
        works.append(lambda: _serve_engine(around, workflows, activities))
    tasks = [asyncio.ensure_future(work()) for work in works]
    guard = asyncio.ensure_future(_die_with(tasks))
    try:
        yield
    finally:
        await end([guard, *tasks])
        with contextlib.suppress(Exception):
            await around.nats.close()


async def end(tasks: Sequence["asyncio.Future[None]"]) -> None:
    """Cancel until they have ended: Python 3.11's ``wait_for`` swallows a cancellation that comes with the answer."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=1)
    await asyncio.gather(*tasks, return_exceptions=True)


async def _serve_engine(
    around: Surroundings, workflows: Sequence[type], activities: Sequence[Callable[..., Any]]
) -> None:
    """Run the Temporal worker; while the engine is away, try again."""
    eager = await _patiently(lambda: temporal.connect(around.settings, lazy=False))
    async with temporal.worker(eager, around.name, workflows, activities):
        await asyncio.Event().wait()


async def _die_with(tasks: Sequence["asyncio.Future[None]"]) -> None:
    """A background task never ends by itself; when one does, the process ends and is started again."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        if not task.cancelled() and task.exception():
            log.logger("process").error("background work died", exc_info=task.exception())
    sys.stderr.flush()
    os._exit(70)


async def _patiently(attempt: Callable[[], Awaitable[T]]) -> T:
    """Try until it works: servers may start after us."""
    while True:
        try:
            return await attempt()
        except Exception as problem:
            log.logger("process").info("not yet there", reason=type(problem).__name__)
            await asyncio.sleep(0.3)


async def serve(app: FastAPI, settings: ServiceSettings) -> None:
    """Answer HTTP until told to stop."""
    config = uvicorn.Config(
        app, settings.host, settings.port, log_level="warning", access_log=False, timeout_graceful_shutdown=3
    )
    await uvicorn.Server(config).serve()


async def run(name: str, settings: ServiceSettings, make_app: MakeApp, working: Working, part: str) -> None:
    """One process: ``api``, ``worker``, or ``all``."""
    async with AsyncExitStack() as stack:
        around = await stack.enter_async_context(surroundings(name, settings))
        if part in ("worker", "all"):
            await stack.enter_async_context(working(around))
        app = make_app(around) if part in ("api", "all") else health_only(around)
        stack.push_async_callback(end, [asyncio.ensure_future(_hear_endings(around))])
        _spare_the_collector()
        await serve(app, settings)


def _spare_the_collector() -> None:
    """What stands at start stays; what comes and goes is looked through less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


async def _hear_endings(around: Surroundings) -> None:
    """A token dies with its session, in every process."""
    url, name = around.settings.nats_url, f"{around.name}-gate"
    await sessions.hear_endings(lambda back: _patiently(lambda: bus.connect(url, name, back)), around.gatekeeper)


def health_only(around: Surroundings) -> FastAPI:
    """What a bare worker answers: its health."""
    return create_app(f"{around.name} worker", around.gatekeeper)


def main(
    name: str,
    settings: ServiceSettings,
    make_app: MakeApp,
    working: Working,
    commands: Mapping[str, Command] = MappingProxyType({}),
) -> None:
    """``python -m services.<name> [all|api|worker|migrate]``, or a command of the service's own, done and over."""
    part = sys.argv[1] if len(sys.argv) > 1 else "all"
    parts = ("all", "api", "worker", "migrate", *commands)
    if part not in parts:
        sys.exit(f"usage: python -m services.{name} [{'|'.join(parts)}]")
    log.set_up(name, settings.log_level)
    if part == "migrate":
        uvloop.run(migrations.upgrade(Database(settings.database_url), name))
    elif part in commands:
        uvloop.run(commands[part](settings, sys.argv[2:]))
        sys.stdout.flush()
    else:
        uvloop.run(run(name, settings, make_app, working, part))
    sys.stderr.flush()
    os._exit(0)  # the engine's library may crash while Python shuts down, after the work is done
