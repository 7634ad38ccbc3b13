"""A certificates service that remembers one extract in attributes; it applies the real law of extracts."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from shared.contracts.certificates import Awaited, Batch, BatchRecord, BatchRecorded, BatchRing, Due, ExtractActivities
from shared.rules.extracts import (
    ExtractStatus,
    extract_move,
    is_extract_over,
    next_extract_due,
    refuse_unless_lawful,
)
from shared.rules.permissions import Tie
from shared.rules.refusals import Refused

BUYER, POST, GOAL, STRANGER = "importer-org", "border-org", "consignee-org", "stranger-org"
TIES = {
    BUYER: frozenset({Tie.CREATOR, Tie.IMPORTER}),
    POST: frozenset({Tie.ENTRY_AUTHORITY}),
    GOAL: frozenset({Tie.CONSIGNEE}),
}


def _weekday(day: date, country: str) -> bool:
    return day.weekday() < 5


@dataclass
class ExtractInMemory(ExtractActivities):
    """One extract on paper; ``failures`` makes the next records fail as a lost database would."""

    now: Callable[[], Awaitable[datetime]]
    entered: datetime
    extract_id: str = "00000000-0000-4000-8000-000000000002"
    status: ExtractStatus = ExtractStatus.NEW
    revision: int = 1
    frozen: bool = False
    rung: tuple[str, ...] = ()
    journal: dict[str, Batch] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def batch(self) -> Batch:
        """The paper as the workflow remembers it."""
        next_ring = next_extract_due(self.status, self.entered, self.rung, "FR", _weekday)
        due = Due(next_ring.name, next_ring.at) if next_ring else None
        awaited = Awaited("somebody is to act", (POST,), self.entered, due.at if due else None, "a reminder")
        over = is_extract_over(self.status) and due is None
        return Batch(self.extract_id, self.status, self.revision, over, "COI.MA.2026.1-E01", due, awaited)

    async def record(self, record: BatchRecord) -> BatchRecorded:
        order = record.order
        if self.failures and self.failures.pop(0) == "before":
            raise ConnectionError("the database is away")
        if record.key in self.journal:
            return BatchRecorded(self.journal[record.key], self.batch())
        mine = TIES.get(order.actor.organisation_id, frozenset())
        refuse_unless_lawful(order.asks, self.status, mine, self.frozen, bool(mine))
        if order.revision != self.revision:
            raise Refused("stale_revision", revision=self.revision)
        self.status, self.revision = extract_move(self.status, order.asks), self.revision + 1
        self.entered, self.rung = await self.now(), ()
        self.journal[record.key] = self.batch()
        if self.failures and self.failures.pop(0) == "after":
            raise ConnectionError("written, but the answer was lost")
        return BatchRecorded(self.batch(), self.batch())

    async def look(self, extract_id: str) -> Batch:
        return self.batch()

    async def ring(self, ring: BatchRing) -> Batch:
        due = self.batch().due
        if due == ring.due and due.at <= await self.now():
            self.rung = (*self.rung, due.name)
        return self.batch()
