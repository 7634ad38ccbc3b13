"""What the certificates service shows its readers and hears from them: wishes, edits, views, pages.

A view is what one reader may see; what the service and its workflows tell each other is in ``certificates``.
"""

from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from shared.rules.extracts import ExtractStatus
from shared.rules.permissions import Tie
from shared.rules.status import Status


class View(BaseModel):
    """What a reader gets: frozen, and no field that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Wish(View):
    """What a person asks for: an action on the revision he saw, with its form."""

    action: str = Field(examples=["submit"])
    revision: int = Field(ge=1, strict=True, examples=[1])
    form: dict[str, Any] = Field(default_factory=dict, examples=[{}])
    fingerprint: str | None = Field(default=None, examples=[None])


DRAFTED: Final = {
    "issuing_body": "8e1d5b6e-3f0a-5c6e-9f5e-0d3a2f7b1c11",
    "exporter": "5b9a7e1c-8a5d-5e1f-b0c4-6d2f9e3a7b22",
    "importer": "c2f4d8a6-1b3e-5d7c-8e9f-4a5b6c7d8e33",
    "countries_of_origin": ["MA"],
    "clearance_country": "FR",
    "product_lines": [
        {
            "id": "1",
            "cn_code": "08041000",
            "trade_name": "Dattes Medjool biologiques",
            "lot": "L-2026-118",
            "packages": 100,
            "package_type": "CT",
            "net_weight": "1000.000",
            "unit": "KGM",
            "producer": "5b9a7e1c-8a5d-5e1f-b0c4-6d2f9e3a7b22",
        }
    ],
    "gross_weight": {"value": "1100", "unit": "KGM"},
    "transport": {"mode": "1", "identification": "MV Tanger", "document": "BL-118"},
    "arrival_at": "2026-12-01T08:00:00+01:00",
}
"""An example of what a draft may say."""


class NewCertificate(View):
    """A draft to be born: its form model and the boxes filled so far (at least 1, 4 and one line of 13)."""

    form_model: str = Field(default="COI_2017", examples=["COI_2017"])
    content: dict[str, Any] = Field(examples=[DRAFTED])


class Edit(View):
    """Boxes to change on the revision seen; a field given as null is cleared."""

    revision: int = Field(ge=1, strict=True, examples=[2])
    changes: dict[str, Any] = Field(examples=[{"seals": ["S-118"], "arrival_at": "2026-12-02T08:00:00+01:00"}])


class PartyView(View):
    """An organisation as a certificate shows it."""

    id: str
    name: str
    kind: str
    country: str
    code: str | None = None
    address: str = ""
    status: str = "VALID"


class ProblemView(View):
    """Something that is missing or not right: the field, its box on this certificate's form, and what to do."""

    field: str
    box: str | None
    title: str
    code: str
    message: str
    severity: str = "error"
    params: dict[str, Any] = Field(default_factory=dict)


class MayView(View):
    """What this reader may edit and do now."""

    edit: list[str]
    do: list[str]


class AwaitedView(View):
    """What the certificate waits for: a code per status, whose turn it is, since when, until when, what then."""

    code: str
    organisations: list[PartyView]
    since: datetime
    until: datetime | None
    clock: str | None
    mine: bool


class SignatureView(View):
    """One signature: which box, by whom, for whom, when, over which fingerprint."""

    box: str
    action: str
    person: str
    organisation: PartyView
    at: datetime
    revision: int
    fingerprint: str
    form: dict[str, Any]


class CertificateLink(View):
    """Another certificate beside this one: the one it replaces, or the one that replaces it."""

    id: str
    number: str | None
    status: Status


class IrregularityView(View):
    """One notice of irregularity: what was notified, what the issuing body answered, what the authority concluded."""

    id: str
    found_at: Status
    signalled_at: datetime
    signalled_by: str
    reporter: Tie
    notified_country: str | None
    notified_body: str | None
    notice: dict[str, Any]
    reply_until: datetime
    replied_at: datetime | None
    reply: dict[str, Any] | None
    concluded_at: datetime | None
    conclusion: dict[str, Any] | None
    outcome: Status | None


class CertificateView(View):
    """A certificate as one reader may see it."""

    id: str
    number: str | None
    form_model: str
    status: Status
    revision: int
    created_at: datetime
    updated_at: datetime
    entered_at: datetime
    content: dict[str, Any]
    parties: dict[str, PartyView]
    ties: list[str]
    may: MayView
    problems: list[ProblemView]
    """What stands in the way of the next action this reader may take; in the reader's language."""
    awaited: AwaitedView | None
    signatures: list[SignatureView]
    flags: list[str]
    replaces: CertificateLink | None = None
    replaced_by: CertificateLink | None = None
    irregularities: list[IrregularityView] = Field(default_factory=list)
    documents: list[dict[str, Any]] = Field(default_factory=list)
    """The newest version of each document, as a signature covers it; for the parties."""
    questions: int = 0
    """How many questions about it nobody has settled yet; for the parties."""


