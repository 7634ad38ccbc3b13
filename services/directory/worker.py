"""Wiring of the background work: the relay, and the organisations of the demonstration."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.directory import demo
from services.directory.events import HANDLERS
from shared.kit.log import logger
from shared.kit.process import Surroundings, background

log = logger("worker")


@asynccontextmanager
async def working(around: Surroundings) -> AsyncIterator[None]:
    """Everything that goes on without being asked."""
    settings = around.settings
    if settings.demo and settings.demo_file:
        organisations, roles = await demo.load(around.database, settings.demo_file, settings.grants_file, around.now())
        log.info("demonstration organisations", organisations=organisations, roles=roles)
    async with background(around, handlers=HANDLERS):
        yield
