"""What the notifications service says and hears: letters, in-app news, and their fate."""

from datetime import datetime

from shared.contracts.certificates import View

QUEUE = "notifications"


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
    created_at: datetime
    sent_at: datetime | None
    message_id: str


class LetterPage(View):
    """Letters, newest first."""

    items: list[LetterView]
    next: str | None
