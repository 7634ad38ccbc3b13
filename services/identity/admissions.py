"""Admissions to other tools: the code, the token it became, and whose they are. Every function takes a session."""

from datetime import datetime, timedelta
from typing import Final

from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity.models import AccountRow, AdmissionRow, SessionRow
from services.identity.rules import AccountStatus, BlockReason
from shared.kit import tokens

KEPT: Final = timedelta(days=1)
"""How long a code is remembered, so that it is noticed when it is shown again."""


async def keep(session: AsyncSession, row: AdmissionRow) -> None:
    """A code was handed out."""
    session.add(row)


async def by_code(session: AsyncSession, code: str) -> AdmissionRow | None:
    """What this code stands for; nobody else may use it up meanwhile."""
    wish = select(AdmissionRow).where(AdmissionRow.digest == tokens.digest(code)).with_for_update()
    return (await session.exec(wish)).one_or_none()


async def holder(session: AsyncSession, row: AdmissionRow) -> AccountRow | None:
    """Whose admission it is, while the session it came from goes on and his account is open."""
    found = await session.exec(
        select(AccountRow, SessionRow.id)
        .join(SessionRow, col(SessionRow.person_id) == col(AccountRow.id))
        .where(SessionRow.id == row.session_id, col(SessionRow.ended_at).is_(None))
        .where(AccountRow.id == row.person_id)
    )
    pair = found.one_or_none()
    if pair is None:
        return None
    guessed_at = pair[0].block_reason == BlockReason.WRONG_PASSWORDS  # guesses elsewhere end no session
    return pair[0] if pair[0].status == AccountStatus.ACTIVE or guessed_at else None


async def spend(session: AsyncSession, row: AdmissionRow, token: str, now: datetime, until: datetime) -> None:
    """The code was exchanged for this token."""
    await session.exec(
        update(AdmissionRow)
        .where(col(AdmissionRow.digest) == row.digest)
        .values(used_at=now, token=tokens.digest(token), expires_at=until)
    )


async def revoke(session: AsyncSession, row: AdmissionRow) -> None:
    """The code was shown a second time: somebody else has it too, so what it became is worthless."""
    await session.exec(update(AdmissionRow).where(col(AdmissionRow.digest) == row.digest).values(token=None))


async def by_token(session: AsyncSession, token: str, now: datetime) -> AdmissionRow | None:
    """What this access token stands for, while it is good."""
    wish = select(AdmissionRow).where(AdmissionRow.token == tokens.digest(token), col(AdmissionRow.expires_at) > now)
    return (await session.exec(wish)).one_or_none()


async def forget_old(session: AsyncSession, now: datetime) -> None:
    """Forget what nobody can use any more."""
    await session.exec(delete(AdmissionRow).where(col(AdmissionRow.expires_at) < now - KEPT))
