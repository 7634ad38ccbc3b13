"""New operators, and changes of operators, that await a decision. Never commits.

One thing to remember: what is in force stays in force until the decision, which brings the proposal into force, in one
transaction with the organisation's journal and news.
"""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.directory import claims, deciders, history, records, roles, standing, store
from services.directory.deciders import Deciders
from services.directory.models import OrganisationRow, ProposalRow, RoleRow
from services.directory.store import By
from shared.contracts.certificates import Awaited, Due
from shared.contracts.directory import OPERATOR_VALIDATION, Note, Noted, Rung, Standing, operator_validation_id
from shared.contracts.organisations import Evidence
from shared.events.base import Event
from shared.events.directory import (
    OrganisationProposed,
    OrganisationRefused,
    OrganisationValidated,
    ProposalAnswered,
    ProposalEscalated,
    ProposalLapsed,
    ProposalQuestioned,
    ProposalReminded,
    ProposalUndecidable,
)
from shared.kit.calendar import is_working_day
from shared.kit.log import logger
from shared.kit.outbox import announce, wake
from shared.rules import requests as law
from shared.rules.actor import Actor
from shared.rules.refusals import Refused
from shared.rules.requests import RoleStatus, Side, Step
from shared.rules.roles import StandingStatus

log = logger("proposals")
NAMESPACE = UUID("5d1d9f10-53c2-4a0a-8d0c-6a6f3c1e7b22")
CREATION, CHANGE = "CREATION", "CHANGE"
APPLICANT_GONE = "applicant_gone"
"""Rings at once where the person who asked for a new operator has taken his own request back."""


async def open_proposal(session: AsyncSession, organisation_id: str) -> ProposalRow | None:
    """The proposal about an organisation that waits."""
    found = select(ProposalRow).where(
        ProposalRow.organisation_id == organisation_id, ProposalRow.status == RoleStatus.REQUESTED
    )
    return (await session.exec(found.with_for_update())).one_or_none()


async def propose(
    session: AsyncSession,
    where: OrganisationRow,
    kind: str,
    changes: dict[str, Any],
    before: dict[str, Any],
    asker: Actor,
    why: str,
    evidence: Evidence | None,
    born: str,
    now: datetime,
) -> ProposalRow:
    """A new operator or a change of one awaits its decision: row, line, news and a call to its process."""
    row = ProposalRow(
        id=str(uuid5(NAMESPACE, born)),
        organisation_id=where.id,
        kind=kind,
        person_id=asker.person_id,
        person=asker.name,
        acting_for=asker.organisation_id or None,
        status=RoleStatus.REQUESTED,
        changes=changes,
        before=before,
        why=why,
        evidence=evidence.model_dump(mode="json", exclude={"file"}) if evidence else None,
        file=evidence.file if evidence else "",
        requested_at=now,
        counted_from=now,
        since=now,
        born=born,
        words=store.found_by(asker.name, where),
    )
    who = await settle(session, row, where, now)
    session.add(row)
    await history.write(session, row.id, "request", row.status, now, actor=asker, said=why)
    await announce(session, OrganisationProposed(**_news(row, now), concerns=row.awaited_by))
    if not who.ids:
        await _nobody_decides(session, row, now)
    await call(session, row.id)
    return row


async def call(session: AsyncSession, proposal_id: str) -> None:
    """Have the process of this proposal look at its row."""
    unread = Standing(proposal_id, RoleStatus.REQUESTED, revision=0, over=False)
    await wake(session, OPERATOR_VALIDATION, operator_validation_id(proposal_id), history.as_json(unread))


# ── The process's door ────────────────────────────────────────────────────────────────────────────────────────


async def locked(session: AsyncSession, proposal_id: str) -> ProposalRow:
    """A proposal, nobody else's to change until this transaction ends."""
    row = await session.get(ProposalRow, proposal_id, with_for_update=True)
    if row is None:
        raise Refused("not_found")
    return row


