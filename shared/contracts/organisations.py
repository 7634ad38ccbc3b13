"""Organisations as the directory shows them to readers, and what they send to create and correct one."""

from datetime import date, datetime
from typing import Any

from pydantic import Field

from shared.contracts.certificate_views import View


class Named(View):
    """An organisation by its name."""

    id: str
    name: str
    country: str
    code: str | None = None


class ActivityView(View):
    """One activity of an operator."""

    kind: str
    chapter: str = "ORGANIC"
    section: str
    status: str
    valid_from: date | None = None
    valid_to: date | None = None
    control_body: str | None = None
    control_body_code: str | None = None


class RecognitionView(View):
    """A country and the categories for which a control body is recognised."""

    country: str
    categories: list[str]
    legal_basis: str
    valid_from: date | None = None
    valid_to: date | None = None


class OrganisationView(View):
    """An organisation's public record."""

    id: str
    slug: str | None = None
    kind: str
    name: str
    country: str
    region: str | None = None
    city: str
    postal_code: str
    address: str
    addresses: list[dict[str, str]] = Field(default_factory=list)
    """Further ones: ``label``, ``address``, ``postal_code``, ``city``, ``country``."""
    latitude: float | None = None
    longitude: float | None = None
    status: str
    code: str | None = None
    identifiers: list[dict[str, str]] = Field(default_factory=list)
    contacts: list[dict[str, str]] = Field(default_factory=list)
    activities: list[ActivityView] = Field(default_factory=list)
    recognitions: list[RecognitionView] = Field(default_factory=list)
    authority_role: str | None = None
    competences: list[str] = Field(default_factory=list)
    superior: str | None = None
    territory: str | None = None
    calendar: str | None = None
    time_zone: str
    updated_at: datetime


class OrganisationPage(View):
    """One page of organisations; ``next`` is the cursor of the following one."""

    items: list[OrganisationView]
    next: str | None


class Evidence(View):
    """How an operator proves that he is certified."""

    certificate_number: str = Field(default="", max_length=100)
    valid_to: date | None = None
    file_name: str = Field(default="", max_length=200)
    file: str = Field(default="", max_length=700_000)
    """The file itself, base64; empty where there is none, and where only its name is told."""


class NewOrganisation(View):
    """A new organisation; asked for by a person, it is created together with his request to belong to it."""

    kind: str = "OPERATOR"
    name: str = Field(max_length=200)
    country: str = Field(max_length=2)
    region: str | None = Field(default=None, max_length=100)
    city: str = Field(default="", max_length=100)
    postal_code: str = Field(default="", max_length=20)
    address: str = Field(default="", max_length=300)
    latitude: float | None = None
    longitude: float | None = None
    addresses: list[dict[str, str]] = Field(default_factory=list, max_length=20)
    contacts: list[dict[str, str]] = Field(default_factory=list, max_length=20)
    identifiers: list[dict[str, str]] = Field(default_factory=list, max_length=20)
    activities: list[dict[str, Any]] = Field(default_factory=list, max_length=20)
    code: str | None = Field(default=None, max_length=40)
    recognitions: list[dict[str, Any]] = Field(default_factory=list, max_length=200)
    authority_role: str | None = Field(default=None, max_length=30)
    competences: list[str] = Field(default_factory=list, max_length=20)
    superior: str | None = Field(default=None, max_length=36)
    territory: str | None = Field(default=None, max_length=40)
    calendar: str | None = Field(default=None, max_length=12)
    time_zone: str | None = Field(default=None, max_length=64)
    evidence: Evidence | None = None
    another_one: bool = False
    """The look-alikes were seen, and this is another one."""
    message: str = Field(default="", max_length=2000)
    email: str = Field(default="", max_length=254)
    phone: str = Field(default="", max_length=60)


class LookAlike(View):
    """An organisation that may be the same: how alike from 0 to 100, and why."""

    organisation: Named
    address: str = ""
    status: str
    score: int
    reason: str
    """``EORI``, ``VAT``, ``NUMBER``, ``NAME_AND_POSTAL_CODE`` or ``SIMILAR_NAME``."""
    value: str = ""


class Creatable(View):
    """The kinds of organisations, and the roles of authorities, that the person asking may create, valid at once."""

    kinds: list[str] = Field(default_factory=list)
    authority_roles: list[str] = Field(default_factory=list)


class Created(View):
    """What was created: the organisation, and the request to belong to it where there is one."""

    organisation_id: str
    status: str
    role_id: str | None = None
    proposal_id: str | None = None


class OrganisationEdit(View):
    """Fields of an organisation to change on the revision seen, and why."""

    revision: int = Field(ge=1)
    changes: dict[str, Any]
    reason: str = Field(default="", max_length=2000)
    evidence: Evidence | None = None


class Difference(View):
    """One field of a proposal: how it stands, and how it would."""

    field: str
    before: Any = None
    after: Any = None


class HistoryLine(View):
    """One change of an organisation: who, when, why, and each field's value before and after."""

    id: int
    at: datetime
    what: str
    revision: int
    organisation: Named | None = None
    """For whom he acted who did it."""
    why: str = ""
    differences: list[Difference] = Field(default_factory=list)


class HistoryView(View):
    """An organisation's record as it stood at one moment, and everything that was ever done to it."""

    at: datetime
    record: dict[str, Any] | None
    lines: list[HistoryLine]


class OrganisationMay(View):
    """What the asker may do with an organisation, and the revision he sees."""

    revision: int
    status: str
    edit: str | None
    """``NOW`` where an edit applies at once, ``PROPOSE`` where material fields await a decision, else nothing."""
    steps: list[str] = Field(default_factory=list)
    pending: str | None = None
    """A proposal that waits already."""


class PublicOrganisation(View):
    """A valid organisation as the public sees it: nothing that leads to a person."""

    id: str
    name: str
    kind: str
    country: str
    city: str
    postal_code: str
    code: str | None = None
    authority_role: str | None = None
    activities: list[str] = Field(default_factory=list)
    control_bodies: list[Named] = Field(default_factory=list)
    recognised_in: list[str] = Field(default_factory=list)


class PublicPage(View):
    """One page of the public directory."""

    items: list[PublicOrganisation]
    next: str | None
