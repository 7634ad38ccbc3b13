"""The only module with queries; every function takes a session and never commits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, cast, or_, text, update
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.directory import rules
from services.directory.models import JournalRow, OrganisationRow, ProposalRow, RoleRow
from shared.events.directory import (
    ActivityPart,
    Organisation,
    OrganisationChanged,
    RecognitionPart,
    RoleGranted,
    RoleRevoked,
)
from shared.kit.outbox import announce
from shared.rules.refusals import Refused
from shared.rules.requests import OPEN, RoleStatus
from shared.rules.roles import RoleType, StandingStatus

PUBLIC = (*Organisation.model_fields, "region", "latitude", "longitude", "addresses", "contacts", "territory")
"""The fields that make an organisation's record; the journal keeps them all, each time."""

MOST_ABOVE = 10


@dataclass(frozen=True)
class By:
    """Who changes something, for whom, and why; nobody and for nobody where the installation itself does it."""

    person_id: str | None = None
    organisation_id: str | None = None
    why: str = ""


# ── Organisations ─────────────────────────────────────────────────────────────────────────────────────────────


async def organisation(session: AsyncSession, organisation_id: str) -> OrganisationRow:
    """One organisation; refused ``not_found`` when there is none."""
    row = await session.get(OrganisationRow, organisation_id)
    if row is None:
        raise Refused("not_found")
    return row


async def locked(session: AsyncSession, organisation_id: str) -> OrganisationRow:
    """One organisation, nobody else's to change until this transaction ends."""
    row = await session.get(OrganisationRow, organisation_id, with_for_update=True)
    if row is None:
        raise Refused("not_found")
    return row


async def valid_bodies(session: AsyncSession, ids: Iterable[str | None]) -> set[str]:
    """Which of these are valid control bodies."""
    wanted = [each for each in ids if each and is_id(each)]
    rows = select(OrganisationRow.id).where(
        col(OrganisationRow.id).in_(wanted),
        OrganisationRow.kind == RoleType.CONTROL_BODY,
        OrganisationRow.status == StandingStatus.VALID,
    )
    return set((await session.exec(rows)).all()) if wanted else set()


async def naming(session: AsyncSession, organisation_id: str) -> Sequence[OrganisationRow]:
    """The organisations whose records name this one: as the authority above, or as their control body."""
    named = col(OrganisationRow.activities).contains([{"control_body": organisation_id}])
    rows = select(OrganisationRow).where((col(OrganisationRow.superior) == organisation_id) | named)
    return (await session.exec(rows.order_by(col(OrganisationRow.id)).with_for_update())).all()


async def with_code(session: AsyncSession, kind: str, code: str) -> Sequence[str]:
    """The organisations of a kind that have this code and still exist."""
    rows = select(OrganisationRow.id).where(
        OrganisationRow.code == code, OrganisationRow.kind == kind, OrganisationRow.status != StandingStatus.DELETED
    )
    return (await session.exec(rows)).all()


async def line_above(session: AsyncSession, organisation_id: str) -> list[str]:
    """An authority and all that stand above it, the nearest first; a ring ends where it closes."""
    found: list[str] = []
    above: str | None = organisation_id
    while above and above not in found and len(found) < MOST_ABOVE:
        found.append(above)
        above = (await session.exec(select(OrganisationRow.superior).where(OrganisationRow.id == above))).first()
    return found


def any_number(numbers: Iterable[str]) -> ColumnElement[bool]:
    """The organisations that have one of these numbers."""
    return or_(*(col(OrganisationRow.numbers).contains([each]) for each in numbers))


def any_word(words: Iterable[str], country: str) -> ColumnElement[bool]:
    """The organisations of a country that have one of these words in their name, town or numbers."""
    wanted = cast(" | ".join(f"'{word}':*" for word in words), TSQUERY)
    return (col(OrganisationRow.country) == country) & col(OrganisationRow.words).op("@@", is_comparison=True)(wanted)


