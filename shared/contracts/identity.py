"""What the identity service says and hears: sessions, tokens and persons."""

from datetime import datetime

from pydantic import Field

from shared.contracts.certificates import View

QUEUE = "identity"


class SignIn(View):
    """An attempt to sign in."""

    email: str = Field(max_length=254)
    password: str = Field(max_length=1024)


class Proof(View):
    """The password once more, before a signature."""

    password: str = Field(max_length=1024)


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


class SessionView(View):
    """A session just opened: its secret (for the cookie, never stored) and whose it is."""

    session: str
    expires_at: datetime
    person: PersonView


class ServiceToken(View):
    """A short-lived token with which the portal speaks to the services on a person's behalf."""

    token: str
    expires_at: datetime


class Recipient(View):
    """A person as the letter-writer needs him; only services may ask."""

    id: str
    name: str
    email: str
    language: str
    time_zone: str
    html: bool = True
    demo: bool = False


class Preferences(View):
    """What a person may change about himself in this version."""

    language: str | None = None
    time_zone: str | None = None
