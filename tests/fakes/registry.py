"""An identity service that remembers in attributes, and a post office that counts: both fulfil the real contracts."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.contracts.identity import Course, IdentityActivities, Kind, Rung, Taken, Tick, Which
from shared.contracts.notifications import LetterOrder, LetterTaken, NotificationActivities
from shared.rules.deadlines import LINK_LIFETIME, REGISTRATION_LIFETIME
from shared.rules.refusals import Refused

REGISTRATION = "00000000-0000-4000-8000-00000000ae61"


@dataclass
class PostOffice(NotificationActivities):
    """Takes letters, once per key; shut, it takes none."""

    taken: dict[str, LetterOrder] = field(default_factory=dict)
    orders: int = 0
    shut: bool = False

    async def send(self, order: LetterOrder) -> LetterTaken:
        self.orders += 1
        if self.shut:
            raise ConnectionError("shut")
        self.taken[order.key] = order
        return LetterTaken(order.key, f"<{order.key}@letters.example>")


@dataclass
class Registry(IdentityActivities):
    """One registration on paper."""

    now: Callable[[], Awaitable[datetime]]
    created: datetime
    known: bool = False
    state: str = "ASKED"
    wanted: int = 1
    links: list[tuple[str, datetime]] = field(default_factory=list)
    """Link id and when it expires; only the last one lives."""
    keys: list[str] = field(default_factory=list)
    rung: list[str] = field(default_factory=list)
    looks: int = 0

    def course(self) -> Course:
        """The registration as the workflow remembers it."""
        over = self.state in ("DONE", "EXPIRED")
        due = Tick("registration forgotten", self.created + REGISTRATION_LIFETIME)
        if self.links and not self.known and "password link dead" not in self.rung:
            due = Tick("password link dead", self.links[-1][1])
        letter = "account-exists" if self.known else "account-link"
        letters = tuple(LetterOrder(f"{letter}/{each}", letter, "person", each) for each, _ in self.links[-1:])
        return Course(Kind.CREATION, REGISTRATION, self.state, 1, over, None if over else due, () if over else letters)

    async def look(self, which: Which) -> Course:
        self.looks += 1
        if self.state == "ASKED":
            self.state = "KNOWN" if self.known else "PENDING_PASSWORD"
        while len(self.links) < self.wanted and self.state in ("PENDING_PASSWORD", "KNOWN"):
            self.rung = []
            self.links.append((f"link-{len(self.links) + 1}", await self.now() + LINK_LIFETIME))
        return self.course()

    async def take(self, taken: Taken) -> Course:
        step = taken.step
        if taken.key in self.keys:
            return self.course()
        if self.state != "PENDING_PASSWORD" or not self.links or step.link_id != self.links[-1][0]:
            raise Refused("link_expired")
        if step.good_until is None or await self.now() >= step.good_until:
            raise Refused("link_expired")
        self.keys.append(taken.key)
        self.state = "DONE"
        return self.course()

    async def ring(self, rung: Rung) -> Course:
        due = self.course().due
        if due and due.name == rung.due.name and due.at <= await self.now():
            self.rung.append(rung.due.name)
            if due.name == "registration forgotten":
                self.state = "EXPIRED"
        return self.course()

    def clicked(self, at: datetime) -> datetime | None:
        """What the HTTP door does with a click: a form good for a quarter of an hour, or nothing."""
        return at + timedelta(minutes=15) if at < self.links[-1][1] else None
