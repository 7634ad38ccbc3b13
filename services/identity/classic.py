"""The paper of AccountValidation: a classic request from its form to the authority's decision (guides 003, 004).

One thing to remember: there is no account before VALID, so there is nothing to sign in to. Password and answer lie as
hashes in the request, and are gone with it when it is refused, expires or is disowned.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity import accounts, authorities, creations, links
from services.identity.links import Mint, Purpose
from services.identity.models import AccountRow, OrganisationRow, PostRow, RegistrationRow
from services.identity.rules import Mode, RegistrationState, asked_for, email_key
from shared.contracts.identity import Course, Kind, Rung, Step, Taken, Tick
from shared.contracts.users import ClassicRegistration
from shared.kit.calendar import is_working_day
from shared.rules import lengths
from shared.rules.actor import Actor
from shared.rules.refusals import Refused
from shared.rules.requests import next_due

REMINDED: Final = "confirmation reminded"
TOLD: Final = "authority told"
VALIDATOR_REMINDED, ESCALATED, EXPIRED = "validator_reminded", "escalated", "expired"
GATHERED: Final = timedelta(hours=1)
"""No authority gets new requests told more often; those that come meanwhile stand in the next letter."""
_S = RegistrationState
OPEN: Final = (_S.NEW, _S.CONFIRMED)


async def born(
    session: AsyncSession,
    form: ClassicRegistration,
    password_hash: str,
    answer_hash: str,
    key: str,
    proof: str,
    now: datetime,
) -> str:
    """Take the form: a row, and its process woken; whether the address is known is found out later."""
    row = RegistrationRow(
        id=str(uuid4()),
        key=key,
        proof=proof,
        mode=Mode.CLASSIC,
        state=_S.ASKED,
        first_name=form.first_name,
        last_name=form.last_name,
        email=form.email,
        email_key=email_key(form.email),
        language=form.language,
        html=form.html,
        password_hash=password_hash,
        question=form.question,
        answer_hash=answer_hash,
        details={"organisation": form.organisation.model_dump(), "reach": form.reach.model_dump()},
        created_at=now,
        entered_at=now,
        due_at=now,
    )
    return await creations.born_as(session, row, Kind.VALIDATION)


async def look(session: AsyncSession, mint: Mint, registration_id: str, now: datetime) -> Course:
    """The request as it stands; at the first look it is found out whether the address is known."""
    row = await creations.row_of(session, registration_id, lock=True)
    if row is None:
        return _gone(registration_id)
    if row.state == _S.ASKED:
        await _begin(session, mint, row, now)
    return await course(session, row)


def _gone(registration_id: str, revision: int = 0) -> Course:
    return Course(Kind.VALIDATION, registration_id, _S.EXPIRED, revision, over=True)


async def _begin(session: AsyncSession, mint: Mint, row: RegistrationRow, now: datetime) -> None:
    """A known address or a new one? One open request or account for each: here the older one counts.

    Whoever confirms a request makes its password the account's. If a later form could take an earlier one's place, a
    stranger's form would reach its owner just while he waits for the letter about his own.
    """
    await accounts.lock_address(session, row.email_key)
    known = (await session.exec(select(AccountRow.id).where(AccountRow.email_key == row.email_key))).one_or_none()
    waiting = await session.exec(
        select(RegistrationRow.id).where(
            RegistrationRow.email_key == row.email_key,
            RegistrationRow.mode == Mode.CLASSIC,
            RegistrationRow.id != row.id,
            col(RegistrationRow.over).is_(False),
            col(RegistrationRow.state).in_(OPEN),
        )
    )
    row.account_id = known or waiting.first()
    may_write = await creations.letters_lately(session, row.email_key, now) < creations.LETTERS_AN_HOUR
    if row.account_id:
        row.state = _S.KNOWN
        row.password_hash = row.answer_hash = None
        if may_write:
            await links.mint(session, mint, Purpose.EXISTS, row.account_id, row.id, now)
    else:
        row.state = _S.NEW
        await creations.supersede(session, row, now)
        authority = await authorities.competent(session, *_place(row))
        row.authority_id = authority.id if authority else None
        if may_write:
            await links.mint(session, mint, Purpose.CONFIRMATION, row.id, row.id, now)
    row.revision += 1
    await accounts.journal(session, row.id, now, "register", None, row.state)
    session.add(row)


def _place(row: RegistrationRow) -> tuple[str, str]:
    where = row.details["organisation"]
    return where["country"], where["postal_code"]


# ── The letter is answered ────────────────────────────────────────────────────────────────────────────────────


async def confirm(session: AsyncSession, mint: Mint, taken: Taken, now: datetime) -> Course:
    """Whoever got the letter says that the request is his, or that it is not; once."""
    step, key = taken.step, bare(taken.key)
    row = await creations.row_of(session, step.id, lock=True)
    if row is None:
        if await accounts.told_before(session, key):
            return _gone(step.id)
        raise Refused("link_expired")
    if await accounts.told_before(session, key):
        return await course(session, row)
    link = await links.get(session, step.link_id or "")
    if row.over or row.state != _S.NEW or link is None or link.course_id != row.id or link.ended_at:
        raise Refused("link_expired")
    if step.good_until is None or now >= step.good_until:
        raise Refused("link_expired")
    if step.name == "disown":
        await accounts.journal(session, row.id, now, "disown", row.state, _S.EXPIRED, key=key)
        await creations.forget(session, row.id)
        return _gone(row.id, row.revision + 1)
    await _enter(session, row, _S.CONFIRMED, now)
    await accounts.journal(session, row.id, now, "confirm", _S.NEW, row.state, key=key)
    await links.end(session, row.id, now)
    await turn_to(session, mint, row, now)
    return await course(session, row)


def bare(key: str) -> str:
    """The order's key without the number of the attempt."""
    return key.partition("~")[0]


