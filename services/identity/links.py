"""Links in letters: what each kind is for, how long it is good, and how its secret is made.

One thing to remember: a secret is kept nowhere. It is made anew from the link's id and the installation's key while the
letter is written; the database knows its digest. The lifetime a letter prints is the one the link was given.
"""

import base64
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity.models import ChoiceRow, JournalRow, LinkRow
from shared.contracts.identity import LinkView
from shared.contracts.notifications import LetterOrder
from shared.kit import tokens
from shared.kit.keys import Keyring
from shared.rules import lengths
from shared.rules.refusals import Refused


class Purpose(StrEnum):
    """What a letter of ours is for; the value is the letter's folder."""

    PASSWORD = "account-link"
    EXISTS = "account-exists"
    CONFIRMATION = "account-confirmation"
    RECONFIRMATION = "account-confirmation-reminder"
    REQUESTS = "account-requests"
    LATE_REQUESTS = "account-requests-late"
    ACTIVATED = "account-activated"
    REFUSED = "account-refused"
    EXPIRED = "account-expired"
    RESET = "password-link"
    TEMPORARY = "password-temporary"
    CHANGED = "password-changed"
    BLOCKED = "account-blocked"
    INACTIVE = "account-inactive"
    DELETED = "account-deleted"
    QUESTION = "question-changed"
    NEW_ADDRESS = "address-confirmation"
    OLD_ADDRESS = "details-change"
    DETAILS_CHANGED = "details-changed"
    FACTOR = "security-changed"


@dataclass(frozen=True)
class Kind:
    """One row of KINDS: the page a letter leads to, and how long its secret is good."""

    purpose: Purpose
    page: str
    lasts: str = ""
    """The name of its length; a letter without one carries no secret."""


# fmt: off
KINDS: Final = (
    Kind(Purpose.PASSWORD,        "/registration/password/{secret}",     "link"),
    Kind(Purpose.EXISTS,          "/sign-in"),
    Kind(Purpose.CONFIRMATION,    "/registration/confirmation/{secret}", "confirmation"),
    Kind(Purpose.RECONFIRMATION,  "/registration/confirmation/{secret}", "confirmation"),
    Kind(Purpose.REQUESTS,        "/users?state=CONFIRMED"),
    Kind(Purpose.LATE_REQUESTS,   "/users?state=CONFIRMED"),
    Kind(Purpose.ACTIVATED,       "/sign-in"),
    Kind(Purpose.REFUSED,         "/contact"),
    Kind(Purpose.EXPIRED,         "/registration/classic"),
    Kind(Purpose.RESET,           "/password/{secret}",                  "link"),
    Kind(Purpose.TEMPORARY,       "/sign-in",                            "temporary_password"),
    Kind(Purpose.CHANGED,         "/password"),
    Kind(Purpose.BLOCKED,         "/password"),
    Kind(Purpose.INACTIVE,        "/sign-in"),
    Kind(Purpose.DELETED,         "/contact"),
    Kind(Purpose.QUESTION,        "/contact"),
    Kind(Purpose.NEW_ADDRESS,     "/profile/confirmation/{secret}",      "link"),
    Kind(Purpose.OLD_ADDRESS,     "/profile/confirmation/{secret}",      "link"),
    Kind(Purpose.DETAILS_CHANGED, "/profile"),
    Kind(Purpose.FACTOR,          "/security"),
)
# fmt: on
KIND: Final = {kind.purpose: kind for kind in KINDS}


class Mint:
    """Makes the secrets of links and the digits of temporary passwords from their ids."""

    def __init__(self, ring: Keyring) -> None:
        self._ring = ring

    @property
    def current(self) -> str:
        """The key new secrets are made with."""
        return self._ring.current

    def secret(self, link_id: str, made_with: str) -> str:
        """The secret of a link."""
        made = hmac.new(self._ring[made_with], f"link/{link_id}".encode(), sha256).digest()
        return base64.urlsafe_b64encode(made).decode().rstrip("=")

    def temporary(self, link_id: str, made_with: str) -> str:
        """A temporary password: TR and twelve digits (guide 004)."""
        made = hmac.new(self._ring[made_with], f"temporary/{link_id}".encode(), sha256).digest()
        return f"TR{int.from_bytes(made) % 10**12:012d}"

    def seal(self, words: str) -> str:
        """Words with our mark, so that they can be handed out and believed when they come back."""
        mark = hmac.new(self._ring[self._ring.current], f"form/{words}".encode(), sha256).hexdigest()
        return f"{words}.{self._ring.current}.{mark}"

    def unseal(self, sealed: str) -> str:
        """The words again; refused ``link_expired`` when we did not mark them."""
        words, _, rest = sealed.rpartition(".")
        words, _, key_id = words.rpartition(".")
        if key_id in self._ring:
            mark = hmac.new(self._ring[key_id], f"form/{words}".encode(), sha256).hexdigest()
            if hmac.compare_digest(mark, rest):
                return words
        raise Refused("link_expired")


async def mint(
    session: AsyncSession,
    with_: Mint,
    purpose: Purpose,
    person_id: str,
    course_id: str,
    now: datetime,
    lifetime: timedelta | None = None,
    **facts: Any,
) -> LinkRow:
    """A new link (or slip of facts) for one letter; older ones of the same purpose and course die."""
    await end(session, course_id, now, purpose)
    return await _made(session, with_, purpose, person_id, course_id, now, lifetime, facts)