async def settle(session: AsyncSession, row: ProposalRow, where: OrganisationRow, now: datetime) -> Deciders:
    """Make the columns beside the status agree with it: who may decide, and what rings next."""
    who = await deciders.of_operator(session, where)
    if row.status != RoleStatus.REQUESTED:
        row.awaited_by, row.told, row.due_name, row.due_at = [], [], None, None
        row.question, row.asked_at = "", None
        claims.settle(row, ())
        return who
    row.awaited_by, row.country = list(who.ids), where.country
    claims.settle(row, who.ids)
    if row.kind == CREATION and await _applicant_gone(session, row.id):
        row.due_name, row.due_at = APPLICANT_GONE, now
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


async def _applicant_gone(session: AsyncSession, proposal_id: str) -> bool:
    role = (await session.exec(select(RoleRow.status).where(RoleRow.proposal_id == proposal_id))).first()
    return role in (RoleStatus.WITHDRAWN, RoleStatus.REFUSED)


def life(row: ProposalRow) -> Standing:
    """The row as its process remembers it."""
    due = Due(row.due_name, row.due_at) if row.due_name and row.due_at else None
    awaited = None
    if row.status == RoleStatus.REQUESTED:
        clock = law.clock_named(row.due_name or "")
        awaited = Awaited(
            what="An answer of whoever proposed it" if row.asked_at else f"A decision about a {row.kind.lower()}",
            organisations=() if row.asked_at else tuple(row.awaited_by),
            since=row.asked_at or row.requested_at,
            until=row.due_at,
            then=clock.then if clock else "nothing by itself",
        )
    return Standing(row.id, row.status, row.revision, over=due is None, due=due, awaited=awaited)


async def record(session: AsyncSession, note: Note, now: datetime) -> Noted:
    """Carry out one instruction about a proposal: rows, lines, journal and news, or nothing."""
    row = await locked(session, note.id)
    if answer := await history.answered(session, note):
        return Noted(answer, life(row))
    order = note.instruction
    where = await store.locked(session, row.organisation_id)
    who = await deciders.of_operator(session, where)
    side = await deciders.side_of(session, order.actor, row, who)
    if side is None:
        raise Refused("not_found")
    try:
        step = law.move(law.REQUEST_MOVES, order.action, row.status)
    except Refused as refusal:
        if refusal.code == "already_decided":
            raise await roles.decided(session, row.id, row.status) from refusal
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
    for event in events:
        await announce(session, event)
    return Noted(answer, answer)


async def _carry_out(
    session: AsyncSession,
    row: ProposalRow,
    where: OrganisationRow,
    step: law.Move,
    actor: Actor,
    said: str,
    now: datetime,
) -> list[Event]:
    """Change the rows, and say what is to be told of it."""
    if row.status != step.target:
        row.since = now
    row.status = step.target
    by = By(actor.person_id, actor.organisation_id or None, said)
    news = _news(row, now) | {"by": actor.organisation_id or None}
    if step.step is Step.VALIDATE:
        row.reason = said
        await _in_force(session, row, where, by, now)
        return [OrganisationValidated(**news)]
    if step.step is Step.REFUSE:
        row.reason = said
        await _not_in_force(session, row, where, StandingStatus.REJECTED, by, now, "rejected")
        return [OrganisationRefused(**news)]
    if step.step is Step.ASK:
        row.question, row.asked_at = said, row.asked_at or now
        return [ProposalQuestioned(**news)]
    if step.step is Step.ANSWER:
        if row.asked_at is None:
            raise Refused("not_permitted")
        row.counted_from = law.resumed(row.counted_from, row.asked_at, now)
        row.question, row.asked_at = "", None
        return [ProposalAnswered(**news, concerns=row.awaited_by)]
    if step.step in (Step.CLAIM, Step.RELEASE):
        claims.step(row, step.step, actor, now)
        return []
    concerned = row.awaited_by
    await _not_in_force(session, row, where, StandingStatus.DELETED, by, now, "withdrawn")
    return [ProposalLapsed(**news, concerns=concerned)]


async def _in_force(session: AsyncSession, row: ProposalRow, where: OrganisationRow, by: By, now: datetime) -> None:
    """What was proposed is what holds from now on."""
    if row.kind == CREATION:
        activities = [{**each, "status": StandingStatus.VALID} for each in where.activities]
        changes: dict[str, Any] = {"activities": activities, "status": StandingStatus.VALID}
    else:
        current = store.record(where)
        if any(current[name] != value for name, value in row.before.items()):
            raise Refused("stale_revision", revision=row.revision)
        changes = dict(row.changes)
        if "activities" in changes:
            changes["status"] = records.standing_of(changes["activities"], where.status)
    await store.change(session, where.id, changes, by, now, "validated")
    await standing.call(session, where.id)
    await _call_roles(session, where.id)


