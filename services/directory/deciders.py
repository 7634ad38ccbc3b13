"""Who decides: the law's table of validators, asked about one organisation and answered from the rows.

One thing to remember: the directory believes its own rows, not what a token said some minutes ago. Whoever decides
must hold a valid role in the organisation he acts for, at this moment, on paper.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.directory.models import OrganisationRow, RoleRow
from shared.rules.actor import Actor
from shared.rules.requests import RoleStatus, Side
from shared.rules.roles import (
    BY_CONTROL_BODY,
    AuthorityRole,
    Competence,
    Request,
    RoleType,
    StandingStatus,
    Validator,
    request_of,
    territory_of,
    validators,
)

POLICY: Final = "by_control_body"
"""Under this name every session knows which member states leave operators to their control bodies."""


@dataclass(frozen=True)
class Deciders:
    """Who may decide, in the order they are asked; and on whose clocks and calendar the time is counted."""

    ids: tuple[str, ...]
    above: str | None
    country: str
    time_zone: str

    def local(self, moment: datetime) -> datetime:
        """A moment on the clocks of whoever is asked first."""
        try:
            return moment.astimezone(ZoneInfo(self.time_zone))
        except (ZoneInfoNotFoundError, ValueError):
            return moment.astimezone(ZoneInfo("Europe/Paris"))


async def of_role(session: AsyncSession, where: OrganisationRow, applicant: str) -> Deciders:
    """Who decides whether a person belongs to an organisation."""
    administered = await has_administrator(session, where.id)
    request = request_of(RoleType(where.kind), administered)
    others = administered and await has_administrator(session, where.id, besides=applicant)
    return await _of(session, where, request, others)


async def of_operator(session: AsyncSession, where: OrganisationRow) -> Deciders:
    """Who decides whether an operator is what it says to be."""
    return await _of(session, where, Request.OPERATOR, False)


async def _of(session: AsyncSession, where: OrganisationRow, request: Request | None, administered: bool) -> Deciders:
    by_control_body: frozenset[str] = session.info.get(POLICY, BY_CONTROL_BODY)
    found: dict[str, OrganisationRow] = {}
    named = validators(request, territory_of(where.country, by_control_body)) if request else ()
    for validator in named:
        for each in await _organisations(session, where, validator, administered):
            found.setdefault(each.id, each)
    first = next(iter(found.values()), None)
    return Deciders(
        ids=tuple(found),
        above=await above(session, first) if first else None,
        country=(first.calendar or first.country) if first else where.country,
        time_zone=first.time_zone if first else where.time_zone,
    )


async def _organisations(
    session: AsyncSession, where: OrganisationRow, validator: Validator, administered: bool
) -> Sequence[OrganisationRow]:
    if validator is Validator.OWN_ADMINISTRATOR:
        return [where] if administered else []
    if validator is Validator.CONTROL_BODY:
        return await _valid(session, RoleType.CONTROL_BODY, certifying(where))
    if validator is Validator.COMMISSION:
        return await authorities(session, None, AuthorityRole.EC)
    if validator is Validator.NATIONAL_AUTHORITY:
        return await authorities(session, where.country, AuthorityRole.NATIONAL_VALIDATING) or await authorities(
            session, where.country, AuthorityRole.CCA
        )
    return []


def certifying(where: OrganisationRow) -> list[str]:
    """The control bodies an operator's activities name."""
    named = (each.get("control_body") for each in where.activities)
    return list(dict.fromkeys(each for each in named if each))


async def _valid(session: AsyncSession, kind: RoleType, ids: Iterable[str]) -> Sequence[OrganisationRow]:
    wanted = list(ids)
    if not wanted:
        return []
    rows = select(OrganisationRow).where(
        col(OrganisationRow.id).in_(wanted),
        OrganisationRow.kind == kind,
        OrganisationRow.status == StandingStatus.VALID,
    )
    found = {row.id: row for row in (await session.exec(rows)).all()}
    return [found[each] for each in wanted if each in found]


async def authorities(session: AsyncSession, country: str | None, role: AuthorityRole) -> Sequence[OrganisationRow]:
    """The valid authorities of a country that have this role and look after organic production."""
    rows = select(OrganisationRow).where(
        OrganisationRow.kind == RoleType.AUTHORITY,
        OrganisationRow.authority_role == role,
        OrganisationRow.status == StandingStatus.VALID,
        col(OrganisationRow.competences).contains([Competence.ORGANIC.value]),
    )
    if country is not None:
        rows = rows.where(OrganisationRow.country == country)
    return (await session.exec(rows.order_by(OrganisationRow.name_key))).all()


async def above(session: AsyncSession, decider: OrganisationRow) -> str | None:
    """The authority above: the superior, else the central authority of the country, else the Commission."""
    if decider.superior:
        return decider.superior
    for candidates in (
        await authorities(session, decider.country, AuthorityRole.CCA),
        await authorities(session, None, AuthorityRole.EC),
    ):
        if others := [each.id for each in candidates if each.id != decider.id]:
            return others[0]
    return None


async def platform(session: AsyncSession) -> list[str]:
    """The platform administrators' organisations: told of what nobody can decide."""
    rows = select(OrganisationRow.id).where(OrganisationRow.kind == RoleType.SYS_ADMIN)
    return list((await session.exec(rows)).all())


async def has_administrator(session: AsyncSession, organisation_id: str, besides: str | None = None) -> bool:
    """Whether an organisation has a valid administrator (besides one person)."""
    rows = select(RoleRow.id).where(
        RoleRow.organisation_id == organisation_id,
        RoleRow.status == RoleStatus.VALID,
        col(RoleRow.administrator).is_(True),
    )
    if besides is not None:
        rows = rows.where(RoleRow.person_id != besides)
    return (await session.exec(rows.limit(1))).first() is not None


async def post_of(session: AsyncSession, actor: Actor) -> RoleRow | None:
    """The valid role in which somebody acts, as it stands on paper."""
    if not actor.organisation_id:
        return None
    rows = select(RoleRow).where(
        RoleRow.person_id == actor.person_id,
        RoleRow.organisation_id == actor.organisation_id,
        RoleRow.status == RoleStatus.VALID,
    )
    return (await session.exec(rows)).one_or_none()


async def side_of(session: AsyncSession, actor: Actor, row: Any, deciders: Deciders) -> Side | None:
    """On which side of a role or a proposal somebody stands; on none for whom it does not exist."""
    if actor.person_id == row.person_id:
        return Side.APPLICANT
    post = await post_of(session, actor)
    if post is None or post.role_type == RoleType.SYS_ADMIN or actor.organisation_id not in deciders.ids:
        return None
    if actor.organisation_id == row.organisation_id and not post.administrator:
        return None
    return Side.VALIDATOR
