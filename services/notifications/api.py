"""The HTTP door: a person's news, an organisation's letters, and for ops the fate of all of them."""

import base64
import binascii
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AwareDatetime
from sqlmodel.ext.asyncio.session import AsyncSession

from services.notifications import store, writing
from services.notifications.models import LetterRow, NoticeRow, State
from services.notifications.store import Place
from services.notifications.writing import Reader
from shared.contracts.notifications import LetterPage, LetterView, NewsPage, NewsView, OutboxView
from shared.kit import outbox
from shared.kit.process import Surroundings
from shared.kit.sessions import CurrentActor, CurrentPerson, Person
from shared.rules.refusals import Refused
from shared.rules.roles import RoleType

router = APIRouter()


def _surroundings(request: Request) -> Surroundings:
    around: Surroundings = request.app.state.around
    return around


Around = Annotated[Surroundings, Depends(_surroundings)]


async def _session(around: Around) -> AsyncIterator[AsyncSession]:
    async with around.database.transaction() as session:
        yield session


async def _ops(person: CurrentPerson) -> Person:
    """Whoever may see the fate of letters; to all others there is nothing here."""
    if not any(post.role_type == RoleType.SYS_ADMIN for post in person.posts):
        raise Refused("not_found")
    return person


def _place(after: Annotated[str | None, Query(max_length=200)] = None) -> Place | None:
    """Where the page before ended."""
    if after is None:
        return None
    try:
        at, _, key = base64.urlsafe_b64decode(after.encode()).decode().partition("|")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError(at)
        return moment, UUID(key)
    except (ValueError, binascii.Error):
        raise Refused("invalid", field="after") from None


def _cursor(at: datetime, key: UUID) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{key}".encode()).decode()


CurrentSession = Annotated[AsyncSession, Depends(_session, scope="function")]
Ops = Annotated[Person, Depends(_ops)]
After = Annotated[Place | None, Depends(_place)]
Limit = Annotated[int, Query(ge=1, le=100)]


@router.get("/news", tags=["news"])
async def news(
    person: CurrentPerson, session: CurrentSession, around: Around, after: After, limit: Limit = 30
) -> NewsPage:
    """The person's news, newest first, in his language."""
    rows = await store.news(session, person.person_id, after, limit + 1)
    names = await store.names(session, [notice for _, notice in rows])
    items = []
    for piece, notice in rows[:limit]:
        reader = Reader(person.language, person.time_zone, person.name, notice.organisation_id)
        items.append(
            NewsView(
                id=str(piece.id),
                at=piece.at,
                letter=piece.letter,
                title=writing.headline(piece.letter, notice.facts, names, reader),
                text=writing.gist(piece.letter, notice.facts, names, reader),
                link=around.settings.base_url("portal") + _path(notice),
                certificate_id=notice.certificate_id,
                read=piece.read_at is not None,
            )
        )
    more = _cursor(rows[limit - 1][0].at, rows[limit - 1][0].id) if len(rows) > limit else None
    return NewsPage(items=items, next=more, unread=await store.unread(session, person.person_id))


@router.post("/news/{news_id}/read", tags=["news"], status_code=204, response_class=Response)
async def read(news_id: UUID, person: CurrentPerson, session: CurrentSession, around: Around) -> None:
    """The person has read this; reading twice is reading once."""
    if not await store.read(session, person.person_id, around.now(), news_id):
        raise Refused("not_found")


@router.post("/news/read-all", tags=["news"], status_code=204, response_class=Response)
async def read_all(
    person: CurrentPerson, session: CurrentSession, around: Around, until: AwareDatetime | None = None
) -> None:
    """The person has read everything, or everything up to the newest news he was shown."""
    await store.read(session, person.person_id, around.now(), until=until)


@router.get("/letters", tags=["letters"])
async def letters(
    actor: CurrentActor,
    person: CurrentPerson,
    session: CurrentSession,
    after: After,
    certificate_id: UUID | None = None,
    limit: Limit = 30,
) -> LetterPage:
    """The letters sent to the people of the organisation the person acts for, newest first."""
    rows = await store.letters(
        session, after, limit + 1, actor.organisation_id, str(certificate_id) if certificate_id else None
    )
    names = await store.names(session, [notice for _, notice in rows])
    reader = Reader(person.language, person.time_zone, person.name, actor.organisation_id)
    return _letter_page(
        rows, limit, [writing.headline(letter.letter, notice.facts, names, reader) for letter, notice in rows]
    )


@router.get("/ops/letters", tags=["operations"])
async def fate(
    ops: Ops, session: CurrentSession, after: After, state: State | None = None, limit: Limit = 50
) -> LetterPage:
    """The fate of all letters: which, about which number, whether it arrived. Neither names nor what anybody wrote."""
    rows = await store.letters(session, after, limit + 1, state=state)
    return _letter_page(rows, limit, [_for_ops(letter, notice, ops) for letter, notice in rows])


@router.get("/ops/outbox", tags=["operations"])
async def letter_box(_: Ops, session: CurrentSession) -> OutboxView:
    """How much waits, and what could not be understood (without what it said)."""
    return OutboxView(letters=await store.fates(session), **await outbox.state(session))


@router.post("/ops/letters/{letter_id}/retry", tags=["operations"])
async def retry(letter_id: UUID, ops: Ops, session: CurrentSession, around: Around) -> LetterView:
    """Have a letter tried again at once; one that was sent stays sent."""
    row = await store.retry(session, letter_id, around.now())
    if row is None:
        raise Refused("not_found")
    return _letter(*row, subject=_for_ops(*row, ops))


def _path(notice: NoticeRow) -> str:
    """Where a piece of news leads."""
    return str(notice.facts.get("path") or f"/certificates/{notice.certificate_id}")


def _for_ops(letter: LetterRow, notice: NoticeRow, ops: Person) -> str:
    return writing.nameless(letter.letter, notice.facts, Reader(ops.language, ops.time_zone))


def _letter_page(rows: Sequence[tuple[LetterRow, NoticeRow]], limit: int, subjects: list[str]) -> LetterPage:
    items = [_letter(*row, subject=subject) for row, subject in zip(rows[:limit], subjects, strict=False)]
    more = _cursor(rows[limit - 1][0].created_at, rows[limit - 1][0].id) if len(rows) > limit else None
    return LetterPage(items=items, next=more)


def _letter(letter: LetterRow, notice: NoticeRow, subject: str) -> LetterView:
    return LetterView(
        id=str(letter.id),
        letter=letter.letter,
        subject=subject,
        organisation_id=notice.organisation_id or "",
        certificate_id=notice.certificate_id,
        state=letter.state,
        attempts=letter.attempts,
        reason=letter.reason,
        created_at=letter.created_at,
        sent_at=letter.sent_at,
        message_id=letter.message_id,
    )
