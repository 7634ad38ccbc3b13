"""What an installation has written: bytes of histories, bytes of rows, memory of its processes."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Final

import asyncpg

from deploy.local.stack import Stack
from tests.bench.measure import pss_megabytes

UNTOLD: Final = "SELECT count(*) FROM outbox WHERE done_at IS NULL"


async def settled(stack: Stack) -> None:
    """Until the demonstration has travelled: nothing waits to be told, and whoever listens has heard it all."""
    names = [row.name for row in stack.services if row.name != "portal"]
    async with AsyncExitStack() as ends:
        lines = {}
        for name in names:
            lines[name] = await asyncpg.connect(stack.database_url(name, "postgresql"))
            ends.push_async_callback(lines[name].close)
        await _until(lambda: _level(lines), "the demonstration is still travelling")


async def _level(lines: dict[str, asyncpg.Connection]) -> bool:
    told = {name: await line.fetchval("SELECT coalesce(max(seq), 0) FROM outbox") for name, line in lines.items()}
    if not told["directory"] or any([await line.fetchval(UNTOLD) for line in lines.values()]):
        return False
    heard = {name: await line.fetch("SELECT publisher, seq FROM heard") for name, line in lines.items()}
    return all(heard[name] for name in lines if name != "directory") and all(
        row["seq"] >= told.get(row["publisher"], 0) for rows in heard.values() for row in rows
    )


async def _until(holds: Callable[[], Awaitable[bool]], otherwise: str, patience: float = 1200) -> None:
    give_up = time.monotonic() + patience
    while not await holds():
        if time.monotonic() > give_up:
            raise TimeoutError(otherwise)
        await asyncio.sleep(0.1)


async def found(stack: Stack, service: str, query: str, number: int) -> None:
    """Until a count in a service's database has reached a number."""
    connection = await asyncpg.connect(stack.database_url(service, "postgresql"))
    try:

        async def reached() -> bool:
            return int(await connection.fetchval(query)) >= number

        await _until(reached, f"fewer than {number}: {query}", patience=3600)
    finally:
        await connection.close()


async def drained(stack: Stack, service: str = "certificates") -> None:
    """Until every wake line has reached the engine."""
    connection = await asyncpg.connect(stack.database_url(service, "postgresql"))
    try:

        async def empty() -> bool:
            return not await connection.fetchval(UNTOLD)

        await _until(empty, "wake lines are still waiting")
    finally:
        await connection.close()


def sizes(stack: Stack) -> dict[str, float]:
    """KiB on disk and in memory."""
    rows = sum(each.stat().st_size for each in data_folder(stack).rglob("base/*/*") if each.is_file())
    return {
        "history": history_bytes(stack.var / "temporal" / "temporal.db") / 1024,
        "rows": rows / 1024,
        "memory": 1000 * pss_megabytes(stack.pids.values()),
    }


def history_bytes(file: Path) -> int:
    """What the engine's histories take: pages in use, those that still stand in its log included."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as base:
        size, pages, free = (
            int(base.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_size", "page_count", "freelist_count")
        )
    return size * (pages - free)


def data_folder(stack: Stack) -> Path:
    """Where PostgreSQL keeps its rows."""
    place = stack.var / "postgres"
    return Path(place.read_text().strip()) if place.is_file() else place
