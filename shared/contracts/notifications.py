"""What the notifications service says and hears: letters, in-app news, and their fate.

Letters that are mere news hang on events; what a process waits for, it orders here. An order names a person and, where
the letter carries a secret link, that link's id: the address and the link are fetched while the letter is written.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from temporalio import activity

from shared.contracts.certificate_views import View

QUEUE = "notifications"


class Topic(StrEnum):
    """The kinds of letters a person may want otherwise than at once; letters about his account always come."""

    CERTIFICATES = "certificates"
    """Moves of certificates, boxes that were changed, questions."""
    BATCHES = "batches"
    """Extracts."""
    REMINDERS = "reminders"
    """Clocks that run out."""
    ROLES = "roles"
    """Roles, requests and organisations."""


class Pace(StrEnum):
    """When a person wants letters of one kind."""

    NOW = "now"
    DAILY = "daily"
    """Gathered into one letter each morning."""
    NEVER = "never"
    """The news in the portal stay."""


@dataclass(frozen=True)
class LetterOrder:
    """A letter to one person that a process waits for; the same key is the same letter."""

    key: str
    letter: str
    """The folder of its templates: ``account-link``."""
    person_id: str
    link_id: str | None = None
    """Which link of identity's stands in it; the link itself is a secret and never travels here."""


@dataclass(frozen=True)
class LetterTaken:
    """A letter is written down and will be sent, whatever happens to the mail server in between."""

    letter_id: str
    message_id: str


class NotificationActivities(ABC):
    """What the workflows may ask of the notifications service."""

    @abstractmethod
    @activity.defn(name="notifications.send")
    async def send(self, order: LetterOrder) -> LetterTaken:
        """Write a letter down to be sent, once per key. Refuses ``invalid`` when there is no such letter."""


class NewsView(View):
    """One piece of news for a person, in his language."""

    id: str
    at: datetime
    letter: str
    title: str
    text: str
    link: str
    certificate_id: str | None
    read: bool


class NewsPage(View):
    """News, newest first; ``unread`` counts all unread ones."""

    items: list[NewsView]
    next: str | None
    unread: int


class LetterView(View):
    """The fate of one letter: to whom (by organisation), which, when, and whether it arrived at the mail server."""

    id: str
    letter: str
    subject: str
    organisation_id: str
    certificate_id: str | None
    state: str
    """``WAITING``, ``SENT`` or ``FAILED``."""
    attempts: int
    reason: str | None = None
    """Why it was not sent yet, or never will be: a code."""
    created_at: datetime
    sent_at: datetime | None
    message_id: str


class LetterPage(View):
    """Letters, newest first."""

    items: list[LetterView]
    next: str | None


class OutboxView(View):
    """For ops: how many letters stand where, what waits in the letter box, and what could not be understood."""

    letters: dict[str, int]
    waiting: list[dict[str, Any]]
    dead_letters: list[dict[str, Any]]
    heard: list[dict[str, Any]]
