"""Commodity codes: always shown with their path chapter › heading › code, valid on the day in question."""

from datetime import date
from typing import Any

from sqlalchemy import func, or_, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates.finding import normalised, prefix_query
from services.certificates.models import CommodityRow
from shared.contracts.certificate_views import CommodityView
from shared.reference import commodities as shipped

SAYS_NOTHING = "other"
"""How the name of a leaf begins that is found by what it is another of: most leaves are called that."""


async def search(session: AsyncSession, wish: str, today: date, language: str, limit: int = 30) -> list[CommodityView]:
    """Commodities whose names or code begin with the words typed; those that can be declared first."""
    digits = "".join(each for each in wish if each.isdigit())
    if digits and not any(each.isalpha() for each in wish):
        condition: Any = col(CommodityRow.code).startswith(digits[:8])
    else:
        query = prefix_query(wish)
        if query is None:
            return []
        condition = col(CommodityRow.search).op("@@")(func.to_tsquery("simple", query))
    rows = await session.exec(
        _valid(today)
        .where(condition)
        .order_by((func.length(col(CommodityRow.code)) == 8).desc(), col(CommodityRow.code))
        .limit(limit)
    )
    return await _with_paths(session, list(rows), today, language)


async def children(session: AsyncSession, parent: str | None, today: date, language: str) -> list[CommodityView]:
    """What stands below one code of the tree; the chapters when none is given."""
    below = col(CommodityRow.parent) == parent if parent else col(CommodityRow.parent).is_(None)
    rows = await session.exec(_valid(today).where(below).order_by(col(CommodityRow.code)))
    return await _with_paths(session, list(rows), today, language)


async def by_code(session: AsyncSession, codes: list[str], today: date, language: str) -> list[CommodityView]:
    """Some commodities, by code."""
    rows = await session.exec(_valid(today).where(col(CommodityRow.code).in_(codes)))
    return await _with_paths(session, list(rows), today, language)


def _valid(today: date) -> Any:
    """What is valid that day and can be organic: the rest of the nomenclature would only stand in the way."""
    return select(CommodityRow).where(
        col(CommodityRow.category).is_not(None),
        CommodityRow.valid_from <= today,
        or_(col(CommodityRow.valid_to).is_(None), col(CommodityRow.valid_to) >= today),
    )


async def _with_paths(
    session: AsyncSession, rows: list[CommodityRow], today: date, language: str
) -> list[CommodityView]:
    above: dict[str, CommodityRow] = {row.code: row for row in rows}
    while missing := {row.parent for row in above.values() if row.parent} - above.keys():
        parents = (await session.exec(_valid(today).where(col(CommodityRow.code).in_(missing)))).all()
        if not parents:
            break
        above |= {row.code: row for row in parents}

    def name(row: CommodityRow) -> str:
        return row.name_fr if language == "fr" and row.name_fr else row.name_en

    def path(row: CommodityRow) -> list[str]:
        """Chapter › heading › code; a subheading that says nothing more, or nothing in French, is left out."""
        up = above.get(row.parent) if row.parent else None
        steps = path(up) if up else []
        untranslated = language == "fr" and row.level == 6 and row.name_fr == row.name_en
        says_more = name(row) not in steps and not untranslated
        return [*steps, name(row)] if says_more or (row.code in asked and steps[-1:] != [name(row)]) else steps

    asked = {row.code for row in rows}
    return [
        CommodityView(code=row.code, name=name(row), path=path(row), category=row.category, leaf=len(row.code) == 8)
        for row in rows
    ]


async def load(session: AsyncSession, rows: list[dict[str, Any]]) -> int:
    """Take rows of the nomenclature; the same code from the same day on is overwritten."""
    if not rows:
        return 0
    statement = text(
        """
        INSERT INTO commodity (code, valid_from, valid_to, parent, level, name_en, name_fr, category, search)
        VALUES (:code, :valid_from, :valid_to, :parent, :level, :name_en, :name_fr, :category,
                to_tsvector('simple', :words))
        ON CONFLICT (code, valid_from) DO UPDATE SET valid_to = excluded.valid_to, parent = excluded.parent,
            level = excluded.level, name_en = excluded.name_en, name_fr = excluded.name_fr,
            category = coalesce(excluded.category, commodity.category), search = excluded.search
        """
    )
    named = await _named_above(session, rows)
    ready = [{**row, "words": normalised(f"{row['code']} {_found_by(row, named)}")} for row in rows]
    for start in range(0, len(ready), 2000):
        await (await session.connection()).execute(statement, ready[start : start + 2000])
    return len(ready)


async def _named_above(session: AsyncSession, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Code -> these rows, and those above them that the table has already."""
    named = {row["code"]: row for row in rows}
    while missing := {row["parent"] for row in named.values() if row["parent"]} - named.keys():
        known = (await session.exec(select(CommodityRow).where(col(CommodityRow.code).in_(missing)))).all()
        absent: dict[str, Any] = {"parent": None, "name_en": "", "name_fr": ""}
        named |= dict.fromkeys(missing, absent)
        named |= {row.code: {"parent": row.parent, "name_en": row.name_en, "name_fr": row.name_fr} for row in known}
    return named


def _found_by(row: dict[str, Any], named: dict[str, dict[str, Any]]) -> str:
    """The names a commodity is found by: its own, and for "Other" those above it, up to one that says more."""
    words = [row["name_en"], row["name_fr"]]
    while row["parent"] and row["name_en"].lower().startswith(SAYS_NOTHING):
        row = named[row["parent"]]
        words += [row["name_en"], row["name_fr"]]
    return " ".join(word for word in words if word)


async def load_shipped(session: AsyncSession) -> None:
    """Take the nomenclature shipped with the system, when the table is empty or the shipped edition is newer."""
    known = (await session.execute(text("SELECT count(*) FROM commodity"))).scalar_one()
    rows = [vars(row) for row in shipped.rows()]
    if known < len(rows):
        await load(session, rows)


async def renew(session: AsyncSession, official: tuple[shipped.Row, ...], year: int) -> shipped.Renewal:
    """Take the official nomenclature of a year: codes added, codes that ended, codes with new words."""
    rows = (await session.exec(select(CommodityRow))).all()
    known = [
        shipped.Row(
            row.code, row.name_en, row.name_fr, row.parent, row.level, row.category, row.valid_from, row.valid_to
        )
        for row in rows
    ]
    done = shipped.renew(known, official, year)
    await load(session, [vars(row) for row in (*done.added, *done.closed, *done.reworded)])
    return done
