"""The paper of AccountLife: when an account is warned, and blocked, because nobody signs in."""

from datetime import datetime, timedelta
from typing import Final

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity import accounts, links, store
from services.identity.links import Mint, Purpose
from services.identity.models import AccountRow
from services.identity.rules import AccountStatus, BlockReason, SessionEnd
from shared.contracts.identity import Course, Kind, Rung, Tick
from shared.events.identity import AccountBlocked
from shared.kit.outbox import announce

BLOCK: Final = "inactive: block"


def _clocks(row: AccountRow) -> list[Tick]:
    """The clocks since the last sign-in, or since the activation when there was none; also since a new password."""
    since = max(each for each in (row.signed_in_at, row.created_at, row.password_at) if each)
    end = accounts.blocked_at(since)
    return [*(Tick(f"inactive: {each.days} days left", end - each) for each in accounts.warnings()), Tick(BLOCK, end)]


def _due(row: AccountRow) -> Tick | None:
    if row.status != AccountStatus.ACTIVE:
        return None
    clocks = _clocks(row)
    rung = next((place for place, each in enumerate(clocks) if _mark(each) == row.warned), -1)
    return clocks[rung + 1] if rung + 1 < len(clocks) else None


def _mark(clock: Tick) -> str:
    """A clock that has rung, as the row remembers it: a later sign-in has clocks of its own."""
    return f"{clock.at:%Y%m%d%H%M%S} {clock.name}"[:40]


async def look(session: AsyncSession, mint: Mint, person_id: str, now: datetime) -> Course:
    """The account as it stands; its owner is told of a block by guesses here."""
    row = await session.get(AccountRow, person_id, with_for_update=True)
    if row is None:
        return Course(Kind.LIFE, person_id, AccountStatus.CLOSED, over=True)
    if row.status == AccountStatus.BLOCKED and row.block_reason == BlockReason.WRONG_PASSWORDS:
        await _tell_once(session, mint, row, Purpose.BLOCKED, now, cause=row.block_reason)
    return await course(session, row)


async def _tell_once(
    session: AsyncSession, mint: Mint, row: AccountRow, purpose: Purpose, now: datetime, **facts: str
) -> None:
    """One letter for one revision of the account, however often it is looked at."""
    told = [each for each in await links.of_course(session, row.id) if each.purpose == purpose and not each.ended_at]
    if not any(each.facts.get("revision") == row.revision for each in told):
        await links.mint(session, mint, purpose, row.id, row.id, now, None, revision=row.revision, **facts)


async def course(session: AsyncSession, row: AccountRow) -> Course:
    """What the process needs to remember: a blocked account has no clock."""
    due = _due(row)
    row.due_at = due.at if due else None
    session.add(row)
    purposes = (Purpose.BLOCKED, Purpose.INACTIVE, Purpose.DELETED, Purpose.QUESTION)
    fresh = [
        each
        for each in await links.of_course(session, row.id)
        if each.purpose in purposes and not each.ended_at and each.facts.get("revision") == row.revision
    ]
    return Course(
        Kind.LIFE, row.id, row.status, row.revision, due is None, due, tuple(links.letter(each) for each in fresh),
        "The person is to sign in before the account is blocked." if due else "",
    )  # fmt: skip


async def ring(session: AsyncSession, mint: Mint, rung: Rung, now: datetime) -> Course:
    """A clock of inactivity: a warning, or the block; nothing where the person has signed in meanwhile."""
    row = await session.get(AccountRow, rung.id, with_for_update=True)
    if row is None:
        return Course(Kind.LIFE, rung.id, AccountStatus.CLOSED, over=True)
    due = _due(row)
    if due is None or due.at > now or due.name != rung.due.name:
        return await course(session, row)
    if due.name == BLOCK:
        row.status, row.block_reason = AccountStatus.BLOCKED, BlockReason.INACTIVITY
        row.revision += 1
        await store.end_sessions_of(session, row.id, now, SessionEnd.REVOKED)
        await accounts.journal(
            session, row.id, now, "block", AccountStatus.ACTIVE, row.status, reason=BlockReason.INACTIVITY
        )
        await announce(session, AccountBlocked(at=now, person_id=row.id, reason=BlockReason.INACTIVITY))
        await _tell_once(session, mint, row, Purpose.BLOCKED, now, cause=BlockReason.INACTIVITY)
    else:
        row.warned = _mark(due)
        row.revision += 1
        await accounts.journal(session, row.id, now, "warn", row.status, row.status, reason=due.name)
        await _tell_once(session, mint, row, Purpose.INACTIVE, now, until=_clocks(row)[-1].at.isoformat())
    session.add(row)
    return await course(session, row)


async def late(session: AsyncSession, now: datetime) -> list[str]:
    """Accounts whose clock should have rung a while ago."""
    rows = await session.exec(
        select(AccountRow.id)
        .where(AccountRow.status == AccountStatus.ACTIVE, col(AccountRow.due_at) < now - timedelta(minutes=2))
        .limit(200)
    )
    return list(rows.all())
