"""The only queries of this service. Every function takes a session; none opens one, none commits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from sqlalchemy import and_, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, delete
from sqlmodel.ext.asyncio.session import AsyncSession

from services.notifications.letters import Notice
from services.notifications.models import LetterRow, NewsRow, NoticeRow, OrganisationRow, PostRow, State
from shared.contracts.notifications import LetterOrder
from shared.events.directory import Organisation, RoleGranted

ORDERS = UUID("6a2f9a54-7f0f-4c52-9a3a-0f6a8f2f6a10")
"""The namespace that turns the key of an ordered letter into the id its rows carry."""
GATHERS = timedelta(hours=1)
"""Requests that wait are told in one letter an hour at most."""
_CLOSING = timedelta(seconds=10)
"""A letter about to be sent takes in no more."""
_DELIVERING = 0x0B0D_E101
_BODIES_OF = "bodies-of:"
"""Before an organisation's id: whoever certifies it is told once the directory has said who that is."""
_Row = tuple[LetterRow, NoticeRow]


# ── Who is who ────────────────────────────────────────────────────────────────────────────────────────────────


async def remember_organisation(session: AsyncSession, organisation: Organisation, revision: int) -> None:
    """Keep the newest public record; a late older one changes nothing. Whoever certifies it is told what waits."""
    await _order_of_delivery(session, alone=True)
    certified_by = sorted({each.control_body for each in organisation.activities if each.control_body})
    row = {
        "id": organisation.id,
        "name": organisation.name,
        "kind": organisation.kind,
        "country": organisation.country,
        "code": organisation.code,
        "superior": organisation.superior,
        "control_bodies": certified_by,
        "revision": revision,
    }
    wish = insert(OrganisationRow).values(row)
    newer = col(OrganisationRow.revision) <= wish.excluded.revision
    await session.execute(wish.on_conflict_do_update(index_elements=["id"], set_=row, where=newer))
    waiting = await session.execute(
        delete(NoticeRow).where(col(NoticeRow.organisation_id) == _BODIES_OF + organisation.id).returning(NoticeRow)
    )
    for notice in waiting.scalars().all():
        await tell(session, [_told_to(body, notice) for body in certified_by])


async def grant(session: AsyncSession, event: RoleGranted) -> None:
    """A person belongs to an organisation from then on, and gets what it was told since: news overtake each other."""
    await _order_of_delivery(session, alone=True)
    wish = insert(PostRow).values(
        person_id=event.person_id,
        organisation_id=event.organisation_id,
        role_type=event.role_type,
        since=event.at,
    )
    await session.execute(
        wish.on_conflict_do_update(index_elements=["person_id", "organisation_id"], set_={"role_type": event.role_type})
    )
    await session.execute(_HAND_OUT_TO, {"person": event.person_id, "organisation": event.organisation_id})
    await session.execute(_RING)


async def revoke(session: AsyncSession, person_id: str, organisation_id: str) -> None:
    """A person does not belong to an organisation any more; letters to him on its behalf that wait will not be sent."""
    await session.execute(
        delete(PostRow).where(col(PostRow.person_id) == person_id, col(PostRow.organisation_id) == organisation_id)
    )


async def bodies(session: AsyncSession, organisations: Iterable[str]) -> dict[str, list[str]]:
    """The control bodies of these organisations' activities; for one that is not known yet, whoever that will be."""
    await _order_of_delivery(session)
    wanted = list(organisations)
    found = await session.execute(
        select(OrganisationRow.id, OrganisationRow.control_bodies).where(  # type: ignore[call-overload]
            col(OrganisationRow.id).in_(wanted)
        )
    )
    return {each: [_BODIES_OF + each] for each in wanted} | {each: list(named) for each, named in found}


def _told_to(body: str, notice: NoticeRow) -> Notice:
    assert notice.certificate_id
    return Notice(notice.event_id, notice.at, body, notice.letter, notice.mail, notice.certificate_id, notice.facts)


async def names(session: AsyncSession, notices: Iterable[NoticeRow]) -> dict[str, str]:
    """The names of all organisations these notices speak of."""
    wanted = {each for notice in notices for each in _spoken_of(notice)}
    found = await session.execute(
        select(OrganisationRow.id, OrganisationRow.name).where(col(OrganisationRow.id).in_(wanted))  # type: ignore[call-overload]
    )
    return dict(found.tuples().all())


