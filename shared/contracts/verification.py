"""What anybody may learn of a certificate or extract who holds a copy of it: its issuing body, and no other party."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from shared.rules.extracts import ExtractStatus
from shared.rules.status import Status


class Presented(StrEnum):
    """How the copy somebody holds compares with the certificate as it stands."""

    CURRENT = "current"
    """It is of the current revision."""
    OLDER = "older"
    """The certificate has changed since."""
    UNKNOWN = "unknown"
    """There was never such a revision, or its content is not ours."""


class PublicView(BaseModel):
    """A certificate or an extract as the public sees it with number and code."""

    model_config = ConfigDict(frozen=True)

    number: str
    form_model: str
    status: Status | ExtractStatus
    status_since: datetime
    issuing_body: str
    issuing_body_code: str | None
    country_of_export: str | None
    issued_at: datetime | None
    revision: int
    updated_at: datetime
    replaces: str | None = None
    replaced_by: str | None = None
    extract_of: str | None = None
    """The certificate an extract was cut from."""
    certificate_status: Status | None = None
    """Where that certificate stands."""
    endorsed_at: datetime | None = None
    """When the authority decided on the batch."""
    presented: Presented | None = None
    """None when nobody said of which revision his copy is."""


class FileView(BaseModel):
    """What a checked PDF turned out to be."""

    model_config = ConfigDict(frozen=True)

    is_copy: bool
    """Whether it is a copy of a certificate or extract printed here at all."""
    sealed: bool = False
    intact: bool = False
    """Whether the seal fits and nothing was added or changed after it."""
    ours: bool = False
    """Whether the seal is one of this system's."""
    sealed_by: str | None = None
    sealed_at: datetime | None = None
    wrong: tuple[str, ...] = ()
    """What is wrong, one code each."""
    certificate: PublicView | None = None
    """What the certificate is now, when the file is genuine."""


class Statement(BaseModel):
    """The text of a copy's second square code, to be checked."""

    model_config = ConfigDict(frozen=True)

    statement: str = Field(max_length=1000)


class StatementView(BaseModel):
    """What the signed statement of a square code says, checked against the published keys."""

    model_config = ConfigDict(frozen=True)

    genuine: bool
    number: str | None = None
    revision: int | None = None
    status: Status | ExtractStatus | None = None
    """The status when the copy was printed."""
    said_at: datetime | None = None
    by: str | None = None
    """The organisation whose key signed it."""
