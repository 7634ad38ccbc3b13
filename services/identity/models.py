"""The tables of the identity service, and nothing else. Times carry their zone, ids are uuids written as text."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Identity, Index, LargeBinary, String, Text, Uuid, text
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
    __table_args__ = (
        Index("account_due", "due_at", postgresql_where=text("status = 'ACTIVE'")),
        Index("account_territory", "authority_id", postgresql_where=text("authority_id IS NOT NULL")),
    )

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
    mode: str = Field(default="EU", sa_column=Column(String(10), nullable=False))
    username: str | None = Field(default=None, sa_column=Column(Text))
    """Another name to go by; the address where none is given (guide 002)."""
    revision: int = 1
    block_reason: str | None = Field(default=None, sa_column=Column(String(30)))
    question: str | None = Field(default=None, sa_column=Column(String(30)))
    """The code of the secret question of a classic account."""
    answer_hash: str | None = Field(default=None, sa_column=Column(Text))
    password_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    """When the password was last changed."""
    details: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    """Of the classic form: organisation, telephone, fax, further information."""
    authority_id: str | None = Field(default=None, sa_column=Column(Id))
    """In whose territory its owner's establishment lies (classic)."""
    notify: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    """Kind of letter -> now, daily or never."""
    warned: str = Field(default="", sa_column=Column(String(40), nullable=False))
    """The last clock of inactivity that has rung since the last sign-in."""
    due_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    """When its next clock rings."""


class RegistrationRow(Table, table=True):
    """A registration that is not an account yet; its id becomes the person's."""

    __tablename__ = "registration"
    __table_args__ = (
        Index("registration_of", "email_key", postgresql_where=text("over = false")),
        Index("registration_due", "due_at", postgresql_where=text("over = false")),
        Index("registration_queue", "authority_id", "state", postgresql_where=text("over = false")),
        Index("registration_territory", "authority_id"),
    )

    id: str = Field(sa_column=Column(Id, primary_key=True))
    key: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    """The form's key: the same form sent twice is one registration."""
    proof: str | None = Field(default=None, sa_column=Column(String(64), unique=True))
    """The digest of the proof of work: one proof, one registration."""
    mode: str = Field(sa_column=Column(String(10), nullable=False))
    state: str = Field(sa_column=Column(String(30), nullable=False))
    over: bool = False
    revision: int = 1
    first_name: str = Field(sa_column=Column(Text, nullable=False))
    last_name: str = Field(sa_column=Column(Text, nullable=False))
    email: str = Field(sa_column=Column(Text, nullable=False))
    email_key: str = Field(sa_column=Column(Text, nullable=False))
    username: str | None = Field(default=None, sa_column=Column(Text))
    language: str = Field(sa_column=Column(String(8), nullable=False))
    html: bool = True
    password_hash: str | None = Field(default=None, sa_column=Column(Text))
    question: str | None = Field(default=None, sa_column=Column(String(30)))
    answer_hash: str | None = Field(default=None, sa_column=Column(Text))
    details: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    authority_id: str | None = Field(default=None, sa_column=Column(Id))
    """Who is to validate it (classic)."""
    above_id: str | None = Field(default=None, sa_column=Column(Id))
    """The authority above, once it was told that nobody answers: it may decide as well."""
    account_id: str | None = Field(default=None, sa_column=Column(Id))
    """The account this address has already."""
    links_wanted: int = 1
    links_minted: int = 0
    reminders: int = 0
    created_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    entered_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    due_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    """When its next clock rings."""
    rung: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    """The clocks that have rung."""


class ResetRow(Table, table=True):
    """Somebody asked for a new password, for an address that may or may not have an account."""

    __tablename__ = "reset"
    __table_args__ = (
        Index("reset_of", "email_key", postgresql_where=text("over = false")),
        Index("reset_due", "due_at", postgresql_where=text("over = false")),
    )

    id: str = Field(sa_column=Column(Id, primary_key=True))
    key: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    email_key: str = Field(sa_column=Column(Text, nullable=False))
    account_id: str | None = Field(default=None, sa_column=Column(Id))
    state: str = Field(sa_column=Column(String(30), nullable=False))
    over: bool = False
    by_authority: bool = False
    """Ordered by an authority: the secret question is chosen anew."""
    created_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    due_at: datetime | None = Field(default=None, sa_column=Column(Moment))


class LinkRow(Table, table=True):
    """What one letter of ours carries: a secret (only its digest is here) or facts that no other service keeps."""

    __tablename__ = "link"
    __table_args__ = (Index("link_of", "course_id"),)

    id: str = Field(sa_column=Column(Id, primary_key=True))
    purpose: str = Field(sa_column=Column(String(40), nullable=False))
    person_id: str = Field(sa_column=Column(Id, nullable=False))
    course_id: str = Field(sa_column=Column(Id, nullable=False))
    made_with: str = Field(sa_column=Column(String(40), nullable=False))
    """The id of the key from which the secret is made anew while its letter is written."""
    digest: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    minted_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    expires_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    clicked_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    ended_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    """Used, or killed by a newer one."""
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))