async def mint_for(
    session: AsyncSession,
    with_: Mint,
    purpose: Purpose,
    people: Iterable[str],
    course_id: str,
    now: datetime,
    **facts: Any,
) -> None:
    """The same letter for several people, each with a slip of his own; older ones of the purpose and course die."""
    await end(session, course_id, now, purpose)
    for each in people:
        await _made(session, with_, purpose, each, course_id, now, None, facts)


async def _made(
    session: AsyncSession,
    with_: Mint,
    purpose: Purpose,
    person_id: str,
    course_id: str,
    now: datetime,
    lifetime: timedelta | None,
    facts: Mapping[str, Any],
) -> LinkRow:
    link_id, lasts = str(uuid4()), KIND[purpose].lasts
    good = lifetime or (lengths.time_of(lasts) if lasts else None)
    row = LinkRow(
        id=link_id,
        purpose=purpose,
        person_id=person_id,
        course_id=course_id,
        made_with=with_.current,
        digest=tokens.digest(with_.secret(link_id, with_.current)),
        minted_at=now,
        expires_at=now + good if good else None,
        facts=dict(facts),
    )
    session.add(row)
    await session.flush()
    return row


async def end(session: AsyncSession, course_id: str, now: datetime, purpose: Purpose | None = None) -> None:
    """Kill the links of a course, or those of one purpose: a newer one, or the deed itself, took their place."""
    wish = update(LinkRow).where(col(LinkRow.course_id) == course_id, col(LinkRow.ended_at).is_(None))
    if purpose is not None:
        wish = wish.where(col(LinkRow.purpose) == purpose)
    await session.exec(wish.values(ended_at=now))


async def by_secret(session: AsyncSession, secret: str) -> LinkRow | None:
    """The link with this secret, whatever has become of it."""
    return (await session.exec(select(LinkRow).where(LinkRow.digest == tokens.digest(secret)))).one_or_none()


async def get(session: AsyncSession, link_id: str) -> LinkRow | None:
    """A link by its id."""
    return await session.get(LinkRow, link_id)


async def of_course(session: AsyncSession, course_id: str) -> list[LinkRow]:
    """All links and slips of a course, the oldest first."""
    rows = await session.exec(
        select(LinkRow).where(LinkRow.course_id == course_id).order_by(col(LinkRow.minted_at), LinkRow.id)
    )
    return list(rows.all())


def good(row: LinkRow | None, now: datetime, purpose: Purpose) -> LinkRow:
    """The link, if it may be clicked now; refused ``link_expired`` otherwise."""
    if row is None or row.purpose != purpose or row.ended_at or row.expires_at is None or now >= row.expires_at:
        raise Refused("link_expired")
    return row


async def clicked(session: AsyncSession, row: LinkRow, now: datetime) -> None:
    """Remember the first click."""
    await session.exec(
        update(LinkRow).where(col(LinkRow.id) == row.id, col(LinkRow.clicked_at).is_(None)).values(clicked_at=now)
    )


async def choose(session: AsyncSession, row: ChoiceRow) -> None:
    """Lay a chosen password down under the key of its order; the first one under a key counts."""
    await session.execute(insert(ChoiceRow).values(row.model_dump()).on_conflict_do_nothing())


async def done_under(session: AsyncSession, key: str) -> str | None:
    """What was done under this key, if anything."""
    return (await session.exec(select(JournalRow.action).where(JournalRow.key == key))).first()


def letter(row: LinkRow) -> LetterOrder:
    """The order for the letter that carries it."""
    return LetterOrder(key=f"{row.purpose}/{row.id}", letter=row.purpose, person_id=row.person_id, link_id=row.id)


def form(with_: Mint, row: LinkRow, now: datetime) -> tuple[str, datetime]:
    """What opens the form behind a link just clicked, and until when: a short while, in that browser only."""
    until = now + lengths.time_of("link_form")
    return with_.seal(f"{row.id}|{until.isoformat()}"), until


def formed(with_: Mint, sealed: str) -> tuple[str, datetime]:
    """The link behind a form and until when the form is good."""
    link_id, _, until = with_.unseal(sealed).partition("|")
    return link_id, datetime.fromisoformat(until)


def shown(with_: Mint, row: LinkRow, portal: str, now: datetime) -> LinkView:
    """What stands in the letter, for whoever writes it; refused ``not_found`` when it would be dead on arrival."""
    kind = KIND[Purpose(row.purpose)]
    if row.expires_at is not None and (row.ended_at or now >= row.expires_at):
        raise Refused("not_found")
    facts = {name: value for name, value in row.facts.items() if name != "email"}
    if row.expires_at is not None:
        minutes = round((row.expires_at - row.minted_at).total_seconds() / 60)
        facts |= {"minutes": minutes, "hours": minutes // 60, "days": minutes // 1440}
    if row.purpose == Purpose.TEMPORARY:
        facts["password"] = with_.temporary(row.id, row.made_with)
    page = kind.page.format(secret=with_.secret(row.id, row.made_with))
    return LinkView(url=portal + page, facts=facts, email=row.facts.get("email"))
