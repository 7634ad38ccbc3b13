"""One installation of everything and one browser for all stories, on free ports, in a folder of their own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import httpx2
import pytest
import pytest_asyncio

from deploy.local.stack import Stack
from tests.journeys.people import EASY, People, until
from tests.leaks import nothing_secret
from tests.portal.chromium import Windows, chromium
from tests.stories.site import PATIENCE, PICTURES, Site


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """PostgreSQL, NATS, Temporal, the mail catcher, the services and the portal, once for all stories."""
    async with Stack(tmp_path_factory.mktemp("var"), ports="free", fsync=False, settings=EASY) as running:
        await _stands(running, "certificates", "SELECT count(*) >= 40 FROM party")
        await _stands(running, "notifications", "SELECT count(*) >= 35 FROM post")
        yield running
        await nothing_secret(running)


async def _stands(stack: Stack, service: str, question: str) -> None:
    """Wait for what travels by the bus: the demonstration's organisations and roles."""
    base = await asyncpg.connect(stack.database_url(service, scheme="postgresql"))
    try:
        await until(lambda: base.fetchval(question), PATIENCE)
    finally:
        await base.close()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def by_hand(stack: Stack) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """Plays a story, ``await by_hand(story)``, in the thread of the browser, to which alone it listens."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    loop = asyncio.get_running_loop()
    browser = chromium()
    with ThreadPoolExecutor(1) as hand:
        async with httpx2.AsyncClient(timeout=30) as web:
            opened = await loop.run_in_executor(hand, browser.__enter__)
            site = Site(stack, People(web, stack.addresses), Windows(opened, stack.url("portal")), loop)

            async def play(story: Callable[..., Any]) -> Any:
                return await loop.run_in_executor(hand, story, site)

            yield play
            await loop.run_in_executor(hand, browser.__exit__, None, None, None)
