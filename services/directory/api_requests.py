"""The HTTP door for what awaits a decision: roles and who decides about them, proposals, several at once."""

import asyncio
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from services.directory import (
    deciders,
    endings,
    history,
    proposals,
    roles,
    store,
    views,
    waiting,
)
from services.directory.door import OF_PROPOSALS, OF_ROLES, Around, Asker, Language, ask, clean, is_uuid
from shared.contracts.directory import (
    Chosen,
    DecisionResult,
    Decisions,
    Instruction,
    NewRoles,
    Note,
    ProposalPage,
    ProposalView,
    RoleRequestPage,
    RoleRequestView,
    RoleView,
    Sides,
    Standing,
    StepWish,
)
from shared.contracts.organisations import Evidence
from shared.kit.http import IdempotencyKey
from shared.kit.process import Surroundings
from shared.kit.sessions import CurrentPerson
from shared.rules.actor import Actor
from shared.rules.refusals import Refused
from shared.rules.requests import RoleStatus, Side
from shared.rules.roles import RoleType
from shared.rules.sentences import SENTENCES
from shared.words import say

router = APIRouter()
AT_ONCE = 8
PATIENCE = 9.0
"""Seconds for which one call goes on with decisions; the rest is told to be sent again under the same key."""
Short = Annotated[str, Field(max_length=40)]


