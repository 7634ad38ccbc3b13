"""The HTTP door: the search for organisations and their records, roles and who decides about them, proposals.

Whoever is signed in may read public records; what concerns a person is there for himself and for whoever decides.
"""

import asyncio
import time
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.directory import deciders, endings, operators, proposals, records, roles, standing, store, views, waiting
from services.directory.store import Search
from shared.contracts.directory import (
    OPERATOR_LIFE,
    OPERATOR_VALIDATION,
    ROLE_VALIDATION,
    Chosen,
    Creatable,
    Created,
    DecisionResult,
    Decisions,
    Evidence,
    HistoryView,
    Instruction,
    LookAlike,
    NewOrganisation,
    NewRoles,
    OrganisationEdit,
    OrganisationMay,
    OrganisationPage,
    OrganisationView,
    ProposalPage,
    ProposalView,
    PublicPage,
    RoleRequestPage,
    RoleRequestView,
    RoleView,
    Sides,
    Standing,
    StepWish,
    operator_life_id,
    operator_validation_id,
    role_validation_id,
)
from shared.kit.http import IdempotencyKey
from shared.kit.process import Surroundings
from shared.kit.sessions import CurrentPerson, CurrentReader
from shared.rules.actor import Actor
from shared.rules.refusals import Refused
from shared.rules.requests import RoleStatus, Side
from shared.rules.roles import RoleType
from shared.rules.sentences import SENTENCES
from shared.words import best_language, say

router = APIRouter()
MOST_IDS = 100
AT_ONCE = 8
PATIENCE = 9.0
"""Seconds for which one call goes on with decisions; the rest is told to be sent again under the same key."""
Short = Annotated[str, Field(max_length=40)]


class Wanted(BaseModel):
    """What the address of a search may say; anything else is refused."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(default="", max_length=200)
    country: Short | None = None
    kind: Short | None = None
    activity: Short | None = None
    section: Short | None = None
    authority_role: Short | None = None
    competence: Short | None = None
    recognised_in: Short | None = None
    code: Short | None = None
    status: Short | None = None
    after: str | None = Field(default=None, max_length=2000)
    limit: int = Field(default=20, ge=1, le=100)
    ids: str | None = Field(default=None, max_length=MOST_IDS * 37)


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


def _around(request: Request) -> Surroundings:
    around: Surroundings = request.app.state.around
    return around


Around = Annotated[Surroundings, Depends(_around)]


async def _asker(person: CurrentPerson, acting_for: Annotated[str | None, Header()] = None) -> Actor:
    """The person asking, in the post he acts in, or in none: whoever asks for his first role has none yet."""
    if acting_for is not None or len(person.posts) == 1:
        return person.acting_for(acting_for)
    return Actor(person.person_id, person.name, "", "", person.session_id, person.proved_at, language=person.language)


Asker = Annotated[Actor, Depends(_asker)]


async def _language(accept_language: Annotated[str | None, Header()] = None) -> str:
    return best_language(accept_language)


Language = Annotated[str, Depends(_language)]


# ── Organisations ─────────────────────────────────────────────────────────────────────────────────────────────


@router.get("/organisations")
async def organisations(wanted: Annotated[Wanted, Query()], _: CurrentReader, around: Around) -> OrganisationPage:
    """The organisations that fit, by name; or, with ``ids``, just these."""
    async with around.database.transaction() as session:
        if wanted.ids is not None:
            return OrganisationPage(
                items=await views.organisation_views(session, await store.organisations(session, _ids(wanted.ids))),
                next=None,
            )
        rows, after = await store.search(session, _search(wanted))
        return OrganisationPage(items=await views.organisation_views(session, rows), next=after)


@router.get("/public/organisations")
async def public(wanted: Annotated[Wanted, Query()], around: Around) -> PublicPage:
    """The public directory, before sign-in: valid organisations, nothing that leads to a person."""
    if wanted.ids is not None or wanted.status is not None:
        raise Refused("invalid", field="ids")
    async with around.database.transaction() as session:
        rows, after = await store.search(session, _search(wanted.model_copy(update={"status": "VALID"})), public=True)
        return PublicPage(items=await views.public_views(session, rows), next=after)


@router.get("/organisations/creatable")
async def creatable(asker: Asker, around: Around) -> Creatable:
    """Which kinds of organisations the person asking may create, valid at once."""
    async with around.database.transaction() as session:
        return await standing.creatable(session, asker)


@router.get("/organisations/{organisation_id}")
async def organisation(organisation_id: UUID, _: CurrentReader, around: Around) -> OrganisationView:
    """One organisation's public record."""
    async with around.database.transaction() as session:
        return (await views.organisation_views(session, [await store.organisation(session, str(organisation_id))]))[0]


