"""An organisation's standing: who answers for it, and the dates on which its activities end. Never commits.

``record`` and ``ring`` are the process's door: suspension, reinstatement, closing, merging and expiry are written here.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.directory import claims, deciders, history, records, store
from services.directory.models import OrganisationRow, RoleRow
from services.directory.store import By
from shared.contracts.certificates import Awaited, Due
from shared.contracts.directory import OPERATOR_LIFE, Note, Noted, Rung, Standing, operator_life_id
from shared.contracts.organisations import Creatable
from shared.events.directory import ActivityEnding, OrganisationMerged, RoleGranted, RoleRevoked
from shared.kit.outbox import announce, wake
from shared.rules import lengths
from shared.rules import requests as law
from shared.rules.actor import Actor
from shared.rules.refusals import Refused
from shared.rules.requests import OPEN, RoleStatus, Side, Step
from shared.rules.roles import AuthorityRole, Competence, RoleType, StandingStatus

NOW: Final = "NOW"
PROPOSE: Final = "PROPOSE"
SKEW = timedelta(seconds=5)
_NATIONAL = (AuthorityRole.NATIONAL_VALIDATING, AuthorityRole.CCA)
BELOW_CENTRAL: Final = (AuthorityRole.BCP, AuthorityRole.CUSTOMS)
"""What a central authority creates and corrects in its country."""


# ── Who answers for an organisation ───────────────────────────────────────────────────────────────────────────


async def guards(session: AsyncSession, actor: Actor, kind: str, fields: Mapping[str, Any]) -> bool:
    """Whether somebody acts for the authority or control body that answers for such an organisation."""
    post = await deciders.post_of(session, actor)
    if post is None or post.role_type not in (RoleType.AUTHORITY, RoleType.CONTROL_BODY):
        return False
    mine = await store.organisation(session, post.organisation_id)
    if mine.status != StandingStatus.VALID or mine.id == fields.get("id"):
        return False
    if mine.kind == RoleType.CONTROL_BODY:
        bodies = {each.get("control_body") for each in fields["activities"]}
        return kind == RoleType.OPERATOR and bodies == {mine.id}
    if mine.authority_role == AuthorityRole.EC:
        return kind in (RoleType.AUTHORITY, RoleType.CONTROL_BODY)
    if mine.authority_role not in _NATIONAL or not _within(mine, fields):
        return False
    if kind == RoleType.OPERATOR:
        return True
    if kind == RoleType.CONTROL_BODY:
        organic = Competence.ORGANIC in mine.competences
        return organic and all(each["country"] == mine.country for each in fields["recognitions"])
    return mine.authority_role == AuthorityRole.CCA and fields["authority_role"] in BELOW_CENTRAL


async def creatable(session: AsyncSession, actor: Actor) -> Creatable:
    """What this person may create so that it is valid at once."""
    post = await deciders.post_of(session, actor)
    mine = await store.organisation(session, post.organisation_id) if post else None
    if mine is None or mine.status != StandingStatus.VALID:
        return Creatable()
    if mine.kind == RoleType.CONTROL_BODY:
        return Creatable(kinds=[RoleType.OPERATOR])
    if mine.authority_role == AuthorityRole.EC:
        return Creatable(kinds=[RoleType.CONTROL_BODY, RoleType.AUTHORITY], authority_roles=list(AuthorityRole))
    if mine.authority_role not in _NATIONAL:
        return Creatable()
    kinds = [RoleType.OPERATOR] + [RoleType.CONTROL_BODY] * (Competence.ORGANIC in mine.competences)
    if mine.authority_role == AuthorityRole.CCA:
        return Creatable(kinds=[*kinds, RoleType.AUTHORITY], authority_roles=list(BELOW_CENTRAL))
    return Creatable(kinds=kinds)


async def guarded(session: AsyncSession, actor: Actor, row: OrganisationRow) -> bool:
    """Whether somebody answers for this organisation."""
    return await guards(session, actor, row.kind, {**store.record(row), "id": row.id})


def _within(mine: OrganisationRow, fields: Mapping[str, Any]) -> bool:
    """Whether a record lies in an authority's territory: its country, or its department by the postal code."""
    territory = mine.territory or mine.country
    country, _, part = territory.partition("-")
    return fields["country"] == country == mine.country and str(fields["postal_code"]).startswith(part)


async def may_create(session: AsyncSession, actor: Actor, kind: str, fields: Mapping[str, Any]) -> bool:
    """Whether what this person creates is valid at once."""
    return bool(actor.organisation_id) and await guards(session, actor, kind, fields)


async def may_edit(session: AsyncSession, actor: Actor, row: OrganisationRow) -> str | None:
    """How this person may edit a record: at once, as a proposal, or not at all."""
    if row.status in (StandingStatus.DELETED, StandingStatus.REJECTED):
        return None
    if await guarded(session, actor, row):
        return NOW
    post = await deciders.post_of(session, actor)
    own = post is not None and post.organisation_id == row.id and post.administrator
    return PROPOSE if own and row.kind == RoleType.OPERATOR and row.status != StandingStatus.NEW else None


