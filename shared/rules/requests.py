"""The law of what awaits somebody else's decision: roles that persons ask for, operators that are to be validated.

One thing to remember: silence never grants. A clock reminds, tells the authority above, and in the end lets a request
expire; a question to the applicant stops the clock until it is answered.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from shared.rules.deadlines import Calendar, Length, days, lasting, working_days
from shared.rules.refusals import Refused
from shared.rules.roles import StandingStatus


class RoleStatus(StrEnum):
    """The state of a person's role in an organisation, or of a request about an operator; only VALID gives rights."""

    REQUESTED = "REQUESTED"
    VALID = "VALID"
    SUSPENDED = "SUSPENDED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"


OPEN: Final = frozenset({RoleStatus.REQUESTED, RoleStatus.VALID, RoleStatus.SUSPENDED})
"""A person has at most one role in one of these states in an organisation."""


class Step(StrEnum):
    """What may be done about a request, a role or an organisation's standing."""

    VALIDATE = "validate"
    REFUSE = "refuse"
    ASK = "ask"
    ANSWER = "answer"
    WITHDRAW = "withdraw"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    REVOKE = "revoke"
    CLAIM = "claim"
    """Take a request on: whoever may decide it as well sees that somebody is at it, and may take it over."""
    RELEASE = "release"
    """Hand it back to all who may decide it."""
    APPOINT = "appoint"
    """Make a person an administrator of his organisation."""
    DISMISS = "dismiss"
    """He is administrator no more, but stays."""
    CLOSE = "close"
    """The organisation is no more."""
    MERGE = "merge"
    """It was the same as another one, which stays."""


class Side(StrEnum):
    """Whose step it is."""

    VALIDATOR = "VALIDATOR"
    APPLICANT = "APPLICANT"
    GUARDIAN = "GUARDIAN"
    """The authority or control body that answers for the organisation."""


@dataclass(frozen=True)
class Move:
    """One row: this step, from this status, leads there; who makes it, and whether he has to say why."""

    step: Step
    source: str
    target: str
    side: Side
    reason: bool = False


_A, _R, _S, _W = Step, RoleStatus, StandingStatus, Side

# fmt: off
REQUEST_MOVES: Final = (
    #    step          from          to            by             with a reason
    Move(_A.VALIDATE,  _R.REQUESTED, _R.VALID,     _W.VALIDATOR),
    Move(_A.REFUSE,    _R.REQUESTED, _R.REFUSED,   _W.VALIDATOR,  True),
    Move(_A.ASK,       _R.REQUESTED, _R.REQUESTED, _W.VALIDATOR,  True),
    Move(_A.CLAIM,     _R.REQUESTED, _R.REQUESTED, _W.VALIDATOR),
    Move(_A.RELEASE,   _R.REQUESTED, _R.REQUESTED, _W.VALIDATOR),
    Move(_A.ANSWER,    _R.REQUESTED, _R.REQUESTED, _W.APPLICANT,  True),
    Move(_A.WITHDRAW,  _R.REQUESTED, _R.WITHDRAWN, _W.APPLICANT),
)
ROLE_MOVES: Final = (
    *REQUEST_MOVES,
    Move(_A.WITHDRAW,  _R.VALID,     _R.WITHDRAWN, _W.APPLICANT),
    Move(_A.WITHDRAW,  _R.SUSPENDED, _R.WITHDRAWN, _W.APPLICANT),
    Move(_A.SUSPEND,   _R.VALID,     _R.SUSPENDED, _W.VALIDATOR,  True),
    Move(_A.REINSTATE, _R.SUSPENDED, _R.VALID,     _W.VALIDATOR,  True),
    Move(_A.REVOKE,    _R.VALID,     _R.WITHDRAWN, _W.VALIDATOR,  True),
    Move(_A.REVOKE,    _R.SUSPENDED, _R.WITHDRAWN, _W.VALIDATOR,  True),
    Move(_A.APPOINT,   _R.VALID,     _R.VALID,     _W.VALIDATOR),
    Move(_A.DISMISS,   _R.VALID,     _R.VALID,     _W.VALIDATOR,  True),
)
STANDING_MOVES: Final = (
    #    step          from          to            by             with a reason
    Move(_A.SUSPEND,   _S.VALID,     _S.SUSPENDED, _W.GUARDIAN,   True),
    Move(_A.SUSPEND,   _S.EXPIRED,   _S.SUSPENDED, _W.GUARDIAN,   True),
    Move(_A.REINSTATE, _S.SUSPENDED, _S.VALID,     _W.GUARDIAN,   True),
    Move(_A.CLOSE,     _S.VALID,     _S.DELETED,   _W.GUARDIAN,   True),
    Move(_A.CLOSE,     _S.SUSPENDED, _S.DELETED,   _W.GUARDIAN,   True),
    Move(_A.CLOSE,     _S.EXPIRED,   _S.DELETED,   _W.GUARDIAN,   True),
    Move(_A.MERGE,     _S.VALID,     _S.DELETED,   _W.GUARDIAN,   True),
    Move(_A.MERGE,     _S.SUSPENDED, _S.DELETED,   _W.GUARDIAN,   True),
    Move(_A.MERGE,     _S.EXPIRED,   _S.DELETED,   _W.GUARDIAN,   True),
)
# fmt: on

