"""What an organisation is to decide, or was told of, page by page: requests for roles, and proposals.

One thing to remember: the status is said literally, for the indexes of what waits are partial ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, cast, func, literal, literal_column, or_, tuple_
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.directory import rules
from services.directory.models import Id, ProposalRow, RoleRow
from shared.rules.requests import RoleStatus

REQUESTED: ColumnElement[str] = literal_column(f"'{RoleStatus.REQUESTED}'")
MOST_COUNTED = 1000
OLDEST, NEWEST, DUE = "oldest", "newest", "due"
"""In which order a list stands: by the day of the request, or by the day until which it should be decided."""


@dataclass(frozen=True)
class Wish:
    """Which of what waits somebody wants to see; what is not said does not matter."""

    text: str = ""
    role_type: str = ""
    kind: str = ""
    country: str = ""
    sort: str = OLDEST
    after: tuple[datetime, str] | None = None
    limit: int = 20


async def role_requests(
    session: AsyncSession, organisation_id: str, administrator: bool, wish: Wish
) -> tuple[Sequence[RoleRow], int]:
    """One page of the requests an organisation may decide or was told of, and how many there are, up to a thousand."""
    more: list[ColumnElement[bool]] = []
    if not administrator:
        more.append(col(RoleRow.organisation_id) != organisation_id)
    if wish.role_type:
        more.append(col(RoleRow.role_type) == wish.role_type)
    return await _page(session, RoleRow, organisation_id, more, wish)


async def changes(session: AsyncSession, organisation_id: str, wish: Wish) -> tuple[Sequence[ProposalRow], int]:
    """One page of the proposals an organisation is to decide or was told of, and how many there are, the same way."""
    more: list[ColumnElement[bool]] = []
    if wish.kind:
        more.append(col(ProposalRow.kind) == wish.kind)
    return await _page(session, ProposalRow, organisation_id, more, wish)


async def _page(
    session: AsyncSession, row: Any, organisation_id: str, more: Sequence[ColumnElement[bool]], wish: Wish
) -> tuple[Sequence[Any], int]:
    conditions = [
        col(row.status) == REQUESTED,
        or_(col(row.awaited_by).contains([organisation_id]), col(row.told).contains([organisation_id])),
        *more,
    ]
    if looked_for := rules.searching(wish.text):
        conditions.append(col(row.words).op("@@", is_comparison=True)(cast(looked_for, TSQUERY)))
    if wish.country:
        conditions.append(col(row.country) == wish.country)
    counted = select(col(row.id)).where(*conditions).order_by(*_oldest_first(row)).limit(MOST_COUNTED).subquery()
    number = (await session.execute(select(func.count()).select_from(counted))).scalar_one()
    by = [placed_by(row, wish.sort), col(row.id)]
    query = select(row).where(*conditions)
    if wish.after:
        place = tuple_(wish.after[0], literal(wish.after[1], Id))
        query = query.where(tuple_(*by) < place if wish.sort == NEWEST else tuple_(*by) > place)
    query = query.order_by(*(way.desc() for way in by)) if wish.sort == NEWEST else query.order_by(*by)
    return (await session.exec(query.limit(wish.limit))).all(), int(number)


def _oldest_first(row: Any) -> tuple[Any, Any]:
    """The order of an index: who counts in it stops at a thousand wherever they stand."""
    return col(row.requested_at), col(row.id)


def placed_by(row: Any, sort: str) -> Any:
    """What a list is sorted by; what awaits an answer of the applicant is due with the request's own end."""
    return func.coalesce(row.due_at, row.requested_at) if sort == DUE else col(row.requested_at)
