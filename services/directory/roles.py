"""Roles of persons: asked for by SQL, moved by their process, listed for whoever decides. Never commits.

``record`` is where a decision happens: row, line, the organisation's journal and the news, or nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.directory import claims, deciders, history, store
from services.directory.deciders import Deciders
from services.directory.models import OrganisationRow, RoleRow
from services.directory.store import By
from shared.contracts.certificates import Awaited, Due
from shared.contracts.directory import (
    ROLE_VALIDATION,
    NewRoles,
    Note,
    Noted,
    Rung,
    Standing,
    Wanted,
    role_validation_id,
)
from shared.events.base import Event
from shared.events.directory import (
    RoleAnswered,
    RoleEscalated,
    RoleExpired,
    RoleGranted,
    RoleQuestioned,
    RoleRefused,
    RoleReinstated,
    RoleReminded,
    RoleRequested,
    RoleRevoked,
    RoleSuspended,
    RoleUndecidable,
    RoleWithdrawn,
)
from shared.kit.calendar import is_working_day
from shared.kit.log import logger
from shared.kit.outbox import announce, wake
from shared.rules import requests as law
from shared.rules.actor import Actor
from shared.rules.refusals import Refused
from shared.rules.requests import OPEN, RoleStatus, Side, Step
from shared.rules.roles import RoleType, StandingStatus

log = logger("roles")
NAMESPACE = UUID("0c1f7c2e-6f3b-4f0e-9a53-2f1f4d0f9a11")
SKEW = timedelta(seconds=5)
OPERATOR_REFUSED = "operator_refused"
"""Rings at once where the operator a person asked to belong to was refused."""
ASKED_FOR = (RoleType.OPERATOR, RoleType.CONTROL_BODY, RoleType.AUTHORITY)


# ── Asking for a role ─────────────────────────────────────────────────────────────────────────────────────────


async def ask(session: AsyncSession, asker: Actor, new: NewRoles, key: str, now: datetime) -> list[RoleRow]:
    """A person asks for one or several roles: rows, lines, news and calls to their processes, or nothing."""
    born = history.digest(key, new.model_dump(mode="json"))
    await one_at_a_time(session, asker.person_id)
    return [await _ask(session, asker, each, new, key, born, None, now) for each in new.wanted]


async def ask_with_operator(
    session: AsyncSession, asker: Actor, new: NewRoles, proposal_id: str, key: str, born: str, now: datetime
) -> RoleRow:
    """The request to belong to an operator that is created in this very transaction."""
    return await _ask(session, asker, new.wanted[0], new, key, born, proposal_id, now)


async def one_at_a_time(session: AsyncSession, person_id: str) -> None:
    """Two requests of one person follow each other."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:person, 0))"), {"person": f"role/{person_id}"}
    )


async def _ask(
    session: AsyncSession,
    asker: Actor,
    wanted: Wanted,
    new: NewRoles,
    key: str,
    born: str,
    proposal_id: str | None,
    now: datetime,
) -> RoleRow:
    role_id = str(uuid5(NAMESPACE, f"{asker.person_id}/{key}/{wanted.organisation_id}"))
    if before := await session.get(RoleRow, role_id):
        if before.born != born:
            raise Refused("key_reused")
        return before
    await _refuse_other_key(session, asker.person_id, key, born)
    where = await store.organisation(session, wanted.organisation_id)
    refuse_unless_askable(where)
    await _refuse_second_type(session, asker.person_id, where.kind)
    if await store.open_role(session, asker.person_id, where.id):
        raise Refused("already_exists")
    row = RoleRow(
        id=role_id,
        person_id=asker.person_id,
        organisation_id=where.id,
        role_type=where.kind,
        status=RoleStatus.REQUESTED,
        since=now,
        person=asker.name,
        countries=sorted({each["country"] for each in where.recognitions} & set(wanted.countries)),
        message=new.message.replace("\0", ""),
        email=new.email.replace("\0", ""),
        phone=new.phone.replace("\0", ""),
        proposal_id=proposal_id,
        requested_at=now,
        counted_from=now,
        birth_key=key,
        born=born,
    )
    row.words = store.found_by(row.person, where)
    who = await settle(session, row, where, now)
    session.add(row)
    await history.write(session, row.id, "request", row.status, now, actor=asker, said=row.message)
    await announce(session, RoleRequested(**_news(row, now), concerns=row.awaited_by))
    if not who.ids:
        await _nobody_decides(session, row, now)
    await call(session, row.id)
    return row


