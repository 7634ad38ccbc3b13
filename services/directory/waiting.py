"""What an organisation is to decide, or was told of, page by page: requests for roles, and proposals.

One thing to remember: the status is said literally, for the indexes of what waits are partial ones.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, cast, func, literal, literal_column, or_, tuple_
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.directory import rules
from services.directory.models import Id, OrganisationRow, ProposalRow, RoleRow
from shared.rules.requests import RoleStatus

REQUESTED: ColumnElement[str] = literal_column(f"'{RoleStatus.REQUESTED}'")
MOST_COUNTED = 1000


async def role_requests(
    session: AsyncSession,
    organisation_id: str,
    administrator: bool,
    *,
    sought: str = "",
    role_type: str = "",
    country: str = "",
    newest_first: bool = False,
    after: tuple[datetime, str] | None = None,
    limit: int = 20,
) -> tuple[Sequence[RoleRow], int]:
    """One page of what an organisation is to decide (or was told of), and how many there are, up to a thousand."""
    conditions: list[ColumnElement[bool]] = [
        col(RoleRow.status) == REQUESTED,
        or_(col(RoleRow.awaited_by).contains([organisation_id]), col(RoleRow.told).contains([organisation_id])),
    ]
    if not administrator:
        conditions.append(col(RoleRow.organisation_id) != organisation_id)
    if role_type:
        conditions.append(col(RoleRow.role_type) == role_type)
    if looked_for := rules.searching(sought):
        conditions.append(col(RoleRow.words).op("@@", is_comparison=True)(cast(looked_for, TSQUERY)))
    if country:
        there = select(OrganisationRow.id).where(
            OrganisationRow.id == RoleRow.organisation_id, OrganisationRow.country == country
        )
        conditions.append(there.exists())
    counted = select(col(RoleRow.id)).where(*conditions).limit(MOST_COUNTED).subquery()
    number = (await session.execute(select(func.count()).select_from(counted))).scalar_one()
    order = tuple_(col(RoleRow.requested_at), col(RoleRow.id))
    query = select(RoleRow).where(*conditions)
    if after:
        place = tuple_(after[0], literal(after[1], Id))
        query = query.where(order < place if newest_first else order > place)
    ways = [col(RoleRow.requested_at), col(RoleRow.id)]
    query = query.order_by(*(way.desc() for way in ways)) if newest_first else query.order_by(*ways)
    return (await session.exec(query.limit(limit))).all(), int(number)


async def changes(
    session: AsyncSession, organisation_id: str, after: tuple[datetime, str] | None = None, limit: int = 20
) -> Sequence[ProposalRow]:
    """One page of the proposals an organisation is to decide, the oldest first."""
    query = select(ProposalRow).where(
        col(ProposalRow.status) == REQUESTED,
        or_(col(ProposalRow.awaited_by).contains([organisation_id]), col(ProposalRow.told).contains([organisation_id])),
    )
    if after:
        query = query.where(
            tuple_(col(ProposalRow.requested_at), col(ProposalRow.id)) > tuple_(after[0], literal(after[1], Id))
        )
    return (await session.exec(query.order_by(col(ProposalRow.requested_at), col(ProposalRow.id)).limit(limit))).all()
