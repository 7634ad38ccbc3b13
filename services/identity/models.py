"""The tables of the identity service, and nothing else. Times carry their zone, ids are uuids written as text."""

from datetime import datetime

from sqlalchemy import Column, DateTime, ForeignKey, Index, LargeBinary, String, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
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


class AccountRow(Table, table=True):
    """One natural person who signs in; his name stands beside every signature."""

    __tablename__ = "account"

    id: str = Field(sa_column=Column(Id, primary_key=True))
    first_name: str = Field(sa_column=Column(Text, nullable=False))
    last_name: str = Field(sa_column=Column(Text, nullable=False))
    email: str = Field(sa_column=Column(Text, nullable=False))
    email_key: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    """The address as it is looked up and compared (``rules.email_key``)."""
    password_hash: str | None = Field(default=None, sa_column=Column(Text))
    status: str = Field(sa_column=Column(String(30), nullable=False))
    language: str = Field(default="fr", sa_column=Column(String(8), nullable=False))
    time_zone: str = Field(default="Europe/Paris", sa_column=Column(String(64), nullable=False))
    html: bool = True
    """Letters with pictures of text, or plain text only."""
    demo: bool = False
    created_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    signed_in_at: datetime | None = Field(default=None, sa_column=Column(Moment))


class SessionRow(Table, table=True):
    """One sign-in of one person on one device; only the digest of its secret is here."""

    __tablename__ = "session"
    __table_args__ = (
        Index("session_of", "person_id", postgresql_where=text("ended_at IS NULL")),
        Index("session_ended", "ended_at"),
        Index("session_open", "seen_at", postgresql_where=text("ended_at IS NULL")),
    )

    id: str = Field(sa_column=Column(Id, primary_key=True))
    person_id: str = Field(sa_column=Column(Id, ForeignKey("account.id"), nullable=False))
    digest: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    opened_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    seen_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    proved_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    """When the person last proved to be himself in it, by password or better."""
    ended_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    end_reason: str = Field(default="", sa_column=Column(String(30), nullable=False))


class PostRow(Table, table=True):
    """One valid role of a person, as the directory announced it."""

    __tablename__ = "post"

    person_id: str = Field(sa_column=Column(Id, primary_key=True))
    organisation_id: str = Field(sa_column=Column(Id, primary_key=True))
    role_type: str = Field(sa_column=Column(String(30), nullable=False))
    administrator: bool = False
    since: datetime = Field(sa_column=Column(Moment, nullable=False))


class OrganisationRow(Table, table=True):
    """What identity remembers of an organisation: its name and code, for the choice of post."""

    __tablename__ = "organisation"

    id: str = Field(sa_column=Column(Id, primary_key=True))
    name: str = Field(sa_column=Column(Text, nullable=False))
    code: str | None = Field(default=None, sa_column=Column(String(40)))
    status: str = Field(sa_column=Column(String(30), nullable=False))
    revision: int


class SigningKeyRow(Table, table=True):
    """A key that signs service tokens: its public half in clear, its private half wrapped by the installation's key."""

    __tablename__ = "signing_key"

    kid: str = Field(sa_column=Column(String(40), primary_key=True))
    public: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    wrapped: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    wrapped_by: str = Field(sa_column=Column(String(40), nullable=False))
    created_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    retired_at: datetime | None = Field(default=None, sa_column=Column(Moment))