# ── The process's door ────────────────────────────────────────────────────────────────────────────────────────


async def call(session: AsyncSession, organisation_id: str) -> None:
    """Have the process of this organisation look at its dates."""
    unread = Standing(organisation_id, StandingStatus.VALID, revision=0, over=False)
    await wake(session, OPERATOR_LIFE, operator_life_id(organisation_id), history.as_json(unread))


def settle(row: OrganisationRow, now: datetime) -> None:
    """What rings next: the nearest warning or end of a valid activity. Of those that have passed, the last counts."""
    waiting = []
    warnings = lengths.warnings("record_first_warning", "record_last_warning")
    for each in row.activities:
        if each["status"] != StandingStatus.VALID or not each.get("valid_to"):
            continue
        over = _midnight(date.fromisoformat(each["valid_to"]) + timedelta(days=1), row.time_zone)
        steps = [(over - length, length.days) for length in warnings] + [(over, 0)]
        passed = [step for step in steps if step[0] <= now][-1:]
        for at, days in passed + [step for step in steps if step[0] > now]:
            name = f"{days}:{each['kind']}:{each['valid_to']}"
            if name not in row.rung:
                waiting.append((at, name))
    row.due_at, row.due_name = min(waiting) if waiting else (None, None)


def _midnight(day: date, zone: str) -> datetime:
    try:
        there = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        there = ZoneInfo("Europe/Paris")
    return datetime.combine(day, time(), there).astimezone(UTC)


def life(row: OrganisationRow) -> Standing:
    """The row as its process remembers it."""
    due = Due(row.due_name, row.due_at) if row.due_name and row.due_at else None
    awaited = None
    if due:
        awaited = Awaited(
            what="The end of an activity",
            organisations=(row.id,),
            since=row.updated_at,
            until=due.at,
            then="The activity ends." if due.name.startswith("0:") else "The operator is warned.",
        )
    return Standing(row.id, row.status, row.revision, over=due is None, due=due, awaited=awaited)


async def look(session: AsyncSession, organisation_id: str, now: datetime) -> Standing:
    """The organisation's dates as they stand."""
    row = await store.locked(session, organisation_id)
    settle(row, now)
    return life(row)


async def ring(session: AsyncSession, rung: Rung, now: datetime) -> Standing:
    """Warn of an activity that ends, or let it end; once."""
    row = await store.locked(session, rung.id)
    if row.due_name != rung.due.name or row.due_at is None or row.due_at > now + SKEW:
        settle(row, now)
        return life(row)
    days, kind, ends = row.due_name.split(":")
    row.rung = [*row.rung, row.due_name]
    concerns = [row.id, *(each["control_body"] for each in row.activities if each["kind"] == kind)]
    await announce(
        session,
        ActivityEnding(
            at=now,
            organisation_id=row.id,
            activity=kind,
            valid_to=date.fromisoformat(ends),
            days=int(days),
            concerns=[each for each in dict.fromkeys(concerns) if each],
        ),
    )
    if days == "0":
        activities = [
            {**each, "status": StandingStatus.EXPIRED} if (each["kind"], each["valid_to"]) == (kind, ends) else each
            for each in row.activities
        ]
        await _apply(session, row, activities, By(why="valid_to"), now, "expired")
    settle(row, now)
    return life(row)


async def record(session: AsyncSession, note: Note, now: datetime) -> Noted:
    """Carry out one instruction about an organisation's standing: row, journal and news, or nothing."""
    row = await store.locked(session, note.id)
    if answer := await history.answered(session, note):
        return Noted(answer, life(row))
    order = note.instruction
    actor = order.actor
    if not await guarded(session, actor, row):
        raise Refused("not_found")
    kind = order.form.get("activity")
    step = law.move(law.STANDING_MOVES, order.action, _status_of(row, kind))
    if order.revision != row.revision:
        raise Refused("stale_revision", revision=row.revision)
    said = history.reason(order.form, step.reason)
    by = By(actor.person_id, actor.organisation_id, said)
    if step.step is Step.MERGE:
        await _merge(session, row, str(order.form.get("into") or ""), actor, by, now)
    else:
        await _apply(session, row, _moved(row, step, kind), by, now, _PAST[step.step], step.target)
    settle(row, now)
    answer = life(row)
    await history.write(
        session, row.id, order.action, row.status, now, actor=actor, said=said, note=note, answer=answer
    )
    return Noted(answer, answer)


_PAST: Final = {Step.SUSPEND: "suspended", Step.REINSTATE: "reinstated", Step.CLOSE: "closed"}


