"""Papers whose clocks are those of the law: many certificates in one memory, each standing where a test puts it."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from shared.contracts.certificates import (
    Batch,
    BatchRecord,
    BatchRecorded,
    BatchRing,
    CertificateActivities,
    Due,
    ExtractActivities,
    Life,
    Record,
    Recorded,
    Ring,
)
from shared.rules.deadlines import Standing, Start, effect, next_due
from tests.fakes.extract import ExtractInMemory
from tests.fakes.paper import PaperInMemory


def weekday(day: date, country: str) -> bool:
    """A calendar without holidays."""
    return day.weekday() < 5


@dataclass
class StandingPaper(PaperInMemory):
    """One certificate, with all that a clock may count from."""

    edited: datetime | None = None
    content: dict[str, Any] = field(default_factory=dict)
    complete: bool = True
    answered: bool = False
    since: dict[Start, datetime] = field(default_factory=dict)

    def due(self) -> Due | None:
        """The next clock, by the law."""
        edited = self.edited or self.entered
        standing = Standing(
            self.status, self.entered, edited, self.content, self.complete, self.rung, self.since, self.answered
        )
        found = next_due(standing, "FR", weekday)
        return Due(found.name, found.at) if found else None

    async def ring(self, ring: Ring) -> Life:
        rung = len(self.rung)
        await super().ring(ring)
        if len(self.rung) > rung:
            self.status = effect(self.rung[-1]) or self.status
        return self.life()


@dataclass
class Papers(CertificateActivities):
    """All certificates of one worker."""

    all: dict[str, StandingPaper] = field(default_factory=dict)

    async def record(self, record: Record) -> Recorded:
        return await self.all[record.certificate_id].record(record)

    async def look(self, certificate_id: str) -> Life:
        return await self.all[certificate_id].look(certificate_id)

    async def ring(self, ring: Ring) -> Life:
        return await self.all[ring.certificate_id].ring(ring)


@dataclass
class Extracts(ExtractActivities):
    """All extracts of one worker."""

    all: dict[str, ExtractInMemory] = field(default_factory=dict)

    async def record(self, record: BatchRecord) -> BatchRecorded:
        return await self.all[record.extract_id].record(record)

    async def look(self, extract_id: str) -> Batch:
        return await self.all[extract_id].look(extract_id)

    async def ring(self, ring: BatchRing) -> Batch:
        return await self.all[ring.extract_id].ring(ring)