@router.post("/organisations", status_code=201)
async def create(new: NewOrganisation, asker: Asker, key: IdempotencyKey, around: Around) -> Created:
    """A new organisation: valid at once where its guardian creates it, else with its creator's request for a role."""
    _refuse_bad_file(new.evidence)
    async with around.database.transaction() as session:
        row, proposal, role = await operators.create(session, asker, new, key, around.now())
        return Created(
            organisation_id=row.id,
            status=row.status,
            role_id=role.id if role else None,
            proposal_id=proposal.id if proposal else None,
        )


@router.post("/organisations/look-alikes")
async def look_alikes(new: NewOrganisation, _: CurrentPerson, around: Around) -> list[LookAlike]:
    """Organisations that may be the same as one about to be created, the most alike first, and why."""
    async with around.database.transaction() as session:
        fields = records.tidy(new.model_dump(include=set(operators.RECORD)))
        return [views.look_alike(*pair) for pair in await operators.look_alikes(session, fields)]


@router.put("/organisations/{organisation_id}")
async def edit(
    organisation_id: UUID, wish: OrganisationEdit, asker: Asker, key: IdempotencyKey, around: Around
) -> OrganisationMay:
    """Change a record: at once, or as a proposal that awaits a decision while the valid version stays in force."""
    _refuse_bad_file(wish.evidence)
    async with around.database.transaction() as session:
        await operators.edit(session, asker, str(organisation_id), wish, key, around.now())
        return await views.organisation_may(session, asker, await store.organisation(session, str(organisation_id)))


@router.get("/organisations/{organisation_id}/may")
async def organisation_may(organisation_id: UUID, asker: Asker, around: Around) -> OrganisationMay:
    """What the person asking may do with an organisation, and the revision he sees."""
    async with around.database.transaction() as session:
        return await views.organisation_may(session, asker, await store.organisation(session, str(organisation_id)))


@router.post("/organisations/{organisation_id}/steps")
async def organisation_step(
    organisation_id: UUID, wish: StepWish, asker: Asker, key: IdempotencyKey, around: Around
) -> OrganisationMay:
    """Suspend, reinstate, close or merge an organisation, or one of its activities."""
    where = str(organisation_id)
    async with around.database.transaction() as session:
        if not await standing.guarded(session, asker, await store.organisation(session, where)):
            raise Refused("not_found")
    await _ask(around, OPERATOR_LIFE, operator_life_id(where), where, wish.action, asker, wish.revision, wish.form, key)
    async with around.database.transaction() as session:
        return await views.organisation_may(session, asker, await store.organisation(session, where))


@router.get("/organisations/{organisation_id}/history")
async def organisation_history(
    organisation_id: UUID, asker: Asker, around: Around, at: AwareDatetime | None = None
) -> HistoryView:
    """Who changed what, when and why; and the record as it stood at a moment."""
    async with around.database.transaction() as session:
        row = await store.organisation(session, str(organisation_id))
        return await views.history_view(session, asker, row, at or around.now())


@router.get("/organisations/{organisation_id}/people")
async def people(organisation_id: UUID, asker: Asker, around: Around) -> list[RoleRequestView]:
    """The people of an organisation and those who ask to belong to it, for those who decide about them."""
    async with around.database.transaction() as session:
        where = await store.organisation(session, str(organisation_id))
        post = await deciders.post_of(session, asker)
        who = await deciders.of_role(session, where, asker.person_id)
        own = post is not None and post.organisation_id == where.id
        if post is None or (not own and post.organisation_id not in who.ids) or (own and not post.administrator):
            raise Refused("not_found")
        rows = await roles.in_organisation(session, where.id)
        mine = [row for row in rows if row.person_id == asker.person_id]
        told = [row for row in rows if row.person_id != asker.person_id]
        return [*await views.role_views(session, mine), *await views.role_views(session, told, Side.VALIDATOR)]


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
    if any(not _is_uuid(each.organisation_id) for each in new.wanted):
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
        return RoleRequestPage(items=await views.role_views(session, page, Side.VALIDATOR), next=further, number=number)


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
    told = await _ask_role(around, role, wish.action, asker, wish.revision, wish.form, key)
    async with around.database.transaction() as session:
        row = await roles.role(session, role)
    if told.status in (RoleStatus.SUSPENDED, RoleStatus.WITHDRAWN):
        await endings.heard(around, row.person_id, row.organisation_id)
    async with around.database.transaction() as session:
        if asker.person_id == row.person_id:
            return (await views.role_views(session, [row], Side.APPLICANT))[0]
        return (await views.role_views(session, [row], Side.VALIDATOR))[0]


