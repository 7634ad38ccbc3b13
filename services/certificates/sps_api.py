"""The HTTP door of SPS certificates (UN/CEFACT XML, version 17): one out of a certificate, a draft out of one."""

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.requests import ClientDisconnect

from services.certificates import store, views
from services.certificates.api import Around, Language
from services.certificates.sps import reading
from services.certificates.sps.writing import written
from shared.contracts.certificate_views import CertificateView
from shared.kit.http import IdempotencyKey
from shared.kit.sessions import CurrentActor
from shared.rules.refusals import Refused

router = APIRouter(tags=["machines"])
XML: Final = "application/xml"
ANSWER: Final[dict[int | str, dict[str, Any]]] = {200: {"description": "SPS certificate", "content": {XML: {}}}}
BODY: Final = {"requestBody": {"required": True, "content": {XML: {"schema": {"type": "string"}}}}}


@router.get("/certificates/{certificate_id}/sps.xml", response_class=Response, responses=ANSWER)
async def export(certificate_id: str, actor: CurrentActor, around: Around, language: Language) -> Response:
    """The present revision as SPS certificate: type 856, box texts as notes, quantities with their units."""
    now = around.now()
    async with around.database.reading() as session:
        row = await views.seen_whole(session, certificate_id, actor, now)
        view = await views.certificate(session, row, actor, now, language)
    name = (view.number or f"draft-{view.id}").replace("/", "-")
    headers = {"Content-Disposition": f'attachment; filename="{name}.sps.xml"'}
    return Response(written(view), media_type=XML, headers=headers)


@router.post("/certificates/sps", status_code=201, openapi_extra=BODY)
async def take(
    request: Request, actor: CurrentActor, key: IdempotencyKey, around: Around, language: Language
) -> CertificateView:
    """Save a draft with what an SPS certificate says, or refuse it with every place that is wrong.

    Organisations go by their id with us, their code or their whole name. Numbers, statuses, signatures and files of
    the document are not taken over: a draft has none.
    """
    try:
        body = await request.body()
    except ClientDisconnect:
        raise Refused("malformed") from None
    async with around.database.transaction() as session:
        new = await reading.draft_of(session, body)
        row = await store.create(session, actor, new, key, around.now())
        return await views.certificate(session, row, actor, around.now(), language)