class ChoiceRow(Table, table=True):
    """A password somebody has chosen under the key of an order; the order decides whether it counts."""

    __tablename__ = "choice"

    key: str = Field(sa_column=Column(String(64), primary_key=True))
    course_id: str = Field(sa_column=Column(Id, nullable=False))
    password_hash: str = Field(sa_column=Column(Text, nullable=False))
    question: str | None = Field(default=None, sa_column=Column(String(30)))
    answer_hash: str | None = Field(default=None, sa_column=Column(Text))
    at: datetime = Field(sa_column=Column(Moment, nullable=False))


class JournalRow(Table, table=True):
    """What happened to an account or a registration: who, for whom, when, from what to what, why."""

    __tablename__ = "journal"
    __table_args__ = (Index("journal_of", "person_id", "id"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    person_id: str = Field(sa_column=Column(Id, nullable=False))
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    action: str = Field(sa_column=Column(String(40), nullable=False))
    source: str | None = Field(default=None, sa_column=Column(String(30)))
    target: str | None = Field(default=None, sa_column=Column(String(30)))
    by_person: str | None = Field(default=None, sa_column=Column(Id))
    by_organisation: str | None = Field(default=None, sa_column=Column(Id))
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    key: str | None = Field(default=None, sa_column=Column(String(64), unique=True))


class CommandRow(Table, table=True):
    """A command that was carried out, under its key, and what was answered: told twice, it is carried out once."""

    __tablename__ = "command"

    key: str = Field(sa_column=Column(String(64), primary_key=True))
    fingerprint: str = Field(sa_column=Column(String(64), nullable=False))
    answer: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    at: datetime = Field(sa_column=Column(Moment, nullable=False))


class WrongRow(Table, table=True):
    """Wrong passwords in a row for one address, known or not, from devices its account does not know."""

    __tablename__ = "wrong"

    subject: str = Field(sa_column=Column(String(64), primary_key=True))
    """The digest of the address as it is compared."""
    number: int
    at: datetime = Field(sa_column=Column(Moment, nullable=False))


class DeviceRow(Table, table=True):
    """A browser in which a person has signed in before: strangers' guesses elsewhere do not lock him out of it."""

    __tablename__ = "device"
    __table_args__ = (Index("device_of", "person_id"),)

    digest: str = Field(sa_column=Column(String(64), primary_key=True))
    person_id: str = Field(sa_column=Column(Id, ForeignKey("account.id"), nullable=False))
    wrong: int = 0
    label: str = Field(default="", sa_column=Column(Text, nullable=False))
    since: datetime = Field(sa_column=Column(Moment, nullable=False))
    seen_at: datetime = Field(sa_column=Column(Moment, nullable=False))


class AuthenticatorRow(Table, table=True):
    """The authenticator app of a person: the secret it shares with us, wrapped by the installation's key."""

    __tablename__ = "authenticator"

    person_id: str = Field(sa_column=Column(Id, ForeignKey("account.id"), primary_key=True))
    wrapped: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    wrapped_by: str = Field(sa_column=Column(String(40), nullable=False))
    begun_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    confirmed_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    """When its first code was typed; before that nobody is asked for one."""
    last_step: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    """The half minute of the last code that was taken: each code is good once."""


class RecoveryCodeRow(Table, table=True):
    """A way in for somebody who has lost his device; good once, and only its digest is here."""

    __tablename__ = "recovery_code"
    __table_args__ = (Index("recovery_code_of", "person_id"),)

    digest: str = Field(sa_column=Column(String(64), primary_key=True))
    person_id: str = Field(sa_column=Column(Id, ForeignKey("account.id"), nullable=False))
    made_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    used_at: datetime | None = Field(default=None, sa_column=Column(Moment))


class PasskeyRow(Table, table=True):
    """A passkey of a person: the public half of a key that never leaves his device."""

    __tablename__ = "passkey"
    __table_args__ = (Index("passkey_of", "person_id"),)

    id: str = Field(sa_column=Column(Text, primary_key=True))
    """The credential's own id, base64url."""
    person_id: str = Field(sa_column=Column(Id, ForeignKey("account.id"), nullable=False))
    public_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    counter: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    name: str = Field(default="", sa_column=Column(Text, nullable=False))
    made_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    used_at: datetime | None = Field(default=None, sa_column=Column(Moment))


class CeremonyRow(Table, table=True):
    """What a passkey is asked to sign; good once, for a few minutes, for one person and one purpose."""

    __tablename__ = "ceremony"

    digest: str = Field(sa_column=Column(String(64), primary_key=True))
    person_id: str = Field(sa_column=Column(Id, nullable=False))
    purpose: str = Field(sa_column=Column(String(20), nullable=False))
    expires_at: datetime = Field(sa_column=Column(Moment, nullable=False))


class ChangeRow(Table, table=True):
    """A change of a person's details that waits to be confirmed by mail, or word of one that was made."""

    __tablename__ = "change"
    __table_args__ = (
        Index("change_of", "person_id", postgresql_where=text("over = false")),
        Index("change_due", "due_at", postgresql_where=text("over = false")),
    )

    id: str = Field(sa_column=Column(Id, primary_key=True))
    key: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    person_id: str = Field(sa_column=Column(Id, nullable=False))
    state: str = Field(sa_column=Column(String(30), nullable=False))
    over: bool = False
    first_name: str = Field(default="", sa_column=Column(Text, nullable=False))
    last_name: str = Field(default="", sa_column=Column(Text, nullable=False))
    username: str | None = Field(default=None, sa_column=Column(Text))
    email: str | None = Field(default=None, sa_column=Column(Text))
    """The new address; None when the address stays."""
    confirmed: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    """The letters whose links were followed."""
    created_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    due_at: datetime | None = Field(default=None, sa_column=Column(Moment))


class AdmissionRow(Table, table=True):
    """Somebody signs in to another tool with his account here: the code, then the token, as digests."""

    __tablename__ = "admission"

    digest: str = Field(sa_column=Column(String(64), primary_key=True))
    """Of the authorization code; it is good once."""
    token: str | None = Field(default=None, sa_column=Column(String(64), unique=True))
    """Of the access token it was exchanged for."""
    client_id: str = Field(sa_column=Column(String(100), nullable=False))
    person_id: str = Field(sa_column=Column(Id, nullable=False))
    session_id: str = Field(sa_column=Column(Id, nullable=False))
    said: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    """Redirect address, scope, nonce, code challenge."""
    proved_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    expires_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    used_at: datetime | None = Field(default=None, sa_column=Column(Moment))


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
    device: str = Field(default="", sa_column=Column(Text, nullable=False))
    """What it looks like to its owner: the browser and system he opened it with."""
    source: str = Field(default="", sa_column=Column(String(64), nullable=False))


class PostRow(Table, table=True):
    """One valid role of a person, as the directory announced it."""

    __tablename__ = "post"

    person_id: str = Field(sa_column=Column(Id, primary_key=True))
    organisation_id: str = Field(sa_column=Column(Id, primary_key=True))
    role_type: str = Field(sa_column=Column(String(30), nullable=False))
    administrator: bool = False
    since: datetime = Field(sa_column=Column(Moment, nullable=False))


class OrganisationRow(Table, table=True):
    """What identity remembers of an organisation: its name and code, and whom it answers for as an authority."""

    __tablename__ = "organisation"
    __table_args__ = (Index("organisation_code", "code"),)

    id: str = Field(sa_column=Column(Id, primary_key=True))
    name: str = Field(sa_column=Column(Text, nullable=False))
    code: str | None = Field(default=None, sa_column=Column(String(40)))
    status: str = Field(sa_column=Column(String(30), nullable=False))
    revision: int
    kind: str | None = Field(default=None, sa_column=Column(String(30)))
    """Its RoleType; None until the directory was asked for what an older version did not remember."""
    country: str | None = Field(default=None, sa_column=Column(String(2)))
    authority_role: str | None = Field(default=None, sa_column=Column(String(30)))
    superior: str | None = Field(default=None, sa_column=Column(Id))
    time_zone: str | None = Field(default=None, sa_column=Column(String(64)))
    told_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    """When its people were last told which classic requests wait for them."""


class SigningKeyRow(Table, table=True):
    """A key that signs service tokens: its public half in clear, its private half wrapped by the installation's key."""

    __tablename__ = "signing_key"

    kid: str = Field(sa_column=Column(String(40), primary_key=True))
    public: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    wrapped: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    wrapped_by: str = Field(sa_column=Column(String(40), nullable=False))
    created_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    retired_at: datetime | None = Field(default=None, sa_column=Column(Moment))


class AccessTokenRow(Table, table=True):
    """An access token of an organisation's program: only the digest of its secret is here."""

    __tablename__ = "access_token"
    __table_args__ = (Index("access_token_of", "organisation_id", "created_at"),)

    id: str = Field(sa_column=Column(Id, primary_key=True))
    key: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    """The digest of the order that made it."""
    digest: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    beginning: str = Field(sa_column=Column(String(16), nullable=False))
    """As much of the secret as is shown to recognise it."""
    organisation_id: str = Field(sa_column=Column(Id, nullable=False))
    role_type: str = Field(sa_column=Column(String(30), nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    scopes: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    created_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    created_by: str = Field(sa_column=Column(Id, nullable=False))
    creator: str = Field(sa_column=Column(Text, nullable=False))
    expires_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    last_used_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    revoked_at: datetime | None = Field(default=None, sa_column=Column(Moment))