def is_id(text: str) -> bool:
    """Whether this is an id as we write them."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


async def organisations(session: AsyncSession, ids: Iterable[str]) -> Sequence[OrganisationRow]:
    """Those of these organisations that exist, by name."""
    rows = select(OrganisationRow).where(col(OrganisationRow.id).in_(list(ids)))
    return (await session.exec(rows.order_by(OrganisationRow.name_key, col(OrganisationRow.id)))).all()


async def known(session: AsyncSession, ids: Iterable[str]) -> set[str]:
    """Which of these organisations exist."""
    return set((await session.exec(select(OrganisationRow.id).where(col(OrganisationRow.id).in_(list(ids))))).all())


async def lock_demo(session: AsyncSession) -> None:
    """One process at a time loads the demonstration."""
    await session.execute(text("SELECT pg_advisory_xact_lock(184202612)"))


async def codes(session: AsyncSession, ids: Iterable[str]) -> dict[str, str | None]:
    """The codes of some control bodies."""
    wanted = list(ids)
    if not wanted:
        return {}
    found = select(OrganisationRow.id, OrganisationRow.code).where(col(OrganisationRow.id).in_(wanted))
    return dict((await session.exec(found)).all())


async def create(session: AsyncSession, row: OrganisationRow, by: By, now: datetime, what: str = "created") -> None:
    """A new organisation: row, journal and news, or nothing."""
    row.created_at = row.updated_at = now
    row.revision = 1
    _index(row)
    session.add(row)
    await session.flush()
    await _tell(session, row, {}, by, what)


async def change(
    session: AsyncSession,
    organisation_id: str,
    changes: Mapping[str, Any],
    by: By,
    now: datetime,
    what: str = "changed",
) -> OrganisationRow:
    """Change an organisation: row, journal and news, or nothing at all when nothing differs."""
    row = await session.get(OrganisationRow, organisation_id, with_for_update=True)
    if row is None:
        raise Refused("not_found")
    before = record(row)
    for field, value in changes.items():
        setattr(row, field, value)
    changed = rules.differences(before, record(row))
    if changed:
        row.revision += 1
        row.updated_at = now
        _index(row)
        await session.flush()
        if "country" in changed:
            await _move_what_waits(session, row)
        await _tell(session, row, changed, by, what)
    return row


async def _move_what_waits(session: AsyncSession, row: OrganisationRow) -> None:
    """The country of an organisation is repeated where something about it waits."""
    for table in (RoleRow, ProposalRow):
        await session.execute(update(table).where(col(table.organisation_id) == row.id).values(country=row.country))


def record(row: OrganisationRow) -> dict[str, Any]:
    """An organisation's record, as the journal keeps it."""
    return {field: getattr(row, field) for field in PUBLIC}


def _index(row: OrganisationRow) -> None:
    """Repeat in columns of their own what lists look for."""
    row.name_key = rules.folded(row.name)
    row.activity_kinds = sorted({each["kind"] for each in row.activities})
    row.recognised_in = sorted({each["country"] for each in row.recognitions})
    row.numbers = rules.numbers(row.code, row.identifiers)
    row.words = cast(rules.sought(row.name, row.city, row.postal_code, row.code, row.identifiers), TSVECTOR)


async def _tell(session: AsyncSession, row: OrganisationRow, changed: dict[str, Any], by: By, what: str) -> None:
    """Write the journal line and the news of a change."""
    session.add(
        JournalRow(
            organisation_id=row.id,
            revision=row.revision,
            at=row.updated_at,
            what=what,
            person_id=by.person_id,
            acting_for=by.organisation_id,
            why=by.why,
            changed=changed,
            record=record(row),
        )
    )
    news = OrganisationChanged(at=row.updated_at, organisation=public(row), revision=row.revision, what=what)
    await announce(session, news)


def found_by(person: str, where: OrganisationRow) -> Any:
    """The words by which a request is found: who asks, and the names and numbers of what it is about."""
    sought = rules.sought(f"{person} {where.name}", where.city, where.postal_code, where.code, where.identifiers)
    return cast(sought, TSVECTOR)


