"""The HTTP door of extracts: parse, ask, answer. Whoever may not see an extract hears that it is not there."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from services.certificates import extract_paper, extract_views, extracts, store, views
from services.certificates.api import Around, Language
from shared.contracts.certificate_views import (
    Confirmation,
    Edit,
    ExtractPage,
    ExtractView,
    JournalView,
    NewExtract,
    TraceView,
    Wish,
)
from shared.contracts.certificates import EXTRACT_LIFE, Batch, Order, extract_life_id
from shared.kit.http import IdempotencyKey
from shared.kit.sessions import CurrentActor
from shared.rules.extracts import EXTRACT_FORM, ExtractStatus
from shared.rules.refusals import Refused

router = APIRouter()


@router.post("/certificates/{certificate_id}/extracts", status_code=201)
async def begin(
    certificate_id: str, new: NewExtract, actor: CurrentActor, key: IdempotencyKey, around: Around, language: Language
) -> ExtractView:
    """Begin an extract: the importer, who is responsible for the load, or the authority that splits."""
    async with around.database.transaction() as session:
        parent = await views.seen(session, certificate_id, actor)
        row = await extracts.begin(session, parent.id, actor, new.content, key, around.now())
        return await extract_views.extract(session, row, actor, around.now(), language)


@router.get("/certificates/{certificate_id}/extracts")
async def of_certificate(certificate_id: str, actor: CurrentActor, around: Around) -> ExtractPage:
    """The extracts of a certificate that this organisation may see, and what is left of each line."""
    async with around.database.transaction() as session:
        parent = await views.seen(session, certificate_id, actor)
        return await extract_views.of_certificate(session, parent, actor, around.now())


@router.get("/certificates/{certificate_id}/trace")
async def trace_forth(certificate_id: str, actor: CurrentActor, around: Around) -> TraceView:
    """The way of the goods, from the producers to every consignee this organisation may know of."""
    async with around.database.transaction() as session:
        parent = await views.seen(session, certificate_id, actor)
        return await extract_views.trace_forth(session, parent, actor, around.now())


@router.get("/extracts")
async def mine(
    actor: CurrentActor,
    around: Around,
    status: Annotated[list[ExtractStatus] | None, Query()] = None,
    awaits_me: bool = False,
    limit: Annotated[int, Query(ge=1, le=100)] = 25,
    after: Annotated[str | None, Query(max_length=36)] = None,
) -> ExtractPage:
    """The extracts this organisation may see, newest change first."""
    async with around.database.transaction() as session:
        return await extract_views.mine(session, actor, status or [], awaits_me, limit, after)


@router.get("/extracts/{extract_id}")
async def extract(extract_id: str, actor: CurrentActor, around: Around, language: Language) -> ExtractView:
    """One extract as this organisation may see it, and what it may edit and do now."""
    async with around.database.transaction() as session:
        row = await extract_views.seen(session, extract_id, actor)
        return await extract_views.extract(session, row, actor, around.now(), language)


@router.put("/extracts/{extract_id}/boxes")
async def edit(
    extract_id: str, change: Edit, actor: CurrentActor, key: IdempotencyKey, around: Around, language: Language
) -> ExtractView:
    """Fill in the batch on the revision seen; its quantity is booked when it is submitted, not before."""
    async with around.database.transaction() as session:
        await extract_views.seen(session, extract_id, actor)
        row = await extracts.edit(session, extract_id, actor, change, key, around.now())
        return await extract_views.extract(session, row, actor, around.now(), language)


@router.post("/extracts/{extract_id}/actions")
async def act(
    extract_id: str, wish: Wish, actor: CurrentActor, key: IdempotencyKey, around: Around, language: Language
) -> ExtractView:
    """Ask the extract's process for a move; answered once it is on paper."""
    order = Order(wish.action, actor, wish.revision, wish.form, wish.fingerprint)
    if order.asks not in EXTRACT_FORM:
        raise Refused("unknown_action", action=wish.action)
    async with around.database.transaction() as session:
        row = await extract_views.seen(session, extract_id, actor)
        done = await extracts.told_before(session, order, row.id, key)
        if done:
            await extracts.remind(session, row, around.now())
        batch = None if done else extract_paper.unread(row)
        order = replace(order, for_whom=await store.name_of(session, actor.organisation_id))
    if batch is not None:
        process = extract_life_id(row.id)
        try:
            await around.processes.ask(
                order.action, order, workflow=EXTRACT_LIFE, workflow_id=process, life=batch, key=key, answer=Batch
            )
        except Refused as refusal:
            if refusal.code in ("timeout", "unavailable"):
                async with around.database.transaction() as session:
                    await extracts.remind(session, await extracts.found(session, row.id), around.now())
            raise
    async with around.database.transaction() as session:
        row = await extracts.found(session, extract_id)
        return await extract_views.extract(session, row, actor, around.now(), language)


@router.get("/extracts/{extract_id}/confirmation")
async def confirmation(
    extract_id: str, action: str, actor: CurrentActor, around: Around, language: Language
) -> Confirmation:
    """What a signature would cover: the whole content of this revision, and its fingerprint."""
    async with around.database.transaction() as session:
        row = await extract_views.seen(session, extract_id, actor)
        return await extract_views.confirmation(session, row, actor, action, around.now(), language)


@router.get("/extracts/{extract_id}/trace")
async def trace_back(extract_id: str, actor: CurrentActor, around: Around) -> TraceView:
    """The way of the goods of this batch, from the producers of its lines to its consignee."""
    async with around.database.transaction() as session:
        row = await extract_views.seen(session, extract_id, actor)
        return await extract_views.trace_back(session, row, actor, around.now())


@router.get("/extracts/{extract_id}/journal")
async def journal(extract_id: str, actor: CurrentActor, around: Around) -> JournalView:
    """Who did what when to this extract, with seals and the chain."""
    async with around.database.transaction() as session:
        row = await extract_views.seen(session, extract_id, actor)
        return await views.journal(session, row)


@router.get("/extracts/{extract_id}/journal/export")
async def journal_export(extract_id: str, actor: CurrentActor, around: Around) -> JSONResponse:
    """The extract's journal with its sealed documents and public keys: all a verifier needs, in one file."""
    async with around.database.transaction() as session:
        row = await extract_views.seen(session, extract_id, actor)
        body = await views.export(session, row)
    return JSONResponse(body, headers={"Content-Disposition": f'attachment; filename="{row.number}.journal.json"'})
