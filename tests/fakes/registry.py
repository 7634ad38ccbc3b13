"""An identity service that remembers in attributes, and a post office that counts: both fulfil the real contracts."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.contracts.identity import Course, IdentityActivities, Kind, Rung, Taken, Tick, Which
from shared.contracts.notifications import LetterOrder, LetterTaken, NotificationActivities
from shared.rules import lengths
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
        due = Tick("registration forgotten", self.created + lengths.time_of("registration"))
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
            self.links.append((f"link-{len(self.links) + 1}", await self.now() + lengths.time_of("link")))
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


@dataclass
class ResetDesk(IdentityActivities):
    """One request for a new password on paper; ``known`` says whether the address has an account."""

    now: Callable[[], Awaitable[datetime]]
    known: bool = True
    state: str = "ASKED"
    good: datetime | None = None

    def course(self) -> Course:
        """The request as the workflow remembers it."""
        over = self.state not in ("ASKED", "SENT")
        letter = {"SENT": "password-link", "DONE": "password-changed"}.get(self.state)
        letters = (LetterOrder(f"{letter}/1", letter, "person", "link-1"),) if letter else ()
        due = Tick("password link dead", self.good) if self.good and not over else None
        return Course(Kind.RESET, REGISTRATION, self.state, 1, over, due, letters)

    async def look(self, which: Which) -> Course:
        if self.state == "ASKED":
            self.state = "SENT" if self.known else "NOBODY"
            self.good = await self.now() + lengths.time_of("link")
        return self.course()

    async def take(self, taken: Taken) -> Course:
        until = taken.step.good_until
        if self.state != "SENT" or until is None or await self.now() >= until:
            raise Refused("link_expired")
        self.state = "DONE"
        return self.course()

    async def ring(self, rung: Rung) -> Course:
        if self.state == "SENT" and self.good and self.good <= await self.now():
            self.state = "EXPIRED"
        return self.course()


@dataclass
class AccountOnPaper(IdentityActivities):
    """One account on paper: it knows when its person signed in last."""

    now: Callable[[], Awaitable[datetime]]
    since: datetime
    status: str = "ACTIVE"
    rung: list[str] = field(default_factory=list)
    """The clocks that have rung since the last sign-in."""

    CLOCKS = (("14 days left", 76), ("3 days left", 87), ("block", 90))

    def signs_in(self, at: datetime) -> None:
        """The three months begin anew; nobody is woken."""
        self.since, self.rung = at, []

    def course(self) -> Course:
        """The account as the workflow remembers it."""
        left = [each for each in self.CLOCKS if each[0] not in self.rung] if self.status == "ACTIVE" else []
        due = Tick(left[0][0], self.since + timedelta(days=left[0][1])) if left else None
        last = self.rung[-1] if self.rung else ""
        letter = "account-blocked" if last == "block" else "account-inactive"
        letters = (LetterOrder(f"{letter}/{last}/{self.since}", letter, "person", "slip"),) if last else ()
        return Course(Kind.LIFE, REGISTRATION, self.status, len(self.rung), due is None, due, letters)

    async def look(self, which: Which) -> Course:
        return self.course()

    async def take(self, taken: Taken) -> Course:
        raise Refused("unknown_action")

    async def ring(self, rung: Rung) -> Course:
        due = self.course().due
        if due and due.name == rung.due.name and due.at <= await self.now():
            self.rung.append(due.name)
            if due.name == "block":
                self.status = "BLOCKED"
        return self.course()
