"""What the directory says and hears: organisations and the roles of persons in them.

Three processes keep its records: RoleValidation (one person's role in one organisation), OperatorValidation (a new
operator, or a change of one, that awaits a decision) and OperatorLife (dates and standing of an operator). All three
remember a ``Standing`` and take an ``Instruction``.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import Field
from temporalio import activity

from shared.contracts.certificate_views import View
from shared.contracts.certificates import Awaited, Due
from shared.contracts.organisations import Difference, Evidence, LookAlike, Named, OrganisationView
from shared.rules.actor import Actor

QUEUE = "directory"
ROLE_VALIDATION = "RoleValidation"
OPERATOR_VALIDATION = "OperatorValidation"
OPERATOR_LIFE = "OperatorLife"


def role_validation_id(role_id: str) -> str:
    """The id of the workflow that keeps this role."""
    return f"role-validation/{role_id}"


def operator_validation_id(proposal_id: str) -> str:
    """The id of the workflow that keeps this proposal."""
    return f"operator-validation/{proposal_id}"


def operator_life_id(organisation_id: str) -> str:
    """The id of the workflow that keeps this operator's standing."""
    return f"operator-life/{organisation_id}"


# ── For the workflows ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Standing:
    """All such a process remembers: small, and replaced by what the paper says."""

    id: str
    """Of the role, the proposal or the organisation."""
    status: str
    revision: int
    """0 where nothing was read yet: then every instruction goes on to the paper."""
    over: bool
    """Whether there is nothing left to wait for."""
    due: Due | None = None
    awaited: Awaited | None = None


@dataclass(frozen=True)
class Instruction:
    """A wish to make one step: who, which step, on which revision, and what he says about it."""

    action: str
    actor: Actor
    revision: int
    """The revision the person saw: nobody decides what he has not seen."""
    form: dict[str, Any] = field(default_factory=dict)
    """``reason``, and what else the step asks for."""


@dataclass(frozen=True)
class Note:
    """One instruction to be carried out on paper, under its key."""

    id: str
    instruction: Instruction
    key: str


@dataclass(frozen=True)
class Noted:
    """What came of it: the answer recorded under its key, and how things stand now."""

    answer: Standing
    now: Standing


@dataclass(frozen=True)
class Rung:
    """A clock has run out: the paper decides whether it still matters."""

    id: str
    due: Due


class DirectoryActivities(ABC):
    """What the workflows may ask of the directory service."""

    @abstractmethod
    @activity.defn(name="directory.record_role")
    async def record_role(self, note: Note) -> Noted:
        """Carry out one instruction about a role: row, journal and event, or nothing. Refuses with a code."""

    @abstractmethod
    @activity.defn(name="directory.look_role")
    async def look_role(self, role_id: str) -> Standing:
        """The role as it stands on paper now."""

    @abstractmethod
    @activity.defn(name="directory.ring_role")
    async def ring_role(self, rung: Rung) -> Standing:
        """Write down that a clock of a role has rung, once, and tell those concerned."""

    @abstractmethod
    @activity.defn(name="directory.record_proposal")
    async def record_proposal(self, note: Note) -> Noted:
        """Carry out one instruction about a proposal: rows, journals and events, or nothing. Refuses with a code."""

    @abstractmethod
    @activity.defn(name="directory.look_proposal")
    async def look_proposal(self, proposal_id: str) -> Standing:
        """The proposal as it stands on paper now."""

    @abstractmethod
    @activity.defn(name="directory.ring_proposal")
    async def ring_proposal(self, rung: Rung) -> Standing:
        """Write down that a clock of a proposal has rung, once, and tell those concerned."""

    @abstractmethod
    @activity.defn(name="directory.record_standing")
    async def record_standing(self, note: Note) -> Noted:
        """Carry out one instruction about an operator's standing: row, journal and event, or nothing."""

    @abstractmethod
    @activity.defn(name="directory.look_standing")
    async def look_standing(self, organisation_id: str) -> Standing:
        """The operator as it stands on paper now."""

    @abstractmethod
    @activity.defn(name="directory.ring_standing")
    async def ring_standing(self, rung: Rung) -> Standing:
        """Write down that a date of an operator's activities has come, once, and tell those concerned."""


# ── For readers ───────────────────────────────────────────────────────────────────────────────────────────────


class RoleView(View):
    """One role of a person in an organisation, whatever its status."""

    organisation_id: str
    organisation: str
    country: str
    role_type: str
    status: str
    administrator: bool
    since: datetime


