"""The tables of the certificates service, and nothing else. Times carry their zone, ids are uuids written as text."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    Numeric,
    String,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from shared.kit import outbox

Moment = DateTime(timezone=True)
Id = Uuid(as_uuid=False)


class Table(SQLModel, registry=registry()):
    """The tables of this service have a registry of their own: two services may live in one process."""


METADATA = Table.metadata
for _table in outbox.METADATA.tables.values():
    _table.to_metadata(METADATA)


class CertificateRow(Table, table=True):
    """One certificate of inspection as it stands. Columns beside ``content`` repeat what lists need to find it."""

    __tablename__ = "certificate"
    __table_args__ = (
        Index("certificate_seen", "visible_to", postgresql_using="gin"),
        Index("certificate_awaited", "awaited_by", postgresql_using="gin"),
        Index("certificate_search", "search", postgresql_using="gin"),
        Index("certificate_updated", "updated_at", "id"),
        Index("certificate_arrival", "arrival_at", "id"),
        Index("certificate_due", "due_at"),
        Index("certificate_clearance", "clearance_country", "updated_at", "id"),
        Index("certificate_status", "status", "updated_at", "id"),
        # one for each other order of a list
        Index("certificate_by_status", "status", "id"),
        Index("certificate_by_number", text("coalesce(number, '')"), "id"),
        Index("certificate_by_arrival", text("coalesce(arrival_at, 'infinity'::timestamptz)"), "id"),
        Index("certificate_by_arrival_last", text("coalesce(arrival_at, '-infinity'::timestamptz)"), "id"),
        # one for each other day a list is filtered by
        Index("certificate_created", "created_at"),
        Index("certificate_issued", "issued_at", postgresql_where=text("issued_at IS NOT NULL")),
        Index("certificate_decided", "decided_at", postgresql_where=text("decided_at IS NOT NULL")),
    )

    id: str = Field(sa_column=Column(Id, primary_key=True))
    number: str | None = Field(default=None, sa_column=Column(String(40), unique=True))
    form_model: str = Field(sa_column=Column(String(10), nullable=False))
    status: str = Field(sa_column=Column(String(30), nullable=False))
    previous: str | None = Field(default=None, sa_column=Column(String(30)))
    revision: int
    submitted: bool = False
    creator: str = Field(sa_column=Column(Id, nullable=False))
    created_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    updated_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    entered_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    content: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    due_name: str | None = Field(default=None, sa_column=Column(String(40)))
    due_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    rung: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    journal_length: int = 0
    journal_head: str = Field(default="", sa_column=Column(String(64), nullable=False))
    # what began beside the status: the clocks count from here
    sampled_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    procedure_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    amended_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    replied_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    # one certificate in the place of another: links both ways
    replaces: str | None = Field(default=None, sa_column=Column(Id))
    replaced_by: str | None = Field(default=None, sa_column=Column(Id))
    replacement_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    accepted_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    succeeded_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    # the ledger of its extracts: line -> what is booked of it; this row is the one lock
    booked: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default=text("'{}'::jsonb"))
    )
    extracts: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    # the newest version of each document: a signature covers it
    documents: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSONB, nullable=False, server_default=text("'[]'::jsonb"))
    )
    # repeated from the content, for lists
    exporter: str | None = Field(default=None, sa_column=Column(Id))
    importer: str | None = Field(default=None, sa_column=Column(Id))
    issuing_body: str | None = Field(default=None, sa_column=Column(Id))
    first_consignee: str | None = Field(default=None, sa_column=Column(Id))
    entry_authority: str | None = Field(default=None, sa_column=Column(Id))
    country_of_export: str | None = Field(default=None, sa_column=Column(String(2)))
    clearance_country: str | None = Field(default=None, sa_column=Column(String(2)))
    arrival_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    issued_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    decided_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    visible_to: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Id), nullable=False))
    awaited_by: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Id), nullable=False))
    goods: str = Field(default="", sa_column=Column(Text, nullable=False))
    search: Any = Field(default=None, sa_column=Column(TSVECTOR))


class SightRow(Table, table=True):
    """One reader of a certificate, to count by: written by a trigger whenever status or readers of the row change."""

    __tablename__ = "sight"
    __table_args__ = (Index("sight_of", "certificate_id"),)

    organisation: str = Field(sa_column=Column(Id, primary_key=True))
    status: str = Field(sa_column=Column(String(30), primary_key=True))
    certificate_id: str = Field(sa_column=Column(Id, primary_key=True))


class WordRow(Table, table=True):
    """A word some certificate has, or the stem of one: by these a beginning is looked for. Written by a trigger."""

    __tablename__ = "word"

    kind: str = Field(sa_column=Column(String(10, collation="C"), primary_key=True))
    """The mark it stands in; empty for the words of a certificate."""
    word: str = Field(sa_column=Column(String(64, collation="C"), primary_key=True))


class ExtractRow(Table, table=True):
    """One batch of a certificate. Its journal is its own: lines of the same table under its own id."""

    __tablename__ = "extract"
    __table_args__ = (
        Index("extract_of", "parent_id", "number"),
        Index("extract_seen", "visible_to", postgresql_using="gin"),
        Index("extract_awaited", "awaited_by", postgresql_using="gin"),
        Index("extract_due", "due_at"),
        Index("extract_updated", "updated_at", "id"),
    )

    id: str = Field(sa_column=Column(Id, primary_key=True))
    number: str = Field(sa_column=Column(String(50), nullable=False, unique=True))
    parent_id: str = Field(sa_column=Column(Id, nullable=False))
    form_model: str = Field(sa_column=Column(String(10), nullable=False))
    status: str = Field(sa_column=Column(String(30), nullable=False))
    previous: str | None = Field(default=None, sa_column=Column(String(30)))
    revision: int
    creator: str = Field(sa_column=Column(Id, nullable=False))
    created_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    updated_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    entered_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    content: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    due_name: str | None = Field(default=None, sa_column=Column(String(40)))
    due_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    rung: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    journal_length: int = 0
    journal_head: str = Field(default="", sa_column=Column(String(64), nullable=False))
    visible_to: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Id), nullable=False))
    awaited_by: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Id), nullable=False))


class JournalRow(Table, table=True):
    """One line of a certificate's journal: who did what when, chained by hash to the line before. Append-only."""

    __tablename__ = "journal"
    __table_args__ = (Index("journal_line", "certificate_id", "seq", unique=True),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    certificate_id: str = Field(sa_column=Column(Id, nullable=False))
    seq: int
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    person_id: str = Field(sa_column=Column(String(36), nullable=False))
    person: str
    organisation_id: str = Field(sa_column=Column(String(36), nullable=False))
    organisation: str
    action: str = Field(sa_column=Column(String(40), nullable=False))
    source: str | None = Field(default=None, sa_column=Column(String(30)))
    target: str = Field(sa_column=Column(String(30), nullable=False))
    revision: int
    reason: str | None = Field(default=None, sa_column=Column(Text))
    changes: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    form: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    seal: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    relies_on: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    previous: str = Field(sa_column=Column(String(64), nullable=False))
    hash: str = Field(sa_column=Column(String(64), nullable=False))
    # not covered by the hash: how the order was told, and what it was answered
    key: str | None = Field(default=None, sa_column=Column(String(64), unique=True))
    order_digest: str | None = Field(default=None, sa_column=Column(String(64)))
    answer: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))


