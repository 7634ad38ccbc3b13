"""The clocks of a certificate: what rings, how long after what, whom it tells and what happens then.

One thing to remember: a clock is a row of CLOCKS. Its length may be set otherwise for one installation; time is never
shortened for a test, it is moved.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from shared.rules.content import moment
from shared.rules.permissions import Tie
from shared.rules.status import Status

Calendar = Callable[[date, str], bool]
"""Whether this day is a working day in this country."""

PROOF_LIFETIME: Final = timedelta(minutes=5)
"""So long before a signature the person may last have proved to be himself."""


class Unit(StrEnum):
    """What a length is counted in."""

    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    WORKING_DAYS = "working_days"
    MONTHS = "months"
    TIMES = "times"
    """Not a time at all: how often."""


@dataclass(frozen=True)
class Length:
    """How long; negative is before."""

    amount: int
    unit: Unit

    @property
    def time(self) -> timedelta:
        """Minutes, hours or calendar days as a time; nothing else is always the same."""
        return timedelta(**{self.unit: self.amount})

    def after(self, start: datetime, country: str, is_working_day: Calendar) -> datetime:
        """The moment so long after the start; working days keep the time of day and step over days off."""
        if self.unit is not Unit.WORKING_DAYS:
            return start + self.time
        step, left, at = timedelta(days=1 if self.amount > 0 else -1), abs(self.amount), start
        while left:
            at += step
            left -= is_working_day(at.date(), country)
        return at


def minutes(amount: int) -> Length:
    """A length in minutes."""
    return Length(amount, Unit.MINUTES)


def hours(amount: int) -> Length:
    """A length in hours."""
    return Length(amount, Unit.HOURS)


def days(amount: int) -> Length:
    """A length in calendar days."""
    return Length(amount, Unit.DAYS)


def working_days(amount: int) -> Length:
    """A length in days on which offices are open."""
    return Length(amount, Unit.WORKING_DAYS)


def months(amount: int) -> Length:
    """A length in months of the calendar."""
    return Length(amount, Unit.MONTHS)


def times(amount: int) -> Length:
    """How often."""
    return Length(amount, Unit.TIMES)


class Start(StrEnum):
    """What a clock counts from."""

    ENTERED = "entered"
    """The moment the certificate came to its status."""
    EDITED = "edited"
    """The last change of a box."""
    DEPARTURE = "departure_at"
    ARRIVAL = "arrival_at"
    SAMPLED = "sampled"
    """A sample was sent to a laboratory."""
    PROCEDURE = "procedure"
    """A customs procedure was started."""
    REPLACEMENT = "replacement"
    """A certificate that shall replace this one was begun."""
    SUCCEEDED = "succeeded"
    """The certificate that replaces this one was signed."""


class Only(StrEnum):
    """The circumstance in which a clock matters at all."""

    ALWAYS = "always"
    INCOMPLETE = "incomplete"
    """Something of box 13, 16 or 17 that may follow within ten days, or a document, has not followed yet."""
    UNANSWERED = "unanswered"
    """The notice of irregularity has not been answered yet."""


@dataclass(frozen=True)
class Clock:
    """One clock: while the certificate is there, so long after the start, it tells these and then this happens."""

    name: str
    number: str
    """D10: the row's name in our documents."""
    while_at: Status
    start: Start
    after: Length
    tells: tuple[Tie, ...]
    then: str
    """What happens when it rings, in one English sentence."""
    only: Only = Only.ALWAYS
    every: bool = False
    """Whether it rings again and again, each time so much later."""
    effect: Status | None = None
    """The status it brings about; nearly always none: silence never decides."""


_S, _T, _F = Status, Tie, Start
_HOME = (_T.CREATOR,)
_BODY = (_T.ISSUER,)
_BUYER = (_T.IMPORTER, _T.RFL)
_POST = (_T.ENTRY_AUTHORITY,)
_TOP = (_T.ENTRY_AUTHORITY, _T.CENTRAL_AUTHORITY)
_GOAL = (_T.CONSIGNEE,)
_ALL = (_T.ISSUER, _T.EXPORTER, *_BUYER)
_LATE = (_T.CONSIGNEE, *_BUYER, _T.ENTRY_AUTHORITY)
_EACH = tuple(dict.fromkeys((*_ALL, *_LATE)))