# ── Requests ──────────────────────────────────────────────────────────────────────────────────────────────────


class Wanted(View):
    """One organisation a person wants a role in; for a control body also the countries he works for."""

    organisation_id: str
    countries: list[str] = Field(default_factory=list, max_length=60)


class NewRoles(View):
    """A request for one or several roles, with what the applicant wants to say to whoever decides."""

    wanted: list[Wanted] = Field(min_length=1, max_length=20)
    message: str = Field(default="", max_length=2000)
    email: str = Field(default="", max_length=254)
    phone: str = Field(default="", max_length=60)


class StepWish(View):
    """What a person asks for: a step on the revision he saw."""

    action: str = Field(max_length=40)
    revision: int = Field(ge=1)
    form: dict[str, Any] = Field(default_factory=dict)


class Chosen(View):
    """One of several requests decided at once, in the revision seen."""

    id: str
    revision: int = Field(ge=1)


class Decisions(View):
    """The same decision on several requests."""

    action: str = Field(max_length=40)
    reason: str = Field(default="", max_length=2000)
    chosen: list[Chosen] = Field(min_length=1, max_length=500)


class DecisionResult(View):
    """What came of one of several decisions: the new status, or the code of the refusal and its sentence."""

    id: str
    status: str | None = None
    code: str | None = None
    says: str = ""


class LineView(View):
    """One line of the history of a role or a proposal."""

    at: datetime
    action: str
    person: str
    organisation: Named | None = None
    said: str = ""
    status: str


class ClaimView(View):
    """Somebody of those who may decide has taken it on."""

    person: str
    organisation: Named
    at: datetime


class RoleRequestView(View):
    """A role, or the request for one, as the applicant and whoever decides see it."""

    id: str
    revision: int
    person_id: str
    person: str
    role_type: str
    status: str
    administrator: bool
    organisation: Named
    organisation_kind: str
    organisation_status: str
    city: str = ""
    postal_code: str = ""
    authority_role: str | None = None
    countries: list[str] = Field(default_factory=list)
    since: datetime
    requested_at: datetime
    message: str = ""
    email: str = ""
    phone: str = ""
    awaits: list[Named] = Field(default_factory=list)
    """Who may decide, in the order they are asked."""
    told: list[Named] = Field(default_factory=list)
    """The authority above, once it was told that nobody decides."""
    claim: ClaimView | None = None
    question: str = ""
    """An open question to the applicant."""
    reason: str = ""
    due_at: datetime | None = None
    due: str | None = None
    expires_at: datetime | None = None
    proposal_id: str | None = None
    """The operator is to be validated first: this is what is proposed."""
    may: list[str] = Field(default_factory=list)
    lines: list[LineView] = Field(default_factory=list)


class RoleRequestPage(View):
    """One page of requests; ``number`` counts them, up to a thousand."""

    items: list[RoleRequestView]
    next: str | None
    number: int


class ProposalView(View):
    """A new operator, or a change of one, that awaits a decision."""

    id: str
    revision: int
    kind: str
    """``CREATION`` or ``CHANGE``."""
    status: str
    organisation: Named
    organisation_status: str
    person_id: str
    person: str
    proposed_at: datetime
    why: str = ""
    differences: list[Difference] = Field(default_factory=list)
    evidence: Evidence | None = None
    look_alikes: list[LookAlike] = Field(default_factory=list)
    awaits: list[Named] = Field(default_factory=list)
    told: list[Named] = Field(default_factory=list)
    claim: ClaimView | None = None
    question: str = ""
    reason: str = ""
    due_at: datetime | None = None
    due: str | None = None
    expires_at: datetime | None = None
    may: list[str] = Field(default_factory=list)
    lines: list[LineView] = Field(default_factory=list)


class ProposalPage(View):
    """One page of proposals."""

    items: list[ProposalView]
    next: str | None
    number: int = 0
    """How many there are, up to a thousand."""


class Sides(View):
    """Everything that is needed to decide, side by side."""

    role: RoleRequestView
    organisation: OrganisationView
    proposal: ProposalView | None = None
    look_alikes: list[LookAlike] = Field(default_factory=list)
    """What may be the same as the operator, also where it has been there for long."""
    others: list[RoleRequestView] = Field(default_factory=list)
    """The applicant's other roles, and the requests he made before."""
    colleagues: int = 0
    """How many people of the organisation are valid."""
