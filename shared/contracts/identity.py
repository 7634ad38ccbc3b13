"""What the identity service says and hears: accounts and their processes, sessions, tokens and persons.

A ``Course`` is all a process of accounts remembers: it is always replaced by what the paper says. No address, no name
and no secret is in it; letters that carry a link name the link by its id, and identity hands it out while they are
written.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field
from temporalio import activity

from shared.contracts.certificate_views import View
from shared.contracts.notifications import LetterOrder
from shared.rules.actor import Actor

QUEUE = "identity"


# ── For the workflows ─────────────────────────────────────────────────────────────────────────────────────────


class Kind(StrEnum):
    """The processes of accounts, each named after its workflow."""

    CREATION = "AccountCreation"
    """A registration of the EU-Login kind: a link, a password, an account."""
    VALIDATION = "AccountValidation"
    """A registration of the classic kind: confirmed by its owner, then validated by his authority."""
    RESET = "PasswordReset"
    """A new password for somebody who cannot sign in any more."""
    LIFE = "AccountLife"
    """An account after its activation: it is blocked when nobody signs in for too long."""
    CHANGE = "DetailsChange"
    """A change of name or address, confirmed by mail."""


def course_id(kind: Kind, key: str) -> str:
    """The id of a process's workflow: nothing but opaque."""
    return f"{kind.name.lower()}-{key}"


@dataclass(frozen=True)
class Tick:
    """The next clock of a process: its name and when it rings."""

    name: str
    at: datetime


@dataclass(frozen=True)
class Course:
    """All a process of accounts remembers."""

    kind: Kind
    id: str
    state: str = ""
    revision: int = 0
    over: bool = False
    due: Tick | None = None
    letters: tuple[LetterOrder, ...] = ()
    """Letters that are to be on their way by now; the same key is the same letter, however often it is ordered."""
    awaited: str = ""
    """What it waits for, as one English sentence for those who look into the engine."""


@dataclass(frozen=True)
class Step:
    """A wish to take one step in a process."""

    kind: Kind
    id: str
    name: str
    """What is wished: ``confirm``, ``activate``, ``refuse``…"""
    good_until: datetime | None = None
    """Until when the link or form behind it is good; compared with the time, whatever the timers did."""
    link_id: str | None = None
    actor: Actor | None = None
    """Who decides, where somebody else does."""
    reason: str = ""


@dataclass(frozen=True)
class Taken:
    """One step to be taken on paper, under its key."""

    step: Step
    key: str


@dataclass(frozen=True)
class Rung:
    """A clock of a process has run out: the paper decides whether it still matters."""

    kind: Kind
    id: str
    due: Tick


@dataclass(frozen=True)
class Which:
    """Which process."""

    kind: Kind
    id: str


class IdentityActivities(ABC):
    """What the workflows may ask of the identity service."""

    @abstractmethod
    @activity.defn(name="identity.look")
    async def look(self, which: Which) -> Course:
        """The process as it stands on paper; a link that was asked for is minted here."""

    @abstractmethod
    @activity.defn(name="identity.take")
    async def take(self, taken: Taken) -> Course:
        """Take one step on paper: row, journal and event, or nothing. Refuses with a code, never retried."""

    @abstractmethod
    @activity.defn(name="identity.ring")
    async def ring(self, rung: Rung) -> Course:
        """Write down that a clock has rung, once, with what follows; the course with its next clock."""


# ── For readers ───────────────────────────────────────────────────────────────────────────────────────────────


class SignIn(View):
    """An attempt to sign in."""

    email: str = Field(max_length=254)
    password: str = Field(max_length=1024)
    device: str | None = Field(default=None, max_length=200)
    """The secret by which the account knows this browser, if it does."""
    agent: str = Field(default="", max_length=400)
    """How the browser calls itself, for the list of sessions."""


class Proof(View):
    """One proof more of the person: his password, a code of his second factor, or his passkey."""

    password: str = Field(default="", max_length=1024)
    code: str = Field(default="", max_length=40)
    passkey: dict[str, Any] | None = None
    """What the browser answered to the question it was given."""


class SecondProof(View):
    """The second factor of a sign-in, after the password was right."""

    ticket: str = Field(max_length=400)
    """What the first half was answered with."""
    code: str = Field(default="", max_length=40)
    passkey: dict[str, Any] | None = None
    device: str | None = Field(default=None, max_length=200)
    agent: str = Field(default="", max_length=400)


class Ticket(View):
    """A sign-in that waits for its second factor."""

    ticket: str = Field(max_length=400)


class PasskeyView(View):
    """One passkey of a person's own."""

    id: str
    name: str
    made_at: datetime
    used_at: datetime | None


class FactorsView(View):
    """The second factors of a person, as he sees them."""

    app: datetime | None
    """Since when an authenticator app is asked for a code."""
    passkeys: list[PasskeyView]
    recovery_codes: int
    """How many are left."""


