"""The search among organisations: by words, numbers and filters, page by page, by name.

One thing to remember: what words and numbers find is gathered before it is sorted; the rest follows an index by name.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, cast, literal, tuple_
from sqlalchemy import select as sa_select
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from services.directory import rules
from services.directory.models import Id, OrganisationRow
from shared.rules.refusals import Refused
from shared.rules.roles import RoleType


@dataclass(frozen=True)
class Search:
    """What somebody looks for; what is not said does not matter."""

    text: str = ""
    country: str | None = None
    kind: str | None = None
    activity: str | None = None
    section: str | None = None
    authority_role: str | None = None
    competence: str | None = None
    recognised_in: str | None = None
    code: str | None = None
    status: str | None = None
    after: str | None = None
    limit: int = 20


async def search(
    session: AsyncSession, wanted: Search, public: bool = False
) -> tuple[Sequence[OrganisationRow], str | None]:
    """One page of the organisations that fit, by name, and the cursor of the next page.

    A search by number shows first whom the number belongs to, and then those who only have it as a part.
    """
    page, exact = page_of(wanted, public)
    rows = (await session.exec(page)).all()
    shown = rows[: wanted.limit]
    return shown, _cursor(shown[-1], exact) if len(rows) > wanted.limit else None


def page_of(wanted: Search, public: bool = False) -> tuple[SelectOfScalar[OrganisationRow], str]:
    """The query of one page, and the number it looks for first."""
    exact = rules.number(wanted.text) if rules.has_number(wanted.text) else ""
    conditions = _fitting(wanted)
    if public:
        conditions.append(col(OrganisationRow.kind) != RoleType.SYS_ADMIN)
    rank = case((col(OrganisationRow.numbers).contains([exact]), 0), else_=1) if exact else None
    few = bool(rules.searching(wanted.text) or wanted.code)
    return (_gathered(wanted, conditions, rank) if few else _named(wanted, conditions)), exact


def _named(wanted: Search, conditions: Sequence[ColumnElement[bool]]) -> SelectOfScalar[OrganisationRow]:
    """One page along an index that is sorted by name: right where much fits."""
    order = (col(OrganisationRow.name_key), col(OrganisationRow.id))
    query = select(OrganisationRow).where(*conditions)
    if wanted.after:
        query = query.where(tuple_(*order) > tuple_(*_opened(wanted.after, ranked=False)))
    return query.order_by(*order).limit(wanted.limit + 1)


def _gathered(
    wanted: Search, conditions: Sequence[ColumnElement[bool]], rank: ColumnElement[int] | None
) -> SelectOfScalar[OrganisationRow]:
    """One page of what words or numbers find: gathered first, sorted then.

    PostgreSQL cannot guess how many rows have a word. Left to itself it walks along the names, through all of them
    where nobody has it; MATERIALIZED keeps it from that.
    """
    place = [] if rank is None else [rank.label("place")]
    key = [*place, col(OrganisationRow.name_key), col(OrganisationRow.id)]
    found = sa_select(*key).where(*conditions).cte("found").prefix_with("MATERIALIZED")
    order = tuple(found.c)
    page = sa_select(found.c.id)
    if wanted.after:
        page = page.where(tuple_(*order) > tuple_(*_opened(wanted.after, ranked=rank is not None)))
    ids = page.order_by(*order).limit(wanted.limit + 1).scalar_subquery()
    again = [] if rank is None else [rank]
    query = select(OrganisationRow).where(col(OrganisationRow.id).in_(ids))
    return query.order_by(*again, col(OrganisationRow.name_key), col(OrganisationRow.id))


def _fitting(wanted: Search) -> list[ColumnElement[bool]]:
    """The conditions of a search."""
    row = OrganisationRow
    equal = (
        (col(row.country), wanted.country),
        (col(row.kind), wanted.kind),
        (col(row.authority_role), wanted.authority_role),
        (col(row.status), wanted.status),
    )
    among = (
        (col(row.activity_kinds), wanted.activity),
        (col(row.competences), wanted.competence),
        (col(row.recognised_in), wanted.recognised_in),
        (col(row.numbers), wanted.code and rules.number(wanted.code)),
    )
    conditions = [column == value for column, value in equal if value]
    conditions += [column.contains([value]) for column, value in among if value]
    if wanted.section:
        conditions.append(col(row.activities).contains([{"section": wanted.section}]))
    if looked_for := rules.searching(wanted.text):
        conditions.append(col(row.words).op("@@", is_comparison=True)(cast(looked_for, TSQUERY)))
    return conditions


def _cursor(row: OrganisationRow, exact: str) -> str:
    """Where a page ended, for the next one."""
    place = [0 if exact in row.numbers else 1] if exact else []
    return base64.urlsafe_b64encode(json.dumps([*place, row.name_key, row.id]).encode()).decode().rstrip("=")


def _opened(cursor: str, ranked: bool) -> list[Any]:
    """Where the page before ended; refused when it was not we who said so."""
    try:
        *place, name_key, row_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if [type(each) for each in place] != ([int] if ranked else []) or not isinstance(name_key, str):
            raise ValueError(cursor)
        if "\0" in name_key or place not in ([], [0], [1]):
            raise ValueError(cursor)
        name_key.encode()
        return [*place, name_key, literal(str(UUID(row_id)), Id)]
    except (ValueError, TypeError, AttributeError) as problem:
        raise Refused("invalid", field="after") from problem
