"""What is said of the documents that accompany a certificate: files, and what each of them is."""

from datetime import datetime

from pydantic import Field

from shared.contracts.certificate_views import View
from shared.rules.documents import Media


class FileView(View):
    """A file as it is kept: its name is what the sender called it, its kind what stands in it."""

    id: str
    name: str
    media: Media
    size: int
    sha256: str


class NewDocument(View):
    """A document to be added, or a new version of one: its type, what the type asks, and the file sent before."""

    type: str = Field(examples=["705"])
    number: str | None = Field(default=None, examples=["BL-118"])
    date: str | None = Field(default=None, examples=["2026-11-20"])
    country: str | None = Field(default=None, examples=["MA"])
    issuer: str | None = Field(default=None, examples=["Compagnie du Détroit"])
    remarks: str | None = None
    upload: str | None = Field(default=None, examples=["0e2c9a44-7a55-4a1b-9d0e-3f6f2a1b5c66"])
    """The id of the file sent before; None keeps the file of the version before."""
    version: int | None = Field(default=None, ge=1, strict=True)
    """The version seen, where this is a new one."""


class Withdrawal(View):
    """A document to be taken back, in the version seen."""

    version: int = Field(ge=1, strict=True, examples=[1])
    reason: str | None = Field(default=None, max_length=2000)


class DocumentView(View):
    """One version of a document."""

    id: str
    version: int
    type: str
    number: str | None = None
    date: str | None = None
    country: str | None = None
    issuer: str | None = None
    remarks: str | None = None
    file: FileView
    added_by: str
    """The organisation, which alone may change it."""
    added_by_name: str
    at: datetime
    revision: int
    """The revision of the certificate that first had it."""
    covered: bool = False
    """Whether a signature covers it."""
    withdrawn: bool = False
    may_change: bool = False
    may_withdraw: bool = False
    earlier: list["DocumentView"] = Field(default_factory=list)
    """The versions before, newest first."""


class DocumentsView(View):
    """The documents of a certificate, for its parties."""

    items: list[DocumentView]
    withdrawn: list[DocumentView]
    may_add: bool
    revision: int