async def _enter(session: AsyncSession, row: RegistrationRow, state: RegistrationState, now: datetime) -> None:
    row.state, row.entered_at, row.rung = state, now, []
    row.revision += 1
    session.add(row)


# ── Whoever decides is told ───────────────────────────────────────────────────────────────────────────────────


async def turn_to(session: AsyncSession, mint: Mint, row: RegistrationRow, now: datetime) -> None:
    """Whose turn it is by the establishment's address; its people are told, unless they were told a moment ago."""
    authority = await authorities.competent(session, *_place(row))
    row.authority_id, row.above_id = (authority.id if authority else None), None
    row.rung = []
    if authority is not None:
        await session.refresh(authority, with_for_update=True)
        if authority.told_at is None or authority.told_at <= now - GATHERED:
            await _tell(session, mint, row, authority, Purpose.REQUESTS, now)
            row.rung = [TOLD]
    session.add(row)


async def _tell(
    session: AsyncSession,
    mint: Mint,
    row: RegistrationRow,
    authority: OrganisationRow,
    purpose: Purpose,
    now: datetime,
    validator: str = "",
) -> None:
    """A letter to each of an authority's people; which requests stand in it is found out while it is written."""
    who = await authorities.people(session, authority.id)
    await links.mint_for(session, mint, purpose, who, row.id, now, authority=row.authority_id, validator=validator)
    if purpose == Purpose.REQUESTS:
        authority.told_at = now
        session.add(authority)


# ── The clocks ────────────────────────────────────────────────────────────────────────────────────────────────


async def course(session: AsyncSession, row: RegistrationRow) -> Course:
    """What the process needs to remember of it."""
    live = [each for each in await links.of_course(session, row.id) if each.ended_at is None]
    due = None if row.over else await _due(session, row)
    row.due_at = due.at if due else None
    session.add(row)
    return Course(
        Kind.VALIDATION,
        row.id,
        row.state,
        row.revision,
        row.over,
        due,
        tuple(links.letter(each) for each in live),
        _AWAITED.get(RegistrationState(row.state), ""),
    )


_AWAITED: Final = {
    _S.NEW: "The person is to confirm the request by the link in his letter.",
    _S.CONFIRMED: "The competent authority is to activate the account or to refuse it.",
    _S.KNOWN: "The address has an account or an open request; its owner is told by letter.",
}


async def _due(session: AsyncSession, row: RegistrationRow) -> Tick | None:
    if row.state != _S.CONFIRMED:
        reminder, end = lengths.time_of("confirmation_reminder"), lengths.time_of("confirmation")
        if row.state == _S.NEW and REMINDED not in row.rung and reminder < end:
            return Tick(REMINDED, row.created_at + reminder)
        return Tick(creations.FORGOTTEN, row.created_at + end)
    authority = await session.get(OrganisationRow, row.authority_id) if row.authority_id else None
    if authority is not None and TOLD not in row.rung:
        return Tick(TOLD, (authority.told_at or row.entered_at) + GATHERED)
    country = (authority and authority.country) or _place(row)[0]
    found = next_due(authorities.local(authority, row.entered_at), None, row.rung, country, is_working_day)
    return Tick(*found) if found else None


