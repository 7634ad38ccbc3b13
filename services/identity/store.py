"""The only module with queries; every function takes a session and never commits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, func, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, delete, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity.accounts import first_warning
from services.identity.models import AccountRow, OrganisationRow, PostRow, SessionRow, SigningKeyRow
from services.identity.rules import AccountStatus, BlockReason, SessionEnd, email_key, over
from shared.events.identity import PersonChanged, SessionEnded
from shared.kit.outbox import announce

NOTICED = timedelta(minutes=1)
"""How exactly we remember when a session was last used."""
KEPT = timedelta(days=30)
"""How long ended sessions are kept."""


@dataclass(frozen=True)
class Limits:
    """How long a session lasts without being used, and at most."""

    idle: timedelta
    longest: timedelta


# ── Accounts ──────────────────────────────────────────────────────────────────────────────────────────────────


async def account_by_email(session: AsyncSession, email: str) -> AccountRow | None:
    """The account with this address."""
    return (await session.exec(select(AccountRow).where(AccountRow.email_key == email_key(email)))).one_or_none()


async def account(session: AsyncSession, person_id: str) -> AccountRow | None:
    """The account of a person."""
    return await session.get(AccountRow, person_id)


async def known_accounts(session: AsyncSession, ids: Iterable[str]) -> set[str]:
    """Which of these persons have an account."""
    return set((await session.exec(select(AccountRow.id).where(col(AccountRow.id).in_(list(ids))))).all())


async def add_accounts(session: AsyncSession, rows: Iterable[AccountRow]) -> None:
    """Add accounts that are not there yet; an address or id that is there stays as it is."""
    for row in rows:
        await session.execute(insert(AccountRow).values(row.model_dump()).on_conflict_do_nothing())


async def prefer(
    session: AsyncSession,
    row: AccountRow,
    now: datetime,
    *,
    language: str | None,
    time_zone: str | None,
    notify: dict[str, str] | None = None,
) -> None:
    """Change what a person prefers, and tell those who keep a copy."""
    wishes = {"language": language, "time_zone": time_zone, "notify": notify}
    changes = {name: value for name, value in wishes.items() if value is not None}
    if all(getattr(row, name) == value for name, value in changes.items()):
        return
    await session.exec(update(AccountRow).where(col(AccountRow.id) == row.id).values(**changes))
    for name, value in changes.items():
        setattr(row, name, value)
    await announce(session, PersonChanged(at=now, person_id=row.id))


# ── Sessions ──────────────────────────────────────────────────────────────────────────────────────────────────


async def open_session(
    session: AsyncSession,
    row: AccountRow,
    digest: str,
    now: datetime,
    renewed_hash: str | None = None,
    agent: str = "",
    source: str = "",
) -> SessionRow:
    """Begin a session of a person who has just proved to be himself."""
    opened = SessionRow(
        id=str(uuid4()), person_id=row.id, digest=digest, opened_at=now, seen_at=now, proved_at=now, ended_at=None,
        device=agent[:200], source=source[:64],
    )  # fmt: skip
    session.add(opened)
    changes = {"signed_in_at": now, "warned": "", "due_at": first_warning(now)}
    changes |= {"password_hash": renewed_hash} if renewed_hash else {}
    await session.exec(update(AccountRow).where(col(AccountRow.id) == row.id).values(**changes))
    return opened


async def live_session(
    session: AsyncSession, digest: str, now: datetime, limits: Limits
) -> tuple[SessionRow, AccountRow] | None:
    """The session with this secret and whose it is, if it is not over; that it was used is remembered."""
    found = await session.exec(
        select(SessionRow, AccountRow)
        .join(AccountRow, col(AccountRow.id) == col(SessionRow.person_id))
        .where(SessionRow.digest == digest, col(SessionRow.ended_at).is_(None))
        .where(
            or_(
                col(AccountRow.status) == AccountStatus.ACTIVE,
                col(AccountRow.block_reason) == BlockReason.WRONG_PASSWORDS,  # guesses elsewhere end no session
            )
        )
    )
    row = found.one_or_none()
    if row is None or over(row[0].opened_at, row[0].seen_at, now, limits.idle, limits.longest):
        return None
    if row[0].seen_at <= now - NOTICED:
        await session.exec(
            update(SessionRow)
            .where(col(SessionRow.id) == row[0].id, col(SessionRow.ended_at).is_(None))
            .values(seen_at=func.greatest(SessionRow.seen_at, now))
        )
    return row


async def prove(session: AsyncSession, row: SessionRow, now: datetime) -> None:
    """Remember that the person of this session has just proved to be himself."""
    await session.exec(
        update(SessionRow)
        .where(col(SessionRow.id) == row.id, col(SessionRow.ended_at).is_(None))
        .values(proved_at=now, seen_at=now)
    )
    row.proved_at = now


async def end_session(session: AsyncSession, digest: str, now: datetime, why: SessionEnd) -> None:
    """End the session with this secret, if there is one, and tell everybody."""
    await _end(session, col(SessionRow.digest) == digest, now, why)


async def end_sessions_of(
    session: AsyncSession, person_id: str, now: datetime, why: SessionEnd, but: str | None = None
) -> None:
    """End all sessions of a person (but one, if he stays there), and tell everybody."""
    which = col(SessionRow.person_id) == person_id
    await _end(session, which & (col(SessionRow.id) != but) if but else which, now, why)


async def end_one(session: AsyncSession, person_id: str, session_id: str, now: datetime) -> None:
    """End one session of a person's own."""
    mine = (col(SessionRow.person_id) == person_id) & (col(SessionRow.id) == session_id)
    await _end(session, mine, now, SessionEnd.ELSEWHERE)


