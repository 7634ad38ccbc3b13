"""How long the clocks of one installation run, where it wants it otherwise.

One thing to remember: what is set is a number in the clock's own unit and direction; what counts from what, whom it
tells and what happens then is law. Whoever speaks of a length asks here, so a letter says what the clock does.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from shared.rules import deadlines, requests
from shared.rules.deadlines import Length
from shared.rules.extracts import EXTRACT_CLOCKS
from shared.rules.terms import TERMS

LONGEST: Final = 3650
"""Of whatever a clock is counted in."""
LENGTHS: Final[Mapping[str, Length]] = {
    row.name: row.after for row in (*deadlines.CLOCKS, *EXTRACT_CLOCKS, *requests.CLOCKS, *TERMS) if row.after.amount
}
"""Every clock that may be set, with what the law foresees; those that ring at the moment itself have no length."""


def use(said: str) -> None:
    """Let the clocks run as the settings of this installation say; all others as the law has them."""
    deadlines.set_lengths(read(said))


def read(said: str) -> dict[str, Length]:
    """What settings say of clocks: ``reply_overdue=45 announce_arrival=3``; what cannot be meant is an error."""
    found: dict[str, Length] = {}
    for each in said.replace(",", " ").split():
        name, _, amount = each.partition("=")
        if name not in LENGTHS:
            raise ValueError(f"no clock is called {name!r}; there are {', '.join(sorted(LENGTHS))}")
        if not (amount.isascii() and amount.isdigit() and 0 < int(amount[:6]) <= LONGEST):
            raise ValueError(f"{each!r}: a length is a whole number from 1 to {LONGEST}")
        law = LENGTHS[name]
        found[name] = Length(int(amount) if law.amount > 0 else -int(amount), law.unit)
    return found


def length_of(name: str) -> Length:
    """How long this clock runs here: before or after, in its own unit."""
    return deadlines.lasting(name, LENGTHS[name])


def amount_of(name: str) -> int:
    """The number of this clock here, in its own unit."""
    return abs(length_of(name).amount)


def time_of(name: str) -> timedelta:
    """The time of a clock that counts minutes, hours or calendar days, before or after."""
    return abs(length_of(name).time)


def warnings(*names: str) -> list[timedelta]:
    """The times of several warnings before an end, the earliest first; two that fall together are one."""
    return sorted({time_of(each) for each in names}, reverse=True)
