"""The paper of PasswordReset: a request for a new password, whatever address it was made for."""

from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity import accounts, links, lockout, store, temporary
from services.identity.links import Mint, Purpose
from services.identity.models import AccountRow, ChoiceRow, ResetRow
from services.identity.rules import AccountStatus, Mode, SessionEnd, email_key
from shared.contracts.identity import Course, Kind, Rung, Taken, Tick
from shared.events.identity import PersonChanged
from shared.kit.outbox import announce
from shared.rules import lengths
from shared.rules.refusals import Refused

RESETS_AN_HOUR: Final = 3
"""No more letters than this to one address."""
OVER: Final = "password link dead"
WAYS_BACK: Final = (Purpose.RESET, Purpose.TEMPORARY)


async def born(session: AsyncSession, email: str, key: str, now: datetime) -> None:
    """Somebody asks for a new password: a row, and its process woken, known address or not."""
    row = ResetRow(id=str(uuid4()), key=key, email_key=email_key(email), state="ASKED", created_at=now, due_at=now)
    written = await session.execute(
        insert(ResetRow).values(row.model_dump()).on_conflict_do_nothing().returning(col(ResetRow.id))
    )
    if written.scalar_one_or_none() is not None:
        await accounts.wake_course(session, Kind.RESET, row.id)


async def look(session: AsyncSession, mint: Mint, reset_id: str, now: datetime) -> Course:
    """The request as it stands; at the first look it is found out whose it is."""
    row = await session.get(ResetRow, reset_id, with_for_update=True)
    if row is None:
        return Course(Kind.RESET, reset_id, "EXPIRED", over=True)
    if row.state == "ASKED":
        await _begin(session, mint, row, now)
    return await course(session, row)


async def _begin(session: AsyncSession, mint: Mint, row: ResetRow, now: datetime) -> None:
    await accounts.lock_address(session, row.email_key)
    account = (await session.exec(select(AccountRow).where(AccountRow.email_key == row.email_key))).one_or_none()
    lately = await session.exec(
        select(func.count())
        .select_from(ResetRow)
        .where(
            ResetRow.email_key == row.email_key,
            col(ResetRow.account_id).is_not(None),
            col(ResetRow.created_at) > now - timedelta(hours=1),
        )
    )
    open_ = account is not None and account.status in (AccountStatus.ACTIVE, AccountStatus.BLOCKED)
    too_many = lately.one() >= RESETS_AN_HOUR and not row.by_authority
    if account is None or not open_ or too_many:
        row.state, row.over, row.due_at = "NOBODY", True, None
        session.add(row)
        return
    older = await session.exec(
        select(ResetRow).where(
            ResetRow.account_id == account.id, ResetRow.state == "SENT", col(ResetRow.over).is_(False)
        )
    )
    for each in older.all():
        each.state, each.over, each.due_at = "SUPERSEDED", True, None
        session.add(each)
        await links.end(session, each.id, now)
        await accounts.wake_course(session, Kind.RESET, each.id)
    row.state, row.account_id = "SENT", account.id
    if account.mode == Mode.CLASSIC:
        asks = temporary.asks(account)
        await links.mint(session, mint, Purpose.TEMPORARY, account.id, row.id, now, username=account.email, asks=asks)
        row.due_at = now + lengths.time_of("temporary_password") + lengths.time_of("link_form")
    else:
        await links.mint(session, mint, Purpose.RESET, account.id, row.id, now)
        row.due_at = now + lengths.time_of("link") + lengths.time_of("link_form")
    session.add(row)
    await accounts.journal(session, account.id, now, "ask_password")


async def course(session: AsyncSession, row: ResetRow) -> Course:
    """What the process needs to remember of it."""
    live = [each for each in await links.of_course(session, row.id) if each.ended_at is None]
    return Course(
        Kind.RESET,
        row.id,
        row.state,
        over=row.over,
        due=Tick(OVER, row.due_at) if row.due_at and not row.over else None,
        letters=tuple(links.letter(each) for each in live),
        awaited="The person is to choose a new password, the way his letter says." if not row.over else "",
    )