class IrregularityRow(Table, table=True):
    """One notice of irregularity beside a certificate: what was notified, answered and concluded."""

    __tablename__ = "irregularity"
    __table_args__ = (Index("irregularity_of", "certificate_id", "signalled_at"),)

    id: str = Field(sa_column=Column(Id, primary_key=True))
    certificate_id: str = Field(sa_column=Column(Id, nullable=False))
    found_at: str = Field(sa_column=Column(String(30), nullable=False))
    """The status in which it was signalled: where the certificate goes back to when it was none."""
    signalled_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    signalled_by: str = Field(sa_column=Column(Id, nullable=False))
    reporter: str = Field(sa_column=Column(String(20), nullable=False))
    """The tie of whoever signalled it: the entry authority, or the importer."""
    notified_country: str | None = Field(default=None, sa_column=Column(String(2)))
    notified_body: str | None = Field(default=None, sa_column=Column(Id))
    notice: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    replied_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    reply: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    concluded_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    conclusion: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    outcome: str | None = Field(default=None, sa_column=Column(String(30)))


class SealedRow(Table, table=True):
    """The document under a signature, byte for byte as it was signed."""

    __tablename__ = "sealed"

    fingerprint: str = Field(sa_column=Column(String(64), primary_key=True))
    certificate_id: str = Field(sa_column=Column(Id, nullable=False, index=True))
    revision: int
    document: str = Field(sa_column=Column(Text, nullable=False))


class SigningKeyRow(Table, table=True):
    """An organisation's signing key; the private half is wrapped by a key that is not in this database."""

    __tablename__ = "signing_key"

    id: str = Field(sa_column=Column(String(32), primary_key=True))
    organisation_id: str = Field(sa_column=Column(Id, nullable=False, unique=True))
    public_key: str
    wrapped: str = Field(sa_column=Column(Text, nullable=False))
    created_at: datetime = Field(sa_column=Column(Moment, nullable=False, server_default=func.now()))


