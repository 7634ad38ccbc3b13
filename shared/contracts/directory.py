"""What the directory says and hears: organisations and the roles of persons in them."""

from datetime import date, datetime

from pydantic import Field

from shared.contracts.certificates import View

QUEUE = "directory"


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
    time_zone: str
    updated_at: datetime


class OrganisationPage(View):
    """One page of organisations; ``next`` is the cursor of the following one."""

    items: list[OrganisationView]
    next: str | None


class RoleView(View):
    """One role of a person in an organisation, whatever its status."""

    organisation_id: str
    organisation: str
    country: str
    role_type: str
    status: str
    administrator: bool
    since: datetime
