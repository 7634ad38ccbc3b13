"""Which authority is competent for a classic account: by postal code and department in France, elsewhere by country.

One thing to remember: who is asked first is a row of COMPETENT; the first that is there, is valid and has people
decides. Where that is not the one the guides name, somebody is to be alerted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity.models import OrganisationRow, PostRow
from shared.contracts.users import AuthorityView
from shared.kit.log import logger
from shared.reference.departments import department_of
from shared.rules.roles import AuthorityRole, RoleType, StandingStatus

HOME: Final = "FR"
"""Whose national authority answers for everybody nobody else answers for."""
log = logger("authorities")


@dataclass(frozen=True)
class Competent:
    """One row: where an establishment lies, and which organisation answers for it then."""

    name: str
    which: Callable[[str, str], ColumnElement[bool] | None]
    expected: bool = False
    """Whether the guides name it; otherwise somebody is told that the one they name is not there."""


def _department(country: str, postal_code: str) -> ColumnElement[bool] | None:
    found = department_of(postal_code) if country == "FR" else None
    return col(OrganisationRow.code) == found.authority if found else None


def _national(role: AuthorityRole, home: bool = False) -> Callable[[str, str], ColumnElement[bool]]:
    return lambda country, _: (
        (col(OrganisationRow.authority_role) == role) & (col(OrganisationRow.country) == (HOME if home else country))
    )


# fmt: off
COMPETENT: Final = (
    #         who                             where                                                   as the guides say
    Competent("department",                   _department,                                            True),
    Competent("national authority",           _national(AuthorityRole.NATIONAL_VALIDATING)),
    Competent("central authority",            _national(AuthorityRole.CCA)),
    Competent("national authority at home",   _national(AuthorityRole.NATIONAL_VALIDATING, home=True)),
)
# fmt: on


async def competent(session: AsyncSession, country: str, postal_code: str) -> OrganisationRow | None:
    """The authority that validates an account from there."""
    for row in COMPETENT:
        which = row.which(country, postal_code)
        if which is None:
            continue
        found = await session.exec(
            select(OrganisationRow)
            .where(
                which,
                col(OrganisationRow.kind) == RoleType.AUTHORITY,
                OrganisationRow.status == StandingStatus.VALID,
                select(PostRow.person_id).where(PostRow.organisation_id == OrganisationRow.id).exists(),
            )
            .order_by(col(OrganisationRow.name))
            .limit(1)
        )
        authority = found.first()
        if authority is not None:
            if country == "FR" and not row.expected:
                log.warning("no authority for a department", postal_code=postal_code[:2], instead=authority.code)
            return authority
    log.warning("nobody is competent", country=country)
    return None


async def above(session: AsyncSession, authority: OrganisationRow) -> OrganisationRow | None:
    """The authority above: its superior, else the central authority of its country, else the Commission."""
    if authority.superior:
        return await session.get(OrganisationRow, authority.superior)
    for which in (
        (col(OrganisationRow.authority_role) == AuthorityRole.CCA)
        & (col(OrganisationRow.country) == authority.country),
        col(OrganisationRow.authority_role) == AuthorityRole.EC,
    ):
        found = await session.exec(
            select(OrganisationRow)
            .where(which, OrganisationRow.id != authority.id, OrganisationRow.status == StandingStatus.VALID)
            .order_by(col(OrganisationRow.name))
            .limit(1)
        )
        if (higher := found.first()) is not None:
            return higher
    return None


async def people(session: AsyncSession, organisation_id: str) -> Sequence[str]:
    """Who works there."""
    rows = select(PostRow.person_id).where(PostRow.organisation_id == organisation_id).order_by(PostRow.person_id)
    return (await session.exec(rows)).all()


async def view(session: AsyncSession, organisation_id: str | None) -> AuthorityView | None:
    """An authority by its name."""
    row = await session.get(OrganisationRow, organisation_id) if organisation_id else None
    return AuthorityView(id=row.id, name=row.name, code=row.code) if row else None


def local(authority: OrganisationRow | None, moment: datetime) -> datetime:
    """A moment on the clocks of an authority."""
    try:
        return moment.astimezone(ZoneInfo((authority and authority.time_zone) or "Europe/Paris"))
    except (ZoneInfoNotFoundError, ValueError):
        return moment.astimezone(ZoneInfo("Europe/Paris"))


# ── What an older version did not remember ────────────────────────────────────────────────────────────────────


async def unknown(session: AsyncSession, at_most: int = 50) -> Sequence[str]:
    """Organisations of which we know no more than name and code."""
    rows = select(OrganisationRow.id).where(col(OrganisationRow.kind).is_(None)).limit(at_most)
    return (await session.exec(rows)).all()


async def learn(session: AsyncSession, organisation_id: str, record: dict[str, Any]) -> None:
    """What the directory says of one of them; its next event may say otherwise."""
    row = await session.get(OrganisationRow, organisation_id, with_for_update=True)
    if row is not None and row.kind is None:
        row.kind, row.country, row.time_zone = record["kind"], record["country"], record["time_zone"]
        row.authority_role, row.superior = record.get("authority_role"), record.get("superior")
        session.add(row)
