"""Rules only identity reads: how addresses are compared, when a session is over, which languages and zones there are."""

import unicodedata
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.words import LANGUAGES


class AccountStatus(StrEnum):
    """The state of an account; only an active one can sign in."""

    PENDING_PASSWORD = "PENDING_PASSWORD"
    """Registered, no password chosen yet."""
    ACTIVE = "ACTIVE"
    BLOCKED = "BLOCKED"
    """Too many wrong passwords, or too long without signing in."""
    CLOSED = "CLOSED"


class SessionEnd(StrEnum):
    """Why a session ended."""

    SIGNED_OUT = "SIGNED_OUT"
    ROTATED = "ROTATED"
    """The same browser signed in anew."""
    IDLE = "IDLE"
    TOO_LONG = "TOO_LONG"
    REVOKED = "REVOKED"
    """A role or the account was taken away."""


def email_key(email: str) -> str:
    """An address as it is compared: case and composition of letters make no difference."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", email).strip().casefold()).replace("\0", "")


def over(
    opened_at: datetime, seen_at: datetime, now: datetime, idle: timedelta, longest: timedelta
) -> SessionEnd | None:
    """Why a session is over by now, if it is."""
    if now >= opened_at + longest:
        return SessionEnd.TOO_LONG
    return SessionEnd.IDLE if now >= seen_at + idle else None


def is_language(language: str) -> bool:
    """Whether we speak it."""
    return language in LANGUAGES


@lru_cache(maxsize=1000)
def is_time_zone(name: str) -> bool:
    """Whether there is such a time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return name != ""
