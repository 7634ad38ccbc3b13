"""The HTTP door for copies: a certificate as PDF for its parties, and what the holder of a copy may check.

The public page is the portal's; here only our own services may ask, and the answer to a wrong number and to a wrong
code is the same.
"""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.certificates import copies, views
from services.certificates.api import Around, Language
from services.certificates.pades import SealProvider
from services.certificates.pdf import printed
from shared.contracts.verification import PublicView
from shared.kit.sessions import CurrentActor, CurrentService

router = APIRouter()


@router.get("/certificates/{certificate_id}/pdf", response_class=Response)
async def pdf(
    request: Request,
    certificate_id: str,
    actor: CurrentActor,
    around: Around,
    reader: Language,
    language: Annotated[Literal["fr", "en"] | None, Query()] = None,
) -> Response:
    """A copy of the present revision as PDF/A in the layout of the printed form, in the language asked for."""
    wanted = language or reader
    async with around.database.transaction() as session:
        row = await views.seen_whole(session, certificate_id, actor, around.now())
        copy = await copies.copy_of(
            session,
            row,
            actor,
            around.now(),
            wanted,
            seals=request.app.state.seals,
            codes=request.app.state.codes,
            portal=around.settings.portal_url.rstrip("/"),
            demo=around.settings.demo,
        )
    body = await asyncio.to_thread(printed, copy, wanted)
    if copy.sealed_by:
        seal: SealProvider = request.app.state.file_seals
        body = await seal.seal(body, copy.sealed_id, copy.sealed_by, copy.sealed_country)
    name = f"{row.number or f'draft-{row.id}'}-r{row.revision}-{wanted}.pdf".replace("/", "-")
    return Response(body, media_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'})


@router.get("/public/verify")
async def verify(
    _: CurrentService,
    request: Request,
    around: Around,
    number: Annotated[str, Query(max_length=40)],
    code: Annotated[str, Query(max_length=40)],
    revision: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
) -> PublicView:
    """What the holder of a copy may learn: status, issuing body, dates, whether his copy is of the current revision."""
    async with around.database.transaction() as session:
        return await copies.presented(session, number, code, revision, request.app.state.codes)