class AuthenticatorView(View):
    """A new secret for an authenticator app, and its address for the square code."""

    secret: str
    uri: str


class FactorCode(View):
    """A code of an authenticator app."""

    code: str = Field(max_length=40)


class NewPasskey(View):
    """A passkey the browser has made."""

    passkey: dict[str, Any]
    name: str = Field(default="", max_length=60)


class RecoveryCodes(View):
    """Recovery codes, shown once; none when there were some already."""

    codes: list[str]


class PostView(View):
    """One valid role of a person."""

    organisation_id: str
    organisation: str
    code: str | None = None
    role_type: str
    administrator: bool


class PersonView(View):
    """A person as he sees himself."""

    id: str
    first_name: str
    last_name: str
    email: str
    language: str
    time_zone: str
    posts: list[PostView]
    username: str | None = None
    """Another name to go by; the address where none is given."""
    notify: dict[str, str] = Field(default_factory=dict)
    """Kind of letter -> now, daily or never; now where nothing is said."""


class SessionView(View):
    """A session just opened: its secret (for the cookie, never stored) and whose it is."""

    session: str
    expires_at: datetime
    person: PersonView
    device: str | None = None
    """By which the account will know this browser; None when it knew it already."""


class ServiceToken(View):
    """A short-lived token with which the portal speaks to the services on a person's behalf."""

    token: str
    expires_at: datetime
    proved_at: datetime | None = None
    """When the person last proved to be himself; a page asks for it again before he signs."""
    ways: list[str] = Field(default_factory=list)
    """His second factors: with one of them he may prove himself as well."""


class Recipient(View):
    """A person as the letter-writer needs him; only services may ask."""

    id: str
    name: str
    email: str
    language: str
    time_zone: str
    html: bool = True
    demo: bool = False
    notify: dict[str, str] = Field(default_factory=dict)


class Preferences(View):
    """What a person may change about himself in this version."""

    language: str | None = None
    time_zone: str | None = None
    notify: dict[str, str] | None = None


class LinkView(View):
    """What a letter carries: the address it leads to, and facts only identity keeps. For the letter-writer alone."""

    url: str
    facts: dict[str, Any] = Field(default_factory=dict)
    email: str | None = None
    """Where the letter goes, when not to the person's own address: a new one that he is to confirm."""


class Challenge(View):
    """A proof of work to be done by the browser of a person who registers."""

    challenge: dict[str, Any]


class Registration(View):
    """The form [Créer un compte]."""

    first_name: str = Field(max_length=400)
    last_name: str = Field(max_length=400)
    email: str = Field(max_length=400)
    email_again: str = Field(max_length=400)
    language: str = Field(max_length=8)
    privacy: bool
    proof: str = Field(max_length=8000)
    """The solution of the challenge, as its widget writes it."""
    username: str | None = Field(default=None, max_length=100)


class RegistrationView(View):
    """A registration was taken: the same for a known and an unknown address."""

    id: str
    minutes: int
    """How long the link in the letter is good."""


class Opened(View):
    """A link was clicked in time: its form, good for a quarter of an hour in the browser that clicked."""

    form: str
    good_until: datetime
    name: str
    email: str


class Secret(View):
    """What a link carries."""

    secret: str = Field(max_length=200)


class NewPassword(View):
    """A password chosen in the form behind a link."""

    form: str = Field(max_length=400)
    password: str = Field(max_length=1024)
    password_again: str = Field(max_length=1024)


class Draft(View):
    """A password while it is being typed, and whose it is to be."""

    password: str = Field(max_length=1024)
    form: str | None = Field(default=None, max_length=400)
    email: str = Field(default="", max_length=400)
    names: list[str] = Field(default_factory=list, max_length=5)


class RuleView(View):
    """One rule of passwords, and whether it holds."""

    code: str
    says: str
    holds: bool


class Meter(View):
    """What a password still lacks."""

    rules: list[RuleView]
    fits: bool


class ResetWish(View):
    """Somebody asks for a new password."""

    email: str = Field(max_length=400)


class DetailsWish(View):
    """Another name or address, to be confirmed by mail."""

    first_name: str = Field(max_length=400)
    last_name: str = Field(max_length=400)
    email: str = Field(max_length=400)
    username: str | None = Field(default=None, max_length=100)


class ChangeView(View):
    """What a confirmation will change."""

    former_name: str
    former_email: str
    name: str
    email: str
    made: bool = False
    """Whether it is done; otherwise another letter's link is still to be followed."""


class OpenSession(View):
    """One of a person's own sessions."""

    id: str
    opened_at: datetime
    seen_at: datetime
    device: str
    source: str
    current: bool


class PasswordChange(View):
    """A new password in the place of the old one."""

    present: str = Field(max_length=1024)
    password: str = Field(max_length=1024)
    password_again: str = Field(max_length=1024)
