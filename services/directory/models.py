"""The tables of the directory service, and nothing else. Times carry their zone, ids are uuids written as text."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Identity, Index, String, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from shared.kit import outbox

Moment = DateTime(timezone=True)
Id = Uuid(as_uuid=False)


WAITING = text("status = 'REQUESTED'")
WITHIN = {"activities": "jsonb_path_ops"}


class Table(SQLModel, registry=registry()):
    """The tables of this service have a registry of their own: two services may live in one process."""


METADATA = Table.metadata
for _table in outbox.METADATA.tables.values():
    _table.to_metadata(METADATA)


class OrganisationRow(Table, table=True):
    """An organisation as it stands. What lists look for is repeated in columns of its own (``rules.sought``)."""

    __tablename__ = "organisation"
    __table_args__ = (
        Index("organisation_by_name", "name_key", "id"),
        Index("organisation_by_country", "country", "name_key", "id"),
        Index("organisation_by_kind", "kind", "country", "name_key", "id"),
        Index("organisation_activity", "activity_kinds", postgresql_using="gin"),
        Index("organisation_competence", "competences", postgresql_using="gin"),
        Index("organisation_recognised", "recognised_in", postgresql_using="gin"),
        Index("organisation_numbers", "numbers", postgresql_using="gin"),
        Index("organisation_words", "words", postgresql_using="gin"),
        Index("organisation_code", "code"),
        Index("organisation_by_status", "status", "name_key", "id"),
        Index("organisation_activities", "activities", postgresql_using="gin", postgresql_ops=WITHIN),
        Index("organisation_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("organisation_postal_code", "country", "postal_code"),
        Index("organisation_superior", "superior", postgresql_where=text("superior IS NOT NULL")),
    )

    id: str = Field(sa_column=Column(Id, primary_key=True))
    slug: str | None = Field(default=None, sa_column=Column(String(100), unique=True))
    kind: str = Field(sa_column=Column(String(30), nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    country: str = Field(sa_column=Column(String(2), nullable=False))
    region: str | None = Field(default=None, sa_column=Column(Text))
    city: str = Field(default="", sa_column=Column(Text, nullable=False))
    postal_code: str = Field(default="", sa_column=Column(String(20), nullable=False))
    address: str = Field(default="", sa_column=Column(Text, nullable=False))
    latitude: float | None = None
    longitude: float | None = None
    addresses: list[dict[str, str]] = Field(
        default_factory=list, sa_column=Column(JSONB, nullable=False, server_default="[]")
    )
    """Further ones, beside the main one."""
    contacts: list[dict[str, str]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    identifiers: list[dict[str, str]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    status: str = Field(sa_column=Column(String(30), nullable=False))
    activities: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    code: str | None = Field(default=None, sa_column=Column(String(40)))
    recognitions: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    authority_role: str | None = Field(default=None, sa_column=Column(String(30)))
    competences: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    superior: str | None = Field(
        default=None, sa_column=Column(Id, ForeignKey("organisation.id", deferrable=True, initially="DEFERRED"))
    )
    territory: str | None = Field(default=None, sa_column=Column(String(40)))
    calendar: str | None = Field(default=None, sa_column=Column(String(12)))
    """Whose public holidays an authority keeps, ``FR`` or ``FR-57``; those of its country when nothing is said."""
    time_zone: str = Field(default="Europe/Paris", sa_column=Column(String(64), nullable=False))
    demo: bool = False
    duplicate_of: str | None = Field(default=None, sa_column=Column(Id))
    """The organisation this one turned out to be."""
    rung: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    """The warnings of ending activities that were given."""
    due_name: str | None = Field(default=None, sa_column=Column(String(80)))
    due_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    revision: int = 0
    created_at: datetime = Field(default=None, sa_column=Column(Moment, nullable=False))
    updated_at: datetime = Field(default=None, sa_column=Column(Moment, nullable=False))
    # repeated, for search
    name_key: str = Field(default="", sa_column=Column(Text, nullable=False))
    activity_kinds: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    recognised_in: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    numbers: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    words: Any = Field(default=None, sa_column=Column(TSVECTOR, nullable=False))


class RoleRow(Table, table=True):
    """What a person is, or asks to be, in an organisation: one row from the request to the end of the role."""

    __tablename__ = "role"
    __table_args__ = (
        Index(
            "role_of",
            "person_id",
            "organisation_id",
            unique=True,
            postgresql_where=text("status IN ('REQUESTED', 'VALID', 'SUSPENDED')"),
        ),
        Index("role_in", "organisation_id", "status"),
        Index("role_awaited", "awaited_by", postgresql_using="gin", postgresql_where=WAITING),
        Index("role_told", "told", postgresql_using="gin", postgresql_where=WAITING),
        Index("role_waiting", "requested_at", "id", postgresql_where=WAITING),
        Index("role_waiting_kind", "role_type", "requested_at", "id", postgresql_where=WAITING),
        Index("role_waiting_country", "country", "requested_at", "id", postgresql_where=WAITING),
        Index("role_waiting_due", text("coalesce(due_at, requested_at)"), "id", postgresql_where=WAITING),
        Index("role_words", "words", postgresql_using="gin", postgresql_where=WAITING),
        Index("role_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("role_born", "person_id", "birth_key"),
        Index("role_proposal", "proposal_id"),
        Index("role_claimed", "claimed_by", postgresql_where=text("claimed_by IS NOT NULL")),
    )

    id: str = Field(sa_column=Column(Id, primary_key=True))
    person_id: str = Field(sa_column=Column(Id, nullable=False))
    organisation_id: str = Field(sa_column=Column(Id, ForeignKey("organisation.id"), nullable=False))
    role_type: str = Field(sa_column=Column(String(30), nullable=False))
    status: str = Field(sa_column=Column(String(30), nullable=False))
    administrator: bool = False
    since: datetime = Field(sa_column=Column(Moment, nullable=False))
    """When it came to its status."""
    person: str = Field(default="", sa_column=Column(Text, nullable=False))
    """First and last name, as he signed in when he asked."""
    countries: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    """For which countries he works, in a control body."""
    country: str = Field(default="", sa_column=Column(String(2), nullable=False, server_default=""))
    """The organisation's, repeated for lists of what waits."""
    message: str = Field(default="", sa_column=Column(Text, nullable=False))
    email: str = Field(default="", sa_column=Column(Text, nullable=False))
    phone: str = Field(default="", sa_column=Column(Text, nullable=False))
    proposal_id: str | None = Field(default=None, sa_column=Column(Id))
    """The operator he asked to have created together with his role."""
    requested_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    counted_from: datetime = Field(sa_column=Column(Moment, nullable=False))
    asked_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    question: str = Field(default="", sa_column=Column(Text, nullable=False))
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    rung: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    due_name: str | None = Field(default=None, sa_column=Column(String(80)))
    due_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    awaited_by: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    """Organisations that may decide, in the order they are asked."""
    told: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    """The authority above, once it was told."""
    claimed_by: str | None = Field(default=None, sa_column=Column(Id))
    """Who of those that may decide has taken it on, for which of their organisations, and since when."""
    claimed_for: str | None = Field(default=None, sa_column=Column(Id))
    claimed_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    claimer: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    revision: int = 1
    birth_key: str = Field(default="", sa_column=Column(String(64), nullable=False))
    born: str = Field(default="", sa_column=Column(String(64), nullable=False))
    """Digest of what was asked for, so that the same key with another request is noticed."""
    words: Any = Field(default=None, sa_column=Column(TSVECTOR, nullable=False, server_default=""))


