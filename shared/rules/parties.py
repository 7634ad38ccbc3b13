"""An organisation as the law sees it, and the other facts a verdict rests on.

One thing to remember: these are looked up by whoever asks the law, at the moment he asks. The law looks up nothing.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from shared.rules.roles import CREATORS, RoleType, StandingStatus
from shared.rules.status import Status


class Procedure(StrEnum):
    """Box 2: the legal regime under which the goods are imported; computed, never typed."""

    COMPLIANCE = "COMPLIANCE"
    EQUIVALENT_THIRD_COUNTRY = "EQUIVALENT_THIRD_COUNTRY"
    EQUIVALENT_CONTROL_BODY = "EQUIVALENT_CONTROL_BODY"
    TRADE_AGREEMENT = "TRADE_AGREEMENT"


@dataclass(frozen=True)
class Activity:
    """What an operator does, since when, and who certifies him for it."""

    kind: str
    """An ActivityType."""
    status: str = StandingStatus.VALID
    valid_from: date | None = None
    valid_to: date | None = None
    control_body: str | None = None
    """The organisation that certifies him for this activity."""

    def holds_on(self, day: date) -> bool:
        """Whether the activity is valid on this day; the last day still counts."""
        begun = self.valid_from is None or self.valid_from <= day
        return self.status == StandingStatus.VALID and begun and not self.has_ended(day)

    def has_ended(self, day: date) -> bool:
        """Whether its last day is over."""
        return self.valid_to is not None and self.valid_to < day


@dataclass(frozen=True)
class Recognition:
    """What a control body is recognised for: one country, some categories of products, one legal basis."""

    country: str
    categories: tuple[str, ...] = ()
    legal_basis: str = Procedure.EQUIVALENT_CONTROL_BODY
    """A Procedure, or another basis (for instance UNION) that admits no imports."""
    valid_from: date | None = None
    valid_to: date | None = None

    def covers(self, country: str, category: str, day: date) -> bool:
        """Whether goods of this category from this country are covered on this day."""
        begun = self.valid_from is None or self.valid_from <= day
        ended = self.valid_to is not None and self.valid_to < day
        return self.country == country and category in self.categories and begun and not ended


@dataclass(frozen=True)
class Party:
    """One organisation as the directory knows it now."""

    id: str
    kind: str
    """A RoleType."""
    name: str
    country: str
    status: str = StandingStatus.VALID
    code: str | None = None
    eori: str | None = None
    activities: tuple[Activity, ...] = ()
    superior: str | None = None
    """For an authority: the central competent authority above it."""
    authority_role: str | None = None
    competences: tuple[str, ...] = ()
    calendar: str | None = None
    """Whose public holidays an authority keeps; those of its country when nothing is said."""
    recognitions: tuple[Recognition, ...] = ()

    @property
    def holidays(self) -> str:
        """The calendar by which its working days are counted."""
        return self.calendar or self.country

    def is_valid(self) -> bool:
        """Whether the organisation itself stands."""
        return self.status == StandingStatus.VALID

    def holding(self, kinds: Collection[str], day: date) -> tuple[Activity, ...]:
        """Its activities of one of these kinds that hold on this day."""
        return tuple(each for each in self.activities if each.kind in kinds and each.holds_on(day))


@dataclass(frozen=True)
class Commodity:
    """One line of the nomenclature, valid on the day in question."""

    code: str
    category: str
    """The product category a to g it belongs to."""


@dataclass(frozen=True)
class Facts:
    """All a verdict about a certificate's content rests on, beside the content."""

    now: datetime
    parties: Mapping[str, Party] = field(default_factory=dict)
    """Every organisation the content names, by id."""
    commodities: Mapping[str, Commodity] = field(default_factory=dict)
    """Every commodity the content names, by code."""
    form: Mapping[str, object] | None = None
    """What the order says besides its name; None when nobody has ordered anything yet."""
    status: Status | None = None
    """Where the certificate stands, where it matters (a draft is deleted without a reason)."""
    to_enclose: tuple[str, ...] = ()
    """The documents that have still to be added before the endorsement, by what they are called."""
    replacement_pending: bool = False
    """Whether a certificate that shall replace this one is being written."""
    replacement_accepted: bool = False
    """Whether the authority of the member state has accepted that replacement."""
    replaces: bool = False
    """Whether this certificate shall replace another one."""
    replacement_lapsed: bool = False
    """Whether the certificate it should replace no longer waits for it."""
    acceptance_awaited: bool = False
    """Whether the authority has still to accept that it replaces the other one."""
    answered: bool = False
    """Whether the issuing body has answered the notice of irregularity."""
    quantity_left: bool = False
    """Whether something of the consignment is not yet in an extract."""
    extracts_open: bool = False
    """Whether an extract of this certificate still awaits a decision."""

    def party(self, organisation: object) -> Party | None:
        """The organisation with this id, if there is one."""
        return self.parties.get(organisation) if isinstance(organisation, str) else None


def may_create(party: Party, day: date) -> bool:
    """Whether this organisation may start certificates: a valid importer, exporter or control body (guide 002 §1)."""
    return party.is_valid() and (party.kind == RoleType.CONTROL_BODY or bool(party.holding(CREATORS, day)))


PROCEDURES: Final = frozenset(Procedure)


def procedures(body: Party, country: str, categories: Iterable[str], day: date) -> tuple[Procedure, ...]:
    """The regimes under which this body may certify all these categories from this country; none if no single one."""
    wanted = tuple(categories)
    bases = {each.legal_basis for each in body.recognitions if each.legal_basis in PROCEDURES}
    return tuple(
        regime
        for regime in Procedure
        if regime in bases
        and all(
            any(each.legal_basis == regime and each.covers(country, category, day) for each in body.recognitions)
            for category in wanted
        )
    )
