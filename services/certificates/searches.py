"""Searches kept under a name: a person's own, and those shared within his organisation."""

from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from pydantic import ValidationError
from sqlalchemy import delete, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates.finding import squeezed
from services.certificates.lists import ListWish
from services.certificates.models import SavedSearchRow
from services.certificates.paper import is_id
from shared.contracts.machines import NewSearch, SearchView
from shared.rules.actor import Actor
from shared.rules.refusals import Refused

MOST = 100
"""Searches one person may keep in one organisation."""
PLACE = {"after", "limit"}
"""Of a list's wishes, what says where one stands in it: not part of a search."""


async def known(session: AsyncSession, actor: Actor) -> list[SearchView]:
    """My searches and those my organisation shares, by name."""
    rows = await session.exec(
        select(SavedSearchRow).where(
            SavedSearchRow.organisation_id == actor.organisation_id,
            or_(col(SavedSearchRow.person_id) == actor.person_id, col(SavedSearchRow.shared)),
        )
    )
    return [_view(row, actor) for row in sorted(rows, key=lambda each: (squeezed(each.name), each.id))]


async def keep(session: AsyncSession, actor: Actor, new: NewSearch, key: str, now: datetime) -> SearchView:
    """Keep a search; the same key keeps it once."""
    query = understood(new.query)
    search_id = str(uuid5(NAMESPACE_OID, f"{actor.person_id} {actor.organisation_id} {key}"))
    row = await session.get(SavedSearchRow, search_id)
    if row is None:
        mine = select(func.count()).where(
            SavedSearchRow.organisation_id == actor.organisation_id, SavedSearchRow.person_id == actor.person_id
        )
        if (await session.exec(mine)).one() >= MOST:
            raise Refused("too_large", field="name", limit=MOST)
        row = SavedSearchRow(
            id=search_id,
            organisation_id=actor.organisation_id,
            person_id=actor.person_id,
            person=actor.name,
            name=new.name.strip(),
            query=query,
            shared=new.shared,
            created_at=now,
        )
        session.add(row)
        await session.flush()
    elif (row.name, row.query, row.shared) != (new.name.strip(), query, new.shared):
        raise Refused("key_reused", field="Idempotency-Key")
    return _view(row, actor)


async def share(session: AsyncSession, actor: Actor, search_id: str, shared: bool) -> SearchView:
    """Share a search of mine with my organisation, or keep it to myself again."""
    row = await _mine(session, actor, search_id)
    row.shared = shared
    return _view(row, actor)


async def drop(session: AsyncSession, actor: Actor, search_id: str) -> None:
    """Give a search of mine up; harmless when it is gone already."""
    if is_id(search_id):
        await session.execute(
            delete(SavedSearchRow).where(
                col(SavedSearchRow.id) == search_id,
                col(SavedSearchRow.organisation_id) == actor.organisation_id,
                col(SavedSearchRow.person_id) == actor.person_id,
            )
        )


def understood(query: dict[str, Any]) -> dict[str, Any]:
    """The wishes of a list without what they leave open; refused when they are none."""
    try:
        wish = ListWish.model_validate(query)
    except ValidationError as trouble:
        first = trouble.errors()[0]
        raise Refused("invalid", field=f"query.{'.'.join(str(each) for each in first['loc'])}") from None
    return wish.model_dump(mode="json", exclude_defaults=True, exclude=PLACE)


async def _mine(session: AsyncSession, actor: Actor, search_id: str) -> SavedSearchRow:
    row = await session.get(SavedSearchRow, search_id) if is_id(search_id) else None
    if row is None or (row.organisation_id, row.person_id) != (actor.organisation_id, actor.person_id):
        raise Refused("not_found")
    return row


def _view(row: SavedSearchRow, actor: Actor) -> SearchView:
    return SearchView(
        id=row.id,
        name=row.name,
        query=row.query,
        shared=row.shared,
        mine=row.person_id == actor.person_id,
        by=row.person,
        created_at=row.created_at,
    )
