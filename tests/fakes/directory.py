"""A directory service that remembers in attributes: one request for a role, its clocks on its validator's calendar."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from shared.contracts.certificates import Awaited, Due
from shared.contracts.directory import DirectoryActivities, Instruction, Note, Noted, Rung, Standing
from shared.kit.calendar import is_working_day
from shared.rules import requests as law
from shared.rules.refusals import Refused
from shared.rules.requests import RoleStatus, Step

VALIDATOR, APPLICANT = "validator-org", "applicant"


@dataclass
class DirectoryInMemory(DirectoryActivities):
    """One request on paper; it applies the real law of steps and clocks. ``failures`` makes the next records fail."""

    now: Callable[[], Awaitable[datetime]]
    requested_at: datetime
    country: str = "FR"
    zone: str = "Europe/Paris"
    moves: tuple[law.Move, ...] = law.ROLE_MOVES
    id: str = "00000000-0000-4000-8000-000000000002"
    status: str = RoleStatus.REQUESTED
    revision: int = 1
    counted_from: datetime | None = None
    asked_at: datetime | None = None
    rung: dict[str, datetime] = field(default_factory=dict)
    journal: dict[str, tuple[Instruction, Standing]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def life(self) -> Standing:
        """The paper as the workflow remembers it."""
        there = ZoneInfo(self.zone)
        due = None
        if self.status == RoleStatus.REQUESTED:
            start = (self.counted_from or self.requested_at).astimezone(there)
            asked = self.asked_at.astimezone(there) if self.asked_at else None
            found = law.next_due(start, asked, self.rung, self.country, is_working_day)
            due = Due(*found) if found else None
        awaited = Awaited("a decision", (VALIDATOR,), self.requested_at, due.at, "a reminder") if due else None
        return Standing(self.id, self.status, self.revision, over=due is None, due=due, awaited=awaited)

    async def _record(self, note: Note) -> Noted:
        order = note.instruction
        if self.failures and self.failures.pop(0) == "before":
            raise ConnectionError("the database is away")
        if note.key in self.journal:
            return Noted(self.journal[note.key][1], self.life())
        step = law.move(self.moves, order.action, self.status)
        if order.revision != self.revision:
            raise Refused("stale_revision", revision=self.revision)
        now = await self.now()
        if step.step is Step.ASK:
            self.asked_at = now
        if step.step is Step.ANSWER and self.asked_at:
            self.counted_from = law.resumed(self.counted_from or self.requested_at, self.asked_at, now)
            self.asked_at = None
        self.status, self.revision = step.target, self.revision + 1
        self.journal[note.key] = order, self.life()
        if self.failures and self.failures.pop(0) == "after":
            raise ConnectionError("written, but the answer was lost")
        return Noted(self.life(), self.life())

    async def _ring(self, rung: Rung) -> Standing:
        due, now = self.life().due, await self.now()
        if due == rung.due and due.at <= now:
            self.rung[due.name] = due.at
            clock = law.clock_named(due.name)
            if clock and clock.ends:
                self.status, self.revision = RoleStatus.EXPIRED, self.revision + 1
        return self.life()

    async def record_role(self, note: Note) -> Noted:
        return await self._record(note)

    async def look_role(self, role_id: str) -> Standing:
        return self.life()

    async def ring_role(self, rung: Rung) -> Standing:
        return await self._ring(rung)

    async def record_proposal(self, note: Note) -> Noted:
        return await self._record(note)

    async def look_proposal(self, proposal_id: str) -> Standing:
        return self.life()

    async def ring_proposal(self, rung: Rung) -> Standing:
        return await self._ring(rung)

    async def record_standing(self, note: Note) -> Noted:
        return await self._record(note)

    async def look_standing(self, organisation_id: str) -> Standing:
        return self.life()

    async def ring_standing(self, rung: Rung) -> Standing:
        return await self._ring(rung)
