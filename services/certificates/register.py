"""What the law asks about, as this service knows it: organisations from the directory's events, and commodities.

Every change of either gives the register a new edition, in the same transaction. A record read under one edition is
true as long as that edition is the newest, so it is kept in memory; which edition is the newest is asked of the
database once in every transaction. What was suspended a moment ago counts as suspended.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates.models import CommodityRow, PartyRow, RegisterRow
from shared.rules.parties import Commodity

ROOM = 20_000
"""Records kept of one edition."""


@dataclass
class Edition:
    """What was read of the register since it last changed; None for what it does not know."""

    name: str = ""
    parties: dict[str, PartyRow | None] = field(default_factory=dict)
    leaves: dict[str, tuple[CommodityRow, ...]] = field(default_factory=dict)


_newest = Edition()


def open_at(session: AsyncSession, name: Any) -> Edition:
    """Read the register at this edition, until the transaction ends."""
    global _newest
    if "edition" not in session.info:
        if str(name) != _newest.name or len(_newest.parties) > ROOM:
            _newest = Edition(str(name))
        session.info["edition"] = _newest
    current: Edition = session.info["edition"]
    return current


async def edition(session: AsyncSession) -> Edition:
    """The newest edition, as of this transaction's first question."""
    return session.info.get("edition") or open_at(session, (await session.execute(select(EDITION))).scalar_one())


EDITION = select(RegisterRow.edition).scalar_subquery()


async def parties(session: AsyncSession, ids: Iterable[str]) -> dict[str, PartyRow]:
    """What the directory last said of these organisations, with the authorities above and the bodies behind them."""
    known = (await edition(session)).parties
    wanted = {each for each in ids if each}
    found: dict[str, PartyRow] = {}
    while wanted:
        if missing := wanted - known.keys():
            rows = (await session.exec(select(PartyRow).where(col(PartyRow.id).in_(sorted(missing))))).all()
            for row in rows:
                session.expunge(row)
            known |= dict.fromkeys(missing) | {row.id: row for row in rows}
        new = {each: told for each in wanted if (told := known[each]) is not None}
        found |= new
        wanted = {each for row in new.values() for each in _behind(row.record)} - found.keys()
        wanted -= {each for each in wanted if each in known and known[each] is None}
    return found


def _behind(record: Mapping[str, Any]) -> set[str]:
    """The superior and the control bodies of an organisation."""
    bodies = {each["control_body"] for each in record.get("activities", ()) if each.get("control_body")}
    return bodies | {record["superior"]} if record.get("superior") else bodies


async def commodities(session: AsyncSession, codes: Iterable[str], on: date) -> dict[str, Commodity]:
    """The commodities of these codes that are in force on a day."""
    known = (await edition(session)).leaves
    if missing := set(codes) - known.keys():
        rows = (await session.exec(select(CommodityRow).where(col(CommodityRow.code).in_(sorted(missing))))).all()
        for row in rows:
            session.expunge(row)
        known |= {code: tuple(row for row in rows if row.code == code) for code in missing}
    return {
        code: Commodity(code, row.category or "")
        for code in codes
        for row in known[code]
        if row.valid_from <= on and (row.valid_to is None or row.valid_to >= on)
    }