def public(row: OrganisationRow) -> Organisation:
    """An organisation as the other services need to know it."""
    return Organisation(
        id=row.id,
        slug=row.slug,
        kind=row.kind,
        name=row.name,
        country=row.country,
        city=row.city,
        postal_code=row.postal_code,
        address=row.address,
        status=row.status,
        code=row.code,
        identifiers={each["type"]: each["value"] for each in row.identifiers},
        activities=[ActivityPart.model_validate(each) for each in row.activities],
        recognitions=[RecognitionPart.model_validate(each) for each in row.recognitions],
        authority_role=row.authority_role,
        competences=list(row.competences),
        superior=row.superior,
        calendar=row.calendar,
        time_zone=row.time_zone,
        demo=row.demo,
    )


async def journal(session: AsyncSession, organisation_id: str) -> Sequence[JournalRow]:
    """Everything that was ever done to an organisation, oldest first."""
    lines = select(JournalRow).where(JournalRow.organisation_id == organisation_id)
    return (await session.exec(lines.order_by(col(JournalRow.id)))).all()


# ── Roles ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def roles_of(session: AsyncSession, person_id: str) -> Sequence[tuple[RoleRow, OrganisationRow]]:
    """All roles of a person, by the names of the organisations."""
    rows = (
        select(RoleRow, OrganisationRow)
        .join(OrganisationRow, col(OrganisationRow.id) == col(RoleRow.organisation_id))
        .where(RoleRow.person_id == person_id)
        .order_by(OrganisationRow.name_key, col(OrganisationRow.id))
    )
    return (await session.exec(rows)).all()


async def granted(session: AsyncSession, person_ids: Iterable[str]) -> set[tuple[str, str]]:
    """Which of these persons have, or had, a role in which organisation."""
    rows = select(RoleRow.person_id, RoleRow.organisation_id).where(col(RoleRow.person_id).in_(list(person_ids)))
    return set((await session.exec(rows)).all())


async def grant(
    session: AsyncSession, person_id: str, organisation_id: str, administrator: bool, by: By, now: datetime
) -> RoleRow:
    """A person's role in an organisation becomes valid: row, journal and news, or nothing."""
    where = await organisation(session, organisation_id)
    role = await open_role(session, person_id, organisation_id) or RoleRow(
        id=str(uuid4()),
        person_id=person_id,
        organisation_id=organisation_id,
        role_type="",
        status="",
        since=now,
        requested_at=now,
        counted_from=now,
    )
    if (role.status, role.administrator) == (RoleStatus.VALID, administrator):
        return role
    role.role_type, role.status, role.administrator, role.since = where.kind, RoleStatus.VALID, administrator, now
    session.add(role)
    note(session, where, role, "role_granted", by, now)
    await announce(
        session,
        RoleGranted(
            at=now,
            person_id=person_id,
            organisation_id=organisation_id,
            role_type=role.role_type,
            administrator=administrator,
        ),
    )
    return role


async def revoke(
    session: AsyncSession,
    person_id: str,
    organisation_id: str,
    by: By,
    now: datetime,
    status: RoleStatus = RoleStatus.WITHDRAWN,
) -> None:
    """A person's valid role ends or is suspended: row, journal and news, or nothing."""
    role = await open_role(session, person_id, organisation_id)
    if role is None or role.status != RoleStatus.VALID:
        raise Refused("not_found")
    role.status, role.since = status, now
    note(session, await organisation(session, organisation_id), role, "role_revoked", by, now)
    await announce(session, RoleRevoked(at=now, person_id=person_id, organisation_id=organisation_id, reason=by.why))


async def open_role(session: AsyncSession, person_id: str, organisation_id: str) -> RoleRow | None:
    """The role a person has, or asks for, in an organisation."""
    found = select(RoleRow).where(
        RoleRow.person_id == person_id,
        RoleRow.organisation_id == organisation_id,
        col(RoleRow.status).in_(sorted(OPEN)),
    )
    return (await session.exec(found.with_for_update())).one_or_none()


def note(session: AsyncSession, where: OrganisationRow, role: RoleRow, what: str, by: By, now: datetime) -> None:
    """A line in the organisation's journal about one of its people."""
    told = {"person": role.person_id, "status": role.status, "administrator": role.administrator}
    session.add(
        JournalRow(
            organisation_id=where.id,
            revision=where.revision,
            at=now,
            what=what,
            person_id=by.person_id,
            acting_for=by.organisation_id,
            why=by.why,
            changed=told,
        )
    )
