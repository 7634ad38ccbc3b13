"""The deployment's real processes, to be killed by their process ids; one installation for all faults."""

from collections.abc import AsyncIterator

import asyncpg
import httpx2
import pytest
import pytest_asyncio
from temporalio.client import Client

from deploy.local import postgres
from deploy.local.stack import Stack
from shared.kit import temporal
from shared.kit.settings import ServiceSettings
from tests.faults.ledger import Witness
from tests.journeys.people import People, until
from tests.leaks import nothing_secret


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Everything, as durable as in life and started again at once when it was killed; letters are not held back."""
    quick = {"notifications": {"LETTERS_PER_SECOND": "2000"}}
    var = tmp_path_factory.mktemp("var")
    try:
        async with Stack(var, ports="free", pauses=(0.05,), settings=quick) as stack:
            yield stack
            await nothing_secret(stack)
    finally:
        postgres.remove(var)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def engine(stack: Stack) -> Client:
    """The engine, as an operator meets it."""
    settings = ServiceSettings(temporal_address=stack.addresses["temporal"], codec_key_file=stack.var / "codec.key")
    return await temporal.connect(settings, lazy=False)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def witness(stack: Stack, engine: Client) -> AsyncIterator[Witness]:
    """Who compares what the clients were told with what stands there."""
    witness = Witness(stack, engine)
    witness.watch()
    await until(lambda: witness.paper("SELECT count(*) >= 40 FROM party"))
    await until(lambda: witness.post("SELECT count(*) >= 35 FROM post"))
    yield witness
    await witness.close()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def people(stack: Stack) -> AsyncIterator[People]:
    """Everybody of the demonstration."""
    async with httpx2.AsyncClient(timeout=30) as web:
        yield People(web, stack.addresses)


@pytest_asyncio.fixture(loop_scope="session")
async def hand(stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the certificates' database with which a test holds things fast."""
    connection = await asyncpg.connect(stack.database_url("certificates", scheme="postgresql"))
    yield connection
    if not connection.is_closed():
        await connection.close()