BEST_FIRST: Final = (_S.VALID, _S.NEW, _S.SUSPENDED, _S.EXPIRED, _S.REJECTED, _S.DELETED)
"""An operator is as good as the best of his activities."""


def best(statuses: Collection[str]) -> StandingStatus:
    """The status of an operator whose activities stand like this."""
    return next((each for each in BEST_FIRST if each in statuses), StandingStatus.NEW)


def step_of(name: str) -> Step:
    """A step by its name; ``unknown_action`` when there is none of that name."""
    try:
        return Step(name)
    except ValueError:
        raise Refused("unknown_action", action=name) from None


def move(moves: tuple[Move, ...], name: str, status: str) -> Move:
    """The row for this step from this status; refused when the law has none."""
    step = step_of(name)
    if not any(each.step is step for each in moves):
        raise Refused("unknown_action", action=name)
    found = next((each for each in moves if each.step is step and each.source == status), None)
    if found is None:
        raise Refused("already_decided", status=status)
    return found


def offered(moves: tuple[Move, ...], status: str, side: Side) -> tuple[Step, ...]:
    """The steps this side may make from this status."""
    return tuple(each.step for each in moves if each.source == status and each.side is side)


# ── Clocks ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Clock:
    """One clock of a request: so long after it was made (the time a question was open does not count)."""

    name: str
    after: Length
    then: str
    """What happens when it rings, in one English sentence."""
    asked: bool = False
    """Whether it counts while a question to the applicant is open, from the question on."""
    ends: bool = False
    """Whether the request is over then."""


# fmt: off
CLOCKS: Final = (
    #     name                  after            then
    Clock("validator_reminded", working_days(2), "Whoever decides is reminded."),
    Clock("escalated",          working_days(4), "The authority above is told that it waits."),
    Clock("expired",            days(30),        "The request expires and can be made again.", ends=True),
    Clock("unanswered",         days(30),        "The request expires and can be made again.", asked=True, ends=True),
)
# fmt: on
_BY_NAME: Final = {clock.name: clock for clock in CLOCKS}


def clock_named(name: str) -> Clock | None:
    """A clock by its name."""
    return _BY_NAME.get(name)


def next_due(
    counted_from: datetime,
    asked_at: datetime | None,
    rung: Collection[str],
    country: str,
    is_working_day: Calendar,
) -> tuple[str, datetime] | None:
    """The next clock of a request and when it rings.

    ``counted_from`` is on the clocks of whoever decides: his day has his length, also when summer time begins.
    """
    start = asked_at or counted_from
    waiting = [
        (lasting(clock.name, clock.after).after(start, country, is_working_day).astimezone(UTC), clock.name)
        for clock in CLOCKS
        if clock.asked is (asked_at is not None) and clock.name not in rung
    ]
    if not waiting:
        return None
    at, name = min(waiting)
    return name, at


def resumed(counted_from: datetime, asked_at: datetime, answered_at: datetime) -> datetime:
    """From when the clock counts after a question was open from then to then."""
    return counted_from + (answered_at - asked_at)