def refuse_unless_askable(where: OrganisationRow) -> None:
    """Refuse where nobody may ask for a role: organisations that are gone, and the platform's own."""
    if where.kind not in ASKED_FOR or where.status not in (StandingStatus.VALID, StandingStatus.NEW):
        raise Refused("not_found")


async def _refuse_other_key(session: AsyncSession, person_id: str, key: str, born: str) -> None:
    """The same key with another wish is refused."""
    others = select(RoleRow.id).where(RoleRow.person_id == person_id, RoleRow.birth_key == key, RoleRow.born != born)
    if (await session.exec(others.limit(1))).first():
        raise Refused("key_reused")


async def _refuse_second_type(session: AsyncSession, person_id: str, kind: str, besides: str = "") -> None:
    """One person has one kind of role."""
    others = select(RoleRow.id).where(
        RoleRow.person_id == person_id,
        RoleRow.role_type != kind,
        col(RoleRow.status).in_(sorted(OPEN)),
    )
    if besides:
        others = others.where(RoleRow.status == RoleStatus.VALID)
    if (await session.exec(others.limit(1))).first():
        raise Refused("one_role_type")


async def call(session: AsyncSession, role_id: str) -> None:
    """Have the process of this role look at its row."""
    unread = Standing(role_id, RoleStatus.REQUESTED, revision=0, over=False)
    await wake(session, ROLE_VALIDATION, role_validation_id(role_id), history.as_json(unread))


# ── The process's door ────────────────────────────────────────────────────────────────────────────────────────


async def locked(session: AsyncSession, role_id: str) -> RoleRow:
    """A role, nobody else's to change until this transaction ends."""
    row = await session.get(RoleRow, role_id, with_for_update=True)
    if row is None:
        raise Refused("not_found")
    return row


async def settle(session: AsyncSession, row: RoleRow, where: OrganisationRow, now: datetime) -> Deciders:
    """Make the columns beside the status agree with it: who may decide, and what rings next."""
    who = await deciders.of_role(session, where, row.person_id)
    if row.status != RoleStatus.REQUESTED:
        row.awaited_by, row.told, row.due_name, row.due_at = [], [], None, None
        row.question, row.asked_at = "", None
        claims.settle(row, ())
        return who
    row.awaited_by, row.country = list(who.ids), where.country
    claims.settle(row, who.ids)
    if where.status in (StandingStatus.REJECTED, StandingStatus.DELETED):
        row.due_name, row.due_at = OPERATOR_REFUSED, now
        return who
    due = law.next_due(
        who.local(row.counted_from),
        who.local(row.asked_at) if row.asked_at else None,
        row.rung,
        who.country,
        is_working_day,
    )
    row.due_name, row.due_at = due if due else (None, None)
    return who


def life(row: RoleRow) -> Standing:
    """The row as its process remembers it."""
    due = Due(row.due_name, row.due_at) if row.due_name and row.due_at else None
    awaited = None
    if row.status == RoleStatus.REQUESTED:
        clock = law.clock_named(row.due_name or "")
        awaited = Awaited(
            what="An answer of the applicant" if row.asked_at else "A decision about a role",
            organisations=() if row.asked_at else tuple(row.awaited_by),
            since=row.asked_at or row.requested_at,
            until=row.due_at,
            then=clock.then if clock else "nothing by itself",
        )
    return Standing(row.id, row.status, row.revision, over=due is None, due=due, awaited=awaited)