class NewExtract(View):
    """A batch to be begun: what is known of it already (its consignee, its lines)."""

    content: dict[str, Any] = Field(default_factory=dict, examples=[{"clearance_country": "FR"}])


class LineLeft(View):
    """A line of a certificate: what it held, and what of it no extract has taken yet."""

    id: str
    cn_code: str | None
    trade_name: str | None
    lot: str | None
    unit: str
    package_type: str | None
    packages: int | None
    net_weight: str
    packages_left: int | None
    net_weight_left: str


class ExtractParent(View):
    """As much of the certificate as a reader of its extract may see: boxes 1 to 10, and the lines of this batch."""

    id: str
    number: str | None
    status: Status
    whole: bool
    """Whether this reader may open the certificate itself."""
    content: dict[str, Any]


class ExtractView(View):
    """An extract as one reader may see it."""

    id: str
    number: str
    form_model: str
    status: ExtractStatus
    revision: int
    created_at: datetime
    updated_at: datetime
    entered_at: datetime
    content: dict[str, Any]
    """The boxes filled in here; the lines carry what the certificate says of them, and its original quantity."""
    parent: ExtractParent
    parties: dict[str, PartyView]
    ties: list[str]
    may: MayView
    frozen: bool
    """Whether it waits because of the certificate: an irregularity, or its end."""
    problems: list[ProblemView]
    awaited: AwaitedView | None
    signatures: list[SignatureView]
    left: list[LineLeft]
    """What is left of the certificate; for those who cut extracts."""


class ExtractLine(View):
    """An extract in a list."""

    id: str
    number: str
    parent_id: str
    status: ExtractStatus
    revision: int
    consignee: PartyView | None
    entry_authority: PartyView | None
    packages: int | None
    net_weight: list[tuple[str, str]]
    """The net weight of its lines, per unit."""
    updated_at: datetime
    awaits_me: bool


class ExtractPage(View):
    """The extracts of a certificate that this reader may see, and what is left for more of them."""

    items: list[ExtractLine]
    left: list[LineLeft]
    may_begin: bool
    next: str | None = None


class TraceStep(View):
    """One station of the goods: whose, in which place, and the lines that passed there."""

    role: str
    organisation: PartyView
    lots: list[str]
    extract: str | None = None
    """The number of the extract this station belongs to, if any."""
    status: str | None = None


class TraceView(View):
    """The way of the goods: from the producers to everybody who received a part of them."""

    certificate_id: str
    number: str | None
    steps: list[TraceStep]


class CertificateLine(View):
    """A certificate in a list."""

    id: str
    number: str | None
    status: Status
    revision: int
    form_model: str
    exporter: PartyView | None
    importer: PartyView | None
    issuing_body: PartyView | None
    first_consignee: PartyView | None
    entry_authority: PartyView | None
    goods: str
    country_of_export: str | None
    updated_at: datetime
    arrival_at: datetime | None
    due_at: datetime | None
    awaits_me: bool
    awaits: str | None = None
    """What it waits for of my organisation, by its code; nothing where it is not its turn."""


class CertificatePage(View):
    """One page of a list; ``next`` is the cursor of the following page, None on the last."""

    items: list[CertificateLine]
    next: str | None
    counts: dict[str, int]
    """Certificates per status under the same filters, up to 1000 each (``1000`` means "1000 or more")."""
    more: bool = False
    """Whether the filters find more than were counted: then the newest thousand were."""


class JournalLine(View):
    """One line of a certificate's journal, with everything its hash covers."""

    certificate_id: str
    seq: int
    at: datetime
    person_id: str
    person: str
    organisation_id: str
    organisation: str
    action: str
    source: str | None
    target: str
    revision: int
    reason: str | None
    changes: dict[str, Any]
    form: dict[str, Any]
    seal: dict[str, Any] | None
    relies_on: dict[str, Any]
    """Event ids of the directory on whose word partners counted as valid."""
    previous: str
    hash: str


class JournalView(View):
    """A certificate's journal, and the head the row remembers: a line taken off the end is noticed too."""

    certificate_id: str
    number: str | None
    length: int
    head: str
    lines: list[JournalLine]


class Confirmation(View):
    """What a person is shown before he signs: the whole content of one revision and its fingerprint."""

    action: str
    revision: int
    fingerprint: str
    document: dict[str, Any]
    problems: list[ProblemView]


class OrderState(View):
    """What became of an order: done, refused or unknown."""

    key: str
    state: str
    certificate_id: str | None = None
    extract_id: str | None = None
    status: Status | ExtractStatus | None = None
    revision: int | None = None


class CommodityView(View):
    """A commodity code, always with its path chapter › heading › code, in the reader's language."""

    code: str
    name: str
    path: list[str]
    category: str | None
    leaf: bool
