"""A classic request on paper that remembers in attributes; it fulfils the real contract and keeps the real clocks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.contracts.identity import Course, IdentityActivities, Kind, Rung, Taken, Tick, Which
from shared.contracts.notifications import LetterOrder
from shared.kit.calendar import is_working_day
from shared.rules import lengths
from shared.rules.refusals import Refused
from shared.rules.requests import next_due

REQUEST = "00000000-0000-4000-8000-00000000c1a5"
OFFICIAL, ABOVE = "official", "above"


@dataclass
class RequestOnPaper(IdentityActivities):
    """One classic request: its letters by name and whom they go to, in the order they were minted."""

    now: Callable[[], Awaitable[datetime]]
    created: datetime
    state: str = "ASKED"
    entered: datetime | None = None
    rung: list[str] = field(default_factory=list)
    letters: list[tuple[str, str]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    away: int = 0
    """So many takes fail before one succeeds."""

    def course(self) -> Course:
        """The request as the workflow remembers it."""
        over = self.state in ("DONE", "REFUSED", "EXPIRED")
        slips = tuple(
            LetterOrder(f"{letter}/{number}", letter, person, f"link-{number}")
            for number, (letter, person) in enumerate(self.letters)
        )
        return Course(Kind.VALIDATION, REQUEST, self.state, len(self.keys), over, None if over else self._due(), slips)

    def _due(self) -> Tick | None:
        if self.state == "NEW" and "confirmation reminded" not in self.rung:
            return Tick("confirmation reminded", self.created + timedelta(days=2))
        if self.entered is None:
            return Tick("registration forgotten", self.created + lengths.time_of("confirmation"))
        found = next_due(self.entered, None, self.rung, "FR", is_working_day)
        return Tick(*found) if found else None

    async def look(self, which: Which) -> Course:
        if self.state == "ASKED":
            self.state = "NEW"
            self.letters.append(("account-confirmation", "person"))
        return self.course()

    async def take(self, taken: Taken) -> Course:
        step, key = taken.step, taken.key.partition("~")[0]
        if self.away:
            self.away -= 1
            raise ConnectionError("away")
        if key in self.keys:
            return self.course()
        if step.name == "confirm":
            if self.state != "NEW" or step.good_until is None or await self.now() >= step.good_until:
                raise Refused("link_expired")
            self.state, self.entered, self.rung = "CONFIRMED", await self.now(), []
            self.letters.append(("account-requests", OFFICIAL))
        elif step.name == "disown":
            self.state = "EXPIRED"
        elif self.state != "CONFIRMED":
            raise Refused("already_decided", status=self.state)
        elif step.name == "activate":
            self.state = "DONE"
            self.letters.append(("account-activated", "person"))
        elif step.name == "refuse":
            self.state = "REFUSED"
            self.letters.append(("account-refused", "person"))
        else:
            raise Refused("unknown_action")
        self.keys.append(key)
        return self.course()

    async def ring(self, rung: Rung) -> Course:
        due = self.course().due
        if due is None or due.name != rung.due.name or due.at > await self.now():
            return self.course()
        self.rung.append(due.name)
        if due.name == "confirmation reminded":
            self.letters.append(("account-confirmation-reminder", "person"))
        elif due.name == "validator_reminded":
            self.letters.append(("account-requests", OFFICIAL))
        elif due.name == "escalated":
            self.letters.append(("account-requests-late", ABOVE))
        else:
            self.state = "EXPIRED"
            if due.name == "expired":
                self.letters.append(("account-expired", "person"))
        return self.course()
