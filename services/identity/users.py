"""The users an authority looks after: corrected, activated, refused, reset, deleted (guide 003, part II).

One thing to remember: a user belongs to the territory of one authority, by his establishment's address; for every other
one he is not there (``finding.py``). What was done, by whom and why stands in his journal, whose end is his revision.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import func
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity import accounts, authorities, classic, links, store
from services.identity.finding import CORRECTABLE, MAY, NAMED, REASONED, reader
from services.identity.links import Mint, Purpose
from services.identity.models import (
    AccountRow,
    JournalRow,
    RegistrationRow,
    ResetRow,
)
from services.identity.rules import AccountStatus, Mode, SessionEnd, asked_for
from shared.contracts.identity import Kind
from shared.contracts.users import NewQuestion, UserEdit
from shared.events.identity import PersonChanged
from shared.kit.outbox import announce
from shared.rules.actor import Actor
from shared.rules.refusals import Refused

# ── Correcting ────────────────────────────────────────────────────────────────────────────────────────────────


async def _held(session: AsyncSession, actor: Actor, user_id: str, revision: int) -> AccountRow | RegistrationRow:
    """The user's row, held until this is over, as the authority saw it."""
    row: AccountRow | RegistrationRow | None = await session.get(AccountRow, user_id, with_for_update=True)
    row = row or await session.get(RegistrationRow, user_id, with_for_update=True)
    if row is None or row.mode != Mode.CLASSIC:
        raise Refused("not_found")
    await classic.decider_of(session, actor, row)
    await refuse_stale(session, user_id, revision)
    return row


async def refuse_stale(session: AsyncSession, user_id: str, revision: int) -> None:
    """Nobody decides what he has not seen: the last line of the journal is the one he saw."""
    last = await session.exec(select(func.coalesce(func.max(JournalRow.id), 0)).where(JournalRow.person_id == user_id))
    if last.one() != revision:
        raise Refused("already_decided")


async def correct(
    session: AsyncSession, mint: Mint, actor: Actor, user_id: str, edit: UserEdit, key: str, now: datetime
) -> None:
    """Correct what an authority may: never the address, never the question. Another place may be another territory."""
    if await accounts.told_before(session, key):
        return
    row = await _held(session, actor, user_id, edit.revision)
    status = NAMED.get(AccountStatus(row.status), "") if isinstance(row, AccountRow) else row.state
    if status not in CORRECTABLE:
        raise Refused("already_decided", status=status)
    before = row.details.get("organisation", {})
    details = {"organisation": edit.organisation.model_dump(), "reach": edit.reach.model_dump()}
    said = {name: getattr(edit, name) for name in ("first_name", "last_name", "language", "html")}
    changed = [name for name, value in said.items() if getattr(row, name) != value]
    changed += [name for name, value in details.items() if row.details.get(name) != value]
    if not changed:
        return
    for name, value in said.items():
        setattr(row, name, value)
    row.details = {**row.details, **details}
    session.add(row)
    await accounts.journal(session, row.id, now, "correct", status, status, actor, ", ".join(changed), key)
    place = ("country", "postal_code")
    moved = any(before.get(name) != details["organisation"].get(name) for name in place)
    if isinstance(row, RegistrationRow):
        if moved:
            row.entered_at = now
            await classic.turn_to(session, mint, row, now)
        await accounts.wake_course(session, Kind.VALIDATION, row.id)
        return
    if moved:
        authority = await authorities.competent(session, edit.organisation.country, edit.organisation.postal_code)
        row.authority_id = authority.id if authority else row.authority_id
    await announce(session, PersonChanged(at=now, person_id=row.id))


# ── Deciding about accounts (about requests their process decides) ────────────────────────────────────────────


async def is_account(session: AsyncSession, user_id: str) -> bool:
    """Whether it is an account by now."""
    return await session.get(AccountRow, user_id) is not None


