"""PostgreSQL: one database per service, one transaction per change. What touches rows takes a session."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as NoRoom
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

AWAY = ("08", "40", "53", "57P")
"""How PostgreSQL's states begin when it is away: connections, a deadlock that it undid, resources, an operator."""


def is_away(trouble: BaseException) -> bool:
    """Whether the database is away, shuts down, starts up or has no room: nobody's bug, and it will be back."""
    if not isinstance(trouble, DBAPIError):
        return isinstance(trouble, OSError | NoRoom)
    state = getattr(trouble.orig, "sqlstate", None) or ""
    return trouble.connection_invalidated or isinstance(trouble, InterfaceError) or state.startswith(AWAY)


class Database:
    """One service's database. ``transaction()`` commits at the end, or leaves no trace."""

    def __init__(self, url: str, pool: int = 16) -> None:
        self.url = url
        self.told: dict[str, Any] = {}
        """What every session is told of the installation, in its ``info``: settings that queries need."""
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool,
            max_overflow=8,
            pool_pre_ping=False,
            pool_recycle=1800,
            hide_parameters=True,  # what is written to a row is nobody's to read in a log
        )
        self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session whose changes are committed together when the block ends without an exception."""
        async with AsyncSession(self.engine, expire_on_commit=False, info=self.told) as session, session.begin():
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that only reads: each statement sees what is committed by then, as in a transaction, but sooner."""
        async with AsyncSession(self._reading, expire_on_commit=False, autoflush=False, info=self.told) as session:
            yield session

    @property
    def dsn(self) -> str:
        """The address as the bare driver wants it."""
        return self.url.replace("postgresql+asyncpg://", "postgresql://")

    async def close(self) -> None:
        """Give all connections back."""
        await self.engine.dispose()