def _spoken_of(notice: NoticeRow) -> set[str]:
    parties: Mapping[str, list[str]] = notice.facts.get("parties") or {}
    named = {each for ids in parties.values() for each in ids}
    named |= {each["organisation"] for each in notice.facts.get("waiting") or ()}
    return {each for each in (*named, notice.facts.get("by"), notice.organisation_id) if each}


# ── Telling ───────────────────────────────────────────────────────────────────────────────────────────────────


_HAND_OUT = """
    WITH told AS (
        SELECT gen_random_uuid() AS id, notice.id AS notice_id, event_id, person_id, letter, at, mail
        FROM notice JOIN post ON post.organisation_id = notice.organisation_id AND since <= at
        WHERE {which}
    ), mailed AS (
        INSERT INTO letter (id, notice_id, event_id, person_id, letter, message_id, state, attempts, next_at)
        SELECT id, notice_id, event_id, person_id, letter, '<' || id || '@letters.bordereau.example>', 'WAITING', 0, at
        FROM told WHERE mail ON CONFLICT DO NOTHING
    )
    INSERT INTO news (id, notice_id, event_id, person_id, letter, at)
    SELECT id, notice_id, event_id, person_id, letter, at FROM told ON CONFLICT DO NOTHING
"""
_HAND_OUT_ALL = text(_HAND_OUT.format(which="event_id = :event"))
_HAND_OUT_TO = text(_HAND_OUT.format(which="person_id = :person AND post.organisation_id = :organisation"))
_RING = text("SELECT pg_notify('letters', '')")


async def tell(session: AsyncSession, told: Sequence[Notice]) -> None:
    """Write down what organisations are told of one event, and a letter and news for each of their people; once."""
    if not told:
        return
    await _order_of_delivery(session)
    rows = [{"id": uuid4(), **vars(notice)} for notice in told]
    await session.execute(insert(NoticeRow).on_conflict_do_nothing(), rows)
    await session.execute(_HAND_OUT_ALL, {"event": told[0].event_id})
    await session.execute(_RING)


async def take_order(session: AsyncSession, order: LetterOrder, now: datetime) -> LetterRow:
    """Write down a letter that a process ordered, once per key; the letter as it stands."""
    event_id = uuid5(ORDERS, order.key)
    notice = {
        "id": uuid4(),
        "event_id": event_id,
        "organisation_id": None,
        "letter": order.letter,
        "at": now,
        "certificate_id": None,
        "facts": {"link_id": order.link_id},
        "mail": True,
    }
    await session.execute(insert(NoticeRow).values(notice).on_conflict_do_nothing())
    ordered = select(NoticeRow.id).where(col(NoticeRow.event_id) == event_id)  # type: ignore[call-overload]
    key = uuid4()
    letter = {
        "id": key,
        "notice_id": (await session.execute(ordered)).scalar_one(),
        "event_id": event_id,
        "person_id": order.person_id,
        "letter": order.letter,
        "message_id": f"<{key}@letters.bordereau.example>",
        "next_at": now,
    }
    await session.execute(insert(LetterRow).values(letter).on_conflict_do_nothing())
    await session.execute(_RING)
    taken: LetterRow = (
        await session.execute(select(LetterRow).where(col(LetterRow.event_id) == event_id))
    ).scalar_one()
    return taken


async def tell_person(
    session: AsyncSession,
    event_id: UUID,
    at: datetime,
    person_id: str,
    letter: str,
    facts: Mapping[str, Any],
    mail: bool = True,
) -> None:
    """Write down what one person is told of himself, whatever his posts; once."""
    notice = {
        "id": uuid4(),
        "event_id": event_id,
        "organisation_id": None,
        "letter": letter,
        "at": at,
        "certificate_id": None,
        "facts": dict(facts),
        "mail": mail,
    }
    await session.execute(insert(NoticeRow).values(notice).on_conflict_do_nothing())
    found = select(NoticeRow.id).where(  # type: ignore[call-overload]
        col(NoticeRow.event_id) == event_id, col(NoticeRow.letter) == letter, col(NoticeRow.organisation_id).is_(None)
    )
    key = uuid4()
    common = {
        "notice_id": (await session.execute(found)).scalar_one(),
        "event_id": event_id,
        "person_id": person_id,
        "letter": letter,
    }
    if mail:
        message = {"id": key, "message_id": f"<{key}@letters.bordereau.example>", "next_at": at}
        await session.execute(insert(LetterRow).values(common | message).on_conflict_do_nothing())
        await session.execute(_RING)
    await session.execute(insert(NewsRow).values(common | {"id": key, "at": at}).on_conflict_do_nothing())


