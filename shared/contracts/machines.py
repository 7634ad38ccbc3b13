"""What programs say and hear: searches kept under a name, access tokens, webhooks, customs quantities, many drafts.

One thing to remember: a secret appears in exactly one answer, the one that made it; afterwards only its beginning does.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from shared.contracts.certificate_views import NewCertificate, View
from shared.rules.extracts import ExtractStatus
from shared.rules.status import Status

NUMBER = "COI.MA.2026.0000001"


class Scope(StrEnum):
    """What a token may be used for; each includes nothing of the others."""

    READ = "read"
    """Read what the organisation may see."""
    DRAFT = "draft"
    """Write drafts and change boxes."""
    ACT = "act"
    """Ask for moves that no person has to sign; for customs, write quantities off."""


# ── searches ──────────────────────────────────────────────────────────────────────────────────────────────────────


class NewSearch(View):
    """The filters of a list under a name."""

    name: str = Field(min_length=1, max_length=80, pattern=r"^[^\x00]*\S[^\x00]*$", examples=["Dates on their way"])
    query: dict[str, Any] = Field(examples=[{"status": ["ISSUED"], "goods": "dattes"}])
    """The parameters of the list, without cursor and limit."""
    shared: bool = False


class SearchView(View):
    """A kept search: mine, or shared within my organisation."""

    id: str
    name: str
    query: dict[str, Any]
    shared: bool
    mine: bool
    by: str
    created_at: datetime


# ── access tokens ─────────────────────────────────────────────────────────────────────────────────────────────────


class NewToken(View):
    """A token to be minted: what it is for, what it may do, how long."""

    name: str = Field(min_length=1, max_length=80, pattern=r"\S", examples=["Warehouse Agadir"])
    scopes: list[Scope] = Field(min_length=1, max_length=3, examples=[["read", "draft"]])
    days: int = Field(ge=1, le=366, strict=True, examples=[90])


class TokenView(View):
    """A token as its organisation's administrator sees it; of the secret only the beginning is shown."""

    id: str
    name: str
    beginning: str
    scopes: list[Scope]
    created_at: datetime
    created_by: str
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class MintedToken(View):
    """A fresh token with its secret: shown once, kept nowhere."""

    token: TokenView
    secret: str


class Presented(View):
    """A token's digest, as a service shows it to identity."""

    digest: str = Field(pattern=r"^[0-9a-f]{64}$")


class Bearer(View):
    """Whom a token speaks for."""

    id: str
    name: str
    organisation_id: str
    role_type: str
    scopes: list[Scope]
    expires_at: datetime


# ── webhooks ──────────────────────────────────────────────────────────────────────────────────────────────────────


class NewWebhook(View):
    """An address to be told of every change of status of what its organisation may see."""

    url: str = Field(min_length=9, max_length=500, examples=["https://erp.atlas.example/bordereau"])


class WebhookView(View):
    """A webhook as its organisation's administrator sees it."""

    id: str
    url: str
    active: bool
    created_at: datetime
    created_by: str
    rotated_at: datetime | None
    waiting: int = 0
    failed: int = 0


class Delivery(View):
    """What a webhook is sent: that something moved, no box and no other party. It may come twice, under one ``id``."""

    id: str = Field(examples=["3f0f8a52-7a5e-4bb7-8d5e-0c9d6a1f2b3c"])
    organisation: str
    """Whose webhook this is."""
    type: Literal["certificate.moved", "extract.moved", "ping"]
    at: datetime
    certificate_id: str | None = None
    extract_id: str | None = None
    number: str | None = Field(default=None, examples=[NUMBER])
    source: str | None = Field(default=None, examples=["DESCRIPTION_COMPLETED"])
    target: str | None = Field(default=None, examples=["ISSUED"])
    action: str | None = Field(default=None, examples=["sign"])
    revision: int | None = None
    by: str | None = None
    """The organisation that moved it; none where a deadline did."""


class MintedWebhook(View):
    """A webhook with a fresh secret: shown once."""

    webhook: WebhookView
    secret: str


class WebhookChange(View):
    """Pause a webhook, or let it go on."""

    active: bool = Field(strict=True)


class DeliveryState(StrEnum):
    """What became of a delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class DeliveryView(View):
    """One piece of news for one webhook, and what became of it."""

    id: str
    event_id: str
    body: dict[str, Any]
    state: DeliveryState
    attempts: int
    created_at: datetime
    next_at: datetime | None
    answered: int | None
    """The HTTP status of the last answer."""
    trouble: str | None
    """A code: why the last attempt failed."""
    delivered_at: datetime | None


class DeliveryPage(View):
    """The deliveries of a webhook, newest first."""

    webhook: WebhookView
    items: list[DeliveryView]
    next: str | None


# ── customs ───────────────────────────────────────────────────────────────────────────────────────────────────────


class QuantityView(View):
    """One line of a certificate or extract: what it holds, what of it is released, and what is left of that."""

    line: str
    cn_code: str | None
    trade_name: str | None
    unit: str | None
    net_weight: Decimal
    released: Decimal
    written_off: Decimal
    remaining: Decimal
    packages: int | None
    packages_remaining: int | None


class CoiView(View):
    """A certificate or extract as customs may ask for it by its number (document code C644)."""

    number: str = Field(examples=[NUMBER])
    document_code: Literal["C644"] = "C644"
    kind: Literal["certificate", "extract"]
    status: Status | ExtractStatus
    released_as: Literal["organic", "conventional"] | None
    """None while nothing is released."""
    may_write_off: bool
    lines: list[QuantityView]
    extracts: list[str]
    """Of a certificate released in batches: the numbers to declare instead."""


class LineWriteOff(View):
    """What a declaration takes of one line."""

    line: str = Field(max_length=64, examples=["1"])
    net_weight: Decimal = Field(gt=0, max_digits=15, decimal_places=6, examples=["250.5"])
    packages: int | None = Field(default=None, ge=0, le=10_000_000, strict=True, examples=[25])


class NewWriteOff(View):
    """Quantities that one customs declaration takes."""

    declaration: str = Field(min_length=1, max_length=60, pattern=r"\S", examples=["26FR000123456789A1"])
    lines: list[LineWriteOff] = Field(min_length=1, max_length=999)


# ── many drafts ───────────────────────────────────────────────────────────────────────────────────────────────────


class NewCertificates(View):
    """Several drafts; each is made or refused by itself."""

    drafts: list[NewCertificate] = Field(min_length=1, max_length=100)


class DraftResult(View):
    """What became of one draft."""

    index: int
    status: Literal["created", "refused"]
    id: str | None = None
    revision: int | None = None
    problem: dict[str, Any] | None = None
    """As problem+json says it."""


class DraftResults(View):
    """What became of each draft, in their order."""

    created: int
    refused: int
    results: list[DraftResult]
