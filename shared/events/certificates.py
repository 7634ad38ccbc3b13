"""What happens to certificates. Parties are organisations, never persons."""

from datetime import datetime
from typing import ClassVar

from pydantic import Field

from shared.events.base import Event
from shared.rules.boxes import Model
from shared.rules.extracts import ExtractStatus
from shared.rules.permissions import Tie
from shared.rules.questions import Ask
from shared.rules.status import Action, Status


class CertificateDrafted(Event):
    """A draft was born; only its creator's organisation knows of it."""

    subject: ClassVar[str] = "certificates.certificate.drafted.v1"
    certificate_id: str
    creator: str


class CertificateEdited(Event):
    """Boxes of a certificate were changed, without a change of status."""

    subject: ClassVar[str] = "certificates.certificate.edited.v1"
    certificate_id: str
    number: str | None = None
    status: Status
    revision: int
    by: str
    boxes: list[str]
    parties: dict[Tie, list[str]] = Field(default_factory=dict)
    announced: bool = False
    """The time of arrival was entered for the first time: prior notification."""
    arrival_at: datetime | None = None
    """When the goods are expected, as the certificate says now."""
    form_model: Model = Model.COI_2017
    """The printed form whose titles its boxes have; older events do not say it."""


class QuestionWritten(Event):
    """A question about a certificate was asked, answered or settled."""

    subject: ClassVar[str] = "certificates.certificate.question_written.v1"
    certificate_id: str
    number: str | None
    form_model: str
    question: int
    """Its number within the certificate."""
    kind: Ask
    field: str | None = None
    """The box it is about."""
    step: str
    """asked, answered or settled."""
    by: str
    """The organisation that wrote."""
    to: str
    """The other side."""
    text: str | None = None
    """The beginning of what was written."""
    parties: dict[Tie, list[str]]


class CertificateMoved(Event):
    """A certificate changed status."""

    subject: ClassVar[str] = "certificates.certificate.moved.v1"
    certificate_id: str
    number: str | None
    source: Status
    target: Status
    action: Action
    revision: int
    by: str
    """The organisation that did it."""
    parties: dict[Tie, list[str]]
    """Who is concerned: organisations, by their tie."""
    reason: str | None = None
    due_at: datetime | None = None
    """Until when the next step is expected."""
    due: str | None = None
    """The clock that rings then, by its name in the law: it tells whose step it is."""
    arrival_at: datetime | None = None
    """When the goods are expected, as the certificate says now."""
    form_model: Model = Model.COI_2017


class ExtractMoved(Event):
    """An extract of a certificate was begun, or changed status."""

    subject: ClassVar[str] = "certificates.extract.moved.v1"
    extract_id: str
    certificate_id: str
    number: str
    source: ExtractStatus | None
    """None at its birth."""
    target: ExtractStatus
    action: Action
    revision: int
    by: str
    parties: dict[Tie, list[str]]
    """Who is concerned: organisations, by their tie to the extract."""
    reason: str | None = None
    due_at: datetime | None = None
    due: str | None = None


class ExtractClockRang(Event):
    """A clock of an extract ran out."""

    subject: ClassVar[str] = "certificates.extract.clock_rang.v1"
    extract_id: str
    certificate_id: str
    number: str
    status: ExtractStatus
    clock: str
    concerns: list[str]
    parties: dict[Tie, list[str]]
    due_at: datetime | None = None
    due: str | None = None


class CertificateClockRang(Event):
    """A clock of a certificate ran out."""

    subject: ClassVar[str] = "certificates.certificate.clock_rang.v1"
    certificate_id: str
    number: str | None
    status: Status
    clock: str
    concerns: list[str]
    """Organisations to be reminded or told."""
    parties: dict[Tie, list[str]]
    due_at: datetime | None = None
    due: str | None = None
    """The next clock, by its name in the law, and when it rings."""
