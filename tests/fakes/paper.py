"""A certificates service that remembers in attributes; it applies the real law of moves and permissions."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.contracts.certificates import (
    Awaited,
    CertificateActivities,
    Due,
    Life,
    Order,
    Record,
    Recorded,
    Ring,
)
from shared.rules.permissions import Tie
from shared.rules.refusals import Refused
from shared.rules.status import Status, is_over, move
from shared.rules.verdict import refuse_unless_lawful

EXPORTER, BODY, BORDER, CONSIGNEE, IMPORTER, STRANGER = (
    "exporter-org",
    "body-org",
    "border-org",
    "consignee-org",
    "importer-org",
    "stranger-org",
)
BOUND = {
    EXPORTER: (Tie.CREATOR, Tie.EXPORTER),
    BODY: (Tie.ISSUER,),
    BORDER: (Tie.ENTRY_AUTHORITY,),
    CONSIGNEE: (Tie.CONSIGNEE,),
    IMPORTER: (Tie.IMPORTER,),
}
# The clocks of this paper: in this status, so long after entering it, in this order.
CLOCKS = {
    Status.DRAFT: (("stale", timedelta(days=90)), ("very_stale", timedelta(days=120))),
    Status.ISSUED: (
        ("first_call", timedelta(days=5)),
        ("last_call", timedelta(days=8)),
        ("overdue", timedelta(days=10)),
    ),
}


@dataclass
class PaperInMemory(CertificateActivities):
    """One certificate on paper; ``failures`` makes the next records fail as a lost database would."""

    now: Callable[[], Awaitable[datetime]]
    entered: datetime
    certificate_id: str = "00000000-0000-4000-8000-000000000001"
    status: Status = Status.DRAFT
    revision: int = 1
    rung: tuple[str, ...] = ()
    journal: dict[str, tuple[Order, Life]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    looks: int = 0

    def due(self) -> Due | None:
        """The next clock."""
        waiting = [each for each in CLOCKS.get(self.status, ()) if each[0] not in self.rung]
        return Due(waiting[0][0], self.entered + waiting[0][1]) if waiting else None

    def life(self) -> Life:
        """The paper as the workflow remembers it."""
        due = self.due()
        return Life(
            certificate_id=self.certificate_id,
            status=self.status,
            revision=self.revision,
            over=is_over(self.status),
            submitted=self.status is not Status.DRAFT,
            due=due,
            awaited=Awaited("somebody is to act", (BODY,), self.entered, due.at if due else None, "a reminder"),
            bound=dict(BOUND),
        )

    async def record(self, record: Record) -> Recorded:
        order = record.order
        if self.failures and self.failures.pop(0) == "before":
            raise ConnectionError("the database is away")
        if record.key in self.journal:
            return Recorded(self.journal[record.key][1], self.life())
        refuse_unless_lawful(order.asks, self.status, self.life().ties(order.actor), self.status is not Status.DRAFT)
        if order.revision != self.revision:
            raise Refused("stale_revision", revision=self.revision)
        self.status, self.revision = move(self.status, order.asks), self.revision + 1
        self.entered, self.rung = await self.now(), ()
        self.journal[record.key] = order, self.life()
        if self.failures and self.failures.pop(0) == "after":
            raise ConnectionError("written, but the answer was lost")
        return Recorded(self.life(), self.life())

    async def look(self, certificate_id: str) -> Life:
        self.looks += 1
        return self.life()

    async def ring(self, ring: Ring) -> Life:
        due = self.life().due
        if due == ring.due and due.at <= await self.now():
            self.rung = (*self.rung, due.name)
        return self.life()
