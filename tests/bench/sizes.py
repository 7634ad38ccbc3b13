"""What an installation has written: bytes of histories, bytes of rows, memory of its processes."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg

from deploy.local.stack import Stack
from tests.bench.measure import pss_megabytes


async def drained(stack: Stack, service: str = "certificates") -> None:
    """Until every wake line has reached the engine."""
    connection = await asyncpg.connect(stack.database_url(service, "postgresql"))
    try:
        for _ in range(6000):
            if not await connection.fetchval("SELECT count(*) FROM outbox WHERE done_at IS NULL"):
                return
            await asyncio.sleep(0.2)
        raise TimeoutError("wake lines are still waiting")
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
