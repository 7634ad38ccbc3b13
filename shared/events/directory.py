"""What happens to organisations and roles. An organisation's record is public; persons appear by id only."""

from datetime import date
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
    """For which country and product categories a control body is recognised, on which legal basis, from when to when."""

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


class RoleRevoked(Event):
    """A person's role in an organisation ended or was suspended."""

    subject: ClassVar[str] = "directory.role.revoked.v1"
    person_id: str
    organisation_id: str
    reason: str = ""
