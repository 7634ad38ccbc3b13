"""What happens to accounts and sessions. Persons appear by id only: no name, no address."""

from typing import ClassVar

from shared.events.base import Event


class AccountActivated(Event):
    """A person can sign in from now on."""

    subject: ClassVar[str] = "identity.account.activated.v1"
    person_id: str


class PersonChanged(Event):
    """Something about a person changed (name, language, preferences): whoever keeps a copy asks again."""

    subject: ClassVar[str] = "identity.person.changed.v1"
    person_id: str


class SessionEnded(Event):
    """A session ended: its service tokens are refused everywhere from now on."""

    subject: ClassVar[str] = "identity.session.ended.v1"
    person_id: str
    session_id: str


class AccountBlocked(Event):
    """A person cannot sign in any more (from a device he never used), until he has chosen a new password."""

    subject: ClassVar[str] = "identity.account.blocked.v1"
    person_id: str
    reason: str
