"""The HTTP door for organisations: the search, their records, what is done about them, and the public directory.

Whoever is signed in may read public records; what concerns a person is there for himself and for whoever decides.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.directory import (
    deciders,
    operators,
    records,
    roles,
    search,
    standing,
    store,
    views,
)
from services.directory.door import OF_OPERATORS, Around, Asker, ask, clean
from services.directory.search import Search
from shared.contracts.directory import RoleRequestView, StepWish
from shared.contracts.organisations import (
    Creatable,
    Created,
    Evidence,
    HistoryView,
    LookAlike,
    NewOrganisation,
    OrganisationEdit,
    OrganisationMay,
    OrganisationPage,
    OrganisationView,
    PublicPage,
)
from shared.kit.http import IdempotencyKey
from shared.kit.sessions import CurrentPerson, CurrentReader
from shared.rules.refusals import Refused
from shared.rules.requests import Side

router = APIRouter()
MOST_IDS = 100
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
        rows, after = await search.search(session, _search(wanted))
        return OrganisationPage(items=await views.organisation_views(session, rows), next=after)


@router.get("/public/organisations")
async def public(wanted: Annotated[Wanted, Query()], around: Around) -> PublicPage:
    """The public directory, before sign-in: valid organisations, nothing that leads to a person."""
    if wanted.ids is not None or wanted.status is not None:
        raise Refused("invalid", field="ids")
    async with around.database.transaction() as session:
        rows, after = await search.search(session, _search(wanted.model_copy(update={"status": "VALID"})), public=True)
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
    await ask(around, OF_OPERATORS, where, wish, asker, key)
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
        deciding = await views.role_views(session, told, Side.VALIDATOR, reader=asker.person_id)
        return [*await views.role_views(session, mine), *deciding]


def _search(wanted: Wanted) -> Search:
    said = wanted.model_dump(exclude={"ids"})
    return Search(**{name: clean(value) for name, value in said.items()})


def _ids(told: str) -> list[str]:
    try:
        ids = [str(UUID(each)) for each in told.split(",") if each]
    except ValueError as problem:
        raise Refused("invalid", field="ids") from problem
    if len(ids) > MOST_IDS:
        raise Refused("invalid", field="ids")
    return ids


def _refuse_bad_file(told: Evidence | None) -> None:
    if told is None or not told.file:
        return
    try:
        b64decode(told.file, validate=True)
    except (NotBase64, ValueError) as problem:
        raise Refused("invalid", field="evidence") from problem
