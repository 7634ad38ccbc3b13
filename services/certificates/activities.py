"""The certificates service, as the workflows see it."""

from collections.abc import Callable
from datetime import datetime

from services.certificates import extracts, moves
from services.certificates.seal import Seals
from shared.contracts.certificates import (
    Batch,
    BatchRecord,
    BatchRecorded,
    BatchRing,
    CertificateActivities,
    ExtractActivities,
    Life,
    Record,
    Recorded,
    Ring,
)
from shared.kit import clock
from shared.kit.db import Database


class Activities(CertificateActivities):
    """Fulfils the contract: one transaction each."""

    def __init__(self, database: Database, seals: Seals, now: Callable[[], datetime] = clock.now) -> None:
        self.database, self.seals, self.now = database, seals, now

    async def record(self, record: Record) -> Recorded:
        async with self.database.transaction() as session:
            return await moves.record(session, record, self.seals, self.now())

    async def look(self, certificate_id: str) -> Life:
        async with self.database.transaction() as session:
            return await moves.look(session, certificate_id, self.now())

    async def ring(self, ring: Ring) -> Life:
        async with self.database.transaction() as session:
            return await moves.ring(session, ring, self.now())


class Extracts(ExtractActivities):
    """Fulfils the contract of extracts: one transaction each."""

    def __init__(self, database: Database, seals: Seals, now: Callable[[], datetime] = clock.now) -> None:
        self.database, self.seals, self.now = database, seals, now

    async def record(self, record: BatchRecord) -> BatchRecorded:
        async with self.database.transaction() as session:
            return await extracts.record(session, record, self.seals, self.now())

    async def look(self, extract_id: str) -> Batch:
        async with self.database.transaction() as session:
            return await extracts.look(session, extract_id, self.now())

    async def ring(self, ring: BatchRing) -> Batch:
        async with self.database.transaction() as session:
            return await extracts.ring(session, ring, self.now())
