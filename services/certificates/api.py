"""The HTTP door: parse, ask, answer. Whoever may not see a certificate hears that it is not there."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import JSONResponse

from services.certificates import commodities, lists, moves, paper, store, views
from shared.contracts.certificate_views import (
    CertificatePage,
    CertificateView,
    CommodityView,
    Confirmation,
    Edit,
    JournalView,
    NewCertificate,
    OrderState,
    Wish,
)
from shared.contracts.certificates import LIFE, Life, Order, life_id
from shared.kit.http import IdempotencyKey
from shared.kit.process import Surroundings
from shared.kit.sessions import CurrentActor, CurrentPerson
from shared.rules.actor import Actor
from shared.rules.extracts import ExtractStatus
from shared.rules.refusals import Refused
from shared.rules.roles import RoleType
from shared.rules.status import Action, Status
from shared.words import best_language

router = APIRouter()


async def surroundings(request: Request) -> Surroundings:
    """What the process was started with."""
    return request.app.state.around  # type: ignore[no-any-return]


async def reader_language(accept_language: Annotated[str | None, Header()] = None) -> str:
    """The language the reader wants."""
    return best_language(accept_language)


Around = Annotated[Surroundings, Depends(surroundings)]
Language = Annotated[str, Depends(reader_language)]


@router.post("/certificates", status_code=201)
async def create(
    new: NewCertificate, actor: CurrentActor, key: IdempotencyKey, around: Around, language: Language
) -> CertificateView:
    """Save a new draft; boxes 1, 4 and at least one line of 13 are needed for that."""
    async with around.database.transaction() as session:
        row = await store.create(session, actor, new, key, around.now())
        return await views.certificate(session, row, actor, around.now(), language)


@router.get("/certificates")
async def certificates(
    actor: CurrentActor, around: Around, wish: Annotated[lists.ListWish, Query()]
) -> CertificatePage:
    """The certificates this organisation may see, filtered, sorted, page by page."""
    async with around.database.reading() as session:
        return await lists.page(session, actor, wish)


@router.get("/certificates/{certificate_id}")
async def certificate(certificate_id: str, actor: CurrentActor, around: Around, language: Language) -> CertificateView:
    """One certificate as this organisation may see it, and what it may edit and do now."""
    async with around.database.reading() as session:
        row = await views.seen(session, certificate_id, actor)
        return await views.certificate(session, row, actor, around.now(), language)


@router.put("/certificates/{certificate_id}/boxes")
async def edit(
    request: Request,
    certificate_id: str,
    change: Edit,
    actor: CurrentActor,
    key: IdempotencyKey,
    around: Around,
    language: Language,
) -> CertificateView:
    """Change boxes on the revision seen; after box 18 the issuing body's seal is renewed with 13, 16 and 17."""
    gather = timedelta(seconds=around.settings.edits_gather_seconds)
    async with around.database.transaction() as session:
        await views.seen(session, certificate_id, actor)
        row = await store.edit(
            session, certificate_id, actor, change, key, around.now(), gather, request.app.state.seals
        )
        return await views.certificate(session, row, actor, around.now(), language)


@router.post("/certificates/{certificate_id}/actions")
async def act(
    certificate_id: str, wish: Wish, actor: CurrentActor, key: IdempotencyKey, around: Around, language: Language
) -> CertificateView:
    """Ask the certificate's process for a move; answered once it is on paper."""
    order = Order(wish.action, actor, wish.revision, wish.form, wish.fingerprint)
    if order.asks in (Action.AMEND, Action.COPY, Action.EXTRACT):
        raise Refused("unknown_action", action=wish.action, field="action")
    async with around.database.reading() as session:
        row = await views.seen(session, certificate_id, actor)
        done = await moves.told_before(session, order, row.id, key)
        order = replace(order, for_whom=await store.name_of(session, actor.organisation_id))
    if done:
        await _remind(around, row.id)
    else:
        try:
            await around.processes.ask(
                order.action,
                order,
                workflow=LIFE,
                workflow_id=life_id(row.id),
                life=paper.unread(row),
                key=key,
                answer=Life,
            )
        except Refused as refusal:
            if refusal.code in ("timeout", "unavailable"):
                await _remind(around, row.id)
            raise
    async with around.database.reading() as session:
        return await views.after(session, certificate_id, key, actor, around.now(), language)


async def _remind(around: Surroundings, certificate_id: str) -> None:
    async with around.database.transaction() as session:
        await store.remind(session, await store.found(session, certificate_id), around.now())