def _status_of(row: OrganisationRow, kind: Any) -> str:
    if kind is None:
        return row.status
    found = next((each["status"] for each in row.activities if each["kind"] == kind), None)
    if found is None:
        raise Refused("invalid", field="activity")
    return str(found)


def _moved(row: OrganisationRow, step: law.Move, kind: Any) -> list[dict[str, Any]]:
    """The activities after a step about one of them, or about all that stand where it begins."""
    return [
        {**each, "status": step.target}
        if (kind in (None, each["kind"]) and (step.step is Step.CLOSE or each["status"] == step.source))
        else each
        for each in row.activities
    ]


async def _apply(
    session: AsyncSession,
    row: OrganisationRow,
    activities: Sequence[Mapping[str, Any]],
    by: By,
    now: datetime,
    what: str,
    otherwise: str | None = None,
) -> None:
    status = records.standing_of(activities, otherwise or row.status)
    await store.change(session, row.id, {"activities": list(activities), "status": status}, by, now, what)


async def _merge(session: AsyncSession, row: OrganisationRow, into: str, actor: Actor, by: By, now: datetime) -> None:
    """Everything that names the record that goes names the one that stays; the journal of each says so."""
    if into == row.id:
        raise Refused("invalid", field="into")
    kept = await store.locked(session, into)
    if kept.kind != row.kind or kept.status != StandingStatus.VALID:
        raise Refused("invalid", field="into")
    if not await guarded(session, actor, kept):
        raise Refused("not_found")
    known = {(each["type"], each["value"]) for each in kept.identifiers}
    added = [each for each in row.identifiers if (each["type"], each["value"]) not in known]
    if added:
        await store.change(session, kept.id, {"identifiers": [*kept.identifiers, *added]}, by, now, "merged_with")
    await _move_people(session, row, kept, by, now)
    for other in await store.naming(session, row.id):
        changes: dict[str, Any] = {}
        if other.superior == row.id:
            changes["superior"] = kept.id
        if any(each.get("control_body") == row.id for each in other.activities):
            changes["activities"] = [
                {**each, "control_body": kept.id if each.get("control_body") == row.id else each.get("control_body")}
                for each in other.activities
            ]
        await store.change(session, other.id, changes, by, now, "pointed_to_merged")
    row.duplicate_of = kept.id
    gone = [{**each, "status": StandingStatus.DELETED} for each in row.activities]
    await _apply(session, row, gone, by, now, "merged", StandingStatus.DELETED)
    await announce(session, OrganisationMerged(at=now, organisation_id=row.id, kept=kept.id, by=actor.organisation_id))


async def _move_people(
    session: AsyncSession, row: OrganisationRow, kept: OrganisationRow, by: By, now: datetime
) -> None:
    """Whoever belonged to the one that goes belongs to the one that stays."""
    there = select(RoleRow.person_id).where(RoleRow.organisation_id == kept.id, col(RoleRow.status).in_(sorted(OPEN)))
    already = set((await session.exec(there)).all())
    mine = select(RoleRow).where(RoleRow.organisation_id == row.id, col(RoleRow.status).in_(sorted(OPEN)))
    administered = await deciders.has_administrator(session, kept.id)
    for role in (await session.exec(mine.with_for_update())).all():
        was = role.status
        role.revision += 1
        if was == RoleStatus.VALID:
            await claims.hand_back(session, role.person_id, row.id, now)
            await announce(session, RoleRevoked(at=now, person_id=role.person_id, organisation_id=row.id))
        if role.person_id in already:
            role.status, role.since = RoleStatus.WITHDRAWN, now
            store.note(session, row, role, "role_merged", by, now)
            continue
        store.note(session, row, role, "role_merged", by, now)
        await session.flush()
        role.administrator = role.administrator and not administered
        await session.exec(update(RoleRow).where(col(RoleRow.id) == role.id).values(organisation_id=kept.id))
        if was == RoleStatus.VALID:
            await announce(
                session,
                RoleGranted(
                    at=now,
                    person_id=role.person_id,
                    organisation_id=kept.id,
                    role_type=role.role_type,
                    administrator=role.administrator,
                ),
            )


async def overdue(session: AsyncSession, before: datetime, limit: int = 200) -> int:
    """Call the processes whose date has passed and did not ring; how many there were."""
    rows = select(OrganisationRow.id).where(col(OrganisationRow.due_at) < before)
    late = (await session.exec(rows.order_by(col(OrganisationRow.due_at)).limit(limit))).all()
    for organisation_id in late:
        await call(session, organisation_id)
    return len(late)


async def steps(session: AsyncSession, actor: Actor, row: OrganisationRow) -> tuple[Step, ...]:
    """What this person may do about an organisation's standing."""
    if not await guarded(session, actor, row):
        return ()
    return law.offered(law.STANDING_MOVES, row.status, Side.GUARDIAN)
