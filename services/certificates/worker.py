"""Wiring of the background process: the lives of certificates, the relay, the listener, and a look at late clocks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy.exc import DBAPIError

from services.certificates import commodities, documents, extracts, moves
from services.certificates.activities import Activities, Extracts
from services.certificates.courier import Courier
from services.certificates.events import HANDLERS
from services.certificates.seal import Seals
from services.certificates.stores import store_of
from shared.kit.keys import keyring
from shared.kit.log import logger
from shared.kit.process import Surroundings, background
from shared.kit.temporal import activities_of
from workflows.certificate_life import CertificateLife
from workflows.extract_life import ExtractLife

log = logger("certificates")
LATE = timedelta(minutes=1)


@asynccontextmanager
async def working(around: Surroundings) -> AsyncIterator[None]:
    """Everything this service does without being asked."""
    seals = Seals(keyring(around.settings.codec_key_file, "seals"))
    async with around.database.transaction() as session:
        await commodities.load_shipped(session)
    async with background(
        around,
        handlers=HANDLERS,
        workflows=[CertificateLife, ExtractLife],
        activities=[
            *activities_of(Activities(around.database, seals, around.now)),
            *activities_of(Extracts(around.database, seals, around.now)),
        ],
        chores=[lambda: watch_clocks(around), lambda: sweep_files(around), Courier(around).run],
    ):
        yield


async def watch_clocks(around: Surroundings) -> None:
    """Once a minute, wake the lives whose clock is late: a process that was terminated or lost still rings.

    At the start, wake those that changed last: somebody may have died between the paper and the process.
    """
    looked = False
    while True:
        try:
            async with around.database.transaction() as session:
                if not looked:
                    await moves.latest(session)
                    await extracts.latest(session)
                number = await moves.overdue(session, around.now() - LATE)
                number += await extracts.overdue(session, around.now() - LATE)
            looked = True
            if number:
                log.warning("late clocks woken", number=number)
        except (DBAPIError, OSError) as problem:
            log.warning("clocks not looked at", reason=type(problem).__name__)
        await asyncio.sleep(60)


async def sweep_files(around: Surroundings) -> None:
    """Once an hour, forget what somebody began to send and never finished, or sent and never said what it is."""
    objects = store_of(around.settings)
    while True:
        try:
            unfinished = await objects.sweep(documents.UNFINISHED)
            async with around.database.transaction() as session:
                unused = await documents.sweep(session, around.now() - documents.KEPT_UNUSED)
            for key in unused:
                await objects.remove(key)
                await objects.remove(f"{key}.preview")
            if unfinished or unused:
                log.info("files swept", unfinished=unfinished, unused=len(unused))
        except (DBAPIError, OSError) as problem:
            log.warning("files not swept", reason=type(problem).__name__)
        await asyncio.sleep(3600)
