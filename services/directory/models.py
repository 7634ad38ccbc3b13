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
    time_zone: str = Field(default="Europe/Paris", sa_column=Column(String(64), nullable=False))
    demo: bool = False
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
    """What a person is, or asks to be, in an organisation."""

    __tablename__ = "role"
    __table_args__ = (
        Index("role_of", "person_id", "organisation_id", unique=True),
        Index("role_in", "organisation_id", "status"),
    )

    id: str = Field(sa_column=Column(Id, primary_key=True))
    person_id: str = Field(sa_column=Column(Id, nullable=False))
    organisation_id: str = Field(sa_column=Column(Id, ForeignKey("organisation.id"), nullable=False))
    role_type: str = Field(sa_column=Column(String(30), nullable=False))
    status: str = Field(sa_column=Column(String(30), nullable=False))
    administrator: bool = False
    since: datetime = Field(sa_column=Column(Moment, nullable=False))


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
