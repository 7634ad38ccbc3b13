"""The paper of AccountCreation: a registration from its form to the account it becomes, or to oblivion.

Whether an address is known is looked up here, in the background: the form itself is answered before anybody looks.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity import accounts, links
from services.identity.links import Mint, Purpose
from services.identity.models import AccountRow, ChoiceRow, LinkRow, RegistrationRow
from services.identity.rules import Mode, RegistrationState, email_key
from shared.contracts.identity import Course, Kind, Registration, Rung, Taken, Tick
from shared.kit.outbox import wake
from shared.rules import lengths
from shared.rules.refusals import Refused

LETTERS_AN_HOUR: Final = 5
"""No more letters than this to one address, however often somebody asks for them."""
LINK_DEAD: Final = "password link dead"
FORGOTTEN: Final = "registration forgotten"


async def born(session: AsyncSession, form: Registration, key: str, proof: str, now: datetime) -> str:
    """Take the form: a row, and its process woken. The same key is the same registration; a proof is good once."""
    row = RegistrationRow(
        id=str(uuid4()),
        key=key,
        proof=proof,
        mode=Mode.EU,
        state=RegistrationState.ASKED,
        first_name=form.first_name,
        last_name=form.last_name,
        email=form.email,
        email_key=email_key(form.email),
        username=form.username or None,
        language=form.language,
        created_at=now,
        entered_at=now,
        due_at=now,
    )
    return await born_as(session, row, Kind.CREATION)


async def born_as(session: AsyncSession, row: RegistrationRow, kind: Kind) -> str:
    """Write down a registration, once per key."""
    written = await session.execute(
        insert(RegistrationRow).values(row.model_dump()).on_conflict_do_nothing().returning(col(RegistrationRow.id))
    )
    if written.scalar_one_or_none() is None:
        before = (await session.exec(select(RegistrationRow).where(RegistrationRow.key == row.key))).one_or_none()
        if before is None:
            raise Refused("incomplete", problems=[{"field": "proof", "code": "person_unproved"}])
        if (before.email_key, before.mode) != (row.email_key, row.mode):
            raise Refused("key_reused")
        return before.id
    await accounts.wake_course(session, kind, row.id)
    return row.id


async def want_link(session: AsyncSession, registration_id: str) -> None:
    """Somebody asks for a new link; the paper mints it when it looks."""
    await session.exec(
        update(RegistrationRow)
        .where(col(RegistrationRow.id) == registration_id, col(RegistrationRow.over).is_(False))
        .values(links_wanted=col(RegistrationRow.links_wanted) + 1)
    )
    await wake(session, Kind.CREATION, accounts.workflow_id(Kind.CREATION, registration_id), {
        "kind": Kind.CREATION, "id": registration_id,
    })  # fmt: skip


async def row_of(session: AsyncSession, registration_id: str, lock: bool = False) -> RegistrationRow | None:
    """A registration."""
    return await session.get(RegistrationRow, registration_id, with_for_update=lock or None)


async def look(session: AsyncSession, mint: Mint, registration_id: str, now: datetime) -> Course:
    """The registration as it stands; at the first look it is found out whether the address is known."""
    row = await row_of(session, registration_id, lock=True)
    if row is None:
        return Course(Kind.CREATION, registration_id, RegistrationState.EXPIRED, over=True)
    if row.state == RegistrationState.ASKED:
        await _begin(session, row, now)
    if not row.over and row.links_minted < row.links_wanted:
        await _mint(session, mint, row, now)
    return await course(session, row)


async def _begin(session: AsyncSession, row: RegistrationRow, now: datetime) -> None:
    """A known address or a new one? Of two registrations with one address the newer one counts."""
    await accounts.lock_address(session, row.email_key)
    known = (await session.exec(select(AccountRow.id).where(AccountRow.email_key == row.email_key))).one_or_none()
    classic = (
        await session.exec(
            select(RegistrationRow.id).where(
                RegistrationRow.email_key == row.email_key,
                RegistrationRow.mode == Mode.CLASSIC,
                col(RegistrationRow.over).is_(False),
                col(RegistrationRow.state).in_([RegistrationState.NEW, RegistrationState.CONFIRMED]),
            )
        )
    ).first()
    row.account_id = known or classic
    row.state = RegistrationState.KNOWN if row.account_id else RegistrationState.PENDING_PASSWORD
    if row.state == RegistrationState.PENDING_PASSWORD:
        await supersede(session, row, now)
    row.revision += 1
    await accounts.journal(session, row.id, now, "register", None, row.state)
    session.add(row)


async def supersede(session: AsyncSession, row: RegistrationRow, now: datetime) -> None:
    """Other registrations of the EU-Login kind with this address that wait for a password are over."""
    older = await session.exec(
        select(RegistrationRow).where(
            RegistrationRow.email_key == row.email_key,
            RegistrationRow.mode == Mode.EU,
            RegistrationRow.state == RegistrationState.PENDING_PASSWORD,
            RegistrationRow.id != row.id,
            col(RegistrationRow.over).is_(False),
        )
    )
    for each in older.all():
        await _close(session, each, RegistrationState.SUPERSEDED, now)
        await accounts.wake_course(session, Kind.CREATION, each.id)


async def letters_lately(session: AsyncSession, email_key: str, now: datetime) -> int:
    """How many letters this address was sent within the hour."""
    lately = await session.exec(
        select(func.count())
        .select_from(LinkRow)
        .join(RegistrationRow, col(RegistrationRow.id) == col(LinkRow.course_id))
        .where(RegistrationRow.email_key == email_key, col(LinkRow.minted_at) > now - timedelta(hours=1))
    )
    return lately.one()


async def _mint(session: AsyncSession, mint: Mint, row: RegistrationRow, now: datetime) -> None:
    """The letter that is due, unless this address was sent too many within the hour."""
    row.links_minted = row.links_wanted
    if await letters_lately(session, row.email_key, now) < LETTERS_AN_HOUR:
        if row.state == RegistrationState.KNOWN:
            assert row.account_id is not None
            await links.mint(session, mint, Purpose.EXISTS, row.account_id, row.id, now)
        else:
            made = await links.mint(session, mint, Purpose.PASSWORD, row.id, row.id, now)
            row.rung = [each for each in row.rung if each != LINK_DEAD]
            row.due_at = made.expires_at
    session.add(row)


async def course(session: AsyncSession, row: RegistrationRow) -> Course:
    """What the process needs to remember of it."""
    made = await links.of_course(session, row.id)
    live = [each for each in made if each.ended_at is None]
    due = None if row.over else _due(row, live)
    row.due_at = due.at if due else None
    session.add(row)
    return Course(
        Kind.CREATION,
        row.id,
        row.state,
        row.revision,
        row.over,
        due,
        tuple(links.letter(each) for each in live) if not row.over or row.state == RegistrationState.DONE else (),
        _AWAITED.get(RegistrationState(row.state), ""),
    )


_AWAITED: Final = {
    RegistrationState.PENDING_PASSWORD: "The person is to click the link in his letter and to choose a password.",
    RegistrationState.KNOWN: "The address has an account; its owner is told by letter.",
}


def _due(row: RegistrationRow, live: list[LinkRow]) -> Tick:
    expiring = [each.expires_at for each in live if each.expires_at]
    if expiring and LINK_DEAD not in row.rung:
        return Tick(LINK_DEAD, max(expiring))
    return Tick(FORGOTTEN, row.created_at + lengths.time_of("registration"))


async def confirm(session: AsyncSession, mint: Mint, taken: Taken, now: datetime) -> Course:
    """The password was chosen in time: an account, a line in the journal, word to the others; once."""
    step = taken.step
    row = await row_of(session, step.id, lock=True)
    if row is None:
        raise Refused("link_expired")
    if await accounts.told_before(session, taken.key):
        return await course(session, row)
    link = await links.get(session, step.link_id or "")
    if row.over or row.state != RegistrationState.PENDING_PASSWORD or link is None or link.course_id != row.id:
        raise Refused("link_expired")
    if link.ended_at or step.good_until is None or now >= step.good_until or link.purpose != Purpose.PASSWORD:
        raise Refused("link_expired")
    chosen = await session.get(ChoiceRow, taken.key)
    if chosen is None or chosen.course_id != row.id:
        raise Refused("invalid", field="password")
    await accounts.lock_address(session, row.email_key)
    if (await session.exec(select(AccountRow.id).where(AccountRow.email_key == row.email_key))).one_or_none():
        raise Refused("link_expired")
    row.password_hash = chosen.password_hash
    await accounts.activate(session, row, now, taken.key)
    await _close(session, row, RegistrationState.DONE, now)
    await links.end(session, row.id, now)
    await session.exec(delete(ChoiceRow).where(col(ChoiceRow.course_id) == row.id))
    return await course(session, row)


async def ring(session: AsyncSession, rung: Rung, now: datetime) -> Course:
    """A link has died, or its time is over: the registration is forgotten with all it says of a person."""
    row = await row_of(session, rung.id, lock=True)
    if row is None:
        return Course(Kind.CREATION, rung.id, RegistrationState.EXPIRED, over=True)
    present = await course(session, row)
    if present.due is None or present.due.name != rung.due.name or present.due.at > now:
        return present
    if rung.due.name == LINK_DEAD:
        await links.end(session, row.id, now, Purpose.PASSWORD)
        row.rung = [*row.rung, LINK_DEAD]
    else:
        await accounts.journal(session, row.id, now, "forget", row.state, RegistrationState.EXPIRED)
        await forget(session, row.id)
        return Course(Kind.CREATION, row.id, RegistrationState.EXPIRED, row.revision + 1, over=True)
    session.add(row)
    return await course(session, row)


async def forget(session: AsyncSession, registration_id: str) -> None:
    """Everything a registration said of a person is gone; the journal keeps that there was one."""
    await session.exec(delete(ChoiceRow).where(col(ChoiceRow.course_id) == registration_id))
    await session.exec(delete(LinkRow).where(col(LinkRow.course_id) == registration_id))
    await session.exec(delete(RegistrationRow).where(col(RegistrationRow.id) == registration_id))


async def _close(session: AsyncSession, row: RegistrationRow, state: RegistrationState, now: datetime) -> None:
    row.state, row.over, row.due_at, row.entered_at = state, True, None, now
    row.revision += 1
    row.password_hash = row.answer_hash = None
    if state == RegistrationState.SUPERSEDED:
        await links.end(session, row.id, now)
    session.add(row)


async def late(session: AsyncSession, now: datetime) -> list[tuple[str, str]]:
    """Registrations whose clock should have rung a while ago: their processes are woken."""
    rows = await session.exec(
        select(RegistrationRow.mode, RegistrationRow.id)
        .where(col(RegistrationRow.over).is_(False), col(RegistrationRow.due_at) < now - timedelta(minutes=2))
        .limit(200)
    )
    return [(Kind.CREATION if mode == Mode.EU else Kind.VALIDATION, each) for mode, each in rows.all()]