# fmt: off
CLOCKS: Final = (
    # D10: packages, gross weight and transport may follow box 18 within ten days, and never after box 20
    Clock("completion_first_call",   "D10", _S.ISSUED,                 _F.ENTERED,     days(5),          _BODY,
          "The issuing body is reminded of what is still missing.",                          Only.INCOMPLETE),
    Clock("completion_last_call",    "D10", _S.ISSUED,                 _F.ENTERED,     days(8),          _BODY,
          "The issuing body is reminded for the last time of what is still missing.",        Only.INCOMPLETE),
    Clock("completion_overdue",      "D10", _S.ISSUED,                 _F.ENTERED,     days(10),         _BODY + _POST,
          "The certificate counts as incomplete and the border authority is told.",          Only.INCOMPLETE),
    # D11: box 18 is signed before the goods leave
    Clock("departed_as_draft",       "D11", _S.DRAFT,                  _F.DEPARTURE,   days(0),          _HOME,
          "Its creator is told that the goods leave without a signed certificate."),
    Clock("departed_unsigned",       "D11", _S.DESCRIPTION_COMPLETED,  _F.DEPARTURE,   days(0),          _ALL,
          "All concerned are told that the goods leave without a signed certificate."),
    # D12, D13: the border authority hears of the arrival at least one working day before
    Clock("announce_arrival",        "D12", _S.ISSUED,                 _F.ARRIVAL,     working_days(-2), _BUYER,
          "The importer is reminded to announce the arrival to the border authority."),
    Clock("arrival_near",            "D12", _S.ISSUED,                 _F.ARRIVAL,     working_days(-1), _POST,
          "The border authority is told that the goods are about to arrive."),
    Clock("arrival_not_verified",    "D13", _S.ISSUED,                 _F.ARRIVAL,     working_days(1),  _POST,
          "It moves to the top of the border authority's list."),
    # D14, D15, D17: what was begun and is not finished; a signed successor takes this certificate's place at once
    Clock("laboratory_awaited",      "D14", _S.ISSUED,                 _F.SAMPLED,     working_days(5),  _POST,
          "The border authority is reminded of the laboratory result."),
    Clock("customs_procedure_open",  "D15", _S.ISSUED,                 _F.PROCEDURE,   days(30),         _BUYER + _POST,
          "All concerned are reminded that the customs procedure is still open.",            every=True),
    Clock("replacement_unsigned",    "D17", _S.ISSUED,                 _F.REPLACEMENT, days(7),          _BODY,
          "The replacement is dropped and this certificate can be used again."),
    Clock("replaced",                "D17", _S.ISSUED,                 _F.SUCCEEDED,   minutes(0),       _EACH,
          "The certificate that replaces this one has taken its place.",                     effect=_S.REPLACED),
    # D16: the first consignee signs at reception
    Clock("reception_first_call",    "D16", _S.CONSIGNMENT_VERIFIED,   _F.ENTERED,     working_days(3),  _GOAL,
          "The first consignee is reminded to sign for the goods."),
    Clock("reception_last_call",     "D16", _S.CONSIGNMENT_VERIFIED,   _F.ENTERED,     working_days(10), _GOAL + _BUYER,
          "The first consignee and the importer are reminded of the signature for the goods."),
    Clock("reception_overdue",       "D16", _S.CONSIGNMENT_VERIFIED,   _F.ENTERED,     days(30),         _LATE,
          "The border authority is told that the first consignee has not signed."),
    # D18: the issuing body answers a notice within thirty days (Delegated Regulation (EU) 2021/1698, article 21)
    Clock("reply_first_call",        "D18", _S.OFIS_IRREGULARITY,      _F.ENTERED,     days(15),         _BODY,
          "The issuing body is reminded to answer the notice.",                              Only.UNANSWERED),
    Clock("reply_last_call",         "D18", _S.OFIS_IRREGULARITY,      _F.ENTERED,     days(25),         _BODY,
          "The issuing body is reminded for the last time to answer the notice.",            Only.UNANSWERED),
    Clock("reply_overdue",           "D18", _S.OFIS_IRREGULARITY,      _F.ENTERED,     days(30),         _BODY + _TOP,
          "The central authority is told that the notice was not answered.",                 Only.UNANSWERED),
    # D19, D20: what lies untouched
    Clock("batches_idle",            "D19", _S.BASE_FOR_EXTRACT,       _F.EDITED,      days(90),         _BUYER + _POST,
          "All concerned are asked whether everything has been extracted."),
    Clock("draft_stale",             "D20", _S.DRAFT,                  _F.EDITED,      days(90),         _HOME,
          "Its creator is told that the draft will be deleted."),
    Clock("draft_expired",           "D20", _S.DRAFT,                  _F.EDITED,      days(120),        _HOME,
          "The draft is deleted.",                                                           effect=_S.DELETED),
)
# fmt: on
"""Every clock that concerns a certificate."""