async def sessions_of(session: AsyncSession, person_id: str, now: datetime, limits: Limits) -> Sequence[SessionRow]:
    """The open sessions of a person, the latest used first."""
    rows = await session.exec(
        select(SessionRow)
        .where(
            SessionRow.person_id == person_id,
            col(SessionRow.ended_at).is_(None),
            col(SessionRow.seen_at) > now - limits.idle,
            col(SessionRow.opened_at) > now - limits.longest,
        )
        .order_by(col(SessionRow.seen_at).desc(), SessionRow.id)
    )
    return rows.all()


async def end_overdue(session: AsyncSession, now: datetime, limits: Limits) -> None:
    """End the sessions whose time is over, and forget those that ended long ago."""
    late = or_(col(SessionRow.seen_at) <= now - limits.idle, col(SessionRow.opened_at) <= now - limits.longest)
    await _end(session, late, now, SessionEnd.IDLE)
    await session.exec(delete(SessionRow).where(col(SessionRow.ended_at) < now - KEPT))


async def _end(session: AsyncSession, which: ColumnElement[bool], now: datetime, why: SessionEnd) -> None:
    ended = await session.execute(
        update(SessionRow)
        .where(which, col(SessionRow.ended_at).is_(None))
        .values(ended_at=now, end_reason=why)
        .returning(col(SessionRow.id), col(SessionRow.person_id))
    )
    for session_id, person_id in ended.all():
        await announce(session, SessionEnded(at=now, person_id=person_id, session_id=session_id))


async def ended_since(session: AsyncSession, since: datetime) -> Sequence[str]:
    """The sessions that ended lately."""
    return (await session.exec(select(SessionRow.id).where(col(SessionRow.ended_at) >= since))).all()


# ── Posts, as the directory announces them ────────────────────────────────────────────────────────────────────


async def posts(session: AsyncSession, person_id: str) -> Sequence[tuple[PostRow, OrganisationRow | None]]:
    """The valid roles of a person, each with what is known of the organisation, in the order of the names."""
    rows = await session.exec(
        select(PostRow, OrganisationRow)
        .join(OrganisationRow, col(OrganisationRow.id) == col(PostRow.organisation_id), isouter=True)
        .where(PostRow.person_id == person_id)
        .order_by(OrganisationRow.name, col(OrganisationRow.code), col(PostRow.organisation_id))
    )
    return rows.all()


async def remember_post(session: AsyncSession, row: PostRow) -> None:
    """A role became valid, or changed."""
    values = row.model_dump()
    await session.execute(
        insert(PostRow)
        .values(values)
        .on_conflict_do_update(
            index_elements=["person_id", "organisation_id"],
            set_={"role_type": row.role_type, "administrator": row.administrator},
        )
    )


async def forget_post(session: AsyncSession, person_id: str, organisation_id: str) -> None:
    """A role ended."""
    await session.exec(
        delete(PostRow).where(col(PostRow.person_id) == person_id, col(PostRow.organisation_id) == organisation_id)
    )


_ANNOUNCED = ("name", "code", "status", "revision", "kind", "country", "authority_role", "superior", "time_zone")


async def remember_organisation(session: AsyncSession, row: OrganisationRow) -> None:
    """An organisation's name and status; an older revision changes nothing."""
    await session.execute(
        insert(OrganisationRow)
        .values(row.model_dump())
        .on_conflict_do_update(
            index_elements=["id"],
            set_={name: getattr(row, name) for name in _ANNOUNCED},
            where=col(OrganisationRow.revision) < row.revision,
        )
    )


# ── Keys ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def lock_signing_keys(session: AsyncSession) -> None:
    """One instance at a time looks for the signing key and makes it when there is none."""
    await session.execute(text("SELECT pg_advisory_xact_lock(184202611)"))


async def signing_keys(session: AsyncSession, purpose: str, now: datetime) -> Sequence[SigningKeyRow]:
    """The keys in use for one purpose, the newest first."""
    in_use = select(SigningKeyRow).where(
        or_(col(SigningKeyRow.retired_at).is_(None), col(SigningKeyRow.retired_at) > now),
        col(SigningKeyRow.kid).startswith(f"{purpose}-"),
    )
    return (await session.exec(in_use.order_by(col(SigningKeyRow.created_at).desc(), SigningKeyRow.kid))).all()


async def retire_signing_keys(session: AsyncSession, purpose: str, at: datetime) -> None:
    """The keys of a purpose that nothing was said about yet are in use until then, and no longer."""
    told = update(SigningKeyRow).where(
        col(SigningKeyRow.kid).startswith(f"{purpose}-"),
        or_(col(SigningKeyRow.retired_at).is_(None), col(SigningKeyRow.retired_at) > at),
    )
    await session.exec(told.values(retired_at=at))


async def forget_retired_keys(session: AsyncSession, now: datetime) -> None:
    """Keys that are no longer in use are gone, their private halves with them."""
    await session.exec(delete(SigningKeyRow).where(col(SigningKeyRow.retired_at) <= now))