async def act(
    session: AsyncSession,
    mint: Mint,
    actor: Actor,
    user_id: str,
    action: str,
    revision: int,
    reason: str,
    key: str,
    now: datetime,
    keeps_question: bool = False,
) -> None:
    """Reset the password of an account, or delete it; once."""
    if await accounts.told_before(session, key):
        return
    row = await _held(session, actor, user_id, revision)
    assert isinstance(row, AccountRow)
    status = NAMED.get(AccountStatus(row.status), "")
    if action not in MAY.get(status, ()):
        raise Refused("already_decided" if any(action in each for each in MAY.values()) else "unknown_action")
    refuse_unreasoned(action, reason)
    if action == "delete":
        await _delete(session, mint, row, actor, reason.strip(), key, now)
    else:
        if not keeps_question:
            row.question = row.answer_hash = None
        await _reset(session, row, actor, reason.strip(), key, now)


def refuse_unreasoned(action: str, reason: str) -> None:
    """Whoever refuses, resets or deletes says why."""
    if action in REASONED and not reason.strip():
        raise Refused("incomplete", problems=asked_for(["field_needed"], "reason"))


async def _reset(session: AsyncSession, row: AccountRow, actor: Actor, reason: str, key: str, now: datetime) -> None:
    """A temporary password by mail; the old one is put aside, and with it the secret question (guide 004, A16)."""
    row.password_hash = None
    session.add(row)
    await store.end_sessions_of(session, row.id, now, SessionEnd.REVOKED)
    await accounts.journal(session, row.id, now, "reset_password", row.status, row.status, actor, reason, key)
    wish = ResetRow(
        id=str(uuid4()),
        key=key,
        email_key=row.email_key,
        state="ASKED",
        by_authority=True,
        created_at=now,
        due_at=now,
    )
    session.add(wish)
    await session.flush()
    await accounts.wake_course(session, Kind.RESET, wish.id)


async def _delete(
    session: AsyncSession, mint: Mint, row: AccountRow, actor: Actor, reason: str, key: str, now: datetime
) -> None:
    """Closed for good; the address is free again, the name stays beside what was signed."""
    before = row.status
    row.status, row.block_reason, row.due_at, row.warned = AccountStatus.CLOSED, None, None, ""
    row.password_hash = row.question = row.answer_hash = None
    row.email_key = f"closed/{row.id}"
    row.revision += 1
    session.add(row)
    await store.end_sessions_of(session, row.id, now, SessionEnd.REVOKED)
    await accounts.journal(session, row.id, now, "delete", before, row.status, actor, reason, key)
    office = await authorities.view(session, actor.organisation_id)
    facts = {"validator": office.name if office else "", "reason": reason, "revision": row.revision}
    await links.mint(session, mint, Purpose.DELETED, row.id, row.id, now, None, **facts)
    await announce(session, PersonChanged(at=now, person_id=row.id))
    await accounts.wake_course(session, Kind.LIFE, row.id)


async def set_question(
    session: AsyncSession,
    mint: Mint,
    actor: Actor,
    user_id: str,
    new: NewQuestion,
    answer_hash: str,
    key: str,
    now: datetime,
) -> None:
    """A platform administrator sets a new secret question on request; the user and his authority are told."""
    if not await reader(session, actor):
        raise Refused("not_found")
    if await accounts.told_before(session, key):
        return
    row = await session.get(AccountRow, user_id, with_for_update=True)
    if row is None or row.mode != Mode.CLASSIC or row.status == AccountStatus.CLOSED:
        raise Refused("not_found")
    await refuse_stale(session, user_id, new.revision)
    row.question, row.answer_hash = new.question, answer_hash
    session.add(row)
    await accounts.journal(session, row.id, now, "set_question", row.status, row.status, actor, new.reason.strip(), key)
    told: Sequence[str] = await authorities.people(session, row.authority_id) if row.authority_id else ()
    facts = {"username": row.email, "revision": row.revision, "reason": new.reason.strip()}
    await links.mint_for(session, mint, Purpose.QUESTION, dict.fromkeys([row.id, *told]), row.id, now, **facts)
    await accounts.wake_course(session, Kind.LIFE, row.id)
