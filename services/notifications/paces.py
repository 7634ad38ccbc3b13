"""When a person wants his letters: at once, gathered into one each morning, or never; each kind for itself.

One thing to remember: the kind of a letter follows from its table. Letters about one's own account are of no
kind: they always come, and at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Final
from uuid import UUID, uuid4, uuid5
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from services.notifications import writing
from services.notifications.batches import ABOUT_BATCHES
from services.notifications.letters import LETTERS
from services.notifications.models import LetterRow, NoticeRow, State
from services.notifications.questions import ABOUT_QUESTIONS
from services.notifications.roles import ABOUT_ROLES
from services.notifications.store import ORDERS, Outgoing
from services.notifications.writing import Reader
from shared.contracts.notifications import Pace, Topic
from shared.events.certificates import CertificateClockRang

DIGEST: Final = "daily-digest"
MORNING: Final = time(7)
TOPIC: Final[Mapping[str, Topic]] = {
    **dict.fromkeys(ABOUT_ROLES, Topic.ROLES),
    **dict.fromkeys(ABOUT_BATCHES, Topic.BATCHES),
    **dict.fromkeys(ABOUT_QUESTIONS, Topic.CERTIFICATES),
    **{row.letter: Topic.REMINDERS for row in LETTERS if row.event is CertificateClockRang},
    **{row.letter: Topic.CERTIFICATES for row in LETTERS if row.event is not CertificateClockRang},
}
"""Letter -> its kind."""


def pace_of(letter: str, notify: Mapping[str, str]) -> Pace:
    """When this person wants this letter."""
    topic = TOPIC.get(letter)
    return Pace(notify.get(topic, Pace.NOW)) if topic else Pace.NOW


def next_morning(now: datetime, zone: str) -> datetime:
    """The next seven o'clock where the person is."""
    try:
        there = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        there = ZoneInfo("UTC")
    here = now.astimezone(there)
    morning = datetime.combine(here.date(), MORNING, there)
    morning = morning if morning > here else datetime.combine(here.date() + timedelta(days=1), MORNING, there)
    return morning.astimezone(UTC)


async def hold(session: AsyncSession, letter_id: UUID, until: datetime) -> None:
    """Keep a letter for the next morning's digest."""
    await session.exec(update(LetterRow).where(col(LetterRow.id) == letter_id).values(state=State.HELD, next_at=until))


async def drop(session: AsyncSession, letter_id: UUID) -> None:
    """The person does not want letters of this kind; his news in the portal stay."""
    await session.exec(update(LetterRow).where(col(LetterRow.id) == letter_id).values(state=State.UNWANTED))


_DUE = text(
    """
    SELECT letter.id, letter.person_id FROM letter JOIN notice ON notice.id = letter.notice_id
    WHERE letter.state = 'HELD' AND letter.next_at <= :now AND (notice.organisation_id IS NULL OR EXISTS (
        SELECT 1 FROM post
        WHERE post.person_id = letter.person_id AND post.organisation_id = notice.organisation_id))
    ORDER BY letter.person_id, letter.next_at, notice.at, letter.id LIMIT 1000
    """
)


async def gather(session: AsyncSession, now: datetime) -> None:
    """Make one letter of those that waited for this morning, for each person."""
    waiting: dict[str, list[UUID]] = {}
    for letter_id, person_id in (await session.execute(_DUE, {"now": now})).all():
        waiting.setdefault(person_id, []).append(letter_id)
    for person_id, ids in waiting.items():
        event_id = uuid5(ORDERS, f"{DIGEST}/{ids[0]}")
        facts = {"letters": [str(each) for each in ids], "path": "/news"}
        notice = NoticeRow(
            event_id=event_id, organisation_id=None, letter=DIGEST, at=now, certificate_id=None, facts=facts, mail=True
        )
        session.add(notice)
        await session.flush()
        key = uuid4()
        letter = {"id": key, "notice_id": notice.id, "event_id": event_id, "person_id": person_id, "letter": DIGEST,
                  "message_id": f"<{key}@letters.bordereau.example>", "next_at": now}  # fmt: skip
        await session.execute(insert(LetterRow).values(letter))
        await session.exec(update(LetterRow).where(col(LetterRow.id).in_(ids)).values(state=State.GATHERED))


async def filled(session: AsyncSession, turn: Sequence[Outgoing]) -> list[Outgoing]:
    """The letters whose turn it is, each digest with what it gathers."""
    return [
        replace(each, inside=await _inside(session, each.notice)) if each.letter.letter == DIGEST else each
        for each in turn
    ]


async def _inside(session: AsyncSession, notice: NoticeRow) -> tuple[NoticeRow, ...]:
    ids = [UUID(each) for each in notice.facts["letters"]]
    found = await session.exec(
        select(LetterRow.id, NoticeRow)
        .join(NoticeRow, col(NoticeRow.id) == col(LetterRow.notice_id))
        .where(col(LetterRow.id).in_(ids))
    )
    by_id = dict(found.all())
    return tuple(by_id[each] for each in ids if each in by_id)


def summed_up(inside: Sequence[NoticeRow], names: Mapping[str, str], reader: Reader, portal: str) -> dict[str, object]:
    """What a digest says: each letter's subject, and where it leads."""
    lines = []
    for each in inside:
        mine = replace(reader, organisation_id=each.organisation_id)
        path = each.facts.get("path") or f"/certificates/{each.certificate_id}"
        lines.append({"name": writing.headline(each.letter, each.facts, names, mine), "url": portal + path})
    return {"requests": lines, "count": len(lines)}