async def record(session: AsyncSession, note: Note, now: datetime) -> Noted:
    """Carry out one instruction about a role: the row, the line, the journal and the news, or nothing."""
    row = await locked(session, note.id)
    if answer := await history.answered(session, note):
        return Noted(answer, life(row))
    order = note.instruction
    where = await store.organisation(session, row.organisation_id)
    who = await deciders.of_role(session, where, row.person_id)
    side = await deciders.side_of(session, order.actor, row, who)
    if side is None:
        raise Refused("not_found")
    try:
        step = law.move(law.ROLE_MOVES, order.action, row.status)
    except Refused as refusal:
        if refusal.code == "already_decided":
            raise await decided(session, row.id, row.status) from refusal
        raise
    if step.side is not side:
        raise Refused("own_request" if side is Side.APPLICANT else "not_permitted")
    if order.revision != row.revision:
        raise Refused("stale_revision", revision=row.revision)
    said = history.reason(order.form, step.reason)
    events = await _carry_out(session, row, where, step, order.actor, said, now)
    row.revision += 1
    await settle(session, row, where, now)
    answer = life(row)
    await history.write(
        session, row.id, order.action, row.status, now, actor=order.actor, said=said, note=note, answer=answer
    )
    by = By(order.actor.person_id, order.actor.organisation_id or None, said)
    store.note(session, where, row, f"role_{order.action}", by, now)
    for event in events:
        await announce(session, event)
    return Noted(answer, answer)


async def decided(session: AsyncSession, about: str, status: str) -> Refused:
    """The refusal of whoever comes second: who decided what, and when."""
    last = next((line for line in reversed(await history.lines(session, about)) if line.action != "request"), None)
    if last is None:
        return Refused("already_decided", status=status)
    by = await session.get(OrganisationRow, last.acting_for) if last.acting_for else None
    return Refused(
        "already_decided",
        status=status,
        action=last.action,
        at=last.at.isoformat(),
        by=by.name if by else last.person,
        person=last.person,
    )


async def _carry_out(
    session: AsyncSession,
    row: RoleRow,
    where: OrganisationRow,
    step: law.Move,
    actor: Actor,
    said: str,
    now: datetime,
) -> list[Event]:
    """Change the row, and say what is to be told of it."""
    was, row.status = row.status, step.target
    if was != step.target:
        row.since = now
    by = actor.organisation_id or None
    news = _news(row, now) | {"by": by}
    revoked = RoleRevoked(at=now, person_id=row.person_id, organisation_id=where.id)
    if step.step is Step.VALIDATE:
        await _refuse_too_early(session, row, where)
        row.administrator = not await deciders.has_administrator(session, where.id)
        row.reason = said
        return [_granted(row, now, validated=True)]
    if step.step is Step.REFUSE:
        row.reason = said
        return [RoleRefused(**news)]
    if step.step is Step.ASK:
        row.question, row.asked_at, row.rung = said, row.asked_at or now, row.rung
        return [RoleQuestioned(**news)]
    if step.step is Step.ANSWER:
        if row.asked_at is None:
            raise Refused("not_permitted")
        row.counted_from = law.resumed(row.counted_from, row.asked_at, now)
        row.question, row.asked_at = "", None
        return [RoleAnswered(**news, concerns=row.awaited_by)]
    if step.step in (Step.CLAIM, Step.RELEASE):
        claims.step(row, step.step, actor, now)
        return []
    if was == RoleStatus.VALID and (step.target != was or step.step is Step.DISMISS):
        about = where.id if step.step is Step.DISMISS else None
        await claims.hand_back(session, row.person_id, where.id, now, about)
    if step.step is Step.WITHDRAW:
        concerned = row.awaited_by if was == RoleStatus.REQUESTED else [where.id]
        row.administrator = False
        return [*([revoked] if was == RoleStatus.VALID else []), RoleWithdrawn(**news, concerns=concerned)]
    if step.step is Step.SUSPEND:
        row.reason = said
        return [revoked, RoleSuspended(**news)]
    if step.step is Step.REINSTATE:
        await _refuse_second_type(session, row.person_id, where.kind, besides=row.id)
        row.reason = said
        return [_granted(row, now), RoleReinstated(**news)]
    if step.step is Step.REVOKE:
        row.reason, row.administrator = said, False
        return [*([revoked] if was == RoleStatus.VALID else []), RoleWithdrawn(**news)]
    row.administrator = step.step is Step.APPOINT
    return [_granted(row, now)]


