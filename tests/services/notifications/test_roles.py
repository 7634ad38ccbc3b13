"""Letters about roles: who is told what, requests gathered into one letter, digests as they were approved."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.notifications import writing
from services.notifications.roles import ROLE_LETTERS, WAITING, is_told, tell
from services.notifications.writing import TEMPLATES, Reader
from shared.events.directory import ActivityEnding, RoleGranted, RoleRequested, RoleWithdrawn
from shared.kit.db import Database
from tests.services.conftest import NOON, DatabaseOf

DIGESTS = Path(__file__).parent / "digests"


def requested(number: int, at: datetime = NOON) -> RoleRequested:
    """A request that two desks may decide."""
    return RoleRequested(
        at=at,
        role_id=f"role-{number}",
        person_id=f"person-{number}",
        organisation_id="garonne",
        role_type="OPERATOR",
        concerns=["inao"],
    )


async def rows(database: Database, query: str) -> list[Any]:
    """What a query finds."""
    from sqlalchemy import text

    async with database.transaction() as session:
        return list((await session.execute(text(query))).all())


@pytest.fixture
async def base(database: DatabaseOf) -> Database:
    """A database in which one person works for INAO."""
    made = await database("notifications")
    async with made.transaction() as session:
        from services.notifications import store

        granted = RoleGranted(
            at=NOON - timedelta(days=9), person_id="paul", organisation_id="inao", role_type="AUTHORITY"
        )
        await store.grant(session, granted)
    return made


async def test_the_first_request_is_told_at_once_and_the_next_are_gathered(base: Database) -> None:
    for number in range(5):
        async with base.transaction() as session:
            await tell(session, requested(number, NOON + timedelta(minutes=number)))
    query = f"""SELECT n.facts->'count', l.next_at FROM letter l JOIN notice n ON n.id = l.notice_id
        WHERE l.letter = '{WAITING}' AND person_id = 'paul' ORDER BY next_at"""
    assert await rows(base, query) == [(1, NOON), (4, NOON + timedelta(hours=1))]
    again = requested(4, NOON + timedelta(minutes=4))
    async with base.transaction() as session:
        await tell(session, again)
    assert await rows(base, query) == [(1, NOON), (4, NOON + timedelta(hours=1))]


async def test_the_applicant_is_told_although_he_belongs_nowhere(base: Database) -> None:
    async with base.transaction() as session:
        await tell(session, requested(1))
    told = await rows(base, "SELECT person_id, letter FROM news ORDER BY letter")
    assert told == [("paul", WAITING), ("person-1", "role-requested")]


def test_every_row_has_its_letter() -> None:
    assert all((TEMPLATES / row.letter / "body.txt").exists() for row in ROLE_LETTERS)


def test_not_everything_is_news() -> None:
    row = next(row for row in ROLE_LETTERS if row.event is RoleGranted)
    granted = RoleGranted(at=NOON, person_id="x", organisation_id="y", role_type="OPERATOR")
    assert not is_told(row, granted)
    assert is_told(row, granted.model_copy(update={"validated": True}))
    row = next(row for row in ROLE_LETTERS if row.event is RoleWithdrawn)
    withdrawn = RoleWithdrawn(at=NOON, role_id="r", person_id="x", organisation_id="y", role_type="OPERATOR", by="inao")
    assert is_told(row, withdrawn)
    assert not is_told(row, withdrawn.model_copy(update={"concerns": ["inao"]}))
    ended = ActivityEnding(at=NOON, organisation_id="y", activity="RFL", valid_to=NOON.date(), days=0)
    assert [row.letter for row in ROLE_LETTERS if row.event is ActivityEnding and is_told(row, ended)] == [
        "activity-ended"
    ]


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("number", [1, 2, 500])
def test_a_digest_reads_as_approved(number: int, language: str) -> None:
    waiting = [
        {"name": f"Opérateur {each}", "url": f"https://bordereau.example/requests/{each}"} for each in range(number)
    ]
    facts = {"count": number, "requests": waiting, "path": "/requests", "parties": {}}
    reader = Reader(language, "Europe/Paris", "Paul Renaud", "inao")
    written = writing.letter(
        WAITING, facts, {"inao": "INAO"}, reader, "https://bordereau.example/requests", "contact@bordereau.example"
    )
    file = DIGESTS / f"{number}.{language}.txt"
    said = f"{written.subject}\n\n{written.text}"
    assert said == file.read_text()
    assert all(each["url"] in written.html for each in waiting)