class PartyRow(Table, table=True):
    """What the directory last said of an organisation, and in which event: the law asks this copy."""

    __tablename__ = "party"
    __table_args__ = (Index("party_name", text("lower(record->>'name')")),)

    id: str = Field(sa_column=Column(Id, primary_key=True))
    event_id: str = Field(sa_column=Column(Id, nullable=False))
    revision: int
    record: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


class RegisterRow(Table, table=True):
    """One line: the edition of parties and commodities. A trigger gives a new one with each change of either."""

    __tablename__ = "register"

    edition: str = Field(sa_column=Column(Id, primary_key=True))


class NumberRow(Table, table=True):
    """The last number given per country of export and year. Counted in the transaction that uses it: no gaps."""

    __tablename__ = "number_series"

    country: str = Field(sa_column=Column(String(2), primary_key=True))
    year: int = Field(primary_key=True)
    last: int


class SavedSearchRow(Table, table=True):
    """The filters of a list under a name: one person's, or shared with his organisation."""

    __tablename__ = "saved_search"
    __table_args__ = (Index("saved_search_of", "organisation_id", "name"),)

    id: str = Field(sa_column=Column(Id, primary_key=True))
    organisation_id: str = Field(sa_column=Column(Id, nullable=False))
    person_id: str = Field(sa_column=Column(String(36), nullable=False))
    person: str
    name: str = Field(sa_column=Column(String(80), nullable=False))
    query: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    shared: bool = False
    created_at: datetime = Field(sa_column=Column(Moment, nullable=False))


class WriteOffRow(Table, table=True):
    """What a customs declaration took of one line of a released certificate or extract."""

    __tablename__ = "write_off"
    __table_args__ = (
        Index("write_off_of", "coi_id", "at"),
        Index("write_off_once", "key", "line", unique=True),
    )

    id: str = Field(sa_column=Column(Id, primary_key=True))
    coi_id: str = Field(sa_column=Column(Id, nullable=False))
    line: str = Field(sa_column=Column(String(64), nullable=False))
    net_weight: Decimal = Field(sa_column=Column(Numeric, nullable=False))
    packages: int | None = Field(default=None, sa_column=Column(Integer))
    declaration: str = Field(sa_column=Column(String(60), nullable=False))
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    by: str = Field(sa_column=Column(Id, nullable=False))
    key: str = Field(sa_column=Column(String(64), nullable=False))


class WebhookRow(Table, table=True):
    """An address of an organisation that is told of every change of status; its secrets are wrapped."""

    __tablename__ = "webhook"
    __table_args__ = (Index("webhook_of", "organisation_id", "created_at"),)

    id: str = Field(sa_column=Column(Id, primary_key=True))
    organisation_id: str = Field(sa_column=Column(Id, nullable=False))
    url: str = Field(sa_column=Column(Text, nullable=False))
    secret: str = Field(sa_column=Column(Text, nullable=False))
    former: str | None = Field(default=None, sa_column=Column(Text))
    """The secret before the last rotation: it signs as well, for a day."""
    rotated_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    active: bool = True
    created_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    created_by: str


class DeliveryRow(Table, table=True):
    """One piece of news for one webhook: a row first, then tried until it was taken or a day is over."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        Index("webhook_delivery_once", "webhook_id", "event_id", unique=True),
        Index("webhook_delivery_of", "webhook_id", "created_at", "id"),
        Index("webhook_delivery_due", "next_at", postgresql_where=text("state = 'pending'")),
    )

    id: str = Field(sa_column=Column(Id, primary_key=True))
    webhook_id: str = Field(sa_column=Column(Id, nullable=False))
    event_id: str = Field(sa_column=Column(Id, nullable=False))
    body: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    state: str = Field(sa_column=Column(String(12), nullable=False))
    attempts: int = 0
    created_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    next_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    until: datetime = Field(sa_column=Column(Moment, nullable=False))
    """When we give up."""
    answered: int | None = Field(default=None, sa_column=Column(Integer))
    trouble: str | None = Field(default=None, sa_column=Column(String(60)))
    """A code: why the last attempt failed."""
    delivered_at: datetime | None = Field(default=None, sa_column=Column(Moment))


class CommodityRow(Table, table=True):
    """One chapter, heading or commodity code of the nomenclature, for the years it was valid."""

    __tablename__ = "commodity"
    __table_args__ = (
        Index("commodity_search", "search", postgresql_using="gin"),
        Index("commodity_parent", "parent", "code"),
    )

    code: str = Field(sa_column=Column(String(8), primary_key=True))
    valid_from: date = Field(sa_column=Column(Date, primary_key=True))
    valid_to: date | None = Field(default=None, sa_column=Column(Date))
    parent: str | None = Field(default=None, sa_column=Column(String(8)))
    level: int
    name_en: str
    name_fr: str
    category: str | None = Field(default=None, sa_column=Column(String(1)))
    search: Any = Field(default=None, sa_column=Column(TSVECTOR))
