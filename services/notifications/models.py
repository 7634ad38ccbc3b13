"""The tables of the notifications service. No address and no name of a person is kept here: identity knows them."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Column, DateTime, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from shared.kit import outbox


class Table(SQLModel, registry=registry()):
    """A table of this service: its registry is its own."""


METADATA = Table.metadata
for _table in outbox.METADATA.tables.values():
    _table.to_metadata(METADATA)


class State(StrEnum):
    """What became of a letter."""

    WAITING = "WAITING"
    """Not yet taken by the mail server."""
    SENT = "SENT"
    """Taken by the mail server."""
    FAILED = "FAILED"
    """Not sent, and not tried again by itself; the reason stands beside it."""
    HELD = "HELD"
    """Waits for the next morning, when it is told with others in one letter."""
    GATHERED = "GATHERED"
    """Told in such a letter."""
    UNWANTED = "UNWANTED"
    """The person wants no letters of this kind."""


def _moment(**more: Any) -> Any:
    return Field(sa_column=Column(DateTime(timezone=True), **more))


class OrganisationRow(Table, table=True):
    """What letters need to know of an organisation: a copy of its public record."""

    __tablename__ = "organisation"

    id: str = Field(primary_key=True)
    name: str
    kind: str
    country: str
    code: str | None = None
    superior: str | None = None
    control_bodies: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    """Organisations that certify its activities."""
    revision: int


class PostRow(Table, table=True):
    """Who belongs where."""

    __tablename__ = "post"

    person_id: str = Field(primary_key=True)
    organisation_id: str = Field(primary_key=True, index=True)
    role_type: str
    since: datetime = _moment(nullable=False)


class NoticeRow(Table, table=True):
    """What one organisation is told of one event; letters are what its people get of it."""

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("event_id", "organisation_id", "letter", postgresql_nulls_not_distinct=True),
        Index("notice_of_organisation", "organisation_id", "at"),
        Index("notice_of_certificate", "certificate_id", "organisation_id"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    event_id: UUID
    organisation_id: str | None
    """None: ordered for one person by a process, not for an organisation."""
    letter: str
    at: datetime = _moment(nullable=False)
    certificate_id: str | None
    facts: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    mail: bool
    """False: in-app news only."""


class LetterRow(Table, table=True):
    """One mail to one person, and its fate. Its Message-ID is fixed here, so that sent twice is received once."""

    __tablename__ = "letter"
    __table_args__ = (
        UniqueConstraint("event_id", "person_id", "letter"),
        Index("letter_waiting", "next_at", postgresql_where=text("state = 'WAITING'")),
        Index("letter_held", "next_at", postgresql_where=text("state = 'HELD'")),
        Index("letter_newest", "created_at", "id"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    notice_id: UUID = Field(foreign_key="notice.id", index=True)
    event_id: UUID
    person_id: str
    letter: str
    message_id: str
    state: str = State.WAITING
    attempts: int = 0
    reason: str | None = None
    """Why it was not sent: a code, never an address."""
    next_at: datetime = _moment(nullable=False)
    created_at: datetime = _moment(nullable=False, server_default=func.now())
    sent_at: datetime | None = _moment(nullable=True)


class NewsRow(Table, table=True):
    """One piece of in-app news for one person."""

    __tablename__ = "news"
    __table_args__ = (
        UniqueConstraint("event_id", "person_id", "letter"),
        Index("news_newest", "person_id", "at", "id"),
        Index("news_unread", "person_id", postgresql_where=text("read_at IS NULL")),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    notice_id: UUID = Field(foreign_key="notice.id", index=True)
    event_id: UUID
    person_id: str
    letter: str
    at: datetime = _moment(nullable=False)
    read_at: datetime | None = _moment(nullable=True)