async def ring(session: AsyncSession, mint: Mint, rung: Rung, now: datetime) -> Course:
    """A clock of a request has run out: a reminder, word to the authority above, or the end."""
    row = await creations.row_of(session, rung.id, lock=True)
    if row is None:
        return _gone(rung.id)
    present = await course(session, row)
    due = present.due
    if due is None or due.name != rung.due.name or due.at > now:
        return present
    row.rung = [*row.rung, due.name]
    row.revision += 1
    authority = await session.get(OrganisationRow, row.authority_id, with_for_update=True) if row.authority_id else None
    if due.name == creations.FORGOTTEN:
        await accounts.journal(session, row.id, now, "forget", row.state, _S.EXPIRED)
        await creations.forget(session, row.id)
        return _gone(row.id, row.revision)
    if due.name == REMINDED:
        left = row.created_at + lengths.time_of("confirmation") - now
        await links.end(session, row.id, now)
        await links.mint(session, mint, Purpose.RECONFIRMATION, row.id, row.id, now, left)
    elif due.name == EXPIRED:
        await _close(session, row, _S.EXPIRED, now)
        await links.mint(session, mint, Purpose.EXPIRED, row.id, row.id, now)
    elif authority is not None:
        await _remind(session, mint, row, authority, due.name, now)
    if due.name not in (REMINDED, TOLD):
        await accounts.journal(session, row.id, now, due.name, _S.CONFIRMED, row.state)
    session.add(row)
    return await course(session, row)


async def _remind(
    session: AsyncSession, mint: Mint, row: RegistrationRow, authority: OrganisationRow, clock: str, now: datetime
) -> None:
    """New requests, or old ones, are told to those who decide; in the end to those above them."""
    if clock == ESCALATED:
        above = await authorities.above(session, authority)
        if above is not None:
            row.above_id = above.id
            await _tell(session, mint, row, above, Purpose.LATE_REQUESTS, now, authority.name)
    elif clock == VALIDATOR_REMINDED or authority.told_at is None or authority.told_at <= row.entered_at:
        await _tell(session, mint, row, authority, Purpose.REQUESTS, now)


# ── The decision ──────────────────────────────────────────────────────────────────────────────────────────────


async def decide(session: AsyncSession, mint: Mint, taken: Taken, now: datetime) -> Course:
    """The competent authority (or the one above, once it was told) activates or refuses; once."""
    step, key = taken.step, bare(taken.key)
    row = await creations.row_of(session, step.id, lock=True)
    if row is None or row.mode != Mode.CLASSIC:
        raise Refused("not_found")
    decider = await decider_of(session, step.actor, row)
    if await accounts.told_before(session, key):
        return await course(session, row)
    if row.over or row.state != _S.CONFIRMED:
        raise Refused("already_decided", status=row.state)
    if step.name == "activate":
        await _activate(session, mint, row, step, key, now)
    elif step.name == "refuse":
        if not step.reason.strip():
            raise Refused("incomplete", problems=asked_for(["field_needed"], "reason"))
        await accounts.journal(
            session, row.id, now, "refuse", row.state, _S.REFUSED, step.actor, step.reason.strip(), key
        )
        await _close(session, row, _S.REFUSED, now)
        await links.mint(
            session, mint, Purpose.REFUSED, row.id, row.id, now, validator=decider.name, reason=step.reason.strip()
        )
    else:
        raise Refused("unknown_action", action=step.name)
    return await course(session, row)


async def decider_of(session: AsyncSession, actor: Actor | None, row: RegistrationRow | AccountRow) -> OrganisationRow:
    """The authority somebody decides for, if this user is in its territory; for others there is nothing here."""
    territory = {row.authority_id, row.above_id if isinstance(row, RegistrationRow) else None}
    if actor is None or actor.organisation_id not in territory or actor.person_id == row.id:
        raise Refused("not_found")
    if await session.get(PostRow, (actor.person_id, actor.organisation_id)) is None:
        raise Refused("not_found")
    return await session.get_one(OrganisationRow, actor.organisation_id)


async def _activate(
    session: AsyncSession, mint: Mint, row: RegistrationRow, step: Step, key: str, now: datetime
) -> None:
    await accounts.lock_address(session, row.email_key)
    if (await session.exec(select(AccountRow.id).where(AccountRow.email_key == row.email_key))).first():
        raise Refused("already_exists")
    account = await accounts.activate(session, row, now, key, step.actor)
    account.authority_id = row.authority_id
    session.add(account)
    await _close(session, row, _S.DONE, now)
    await links.mint(session, mint, Purpose.ACTIVATED, row.id, row.id, now, username=row.email)


async def _close(session: AsyncSession, row: RegistrationRow, state: RegistrationState, now: datetime) -> None:
    rung = row.rung
    await _enter(session, row, state, now)
    row.rung, row.over, row.due_at = rung, True, None
    row.password_hash = row.answer_hash = row.question = None


# ── Forgetting ────────────────────────────────────────────────────────────────────────────────────────────────


async def forget_old(session: AsyncSession, now: datetime) -> None:
    """Requests that came to nothing are forgotten some time after, with all they say of a person."""
    rows = await session.exec(
        select(RegistrationRow.id)
        .where(
            RegistrationRow.mode == Mode.CLASSIC,
            col(RegistrationRow.state).in_((_S.REFUSED, _S.EXPIRED)),
            col(RegistrationRow.over).is_(True),
            col(RegistrationRow.entered_at) < now - lengths.time_of("request_kept"),
        )
        .limit(100)
    )
    for each in rows.all():
        await creations.forget(session, each)