@router.post("/certificates/{certificate_id}/copies", status_code=201)
async def copy(
    certificate_id: str, actor: CurrentActor, key: IdempotencyKey, around: Around, language: Language
) -> CertificateView:
    """Copy as new: a draft with the same parties, products and boxes 7 to 11."""
    async with around.database.transaction() as session:
        await views.seen(session, certificate_id, actor)
        row = await store.copy(session, certificate_id, actor, key, around.now())
        return await views.certificate(session, row, actor, around.now(), language)


@router.get("/certificates/{certificate_id}/confirmation")
async def confirmation(
    certificate_id: str, action: str, actor: CurrentActor, around: Around, language: Language
) -> Confirmation:
    """What a signature would cover: the whole content of this revision, and its fingerprint."""
    async with around.database.reading() as session:
        row = await views.seen(session, certificate_id, actor)
        return await views.confirmation(session, row, actor, action, around.now(), language)


@router.get("/certificates/{certificate_id}/journal")
async def journal(certificate_id: str, actor: CurrentActor, around: Around) -> JournalView:
    """Who did what when, with seals and the chain; `bordereau verify` checks a saved copy offline."""
    async with around.database.reading() as session:
        row = await views.seen_whole(session, certificate_id, actor, around.now())
        return await views.journal(session, row)


@router.get("/certificates/{certificate_id}/journal/export")
async def journal_export(certificate_id: str, actor: CurrentActor, around: Around) -> JSONResponse:
    """The journal with its sealed documents and public keys: all a verifier needs, in one file."""
    async with around.database.reading() as session:
        row = await views.seen_whole(session, certificate_id, actor, around.now())
        body = await views.export(session, row)
    name = (row.number or row.id).replace("/", "-")
    return JSONResponse(body, headers={"Content-Disposition": f'attachment; filename="{name}.journal.json"'})


@router.get("/orders/{key}")
async def order_state(key: str, actor: CurrentActor, around: Around) -> OrderState:
    """What became of an order of mine: done, or unknown and free to be sent again."""
    async with around.database.reading() as session:
        line = await store.journal_of_key(session, key) if key.isprintable() else None
    if line is None or (line.person_id, line.organisation_id) != (actor.person_id, actor.organisation_id):
        return OrderState(key=key, state="unknown")
    of_extract = line.target in set(ExtractStatus)
    return OrderState(
        key=key,
        state="done",
        certificate_id=None if of_extract else line.certificate_id,
        extract_id=line.certificate_id if of_extract else None,
        status=ExtractStatus(line.target) if of_extract else Status(line.target),
        revision=line.revision,
    )


@router.get("/signing-keys")
async def signing_keys(around: Around) -> dict[str, list[dict[str, Any]]]:
    """The public keys of every organisation that has signed: published, so that anybody can check a seal."""
    async with around.database.reading() as session:
        return {"keys": await views.signing_keys(session)}


@router.get("/reference/commodities")
async def find_commodities(
    _: CurrentPerson,
    around: Around,
    language: Language,
    q: Annotated[str, Query(max_length=100)] = "",
    parent: Annotated[str | None, Query(pattern=r"^\d{2,8}$")] = None,
    codes: Annotated[str | None, Query(pattern=r"^\d{2,8}(,\d{2,8}){0,99}$")] = None,
) -> list[CommodityView]:
    """Commodities by name or code, the children of one, or some by code; always with their path."""
    async with around.database.reading() as session:
        if codes is not None:
            return await commodities.by_code(session, codes.split(","), around.now().date(), language)
        if q.strip():
            return await commodities.search(session, q, around.now().date(), language)
        return await commodities.children(session, parent, around.now().date(), language)


@router.get("/ops/certificates/{certificate_id}")
async def ops_certificate(certificate_id: str, actor: CurrentActor, around: Around) -> dict[str, Any]:
    """What ops may know of a certificate: what its process waits for and its clocks, not its content."""
    _only_ops(actor)
    async with around.database.reading() as session:
        row = await views.named(session, certificate_id)
    awaits = paper.awaits(row)
    return {
        "id": row.id,
        "number": row.number,
        "form_model": row.form_model,
        "status": row.status,
        "awaits": awaits[0].code if awaits else None,
        "turn": [tie for each in awaits for tie in each.turn],
        "revision": row.revision,
        "entered_at": row.entered_at,
        "due": row.due_name,
        "due_at": row.due_at,
        "workflow": life_id(row.id),
        "journal_length": row.journal_length,
    }


def _only_ops(actor: Actor) -> None:
    if actor.role_type != RoleType.SYS_ADMIN:
        raise Refused("not_found")