async def _refuse_too_early(session: AsyncSession, row: RoleRow, where: OrganisationRow) -> None:
    if where.status != StandingStatus.VALID:
        raise Refused("operator_first")
    await _refuse_second_type(session, row.person_id, where.kind, besides=row.id)


def _granted(row: RoleRow, now: datetime, validated: bool = False) -> RoleGranted:
    return RoleGranted(
        at=now,
        person_id=row.person_id,
        organisation_id=row.organisation_id,
        role_type=row.role_type,
        administrator=row.administrator,
        validated=validated,
    )


def _news(row: RoleRow, now: datetime) -> dict[str, object]:
    return {
        "at": now,
        "role_id": row.id,
        "person_id": row.person_id,
        "organisation_id": row.organisation_id,
        "role_type": row.role_type,
    }


async def look(session: AsyncSession, role_id: str, now: datetime) -> Standing:
    """The role as it stands; who may decide is found anew, for organisations change."""
    row = await locked(session, role_id)
    await settle(session, row, await store.organisation(session, row.organisation_id), now)
    return life(row)


async def ring(session: AsyncSession, rung: Rung, now: datetime) -> Standing:
    """Write down that a clock has rung, once, with its news; a clock that is over by now rings for nobody."""
    row = await locked(session, rung.id)
    where = await store.organisation(session, row.organisation_id)
    if row.due_name != rung.due.name or row.due_at is None or row.due_at > now + SKEW:
        await settle(session, row, where, now)
        return life(row)
    clock = row.due_name
    row.rung = [*row.rung, clock]
    news = _news(row, now)
    if clock == OPERATOR_REFUSED:
        row.status, row.since, row.revision = RoleStatus.REFUSED, now, row.revision + 1
        await announce(session, RoleRefused(**news))
    elif (found := law.clock_named(clock)) and found.ends:
        row.status, row.since, row.revision = RoleStatus.EXPIRED, now, row.revision + 1
        await announce(session, RoleExpired(**news, concerns=row.awaited_by))
    elif clock == "escalated":
        who = await deciders.of_role(session, where, row.person_id)
        row.told = [who.above] if who.above else []
        await announce(session, RoleEscalated(**news, concerns=row.told, late=row.awaited_by))
    elif row.awaited_by:
        await announce(session, RoleReminded(**news, concerns=row.awaited_by))
    else:
        await _nobody_decides(session, row, now)
    await settle(session, row, where, now)
    await history.write(session, row.id, clock, row.status, now)
    return life(row)


async def _nobody_decides(session: AsyncSession, row: RoleRow, now: datetime) -> None:
    log.error("nobody may decide a request", role=row.id, organisation=row.organisation_id)
    await announce(session, RoleUndecidable(**_news(row, now), concerns=await deciders.platform(session)))


async def overdue(session: AsyncSession, before: datetime, limit: int = 200) -> int:
    """Call the processes whose clock should have rung and did not; how many there were."""
    rows = select(RoleRow.id).where(col(RoleRow.due_at) < before).order_by(col(RoleRow.due_at)).limit(limit)
    late = (await session.exec(rows)).all()
    for role_id in late:
        await call(session, role_id)
    return len(late)


# ── For readers ───────────────────────────────────────────────────────────────────────────────────────────────


async def role(session: AsyncSession, role_id: str) -> RoleRow:
    """One role; refused ``not_found`` when there is none."""
    row = await session.get(RoleRow, role_id)
    if row is None:
        raise Refused("not_found")
    return row


async def of_person(session: AsyncSession, person_id: str) -> Sequence[RoleRow]:
    """All roles and requests of a person, the newest first."""
    rows = select(RoleRow).where(RoleRow.person_id == person_id)
    return (await session.exec(rows.order_by(col(RoleRow.requested_at).desc(), col(RoleRow.id)))).all()


async def in_organisation(session: AsyncSession, organisation_id: str, limit: int = 500) -> Sequence[RoleRow]:
    """The people of an organisation, and those who ask to belong to it."""
    rows = select(RoleRow).where(RoleRow.organisation_id == organisation_id, col(RoleRow.status).in_(sorted(OPEN)))
    return (await session.exec(rows.order_by(col(RoleRow.status), RoleRow.person, col(RoleRow.id)).limit(limit))).all()
