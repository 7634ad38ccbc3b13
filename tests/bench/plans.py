"""The plans PostgreSQL makes for what a service asks of it: which of them read a table from end to end."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.event import listen, remove
from sqlmodel.ext.asyncio.session import AsyncSession

from shared.kit.db import Database

Asked = list[tuple[str, Any]]


@asynccontextmanager
async def overheard(base: Database) -> AsyncIterator[Asked]:
    """Every statement that is sent while the block lasts, with its parameters."""
    asked: Asked = []

    def heard(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        asked.append((statement, parameters))

    listen(base.engine.sync_engine, "before_cursor_execute", heard)
    try:
        yield asked
    finally:
        remove(base.engine.sync_engine, "before_cursor_execute", heard)


async def whole_tables(session: AsyncSession, asked: Asked, tables: Sequence[str]) -> list[str]:
    """The statements, each with its plan, that would read one of these tables from end to end."""
    connection = await session.connection()
    found = []
    for statement, parameters in asked:
        lines = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        plan = "\n".join(str(line) for (line,) in lines)
        if re.search(rf"Seq Scan on ({'|'.join(tables)})\b", plan):
            found.append(f"{statement}\n{parameters}\n{plan}")
    return found
