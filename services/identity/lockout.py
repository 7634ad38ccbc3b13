"""Wrong passwords: five in a row block an account; guesses from elsewhere never lock its owner out of his device.

One thing to remember: counting costs the same one statement whether or not the address is known.
"""

from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import text
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity.models import AccountRow, DeviceRow, WrongRow
from services.identity.rules import AccountStatus, BlockReason, email_key
from shared.contracts.identity import Kind, course_id
from shared.events.identity import AccountBlocked
from shared.kit import tokens
from shared.rules import lengths

_COUNT: Final = text(
    """
    WITH said AS (
        SELECT CAST(:key AS text) AS key, CAST(:subject AS text) AS subject, CAST(:device AS text) AS device,
               CAST(:most AS integer) AS most, CAST(:now AS timestamptz) AS now, CAST(:said_at AS text) AS said_at,
               CAST(:event AS text) AS event, CAST(:wake AS text) AS wake, CAST(:what AS text) AS what,
               CAST(:kind AS text) AS kind, CAST(:prefix AS text) AS prefix
    ), known AS (
        UPDATE device SET wrong = device.wrong + 1 FROM account, said
        WHERE device.digest = said.device AND device.person_id = account.id AND account.email_key = said.key
          AND device.wrong < said.most
        RETURNING device.wrong
    ), counted AS (
        INSERT INTO wrong AS w (subject, number, at)
        SELECT said.subject, 1, said.now FROM said WHERE NOT EXISTS (SELECT 1 FROM known)
        ON CONFLICT (subject) DO UPDATE SET number = w.number + 1, at = excluded.at
        RETURNING number
    ), blocked AS (
        UPDATE account SET status = 'BLOCKED', block_reason = 'WRONG_PASSWORDS', revision = revision + 1 FROM said
        WHERE account.email_key = said.key AND account.status = 'ACTIVE' AND said.most <= greatest(
            (SELECT coalesce(max(number), 0) FROM counted), (SELECT coalesce(max(wrong), 0) FROM known))
        RETURNING account.id
    ), noted AS (
        INSERT INTO journal (person_id, at, action, source, target, reason)
        SELECT id, now, 'block', 'ACTIVE', 'BLOCKED', 'WRONG_PASSWORDS' FROM blocked, said
    ), announced AS (
        INSERT INTO outbox (kind, message_id, subject, body)
        SELECT 'event', CAST(event AS uuid), what,
               jsonb_build_object('id', event, 'at', said_at, 'person_id', id, 'reason', 'WRONG_PASSWORDS')
        FROM blocked, said
    ), woken AS (
        INSERT INTO outbox (kind, message_id, subject, target, body)
        SELECT 'wake', CAST(wake AS uuid), kind, prefix || id, jsonb_build_object('kind', kind, 'id', id)
        FROM blocked, said
    )
    SELECT count(*) FROM blocked
    """
)


def _subject(key: str) -> str:
    return tokens.digest(f"address/{key}")


async def may_sign_in(session: AsyncSession, account: AccountRow | None, device: str | None) -> bool:
    """Whether the account is open, to anybody or to this device of its owner's."""
    digest = tokens.digest(device or "")
    known = (
        await session.exec(
            select(DeviceRow).where(
                DeviceRow.digest == digest,
                DeviceRow.person_id == (account.id if account else NOBODY),
                DeviceRow.wrong < lengths.amount_of("wrong_passwords"),
            )
        )
    ).one_or_none()
    if account is None:
        return False
    guessed_at = account.status == AccountStatus.BLOCKED and account.block_reason == BlockReason.WRONG_PASSWORDS
    return account.status == AccountStatus.ACTIVE or (guessed_at and known is not None)


NOBODY: Final = "00000000-0000-4000-8000-000000000000"


async def wrong(session: AsyncSession, email: str, device: str | None, now: datetime) -> None:
    """One wrong password more: for this device where it is known, else for the address; one too many blocks."""
    key = email_key(email)
    await session.execute(
        _COUNT,
        {
            "key": key,
            "subject": _subject(key),
            "device": tokens.digest(device or ""),
            "most": lengths.amount_of("wrong_passwords"),
            "now": now,
            "said_at": now.isoformat(),
            "event": str(uuid4()),
            "wake": str(uuid4()),
            "what": AccountBlocked.subject,
            "kind": Kind.LIFE.value,
            "prefix": course_id(Kind.LIFE, ""),
        },
    )


async def right(
    session: AsyncSession, account: AccountRow, device: str | None, agent: str, now: datetime
) -> str | None:
    """A right password: the count starts anew; a browser not seen before becomes known, and its secret is returned.

    A sign-in from a known device does not forgive what was guessed elsewhere: that count stands for itself.
    """
    digest = tokens.digest(device or "")
    seen = await session.exec(
        update(DeviceRow)
        .where(col(DeviceRow.digest) == digest, col(DeviceRow.person_id) == account.id)
        .values(wrong=0, seen_at=now)
    )
    if seen.rowcount:
        return None
    await session.exec(delete(WrongRow).where(col(WrongRow.subject) == _subject(account.email_key)))
    secret, made = tokens.mint("device")
    session.add(DeviceRow(digest=made, person_id=account.id, label=agent[:200], since=now, seen_at=now))
    return secret


async def forgive(session: AsyncSession, account: AccountRow) -> None:
    """A new password: everything guessed before is forgotten."""
    await session.exec(delete(WrongRow).where(col(WrongRow.subject) == _subject(account.email_key)))
    await session.exec(update(DeviceRow).where(col(DeviceRow.person_id) == account.id).values(wrong=0))
