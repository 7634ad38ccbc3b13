"""Rules only identity reads: passwords, addresses, when a session is over, which languages and zones there are.

One thing to remember: what a password must be is a row of PASSWORD_RULES; the meter shows the same rows while typing.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from zxcvbn.frequency_lists import FREQUENCY_LISTS

from shared.contracts.notifications import Pace, Topic
from shared.words import LANGUAGES


class AccountStatus(StrEnum):
    """The state of an account; only an active one can sign in."""

    PENDING_PASSWORD = "PENDING_PASSWORD"
    """Registered, no password chosen yet."""
    ACTIVE = "ACTIVE"
    BLOCKED = "BLOCKED"
    """Too many wrong passwords, or too long without signing in."""
    CLOSED = "CLOSED"


class BlockReason(StrEnum):
    """Why an account is blocked."""

    WRONG_PASSWORDS = "WRONG_PASSWORDS"
    """Five wrong passwords from devices it does not know; from one it knows its owner may still sign in."""
    INACTIVITY = "INACTIVITY"
    """More than three months without signing in."""
    AUTHORITY = "AUTHORITY"
    """Blocked by hand."""


class Mode(StrEnum):
    """The two ways of registering; an address is unique across both."""

    EU = "EU"
    """EU Login (guides 000, 001, 002): a link by mail, then the password."""
    CLASSIC = "CLASSIC"
    """TRACES classic (guides 003, 004): validated by the authority of the establishment."""


class RegistrationState(StrEnum):
    """The state of a registration; the classic ones are the words of guide 003."""

    ASKED = "ASKED"
    """The form was sent; nothing has been looked up yet."""
    PENDING_PASSWORD = "PENDING_PASSWORD"
    KNOWN = "KNOWN"
    """The address has an account already: its owner is told so by letter, and nobody else learns it."""
    NEW = "NEW"
    CONFIRMED = "CONFIRMED"
    DONE = "DONE"
    """There is an account now."""
    REFUSED = "REFUSED"
    EXPIRED = "EXPIRED"
    SUPERSEDED = "SUPERSEDED"
    """A newer registration with the same address took its place."""


class SessionEnd(StrEnum):
    """Why a session ended."""

    SIGNED_OUT = "SIGNED_OUT"
    ROTATED = "ROTATED"
    """The same browser signed in anew."""
    IDLE = "IDLE"
    TOO_LONG = "TOO_LONG"
    REVOKED = "REVOKED"
    """A role or the account was taken away."""
    ELSEWHERE = "ELSEWHERE"
    """Signed out everywhere, by the person himself or because his password changed."""


def email_key(email: str) -> str:
    """An address as it is compared: case and composition of letters make no difference."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", email).strip().casefold()).replace("\0", "")


_ADDRESS: Final = re.compile(
    r"[^\s@<>()\[\],;:\"\\\x00-\x1f\x7f]{1,64}@(?:[^\s@.<>()\[\],;:\"\\/\x00-\x1f\x7f]+\.)+[^\s@.<>()\[\],;:\"\\/\x00-\x1f\x7f]{2,}"
)


def is_address(email: str) -> bool:
    """Whether a letter could be sent there; only the letter itself tells whether it arrives."""
    local = email.partition("@")[0]
    if len(email.encode()) > 254 or local.startswith(".") or local.endswith(".") or ".." in local:
        return False
    return _ADDRESS.fullmatch(email) is not None


# ── Passwords ─────────────────────────────────────────────────────────────────────────────────────────────────

SHORTEST_PASSWORD: Final = 10


@dataclass(frozen=True)
class Wearer:
    """Whose password it is to be: what must not be in it."""

    email: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class PasswordRule:
    """One thing a password must be, and the code of what is said when it is not."""

    code: str
    holds: Callable[[str, Wearer], bool]


def _personal(password: str, wearer: Wearer) -> bool:
    said = bare(password)
    parts = [bare(part) for name in wearer.names for part in (name, *name.split(), *re.split(r"[\W_]+", name))]
    local, _, domain = wearer.email.partition("@")
    parts += [bare(local), *(bare(part) for part in re.split(r"[._+-]", local)), bare(domain.partition(".")[0])]
    return any(len(part) >= 3 and part in said for part in parts)


def _common(password: str) -> bool:
    """Also with capitals, digits and signs hung on, and with the letters that are usually put in disguise."""
    said = password.casefold()
    plain = said.translate(_DISGUISE)
    stems = (said, plain, said.strip(_HUNG_ON), plain.strip(_HUNG_ON), "".join(c for c in said if c.isalnum()),
             "".join(c for c in plain if c.isalnum()), plain.strip(_SIGNS), said.strip(_SIGNS))  # fmt: skip
    return any(len(stem) >= 4 and stem in _COMMON for stem in stems) or len(set(said)) <= 3


_COMMON: Final = frozenset(FREQUENCY_LISTS["passwords"]) | {
    "bordereau",
    "motdepasse",
    "azerty",
    "azertyuiop",
    "bonjour",
}
_DISGUISE: Final = str.maketrans("013457@$!|", "oleastasil")
_SIGNS: Final = " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~€£§°"
_HUNG_ON: Final = _SIGNS + "0123456789"

# fmt: off
PASSWORD_RULES: Final = (
    PasswordRule("password_short",    lambda password, _: len(password) >= SHORTEST_PASSWORD),
    PasswordRule("password_upper",    lambda password, _: any(sign.isupper() for sign in password)),
    PasswordRule("password_digit",    lambda password, _: any(sign.isdecimal() for sign in password)),
    PasswordRule("password_special",  lambda password, _: any(not (sign.isalnum() or sign.isspace()) for sign in password)),
    PasswordRule("password_personal", lambda password, wearer: not _personal(password, wearer)),
    PasswordRule("password_common",   lambda password, _: not _common(password)),
)
# fmt: on


def missing(password: str, wearer: Wearer) -> tuple[str, ...]:
    """What a password still lacks, as codes of PASSWORD_RULES in their order."""
    plain = unicodedata.normalize("NFC", password)
    return tuple(rule.code for rule in PASSWORD_RULES if not rule.holds(plain, wearer))


def bare(text: str) -> str:
    """Letters and digits alone, without accents and capitals: how names are looked for in a password."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in apart if sign.isalnum())


def asked_for(problems: Iterable[str], field: str) -> list[dict[str, object]]:
    """Problems of one field as a refusal carries them."""
    return [
        {"field": field, "code": code, "params": {"least": SHORTEST_PASSWORD} if code == "password_short" else {}}
        for code in problems
    ]


# ── Sessions ──────────────────────────────────────────────────────────────────────────────────────────────────


def over(
    opened_at: datetime, seen_at: datetime, now: datetime, idle: timedelta, longest: timedelta
) -> SessionEnd | None:
    """Why a session is over by now, if it is."""
    if now >= opened_at + longest:
        return SessionEnd.TOO_LONG
    return SessionEnd.IDLE if now >= seen_at + idle else None


def is_wish(notify: Mapping[str, str]) -> bool:
    """Whether this says for kinds of letters when they are wanted."""
    return set(notify) <= set(Topic) and set(notify.values()) <= set(Pace)


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
