"""One installation for all journeys: the deployment's own processes, on free ports, in a folder of their own."""

from collections.abc import AsyncIterator
from typing import Final

import asyncpg
import httpx2
import pytest
import pytest_asyncio

from deploy.local.programs import SERVICES
from deploy.local.stack import Stack
from tests.journeys.people import EASY, People, until
from tests.leaks import nothing_secret

SPOKEN_TO: Final = tuple(row for row in SERVICES if row.name != "portal")  # journeys speak to the services themselves


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """PostgreSQL, NATS, Temporal, the mail catcher and the services, once for all journeys."""
    var = tmp_path_factory.mktemp("var")
    async with Stack(var, services=SPOKEN_TO, ports="free", fsync=False, settings=EASY) as stack:
        certificates = await asyncpg.connect(stack.database_url("certificates", scheme="postgresql"))
        notifications = await asyncpg.connect(stack.database_url("notifications", scheme="postgresql"))
        try:  # the demonstration's organisations and roles travel by the bus
            await until(lambda: certificates.fetchval("SELECT count(*) >= 40 FROM party"))
            await until(lambda: notifications.fetchval("SELECT count(*) >= 35 FROM post"))
            yield stack
            await nothing_secret(stack)
        finally:
            await certificates.close()
            await notifications.close()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def people(stack: Stack) -> AsyncIterator[People]:
    """Everybody of the demonstration."""
    async with httpx2.AsyncClient(timeout=30) as web:
        yield People(web, stack.addresses)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def paper(stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    """The certificates service's database, to compare with what was answered."""
    connection = await asyncpg.connect(stack.database_url("certificates", scheme="postgresql"))
    yield connection
    await connection.close()
