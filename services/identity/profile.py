"""The paper of DetailsChange: a new name or address, confirmed by mail to every address it concerns; and word of what a
person changed about how he signs in.

One thing to remember: nothing changes before each letter's link was followed; the old name and address stand.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity import accounts, links
from services.identity.links import Mint, Purpose
from services.identity.models import AccountRow, ChangeRow, LinkRow
from services.identity.rules import AccountStatus, email_key
from shared.contracts.identity import ChangeView, Course, DetailsWish, Kind, Rung, Tick
from shared.events.identity import PersonChanged
from shared.kit.outbox import announce
from shared.kit.process import Surroundings
from shared.rules import lengths
from shared.rules.refusals import Refused

ASKED, DONE, EXPIRED, SUPERSEDED = "ASKED", "DONE", "EXPIRED", "SUPERSEDED"
OVER: Final = "confirmation links dead"
CHANGES_AN_HOUR: Final = 5
LINKS: Final = (Purpose.NEW_ADDRESS, Purpose.OLD_ADDRESS)


async def asked(
    session: AsyncSession, mint: Mint, account: AccountRow, wish: DetailsWish, now: datetime, key: str
) -> ChangeRow | None:
    """A person asks for another name or address: letters go out, and nothing changes yet. None: there is no change."""
    moved = email_key(wish.email) != account.email_key
    row = ChangeRow(
        id=str(uuid4()),
        key=key,
        person_id=account.id,
        state=ASKED,
        first_name=wish.first_name,
        last_name=wish.last_name,
        username=wish.username or None,
        email=wish.email if moved else None,
        created_at=now,
        due_at=now + lengths.time_of("link"),
    )
    if not moved and (row.first_name, row.last_name, row.username) == (
        account.first_name,
        account.last_name,
        account.username,
    ):
        return None
    mine = select(ChangeRow).where(ChangeRow.person_id == account.id, ChangeRow.state != DONE)
    lately = await session.exec(mine.where(col(ChangeRow.created_at) > now - timedelta(hours=1)))
    if len(lately.all()) >= CHANGES_AN_HOUR:
        raise Refused("too_many_attempts")
    if not await _written(session, row):
        return row
    older = await session.exec(mine.where(col(ChangeRow.over).is_(False), ChangeRow.id != row.id))
    for each in older.all():
        each.state, each.over, each.due_at = SUPERSEDED, True, None
        session.add(each)
        await links.end(session, each.id, now)
        await accounts.wake_course(session, Kind.CHANGE, each.id)
    facts = {"full_name": f"{row.first_name} {row.last_name}", "address": row.email or account.email}
    await links.mint(session, mint, Purpose.OLD_ADDRESS, account.id, row.id, now, None, **facts)
    if row.email and await _is_free(session, row.email, account.id):
        await links.mint(session, mint, Purpose.NEW_ADDRESS, account.id, row.id, now, None, email=row.email, **facts)
    await accounts.journal(session, account.id, now, "ask_details")
    await accounts.wake_course(session, Kind.CHANGE, row.id)
    return row


async def opened(session: AsyncSession, secret: str, now: datetime) -> tuple[LinkRow, ChangeRow]:
    """The change behind a link in one of its letters; refused ``link_expired`` when it is over."""
    link = await links.by_secret(session, secret)
    if link is None or link.purpose not in LINKS:
        raise Refused("link_expired")
    links.good(link, now, Purpose(link.purpose))
    row = await session.get(ChangeRow, link.course_id, with_for_update=True)
    if row is None or row.over:
        raise Refused("link_expired")
    return link, row


async def confirmed(session: AsyncSession, mint: Mint, secret: str, now: datetime) -> bool:
    """A link was followed and the button pressed; true when it was the last one, and the change is made."""
    link, row = await opened(session, secret, now)
    await links.clicked(session, link, now)
    row.confirmed = sorted({*row.confirmed, link.purpose})
    session.add(row)
    needed = {Purpose.OLD_ADDRESS, Purpose.NEW_ADDRESS} if row.email else {Purpose.OLD_ADDRESS}
    if not needed <= set(row.confirmed):
        return False
    account = await session.get_one(AccountRow, row.person_id, with_for_update=True)
    if account.status == AccountStatus.CLOSED:
        raise Refused("link_expired")
    former = account.email
    if row.email:
        await accounts.lock_address(session, email_key(row.email))
        if not await _is_free(session, row.email, account.id):
            raise Refused("link_expired")
        account.email, account.email_key = row.email, email_key(row.email)
    account.first_name, account.last_name, account.username = row.first_name, row.last_name, row.username
    account.revision += 1
    session.add(account)
    row.state, row.over, row.due_at = DONE, True, None
    await links.end(session, row.id, now)
    await accounts.journal(session, account.id, now, "change_details")
    await announce(session, PersonChanged(at=now, person_id=account.id))
    facts = {"full_name": f"{row.first_name} {row.last_name}", "address": account.email}
    await links.mint(session, mint, Purpose.DETAILS_CHANGED, account.id, row.id, now, None, **facts)
    if row.email:
        await tell(
            session, mint, account.id, None, now, f"{row.id}-old", Purpose.DETAILS_CHANGED, email=former, **facts
        )
    await accounts.wake_course(session, Kind.CHANGE, row.id)
    return True


def seen(row: ChangeRow, account: AccountRow) -> ChangeView:
    """What will change, for the page behind the link."""
    return ChangeView(
        former_name=f"{account.first_name} {account.last_name}".strip(),
        former_email=account.email,
        name=f"{row.first_name} {row.last_name}".strip(),
        email=row.email or account.email,
    )


async def tell(
    session: AsyncSession,
    mint: Mint,
    person_id: str,
    cause: str | None,
    now: datetime,
    key: str,
    purpose: Purpose = Purpose.FACTOR,
    **facts: str,
) -> None:
    """A letter that says what was changed about somebody's account, once per key."""
    row = ChangeRow(id=str(uuid4()), key=key, person_id=person_id, state=DONE, over=True, created_at=now)
    if await _written(session, row):
        said = facts | ({"cause": cause} if cause else {})
        await links.mint(session, mint, purpose, person_id, row.id, now, None, **said)
        await accounts.wake_course(session, Kind.CHANGE, row.id)