@router.post("/role-requests/decisions")
async def decide_several(
    wish: Decisions, asker: Asker, key: IdempotencyKey, around: Around, language: Language
) -> list[DecisionResult]:
    """The same decision on several requests, with a result for each; what was not reached says ``timeout``.

    Each has a key of its own that follows from the call's: the same call again goes on where this one ended.
    """
    ends, room = time.monotonic() + PATIENCE, asyncio.Semaphore(AT_ONCE)

    async def one(chosen: Chosen) -> DecisionResult:
        async with room:
            if time.monotonic() > ends:
                return _result(chosen.id, Refused("timeout"), language)
            own = str(uuid5(roles.NAMESPACE, f"{key}/{chosen.id}"))
            try:
                form = {"reason": wish.reason} if wish.reason else {}
                told = await _ask_role(around, chosen.id, wish.action, asker, chosen.revision, form, own)
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
        items = await views.proposal_views(session, page, Side.VALIDATOR)
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
    process = operator_validation_id(wanted)
    await _ask(around, OPERATOR_VALIDATION, process, wanted, wish.action, asker, wish.revision, wish.form, key)
    async with around.database.transaction() as session:
        return await views.proposal_view(session, asker, await proposals.proposal(session, wanted))


# ── What the doors have in common ─────────────────────────────────────────────────────────────────────────────


async def _ask_role(
    around: Surroundings, role_id: str, action: str, actor: Actor, revision: int, form: dict[str, Any], key: str
) -> Standing:
    if not _is_uuid(role_id):
        raise Refused("not_found")
    async with around.database.transaction() as session:
        await views.role_view(session, actor, await roles.role(session, role_id))
    return await _ask(around, ROLE_VALIDATION, role_validation_id(role_id), role_id, action, actor, revision, form, key)


async def _ask(
    around: Surroundings,
    workflow: str,
    workflow_id: str,
    about: str,
    action: str,
    actor: Actor,
    revision: int,
    form: dict[str, Any],
    key: str,
) -> Standing:
    """Ask a process for one step; answered once it is on paper."""
    return await around.processes.ask(
        action,
        Instruction(action, actor, revision, form),
        workflow=workflow,
        workflow_id=workflow_id,
        life=Standing(about, "", revision=0, over=False),
        key=key,
        answer=Standing,
    )


def _search(wanted: Wanted) -> Search:
    said = wanted.model_dump(exclude={"ids"})
    return Search(**{name: _clean(value) for name, value in said.items()})


def _clean(value: Any) -> Any:
    """PostgreSQL knows no text with a zero in it."""
    return value.replace("\0", "") if isinstance(value, str) else value


def _is_uuid(told: str) -> bool:
    try:
        return bool(UUID(told))
    except ValueError:
        return False


def _ids(told: str) -> list[str]:
    try:
        ids = [str(UUID(each)) for each in told.split(",") if each]
    except ValueError as problem:
        raise Refused("invalid", field="ids") from problem
    if len(ids) > MOST_IDS:
        raise Refused("invalid", field="ids")
    return ids


def _wish(wanted: Waiting) -> waiting.Wish:
    said = {name: _clean(value) for name, value in wanted.model_dump(exclude={"after", "limit"}).items()}
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


def _refuse_bad_file(told: Evidence | None) -> None:
    if told is None or not told.file:
        return
    try:
        b64decode(told.file, validate=True)
    except (NotBase64, ValueError) as problem:
        raise Refused("invalid", field="evidence") from problem
