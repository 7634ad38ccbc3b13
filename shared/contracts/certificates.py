"""What the certificates service and its workflows tell each other: lives, orders, records and the activities.

A ``Life`` is the workflow's whole memory, always replaced by what the paper says. Views are in ``certificate_views``.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from temporalio import activity

from shared.rules.actor import Actor
from shared.rules.extracts import ExtractStatus
from shared.rules.permissions import Tie
from shared.rules.refusals import Refused
from shared.rules.status import Action, Status

QUEUE = "certificates"
LIFE = "CertificateLife"


EXTRACT_LIFE = "ExtractLife"


def extract_life_id(extract_id: str) -> str:
    """The id of the workflow that is this extract's life."""
    return f"extract-{extract_id}"


def life_id(certificate_id: str) -> str:
    """The id of the workflow that is this certificate's life."""
    return f"certificate-{certificate_id}"


# ── For the workflow ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Due:
    """The next clock of a certificate: its name (``D10.overdue``) and when it rings."""

    name: str
    at: datetime


@dataclass(frozen=True)
class Awaited:
    """What a certificate waits for, so that a person who opens the process understands it without the code."""

    what: str
    """One English sentence."""
    organisations: tuple[str, ...]
    """Whose turn it is: organisation ids."""
    since: datetime
    until: datetime | None
    """When the next clock rings."""
    then: str
    """What happens then."""
    names: tuple[str, ...] = ()
    """The same organisations as a person reads them."""


@dataclass(frozen=True)
class Life:
    """All a certificate's process remembers: small, and replaced by what the paper says."""

    certificate_id: str
    status: Status
    revision: int
    over: bool
    submitted: bool
    number: str | None = None
    due: Due | None = None
    awaited: Awaited | None = None
    bound: dict[str, tuple[Tie, ...]] = field(default_factory=dict)
    """Organisation id -> the ties by which this certificate names it."""

    def ties(self, actor: Actor) -> frozenset[Tie]:
        """How the asker's organisation is bound to this certificate."""
        return frozenset(self.bound.get(actor.organisation_id, ()))


@dataclass(frozen=True)
class Order:
    """A wish to make one move: who, which action, on which revision, with which form."""

    action: str
    actor: Actor
    revision: int
    """The revision the person saw: nobody signs what he has not seen."""
    form: dict[str, Any] = field(default_factory=dict)
    """Checks, decision, reason: what the action's form asks for."""
    fingerprint: str | None = None
    """SHA-256 (hex) of the canonical content shown before the signature; needed where the action signs."""
    for_whom: str = ""
    """The actor's organisation as a person reads it (its code, or its name): for those who inspect histories."""

    @property
    def asks(self) -> Action:
        """The action by its name in the law; ``unknown_action`` when there is none of that name."""
        try:
            return Action(self.action)
        except ValueError:
            raise Refused("unknown_action", action=self.action, field="action") from None


@dataclass(frozen=True)
class Record:
    """One order to be carried out on paper, under its key."""

    certificate_id: str
    order: Order
    key: str


@dataclass(frozen=True)
class Recorded:
    """What came of an order: the answer recorded under its key, and the certificate as it stands now."""

    answer: Life
    now: Life


@dataclass(frozen=True)
class Ring:
    """A clock has run out: the paper decides whether it still matters."""

    certificate_id: str
    due: Due


class CertificateActivities(ABC):
    """What the workflows may ask of the certificates service."""

    @abstractmethod
    @activity.defn(name="certificates.record")
    async def record(self, record: Record) -> Recorded:
        """Carry out one order on paper: row, journal and event, or nothing. Refuses with a code, never retried."""

    @abstractmethod
    @activity.defn(name="certificates.look")
    async def look(self, certificate_id: str) -> Life:
        """The certificate as it stands on paper now."""

    @abstractmethod
    @activity.defn(name="certificates.ring")
    async def ring(self, ring: Ring) -> Life:
        """Write down that a clock has rung, once, and tell those concerned; the life with its next clock."""


@dataclass(frozen=True)
class Batch:
    """All an extract's process remembers: small, and replaced by what the paper says."""

    extract_id: str
    status: ExtractStatus
    revision: int
    over: bool
    number: str | None = None
    due: Due | None = None
    awaited: Awaited | None = None


@dataclass(frozen=True)
class BatchRecord:
    """One order on an extract, to be carried out on paper under its key."""

    extract_id: str
    order: Order
    key: str


@dataclass(frozen=True)
class BatchRecorded:
    """What came of an order on an extract: the answer recorded under its key, and the extract as it stands now."""

    answer: Batch
    now: Batch


@dataclass(frozen=True)
class BatchRing:
    """A clock of an extract has run out: the paper decides whether it still matters."""

    extract_id: str
    due: Due


class ExtractActivities(ABC):
    """What the process of an extract may ask of the certificates service."""

    @abstractmethod
    @activity.defn(name="certificates.record_extract")
    async def record(self, record: BatchRecord) -> BatchRecorded:
        """Carry out one order on an extract: row, ledger of its certificate, journal and event, or nothing."""

    @abstractmethod
    @activity.defn(name="certificates.look_at_extract")
    async def look(self, extract_id: str) -> Batch:
        """The extract as it stands on paper now."""

    @abstractmethod
    @activity.defn(name="certificates.ring_extract")
    async def ring(self, ring: BatchRing) -> Batch:
        """Write down that a clock of an extract has rung, once, and tell those concerned."""