async def _not_in_force(
    session: AsyncSession,
    row: ProposalRow,
    where: OrganisationRow,
    status: StandingStatus,
    by: By,
    now: datetime,
    what: str,
) -> None:
    """A new operator that was not accepted is gone; a change that was not accepted leaves no trace in the record."""
    if row.kind != CREATION:
        return
    activities = [{**each, "status": status} for each in where.activities]
    await store.change(session, where.id, {"activities": activities, "status": status}, by, now, what)
    await _call_roles(session, where.id)


async def _call_roles(session: AsyncSession, organisation_id: str) -> None:
    """Requests to belong to this organisation look at it anew."""
    waiting = select(RoleRow.id).where(
        RoleRow.organisation_id == organisation_id, RoleRow.status == RoleStatus.REQUESTED
    )
    for role_id in (await session.exec(waiting)).all():
        await roles.call(session, role_id)


def _news(row: ProposalRow, now: datetime) -> dict[str, object]:
    return {
        "at": now,
        "proposal_id": row.id,
        "organisation_id": row.organisation_id,
        "person_id": row.person_id,
        "kind": row.kind,
    }


async def look(session: AsyncSession, proposal_id: str, now: datetime) -> Standing:
    """The proposal as it stands; who may decide is found anew."""
    row = await locked(session, proposal_id)
    await settle(session, row, await store.organisation(session, row.organisation_id), now)
    return life(row)


async def ring(session: AsyncSession, rung: Rung, now: datetime) -> Standing:
    """Write down that a clock has rung, once, with its news; a clock that is over by now rings for nobody."""
    row = await locked(session, rung.id)
    where = await store.locked(session, row.organisation_id)
    if row.due_name != rung.due.name or row.due_at is None or row.due_at > now + roles.SKEW:
        await settle(session, row, where, now)
        return life(row)
    clock = row.due_name
    row.rung = [*row.rung, clock]
    news = _news(row, now)
    found = law.clock_named(clock)
    if clock == APPLICANT_GONE or (found and found.ends):
        expired = clock != APPLICANT_GONE
        row.status, row.since = RoleStatus.EXPIRED if expired else RoleStatus.WITHDRAWN, now
        row.revision += 1
        await announce(session, ProposalLapsed(**news, concerns=row.awaited_by, expired=expired))
        await _not_in_force(session, row, where, StandingStatus.DELETED, By(why=clock), now, "lapsed")
    elif clock == "escalated":
        who = await deciders.of_operator(session, where)
        row.told = [who.above] if who.above else []
        await announce(session, ProposalEscalated(**news, concerns=row.told, late=row.awaited_by))
    elif row.awaited_by:
        await announce(session, ProposalReminded(**news, concerns=row.awaited_by))
    else:
        await _nobody_decides(session, row, now)
    await settle(session, row, where, now)
    await history.write(session, row.id, clock, row.status, now)
    return life(row)


async def _nobody_decides(session: AsyncSession, row: ProposalRow, now: datetime) -> None:
    log.error("nobody may decide a proposal", proposal=row.id, organisation=row.organisation_id)
    await announce(session, ProposalUndecidable(**_news(row, now), concerns=await deciders.platform(session)))


async def overdue(session: AsyncSession, before: datetime, limit: int = 200) -> int:
    """Call the processes whose clock should have rung and did not; how many there were."""
    rows = select(ProposalRow.id).where(col(ProposalRow.due_at) < before).order_by(col(ProposalRow.due_at))
    late = (await session.exec(rows.limit(limit))).all()
    for proposal_id in late:
        await call(session, proposal_id)
    return len(late)


# ── For readers ───────────────────────────────────────────────────────────────────────────────────────────────


async def proposal(session: AsyncSession, proposal_id: str) -> ProposalRow:
    """One proposal; refused ``not_found`` when there is none."""
    row = await session.get(ProposalRow, proposal_id)
    if row is None:
        raise Refused("not_found")
    return row