async def tell_of(around: Surroundings, mint: Mint, person_id: str, cause: str) -> None:
    """The same, in a transaction of its own."""
    async with around.database.transaction() as session:
        await tell(session, mint, person_id, cause, around.now(), uuid4().hex)


async def _written(session: AsyncSession, row: ChangeRow) -> bool:
    wish = insert(ChangeRow).values(row.model_dump()).on_conflict_do_nothing().returning(col(ChangeRow.id))
    return (await session.execute(wish)).scalar_one_or_none() is not None


async def _is_free(session: AsyncSession, email: str, person_id: str) -> bool:
    taken = await session.exec(
        select(AccountRow.id).where(AccountRow.email_key == email_key(email), AccountRow.id != person_id)
    )
    return taken.first() is None


# ── For the process ───────────────────────────────────────────────────────────────────────────────────────────


async def look(session: AsyncSession, change_id: str) -> Course:
    """The change as it stands, with the letters that are to be on their way."""
    row = await session.get(ChangeRow, change_id)
    if row is None:
        return Course(Kind.CHANGE, change_id, EXPIRED, over=True)
    live = [each for each in await links.of_course(session, row.id) if each.ended_at is None]
    return Course(
        Kind.CHANGE,
        row.id,
        row.state,
        over=row.over,
        due=Tick(OVER, row.due_at) if row.due_at and not row.over else None,
        letters=tuple(links.letter(each) for each in live),
        awaited="" if row.over else "The person is to follow the link in each of his letters.",
    )


async def ring(session: AsyncSession, rung: Rung, now: datetime) -> Course:
    """The time is over: name and address stay as they were."""
    row = await session.get(ChangeRow, rung.id, with_for_update=True)
    if row is not None and not row.over and row.due_at is not None and row.due_at <= now:
        row.state, row.over, row.due_at = EXPIRED, True, None
        await links.end(session, row.id, now)
        session.add(row)
    return await look(session, rung.id)


async def late(session: AsyncSession, now: datetime) -> list[str]:
    """Changes whose clock should have rung a while ago."""
    rows = await session.exec(
        select(ChangeRow.id)
        .where(col(ChangeRow.over).is_(False), col(ChangeRow.due_at) < now - timedelta(minutes=2))
        .limit(200)
    )
    return list(rows.all())
