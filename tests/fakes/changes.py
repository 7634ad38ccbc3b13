"""A change of a person's details on paper: two letters, two links, and it is made once both were followed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from shared.contracts.identity import Course, IdentityActivities, Kind, Rung, Taken, Tick, Which
from shared.contracts.notifications import LetterOrder
from shared.rules import lengths
from shared.rules.refusals import Refused

CHANGE = "00000000-0000-4000-8000-0000000c4a0e"


@dataclass
class ChangeOnPaper(IdentityActivities):
    """One change, as identity keeps it."""

    now: Callable[[], Awaitable[datetime]]
    state: str = "ASKED"
    good: datetime | None = None
    followed: int = 0

    def follow(self) -> None:
        """The person follows the link in one of his letters, at the door."""
        self.followed += 1
        self.state = "DONE" if self.followed == 2 else self.state

    def course(self) -> Course:
        """The change as the workflow remembers it."""
        names: tuple[str, ...] = ("details-change", "address-confirmation") if self.state == "ASKED" else ()
        names = ("details-changed",) if self.state == "DONE" else names
        letters = tuple(LetterOrder(f"{each}/1", each, "person", f"link-{each}") for each in names)
        due = Tick("confirmation links dead", self.good) if self.good and self.state == "ASKED" else None
        return Course(Kind.CHANGE, CHANGE, self.state, 0, self.state != "ASKED", due, letters)

    async def look(self, which: Which) -> Course:
        self.good = self.good or await self.now() + lengths.time_of("link")
        return self.course()

    async def take(self, taken: Taken) -> Course:
        raise Refused("unknown_action")

    async def ring(self, rung: Rung) -> Course:
        if self.state == "ASKED" and self.good and self.good <= await self.now():
            self.state = "EXPIRED"
        return self.course()