async def gather(
    session: AsyncSession,
    event_id: UUID,
    at: datetime,
    organisation_id: str,
    letter: str,
    facts: Mapping[str, Any],
    waits: Mapping[str, str],
) -> None:
    """Tell an organisation of one more that waits: at once, or together with others an hour after the last letter."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:organisation, 0))"), {"organisation": organisation_id}
    )
    last = (
        await session.execute(
            select(NoticeRow, col(LetterRow.next_at), col(LetterRow.state))
            .join(LetterRow, col(LetterRow.notice_id) == col(NoticeRow.id))
            .where(col(NoticeRow.organisation_id) == organisation_id, col(NoticeRow.letter) == letter)
            .order_by(col(LetterRow.next_at).desc())
            .limit(1)
        )
    ).first()
    if last is not None and last[2] == State.WAITING.value and last[1] > at + _CLOSING:
        notice: NoticeRow = last[0]
        if dict(waits) not in notice.facts["waiting"]:
            waiting = [*notice.facts["waiting"], dict(waits)]
            notice.facts = {**notice.facts, "waiting": waiting, "count": len(waiting)}
        return
    whole = {**facts, "waiting": [dict(waits)], "count": 1}
    await tell(session, [Notice(event_id, at, organisation_id, letter, True, None, whole)])
    if last is not None and last[1] + GATHERS > at:
        mine = select(NoticeRow.id).where(  # type: ignore[call-overload]
            col(NoticeRow.event_id) == event_id, col(NoticeRow.organisation_id) == organisation_id
        )
        await session.execute(
            update(LetterRow)
            .where(col(LetterRow.notice_id).in_(mine), col(LetterRow.letter) == letter)
            .values(next_at=last[1] + GATHERS)
        )


async def _order_of_delivery(session: AsyncSession, alone: bool = False) -> None:
    """Whoever learns of a person and whoever learns of an event see each other's rows, or wait."""
    lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    await session.execute(text(f"SELECT {lock}({_DELIVERING})"))


async def forget_person(session: AsyncSession, person_id: str) -> None:
    """Tell the mailer that what it remembers of a person is out of date."""
    await session.execute(text("SELECT pg_notify('people', :person)"), {"person": person_id})


# ── The mailer ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Outgoing:
    """A letter whose turn it is."""

    letter: LetterRow
    notice: NoticeRow
    belongs: bool
    """Whether the person still has the post for which he was told."""
    inside: tuple[NoticeRow, ...] = ()
    """What a letter that gathers others tells of."""


async def outgoing(session: AsyncSession, now: datetime, limit: int) -> list[Outgoing]:
    """The letters whose turn it is, the longest waiting first."""
    found = await session.execute(
        select(LetterRow, NoticeRow, PostRow.person_id)  # type: ignore[call-overload]
        .join(NoticeRow, col(NoticeRow.id) == col(LetterRow.notice_id))
        .outerjoin(
            PostRow,
            and_(
                col(PostRow.person_id) == col(LetterRow.person_id),
                col(PostRow.organisation_id) == col(NoticeRow.organisation_id),
            ),
        )
        .where(col(LetterRow.state) == State.WAITING.value, col(LetterRow.next_at) <= now)
        .order_by(col(LetterRow.next_at), col(LetterRow.id))
        .limit(limit)
    )
    return [
        Outgoing(letter, notice, person is not None or notice.organisation_id is None)
        for letter, notice, person in found.tuples()
    ]


async def sent(session: AsyncSession, letters: Sequence[UUID], now: datetime) -> None:
    """The mail server has taken them."""
    await _fate(session, letters, state=State.SENT, sent_at=now, reason=None)


async def failed(session: AsyncSession, letter_id: UUID, reason: str) -> None:
    """It will not be sent, and why."""
    await _fate(session, [letter_id], state=State.FAILED, reason=reason)


async def postponed(session: AsyncSession, letter_id: UUID, reason: str, next_at: datetime) -> None:
    """It could not be sent now; when it is tried again."""
    await _fate(session, [letter_id], reason=reason, next_at=next_at)


