"""Temporary passwords of classic accounts: TR and digits by mail, once, within a day (guides 003, 004).

One thing to remember: the password the user had stays good until he has chosen a new one, so that nobody takes it from
him by asking. The digits are kept nowhere; they are made anew from the link's id when somebody types them.
"""

import hmac
import re
from datetime import datetime
from typing import Final

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity import links
from services.identity.links import Mint, Purpose
from services.identity.models import AccountRow, LinkRow, ResetRow
from services.identity.rules import BlockReason, email_key
from shared.rules.refusals import Refused

LOOKS_LIKE: Final = re.compile(r"TR\d{12}")
GUESSES: Final = 5
"""Wrong answers to the secret question before a temporary password is worth nothing any more."""
ANSWER, NEW, NONE = "answer", "new", "none"
_NOBODYS: Final = "00000000-0000-4000-8000-000000000000"


def asks(account: AccountRow) -> str:
    """What is asked beside the new password.

    The question where one exists and the password was forgotten or guessed at; not after mere inactivity. A new
    question where the authority has put the old one aside (guide 004).
    """
    if not account.question:
        return NEW
    return NONE if account.block_reason == BlockReason.INACTIVITY else ANSWER


async def right(session: AsyncSession, mint: Mint, email: str, password: str, now: datetime) -> LinkRow | None:
    """The slip whose digits these are, if it is good; the same work for an unknown address."""
    rows = await session.exec(
        select(LinkRow)
        .join(ResetRow, col(ResetRow.id) == col(LinkRow.course_id))
        .where(
            ResetRow.email_key == email_key(email),
            LinkRow.purpose == Purpose.TEMPORARY,
            col(LinkRow.ended_at).is_(None),
            col(LinkRow.clicked_at).is_(None),
            col(LinkRow.expires_at) > now,
        )
        .order_by(col(LinkRow.minted_at).desc())
        .limit(1)
        .with_for_update(of=LinkRow)
    )
    row = rows.one_or_none()
    digits = mint.temporary(row.id if row else _NOBODYS, row.made_with if row else mint.current)
    same = hmac.compare_digest(digits.encode(), password.encode())
    return row if row is not None and same else None


async def behind(session: AsyncSession, mint: Mint, form: str, now: datetime) -> tuple[LinkRow, AccountRow, datetime]:
    """The slip and the account behind a form that a temporary password has opened, and until when it is good."""
    link_id, until = links.formed(mint, form)
    row = await links.get(session, link_id)
    if row is None or row.purpose != Purpose.TEMPORARY or row.ended_at or now >= until:
        raise Refused("link_expired")
    return row, await session.get_one(AccountRow, row.person_id), until


async def guessed(session: AsyncSession, link_id: str, now: datetime) -> None:
    """A wrong answer to the secret question; after too many the temporary password is worth nothing."""
    row = await session.get_one(LinkRow, link_id, with_for_update=True)
    wrong = int(row.facts.get("wrong", 0)) + 1
    row.facts = {**row.facts, "wrong": wrong}
    if wrong >= GUESSES:
        row.ended_at = now
    session.add(row)
