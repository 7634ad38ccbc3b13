"""Databases that are brought back after a test instead of being cloned anew.

One thing to remember: a folder's conftest imports both fixtures; their tests then share one database for each filling.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import asyncpg
import pytest

from shared.kit.db import Database
from tests.services.conftest import DatabaseOf, Fill, Templates

__all__ = ["database", "kept"]


@pytest.fixture(scope="session")
def kept() -> dict[str, str]:
    """The databases of this session, each with the statements that undo what a test has done to it.

    Cloning a database copies many files; undoing is ten times as fast.
    """
    return {}


@pytest.fixture
async def database(templates: Templates, kept: dict[str, str]) -> AsyncIterator[DatabaseOf]:
    """A migrated database that nobody else uses meanwhile; what a test did to it is undone before the next."""
    async with AsyncExitStack() as ends:

        async def empty(service: str, fill: Fill | None = None) -> Database:
            mark = f"{service}_{fill.__qualname__ if fill else 'empty'}"
            address, ours = templates.server.url(mark, service), templates.server.url(mark, "postgres", "postgresql")
            if mark not in kept:
                await templates.server.create(mark, owner=service, template=await templates.of(service))
                if fill:
                    filled = Database(address)
                    await fill(filled)
                    await filled.close()
                kept[mark] = await remembered(ours)
            else:
                await undo(ours, kept[mark])
            made = Database(address, pool=4)
            ends.push_async_callback(made.close)
            return made

        yield empty


async def remembered(url: str) -> str:
    """Copy every table aside; the statements that bring the tables back to what they hold now."""
    connection = await asyncpg.connect(url, ssl=False)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = sorted({row["tablename"] for row in tables} - {"alembic_version"})
        await connection.execute("CREATE SCHEMA kept")
        for name in names:
            await connection.execute(f"CREATE TABLE kept.{name} AS TABLE {name}")
    finally:
        await connection.close()
    again = (
        f"IF (SELECT count(*) FROM {name}) <> (SELECT count(*) FROM kept.{name})"
        f" OR EXISTS (TABLE {name} EXCEPT TABLE kept.{name}) THEN"
        f" DELETE FROM {name}; INSERT INTO {name} OVERRIDING SYSTEM VALUE TABLE kept.{name}; END IF;"
        for name in names
    )
    # no trigger fires for a replica
    return "SET session_replication_role = replica; DO $$ BEGIN " + " ".join(again) + " END $$"


async def undo(url: str, again: str) -> None:
    """Drop the constraints with which a test broke something, and bring the tables back."""
    connection = await asyncpg.connect(url, ssl=False)
    try:
        broken = await connection.fetch(
            "SELECT conrelid::regclass AS place FROM pg_constraint WHERE conname = 'broken'"
        )
        for row in broken:
            await connection.execute(f"ALTER TABLE {row['place']} DROP CONSTRAINT broken")
        await connection.execute(again)
    finally:
        await connection.close()