async def confirm(session: AsyncSession, mint: Mint, taken: Taken, now: datetime) -> Course:
    """The new password was chosen in time: the account is open, all its sessions end, its owner is told; once."""
    step = taken.step
    row = await session.get(ResetRow, step.id, with_for_update=True)
    if row is None:
        raise Refused("link_expired")
    if await accounts.told_before(session, taken.key):
        return await course(session, row)
    link = await links.get(session, step.link_id or lockout.NOBODY)
    if row.over or link is None or link.course_id != row.id or link.ended_at or link.purpose not in WAYS_BACK:
        raise Refused("link_expired")
    if step.good_until is None or now >= step.good_until:
        raise Refused("link_expired")
    chosen = await session.get(ChoiceRow, taken.key)
    if chosen is None or chosen.course_id != row.id:
        raise Refused("invalid", field="password")
    account = await session.get(AccountRow, row.account_id, with_for_update=True)
    if account is None or account.status not in (AccountStatus.ACTIVE, AccountStatus.BLOCKED):
        raise Refused("link_expired")
    if link.purpose == Purpose.TEMPORARY and chosen.question:
        account.question, account.answer_hash = chosen.question, chosen.answer_hash
    await change_password(session, account, chosen.password_hash, now, "reset_password", taken.key)
    row.state, row.over, row.due_at = "DONE", True, None
    session.add(row)
    await links.end(session, row.id, now)
    await session.exec(delete(ChoiceRow).where(col(ChoiceRow.course_id) == row.id))
    await links.mint(session, mint, Purpose.CHANGED, account.id, row.id, now)
    return await course(session, row)


async def change_password(
    session: AsyncSession, account: AccountRow, password_hash: str, now: datetime, why: str, key: str | None
) -> None:
    """A new password: the account is open again, what was guessed is forgotten, every session ends."""
    before = account.status
    account.password_hash, account.password_at = password_hash, now
    account.status, account.block_reason = AccountStatus.ACTIVE, None
    account.revision += 1
    account.warned, account.due_at = "", accounts.first_warning(now)
    session.add(account)
    await lockout.forgive(session, account)
    await store.end_sessions_of(session, account.id, now, SessionEnd.ELSEWHERE)
    await accounts.journal(session, account.id, now, why, before, account.status, key=key)
    await announce(session, PersonChanged(at=now, person_id=account.id))
    await accounts.wake_course(session, Kind.LIFE, account.id)


async def changed_by_himself(
    session: AsyncSession, mint: Mint, person_id: str, password_hash: str, now: datetime, key: str
) -> None:
    """A person changed his password, once; the letter that says so is sent by a process of its own."""
    if await accounts.told_before(session, key):
        return
    account = await session.get_one(AccountRow, person_id, with_for_update=True)
    await change_password(session, account, password_hash, now, "change_password", key)
    row = ResetRow(
        id=str(uuid4()), key=key, email_key=account.email_key, account_id=account.id, state="DONE", over=True,
        created_at=now,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    await links.mint(session, mint, Purpose.CHANGED, account.id, row.id, now)
    await accounts.wake_course(session, Kind.RESET, row.id)


async def ring(session: AsyncSession, rung: Rung, now: datetime) -> Course:
    """The time is over: the password stays as it was."""
    row = await session.get(ResetRow, rung.id, with_for_update=True)
    if row is None:
        return Course(Kind.RESET, rung.id, "EXPIRED", over=True)
    if not row.over and row.due_at is not None and row.due_at <= now:
        row.state, row.over, row.due_at = "EXPIRED", True, None
        await links.end(session, row.id, now)
        session.add(row)
    return await course(session, row)


async def late(session: AsyncSession, now: datetime) -> list[str]:
    """Requests whose clock should have rung a while ago."""
    rows = await session.exec(
        select(ResetRow.id)
        .where(col(ResetRow.over).is_(False), col(ResetRow.due_at) < now - timedelta(minutes=2))
        .limit(200)
    )
    return list(rows.all())