async def _fate(session: AsyncSession, letters: Sequence[UUID], **fate: Any) -> None:
    await session.execute(
        update(LetterRow).where(col(LetterRow.id).in_(letters)).values(attempts=col(LetterRow.attempts) + 1, **fate)
    )


async def hurry(session: AsyncSession, reason: str, now: datetime) -> None:
    """What stood in the way of these letters is gone: it is their turn now."""
    await session.execute(
        update(LetterRow)
        .where(
            col(LetterRow.state) == State.WAITING.value,
            col(LetterRow.reason) == reason,
            col(LetterRow.next_at) > now,
        )
        .values(next_at=now)
    )


# ── For readers ───────────────────────────────────────────────────────────────────────────────────────────────

Place = tuple[datetime, UUID]
"""Where a page of a list ends: the moment and id of its last row."""


async def news(
    session: AsyncSession, person_id: str, after: Place | None, limit: int
) -> list[tuple[NewsRow, NoticeRow]]:
    """One person's news, newest first."""
    query = (
        select(NewsRow, NoticeRow)
        .join(NoticeRow, col(NoticeRow.id) == col(NewsRow.notice_id))
        .where(col(NewsRow.person_id) == person_id)
        .order_by(col(NewsRow.at).desc(), col(NewsRow.id).desc())
        .limit(limit)
    )
    if after:
        query = query.where(tuple_(col(NewsRow.at), col(NewsRow.id)) < tuple_(*after))
    return [(piece, notice) for piece, notice in (await session.execute(query)).tuples()]


async def unread(session: AsyncSession, person_id: str) -> int:
    """How many pieces of news a person has not read."""
    query = (
        select(func.count())
        .select_from(NewsRow)
        .where(col(NewsRow.person_id) == person_id, col(NewsRow.read_at).is_(None))
    )
    return int((await session.execute(query)).scalar_one())


async def read(
    session: AsyncSession, person_id: str, now: datetime, news_id: UUID | None = None, until: datetime | None = None
) -> int:
    """A person has read one piece of news, or all of them; how many there are of those, read before or not."""
    mine = [col(NewsRow.person_id) == person_id]
    if news_id:
        mine.append(col(NewsRow.id) == news_id)
    if until:
        mine.append(col(NewsRow.at) <= until)
    await session.execute(update(NewsRow).where(*mine, col(NewsRow.read_at).is_(None)).values(read_at=now))
    count = select(func.count()).select_from(NewsRow).where(*mine)
    return int((await session.execute(count)).scalar_one()) if news_id else 0


async def letters(
    session: AsyncSession,
    after: Place | None,
    limit: int,
    organisation_id: str | None = None,
    certificate_id: str | None = None,
    state: State | None = None,
) -> list[_Row]:
    """Letters, newest first; to one organisation, about one certificate, of one fate."""
    query = (
        select(LetterRow, NoticeRow)
        .join(NoticeRow, col(NoticeRow.id) == col(LetterRow.notice_id))
        .order_by(col(LetterRow.created_at).desc(), col(LetterRow.id).desc())
        .limit(limit)
    )
    if organisation_id:
        query = query.where(col(NoticeRow.organisation_id) == organisation_id)
    if certificate_id:
        query = query.where(col(NoticeRow.certificate_id) == certificate_id)
    if state:
        query = query.where(col(LetterRow.state) == state.value)
    if after:
        query = query.where(tuple_(col(LetterRow.created_at), col(LetterRow.id)) < tuple_(*after))
    return [(letter, notice) for letter, notice in (await session.execute(query)).tuples()]


async def fates(session: AsyncSession) -> dict[str, int]:
    """How many letters wait, were sent, failed."""
    found = await session.execute(
        select(LetterRow.state, func.count()).group_by(col(LetterRow.state))  # type: ignore[call-overload]
    )
    return {state.value: 0 for state in State} | dict(found.tuples().all())


async def retry(session: AsyncSession, letter_id: UUID, now: datetime) -> _Row | None:
    """Have a letter that failed or waits tried again at once; None when there is no such letter."""
    letter = await session.get(LetterRow, letter_id, with_for_update=True)
    if letter is None:
        return None
    if letter.state != State.SENT:
        letter.state, letter.next_at, letter.reason = State.WAITING, now, None
        session.add(letter)
        await session.execute(_RING)
    return letter, await session.get_one(NoticeRow, letter.notice_id)