class Waiting(BaseModel):
    """What the address of a validator's list may say."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(default="", max_length=200)
    role_type: Short = ""
    country: Short = ""
    kind: Short = ""
    sort: str = Field(default=waiting.OLDEST, pattern=f"^({waiting.OLDEST}|{waiting.NEWEST}|{waiting.DUE})$")
    after: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=20, ge=1, le=100)


# ── Roles ─────────────────────────────────────────────────────────────────────────────────────────────────────


@router.get("/people/me/roles")
async def my_roles(person: CurrentPerson, around: Around) -> list[RoleView]:
    """All roles of the person asking, whatever their status."""
    async with around.database.transaction() as session:
        return [
            RoleView(
                organisation_id=where.id,
                organisation=where.name,
                country=where.country,
                role_type=role.role_type,
                status=role.status,
                administrator=role.administrator,
                since=role.since,
            )
            for role, where in await store.roles_of(session, person.person_id)
        ]


@router.post("/role-requests", status_code=201)
async def request_roles(new: NewRoles, asker: Asker, key: IdempotencyKey, around: Around) -> list[RoleRequestView]:
    """Ask for one or several roles."""
    if any(not is_uuid(each.organisation_id) for each in new.wanted):
        raise Refused("invalid", field="organisation_id")
    async with around.database.transaction() as session:
        rows = await roles.ask(session, asker, new, key, around.now())
        return await views.role_views(session, rows, Side.APPLICANT)


@router.get("/people/me/role-requests")
async def my_requests(person: CurrentPerson, around: Around) -> list[RoleRequestView]:
    """All roles and requests of the person asking: who holds each, since when, until when, and what happens then."""
    async with around.database.transaction() as session:
        return await views.role_views(session, await roles.of_person(session, person.person_id), Side.APPLICANT)


@router.get("/role-requests")
async def pending(wanted: Annotated[Waiting, Query()], asker: Asker, around: Around) -> RoleRequestPage:
    """The requests that the organisation one acts for is to decide, or was told of."""
    async with around.database.transaction() as session:
        post = await deciders.post_of(session, asker)
        if post is None or post.role_type == RoleType.SYS_ADMIN:
            return RoleRequestPage(items=[], next=None, number=0)
        rows, number = await waiting.role_requests(session, post.organisation_id, post.administrator, _wish(wanted))
        page, further = _turned(rows, wanted)
        return RoleRequestPage(
            items=await views.role_views(session, page, Side.VALIDATOR, reader=asker.person_id),
            next=further,
            number=number,
        )


@router.get("/role-requests/{role_id}")
async def role_request(role_id: UUID, asker: Asker, around: Around) -> Sides:
    """One request with everything needed to decide it, side by side."""
    async with around.database.transaction() as session:
        return await views.sides(session, asker, await roles.role(session, str(role_id)))


@router.post("/role-requests/{role_id}/steps")
async def role_step(
    role_id: UUID, wish: StepWish, asker: Asker, key: IdempotencyKey, around: Around
) -> RoleRequestView:
    """Validate, refuse, ask, answer, withdraw, suspend, reinstate, revoke, appoint, dismiss."""
    role = str(role_id)
    told = await _ask_role(around, role, wish, asker, key)
    async with around.database.transaction() as session:
        row = await roles.role(session, role)
    if told.status in (RoleStatus.SUSPENDED, RoleStatus.WITHDRAWN):
        await endings.heard(around, row.person_id, row.organisation_id)
    async with around.database.transaction() as session:
        side = Side.APPLICANT if asker.person_id == row.person_id else Side.VALIDATOR
        return (await views.role_views(session, [row], side, reader=asker.person_id))[0]


@router.post("/role-requests/decisions")
async def decide_several(
    wish: Decisions, asker: Asker, key: IdempotencyKey, around: Around, language: Language
) -> list[DecisionResult]:
    """The same decision on several requests, with a result for each; what was not reached says ``timeout``.

    Each has a key of its own that follows from the call's: the same call again goes on where this one ended.
    """
    ends, room = time.monotonic() + PATIENCE, asyncio.Semaphore(AT_ONCE)
    form = {"reason": wish.reason} if wish.reason else {}
    keys = {each.id: str(uuid5(roles.NAMESPACE, f"{key}/{each.id}")) for each in wish.chosen}
    async with around.database.reading() as session:
        told = (Instruction(wish.action, asker, each.revision, form) for each in wish.chosen)
        notes = [Note(each.id, order, keys[each.id]) for each, order in zip(wish.chosen, told, strict=True)]
        known = await history.answers(session, notes)

    async def one(chosen: Chosen) -> DecisionResult:
        own = keys[chosen.id]
        if own in known:
            return DecisionResult(id=chosen.id, status=known[own].status)
        async with room:
            if time.monotonic() > ends:
                return _result(chosen.id, Refused("timeout"), language)
            try:
                step = StepWish(action=wish.action, revision=chosen.revision, form=form)
                told = await _ask_role(around, chosen.id, step, asker, own)
            except Refused as refusal:
                return _result(chosen.id, refusal, language)
            return DecisionResult(id=chosen.id, status=told.status)

    return list(await asyncio.gather(*(one(each) for each in wish.chosen)))


def _result(role_id: str, refusal: Refused, language: str) -> DecisionResult:
    return DecisionResult(id=role_id, code=refusal.code, says=say(SENTENCES[refusal.code], language))


# ── Proposals ─────────────────────────────────────────────────────────────────────────────────────────────────


@router.get("/proposals")
async def pending_proposals(wanted: Annotated[Waiting, Query()], asker: Asker, around: Around) -> ProposalPage:
    """The proposals that the organisation one acts for is to decide, or was told of."""
    async with around.database.transaction() as session:
        post = await deciders.post_of(session, asker)
        if post is None or post.role_type == RoleType.SYS_ADMIN:
            return ProposalPage(items=[], next=None)
        rows, number = await waiting.changes(session, post.organisation_id, _wish(wanted))
        page, further = _turned(rows, wanted)
        items = await views.proposal_views(session, page, Side.VALIDATOR, reader=asker.person_id)
        return ProposalPage(items=items, next=further, number=number)


@router.get("/proposals/{proposal_id}")
async def proposal(proposal_id: UUID, asker: Asker, around: Around) -> ProposalView:
    """One proposal: field by field how it stands and how it would, its evidence, and what it resembles."""
    async with around.database.transaction() as session:
        return await views.proposal_view(session, asker, await proposals.proposal(session, str(proposal_id)))


@router.get("/proposals/{proposal_id}/evidence")
async def evidence(proposal_id: UUID, asker: Asker, around: Around) -> Evidence:
    """The proof of certification, with its file."""
    async with around.database.transaction() as session:
        row = await proposals.proposal(session, str(proposal_id))
        await views.proposal_view(session, asker, row)
        if row.evidence is None:
            raise Refused("not_found")
        return Evidence(**row.evidence, file=row.file)


@router.post("/proposals/{proposal_id}/steps")
async def proposal_step(
    proposal_id: UUID, wish: StepWish, asker: Asker, key: IdempotencyKey, around: Around
) -> ProposalView:
    """Validate, refuse, ask, answer or withdraw."""
    wanted = str(proposal_id)
    async with around.database.transaction() as session:
        await views.proposal_view(session, asker, await proposals.proposal(session, wanted))
    await ask(around, OF_PROPOSALS, wanted, wish, asker, key)
    async with around.database.transaction() as session:
        return await views.proposal_view(session, asker, await proposals.proposal(session, wanted))


async def _ask_role(around: Surroundings, role_id: str, wish: StepWish, actor: Actor, key: str) -> Standing:
    if not is_uuid(role_id):
        raise Refused("not_found")
    async with around.database.transaction() as session:
        await views.role_view(session, actor, await roles.role(session, role_id))
    return await ask(around, OF_ROLES, role_id, wish, actor, key)


def _wish(wanted: Waiting) -> waiting.Wish:
    said = {name: clean(value) for name, value in wanted.model_dump(exclude={"after", "limit"}).items()}
    return waiting.Wish(**said, after=_place(wanted.after), limit=wanted.limit + 1)


def _turned(rows: Sequence[Any], wanted: Waiting) -> tuple[Sequence[Any], str | None]:
    """The rows of one page, and the mark of the next one where there is one."""
    page = rows[: wanted.limit]
    if len(rows) <= wanted.limit:
        return page, None
    last = page[-1]
    at = (last.due_at or last.requested_at) if wanted.sort == waiting.DUE else last.requested_at
    return page, _mark(at, last.id)


def _mark(at: datetime, row_id: str) -> str:
    return urlsafe_b64encode(f"{at.isoformat()} {row_id}".encode()).decode().rstrip("=")


def _place(after: str | None) -> tuple[datetime, str] | None:
    """Where the page before ended; refused when it was not we who said so."""
    if after is None:
        return None
    try:
        at, _, row_id = urlsafe_b64decode(after + "=" * (-len(after) % 4)).decode().partition(" ")
        return datetime.fromisoformat(at), str(UUID(row_id))
    except (ValueError, UnicodeDecodeError) as problem:
        raise Refused("invalid", field="after") from problem