_CLOCK: Final = {row.name: row for row in CLOCKS}
_SET: Final[dict[str, Length]] = {}


def set_lengths(lengths: Mapping[str, Length]) -> None:
    """Let these clocks run otherwise, by name, and all others as the law has them: once, when a process starts."""
    _SET.clear()
    _SET.update(lengths)


def lasting(name: str, law: Length) -> Length:
    """How long a clock runs in this installation, where the law foresees so long."""
    return _SET.get(name, law)


def completion_days() -> int:
    """The days in which what may follow box 18 must have followed (D10)."""
    return lasting("completion_overdue", _CLOCK["completion_overdue"].after).amount


@dataclass(frozen=True)
class Standing:
    """All a clock needs to know of a certificate."""

    status: Status
    entered_at: datetime
    edited_at: datetime
    content: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = True
    """Whether nothing is open that may follow within ten days."""
    rung: Collection[str] = ()
    """The clocks that have rung already, by the names they were due under."""
    since: Mapping[Start, datetime] = field(default_factory=dict)
    """When the rarer things began: sample, customs procedure, replacement."""
    answered: bool = False
    """Whether the notice of irregularity was answered."""

    def start(self, start: Start) -> datetime | None:
        """The moment a clock counts from, if it has come."""
        if start is Start.ENTERED:
            return self.entered_at
        if start is Start.EDITED:
            return self.edited_at
        if start in (Start.DEPARTURE, Start.ARRIVAL):
            return moment(self.content, start)
        return self.since.get(start)


@dataclass(frozen=True)
class Due:
    """The next ring: under this name, at this moment."""

    name: str
    """The clock's name; one that rings again and again adds the count: customs_procedure_open#2."""
    at: datetime


def next_due(standing: Standing, country: str, is_working_day: Calendar) -> Due | None:
    """The next clock that rings for a certificate that stands so; None when it may sleep.

    Working days are those of this country. A clock whose time is over and that has not rung is still due.
    """
    dues = [
        Due(name, length.after(start, country, is_working_day))
        for clock in CLOCKS
        if clock.while_at is standing.status
        and not (clock.only is Only.INCOMPLETE and standing.complete)
        and not (clock.only is Only.UNANSWERED and standing.answered)
        and (start := standing.start(clock.start)) is not None
        for name, length in _rings(clock, lasting(clock.name, clock.after), standing.rung)
    ]
    return min(dues, key=lambda due: due.at, default=None)


def still_rung(rung: Collection[str], changed: Collection[str]) -> list[str]:
    """The clocks that stay rung after an edit: one that counts from the edit or from a changed date rings anew."""
    anew = {Start.EDITED, *(start for start in Start if start in changed)}
    return [name for name in rung if clock_of(name).start not in anew]


def clock_of(name: str) -> Clock:
    """The clock that is due under this name."""
    return _CLOCK[name.partition("#")[0]]


def concerned(name: str) -> frozenset[Tie]:
    """Whom this ring tells."""
    return frozenset(clock_of(name).tells)


def then(name: str) -> str:
    """What happens when it rings, in one English sentence."""
    return clock_of(name).then


def effect(name: str) -> Status | None:
    """The status this ring brings about, if it does."""
    return clock_of(name).effect


def _rings(clock: Clock, length: Length, rung: Collection[str]) -> Iterator[tuple[str, Length]]:
    """The next ring of a clock, by name and length, if one is left."""
    if not clock.every:
        if clock.name not in rung:
            yield clock.name, length
        return
    count = 1 + sum(1 for name in rung if name.partition("#")[0] == clock.name)
    yield f"{clock.name}#{count}", Length(length.amount * count, length.unit)
