"""Wiring of the background work: the relay, the listeners, overdue sessions, and the persons of the demonstration."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy.exc import DBAPIError

from services.identity import accounts, admissions, authorities, classic, creations, demo, lives, profile, resets, store
from services.identity.activities import Paper
from services.identity.events import HANDLERS
from services.identity.passwords import Passwords
from shared.contracts.identity import Kind
from shared.kit.log import logger
from shared.kit.process import Surroundings, background
from shared.kit.temporal import activities_of
from shared.rules.refusals import Refused
from workflows.account_creation import AccountCreation
from workflows.account_life import AccountLife
from workflows.account_validation import AccountValidation
from workflows.details_change import DetailsChange
from workflows.password_reset import PasswordReset

EVERY = 60.0
WORKFLOWS = (AccountCreation, AccountLife, AccountValidation, DetailsChange, PasswordReset)
log = logger("worker")


@asynccontextmanager
async def working(around: Surroundings) -> AsyncIterator[None]:
    """Everything that goes on without being asked."""
    settings = around.settings
    if settings.demo and settings.demo_file:
        passwords = Passwords(settings)
        added = await demo.load(around.database, passwords, settings.demo_file, around.now())
        passwords.close()
        log.info("demonstration accounts", added=added)

    async def tidy() -> None:
        limits = store.Limits(timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_hours))
        while True:
            try:
                async with around.database.transaction() as session:
                    await store.end_overdue(session, around.now(), limits)
                    for kind, course in await creations.late(session, around.now()):
                        await accounts.wake_course(session, kind, course)
                    for course in await resets.late(session, around.now()):
                        await accounts.wake_course(session, Kind.RESET, course)
                    for course in await lives.late(session, around.now()):
                        await accounts.wake_course(session, Kind.LIFE, course)
                    for course in await profile.late(session, around.now()):
                        await accounts.wake_course(session, Kind.CHANGE, course)
                    await classic.forget_old(session, around.now())
                    await admissions.forget_old(session, around.now())
                    await store.forget_retired_keys(session, around.now())
                    strange = await authorities.unknown(session)
                for each in strange:
                    record = await around.others.get("directory", f"/organisations/{each}")
                    async with around.database.transaction() as session:
                        await authorities.learn(session, each, record)
            except (DBAPIError, OSError, Refused) as problem:
                log.warning("overdue sessions wait", reason=type(problem).__name__)
            await asyncio.sleep(EVERY)

    async with background(
        around, handlers=HANDLERS, workflows=WORKFLOWS, activities=activities_of(Paper(around)), chores=[tidy]
    ):
        yield
