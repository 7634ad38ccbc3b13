"""Wiring of the background work: three processes, the relay, the demonstration, a look at late clocks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy.exc import DBAPIError

from services.directory import demo, proposals, roles, standing
from services.directory.activities import Activities
from services.directory.events import HANDLERS
from shared.kit.log import logger
from shared.kit.process import Surroundings, background
from shared.kit.temporal import activities_of
from workflows.operator_life import OperatorLife
from workflows.operator_validation import OperatorValidation
from workflows.role_validation import RoleValidation

LATE = timedelta(minutes=1)
log = logger("worker")


@asynccontextmanager
async def working(around: Surroundings) -> AsyncIterator[None]:
    """Everything that goes on without being asked."""
    settings = around.settings
    around.database.told |= settings.policy
    if settings.demo and settings.demo_file:
        organisations, roles = await demo.load(around.database, settings.demo_file, settings.grants_file, around.now())
        log.info("demonstration organisations", organisations=organisations, roles=roles)
    async with background(
        around,
        handlers=HANDLERS,
        workflows=[RoleValidation, OperatorValidation, OperatorLife],
        activities=activities_of(Activities(around.database, around.now)),
        chores=[lambda: watch_clocks(around)],
    ):
        yield


async def watch_clocks(around: Surroundings) -> None:
    """Once a minute, call the processes whose clock is late: one that was terminated or lost still rings."""
    while True:
        try:
            async with around.database.transaction() as session:
                before = around.now() - LATE
                number = await roles.overdue(session, before)
                number += await proposals.overdue(session, before)
                number += await standing.overdue(session, before)
            if number:
                log.warning("late clocks woken", number=number)
        except (DBAPIError, OSError) as problem:
            log.warning("clocks not looked at", reason=type(problem).__name__)
        await asyncio.sleep(60)
