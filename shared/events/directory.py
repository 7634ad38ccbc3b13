"""What happens to organisations and roles. An organisation's record is public; persons appear by id only."""

from datetime import date, datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from shared.events.base import Event


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ActivityPart(_Part):
    """One activity of an operator, with its own status and dates."""

    kind: str
    section: str = "ORGANIC"
    status: str = "VALID"
    valid_from: date | None = None
    valid_to: date | None = None
    control_body: str | None = None
    """Organisation id of the control body that certifies it."""


class RecognitionPart(_Part):
    """For which country and product categories a control body is recognised, on which legal basis, and when."""

    country: str
    categories: list[str]
    legal_basis: str
    valid_from: date | None = None
    valid_to: date | None = None


class Organisation(_Part):
    """An organisation as the others need to know it: everything here is public."""

    id: str
    slug: str | None = None
    kind: str
    name: str
    country: str
    city: str = ""
    postal_code: str = ""
    address: str = ""
    status: str
    code: str | None = None
    identifiers: dict[str, str] = Field(default_factory=dict)
    activities: list[ActivityPart] = Field(default_factory=list)
    recognitions: list[RecognitionPart] = Field(default_factory=list)
    authority_role: str | None = None
    competences: list[str] = Field(default_factory=list)
    superior: str | None = None
    calendar: str | None = None
    """Whose public holidays an authority keeps; those of its country when nothing is said."""
    time_zone: str = "Europe/Paris"
    demo: bool = False


class OrganisationChanged(Event):
    """An organisation was created, changed, validated, suspended…: here is its whole public record."""

    subject: ClassVar[str] = "directory.organisation.changed.v1"
    organisation: Organisation
    revision: int
    what: str = "changed"


class RoleGranted(Event):
    """A person's role in an organisation became valid."""

    subject: ClassVar[str] = "directory.role.granted.v1"
    person_id: str
    organisation_id: str
    role_type: str
    administrator: bool = False
    validated: bool = False
    """Whether somebody has just decided so: then it is news to the person."""


class RoleRevoked(Event):
    """A person's role in an organisation ended or was suspended."""

    subject: ClassVar[str] = "directory.role.revoked.v1"
    person_id: str
    organisation_id: str
    reason: str = ""


class _OfRole(Event):
    """What all news of a role have in common. Persons by id only; what was said stands in the directory."""

    role_id: str
    person_id: str
    organisation_id: str
    role_type: str
    by: str | None = None
    """The organisation that did it; nobody where a clock did."""
    concerns: list[str] = Field(default_factory=list)
    """Organisations that decide, or are to be told."""
    due_at: datetime | None = None
    """Until when the next step is expected."""


class RoleRequested(_OfRole):
    """A person asks for a role: those it concerns may decide."""

    subject: ClassVar[str] = "directory.role.requested.v1"


class RoleRefused(_OfRole):
    """A person's request was refused."""

    subject: ClassVar[str] = "directory.role.refused.v1"


class RoleSuspended(_OfRole):
    """A person's role was suspended; ``RoleRevoked`` of the same moment took his rights away."""

    subject: ClassVar[str] = "directory.role.suspended.v1"


class RoleReinstated(_OfRole):
    """A suspended role is valid again."""

    subject: ClassVar[str] = "directory.role.reinstated.v1"


class RoleWithdrawn(_OfRole):
    """A request was taken back, or a role given up or taken away."""

    subject: ClassVar[str] = "directory.role.withdrawn.v1"


class RoleQuestioned(_OfRole):
    """Whoever decides asks the applicant something; the clock stands still until he answers."""

    subject: ClassVar[str] = "directory.role.questioned.v1"


class RoleAnswered(_OfRole):
    """The applicant has answered: the clock goes on."""

    subject: ClassVar[str] = "directory.role.answered.v1"


class RoleReminded(_OfRole):
    """Whoever decides has had his two working days."""

    subject: ClassVar[str] = "directory.role.reminded.v1"


class RoleEscalated(_OfRole):
    """The authority above is told that a request waits."""

    subject: ClassVar[str] = "directory.role.escalated.v1"
    late: list[str] = Field(default_factory=list)
    """Who should have decided."""


class RoleExpired(_OfRole):
    """Nobody has decided in thirty days."""

    subject: ClassVar[str] = "directory.role.expired.v1"


class RoleUndecidable(_OfRole):
    """There is nobody who may decide a request: platform administrators are told at once."""

    subject: ClassVar[str] = "directory.role.undecidable.v1"


class _OfProposal(Event):
    """What all news of a proposal have in common."""

    proposal_id: str
    organisation_id: str
    person_id: str
    kind: str
    """``CREATION`` or ``CHANGE``."""
    by: str | None = None
    concerns: list[str] = Field(default_factory=list)
    due_at: datetime | None = None


class OrganisationProposed(_OfProposal):
    """A new operator, or a change of one, awaits a decision."""

    subject: ClassVar[str] = "directory.organisation.proposed.v1"


class OrganisationValidated(_OfProposal):
    """The proposal is in force."""

    subject: ClassVar[str] = "directory.organisation.validated.v1"


class OrganisationRefused(_OfProposal):
    """The proposal was refused; what was in force before stays."""

    subject: ClassVar[str] = "directory.organisation.refused.v1"


class ProposalQuestioned(_OfProposal):
    """Whoever decides asks something; the clock stands still."""

    subject: ClassVar[str] = "directory.proposal.questioned.v1"


class ProposalAnswered(_OfProposal):
    """The question was answered: the clock goes on."""

    subject: ClassVar[str] = "directory.proposal.answered.v1"


class ProposalReminded(_OfProposal):
    """Whoever decides has had his two working days."""

    subject: ClassVar[str] = "directory.proposal.reminded.v1"


class ProposalEscalated(_OfProposal):
    """The authority above is told that a proposal waits."""

    subject: ClassVar[str] = "directory.proposal.escalated.v1"
    late: list[str] = Field(default_factory=list)


class ProposalLapsed(_OfProposal):
    """The proposal was taken back, or nobody has decided in thirty days."""

    subject: ClassVar[str] = "directory.proposal.lapsed.v1"
    expired: bool = False


class ProposalUndecidable(_OfProposal):
    """There is nobody who may decide a proposal: platform administrators are told at once."""

    subject: ClassVar[str] = "directory.proposal.undecidable.v1"


class ActivityEnding(Event):
    """An activity of an operator ends soon, or has ended today."""

    subject: ClassVar[str] = "directory.activity.ending.v1"
    organisation_id: str
    activity: str
    valid_to: date
    days: int
    """30, 7, or 0 where it has ended."""
    concerns: list[str] = Field(default_factory=list)


class OrganisationMerged(Event):
    """Two records were one organisation: what named the one that is gone names the other from now on."""

    subject: ClassVar[str] = "directory.organisation.merged.v1"
    organisation_id: str
    """Which is gone."""
    kept: str
    by: str | None = None