class ProposalRow(Table, table=True):
    """A new operator, or a change of one, that awaits a decision; what is in force stands in the organisation."""

    __tablename__ = "proposal"
    __table_args__ = (
        Index("proposal_open", "organisation_id", unique=True, postgresql_where=WAITING),
        Index("proposal_awaited", "awaited_by", postgresql_using="gin", postgresql_where=WAITING),
        Index("proposal_told", "told", postgresql_using="gin", postgresql_where=WAITING),
        Index("proposal_waiting", "requested_at", "id", postgresql_where=WAITING),
        Index("proposal_of", "organisation_id"),
        Index("proposal_waiting_kind", "kind", "requested_at", "id", postgresql_where=WAITING),
        Index("proposal_waiting_country", "country", "requested_at", "id", postgresql_where=WAITING),
        Index("proposal_waiting_due", text("coalesce(due_at, requested_at)"), "id", postgresql_where=WAITING),
        Index("proposal_words", "words", postgresql_using="gin", postgresql_where=WAITING),
        Index("proposal_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("proposal_claimed", "claimed_by", postgresql_where=text("claimed_by IS NOT NULL")),
    )

    id: str = Field(sa_column=Column(Id, primary_key=True))
    organisation_id: str = Field(sa_column=Column(Id, ForeignKey("organisation.id"), nullable=False))
    kind: str = Field(sa_column=Column(String(20), nullable=False))
    country: str = Field(default="", sa_column=Column(String(2), nullable=False, server_default=""))
    """The organisation's, repeated for lists of what waits."""
    person_id: str = Field(sa_column=Column(Id, nullable=False))
    person: str = Field(sa_column=Column(Text, nullable=False))
    acting_for: str | None = Field(default=None, sa_column=Column(Id))
    status: str = Field(sa_column=Column(String(30), nullable=False))
    changes: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    """Field -> what it shall be."""
    before: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    """Field -> what it was when this was proposed."""
    why: str = Field(default="", sa_column=Column(Text, nullable=False))
    evidence: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    file: str = Field(default="", sa_column=Column(Text, nullable=False))
    """The proof of certification, base64; in a column of its own, so that lists need not carry it."""
    requested_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    counted_from: datetime = Field(sa_column=Column(Moment, nullable=False))
    asked_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    question: str = Field(default="", sa_column=Column(Text, nullable=False))
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    rung: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    due_name: str | None = Field(default=None, sa_column=Column(String(80)))
    due_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    awaited_by: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    told: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    claimed_by: str | None = Field(default=None, sa_column=Column(Id))
    """Who of those that may decide has taken it on, for which of their organisations, and since when."""
    claimed_for: str | None = Field(default=None, sa_column=Column(Id))
    claimed_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    claimer: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    since: datetime = Field(sa_column=Column(Moment, nullable=False))
    revision: int = 1
    born: str = Field(default="", sa_column=Column(String(64), nullable=False))
    words: Any = Field(default=None, sa_column=Column(TSVECTOR, nullable=False, server_default=""))


class LineRow(Table, table=True):
    """One line of the history of a role, a proposal or an operator's standing, and the answer its key was given."""

    __tablename__ = "line"
    __table_args__ = (Index("line_of", "about", "id"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    about: str = Field(sa_column=Column(Id, nullable=False))
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    action: str = Field(sa_column=Column(String(40), nullable=False))
    person_id: str | None = Field(default=None, sa_column=Column(Id))
    person: str = Field(default="", sa_column=Column(Text, nullable=False))
    acting_for: str | None = Field(default=None, sa_column=Column(Id))
    said: str = Field(default="", sa_column=Column(Text, nullable=False))
    status: str = Field(sa_column=Column(String(30), nullable=False))
    key: str | None = Field(default=None, sa_column=Column(String(64), unique=True))
    digest: str = Field(default="", sa_column=Column(String(64), nullable=False))
    answer: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))


class JournalRow(Table, table=True):
    """Who changed what in an organisation, when and why, and the record as it stood afterwards."""

    __tablename__ = "journal"
    __table_args__ = (Index("journal_of", "organisation_id", "id"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    organisation_id: str = Field(sa_column=Column(Id, ForeignKey("organisation.id"), nullable=False))
    revision: int
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    what: str = Field(sa_column=Column(String(40), nullable=False))
    person_id: str | None = Field(default=None, sa_column=Column(Id))
    """Nobody where the installation itself did it."""
    acting_for: str | None = Field(default=None, sa_column=Column(Id))
    why: str = Field(default="", sa_column=Column(Text, nullable=False))
    changed: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    """Field -> what it was before."""
    record: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
