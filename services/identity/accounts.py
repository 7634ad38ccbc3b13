"""Accounts: how one comes to life, is blocked, opened again, closed; and the journal of all of it.

One thing to remember: a row, its line in the journal and the word to the others are one transaction, or nothing.
"""

import calendar
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity.models import AccountRow, CommandRow, JournalRow, RegistrationRow
from services.identity.rules import AccountStatus
from shared.contracts.identity import Kind, course_id
from shared.events.identity import AccountActivated
from shared.kit.outbox import announce, wake
from shared.rules import lengths
from shared.rules.actor import Actor
from shared.rules.refusals import Refused


def workflow_id(kind: Kind | str, key: str) -> str:
    """The id of a process."""
    return course_id(Kind(kind), key)


async def wake_course(session: AsyncSession, kind: Kind | str, key: str) -> None:
    """Have a process look at its row once this commits; it is started from the row when it does not run."""
    await wake(session, Kind(kind), workflow_id(kind, key), {"kind": Kind(kind), "id": key})


async def lock_address(session: AsyncSession, email_key: str) -> None:
    """One at a time decides whose address this is."""
    number = int.from_bytes(sha256(email_key.encode()).digest()[:8], signed=True)
    await session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


async def journal(
    session: AsyncSession,
    person_id: str,
    now: datetime,
    action: str,
    source: str | None = None,
    target: str | None = None,
    by: Actor | None = None,
    reason: str = "",
    key: str | None = None,
) -> None:
    """One line: what happened to whom, by whom, and why."""
    session.add(
        JournalRow(
            person_id=person_id,
            at=now,
            action=action,
            source=source,
            target=target,
            by_person=by.person_id if by else None,
            by_organisation=by.organisation_id if by else None,
            reason=reason,
            key=key,
        )
    )
    await session.flush()


async def told_before(session: AsyncSession, key: str) -> bool:
    """Whether a step under this key stands in the journal already."""
    return (await session.exec(select(JournalRow.id).where(JournalRow.key == key))).first() is not None


async def lines(session: AsyncSession, person_id: str, limit: int = 100) -> list[JournalRow]:
    """The journal of a person, newest first."""
    rows = await session.exec(
        select(JournalRow).where(JournalRow.person_id == person_id).order_by(col(JournalRow.id).desc()).limit(limit)
    )
    return list(rows.all())


async def activate(
    session: AsyncSession, row: RegistrationRow, now: datetime, key: str, by: Actor | None = None
) -> AccountRow:
    """A registration becomes an account under the same id; its life begins."""
    account = AccountRow(
        id=row.id,
        first_name=row.first_name,
        last_name=row.last_name,
        email=row.email,
        email_key=row.email_key,
        password_hash=row.password_hash,
        status=AccountStatus.ACTIVE,
        language=row.language,
        html=row.html,
        created_at=now,
        mode=row.mode,
        username=row.username,
        question=row.question,
        answer_hash=row.answer_hash,
        password_at=now,
        details=row.details,
        due_at=first_warning(now),
    )
    await begin(session, account, now, row.state, by, key=key)
    return account


async def begin(
    session: AsyncSession,
    account: AccountRow,
    now: datetime,
    source: str | None = None,
    by: Actor | None = None,
    reason: str = "",
    key: str | None = None,
) -> None:
    """A new account: its row, its first line, the news, and a call to its process."""
    session.add(account)
    await session.flush()
    await journal(session, account.id, now, "activate", source, AccountStatus.ACTIVE, by, reason, key)
    await announce(session, AccountActivated(at=now, person_id=account.id))
    await wake_course(session, Kind.LIFE, account.id)


# ── Inactivity ────────────────────────────────────────────────────────────────────────────────────────────────


def warnings() -> list[timedelta]:
    """So long before an account is blocked its owner is warned, the earliest first."""
    return lengths.warnings("inactivity_first_warning", "inactivity_last_warning")


def blocked_at(since: datetime) -> datetime:
    """So many months later: the same day of the month, or its last."""
    months = since.month - 1 + lengths.amount_of("inactivity")
    year, month = since.year + months // 12, months % 12 + 1
    return since.replace(year=year, month=month, day=min(since.day, calendar.monthrange(year, month)[1]))


def first_warning(since: datetime) -> datetime:
    """When an account is first looked at again."""
    return blocked_at(since) - warnings()[0]


# ── Commands told twice ───────────────────────────────────────────────────────────────────────────────────────


def fingerprint(what: str, said: Mapping[str, Any]) -> str:
    """What a command said, for comparison; whoever calls leaves the secrets out."""
    return sha256(json.dumps([what, said], sort_keys=True, default=str).encode()).hexdigest()


async def told(session: AsyncSession, key: str, mark: str, now: datetime) -> tuple[bool, dict[str, Any] | None]:
    """Whether this command was carried out before, and what was answered; refused ``key_reused`` for another one."""
    wish = insert(CommandRow).values(key=key, fingerprint=mark, at=now).on_conflict_do_nothing()
    if (await session.execute(wish.returning(col(CommandRow.key)))).scalar_one_or_none() is not None:
        return False, None
    before = await session.get_one(CommandRow, key)
    if before.fingerprint != mark:
        raise Refused("key_reused")
    return True, before.answer


async def answered(session: AsyncSession, key: str, answer: dict[str, Any]) -> None:
    """Keep what was answered to a command."""
    await session.exec(update(CommandRow).where(col(CommandRow.key) == key).values(answer=answer))
