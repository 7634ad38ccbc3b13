"""The HTTP door for copies: certificates and extracts as PDF for those who see them, and what is checked of a copy.

The public pages are the portal's; here only our own services may ask, and the answer to a wrong number and to a wrong
code is the same. What is sent in to be checked is kept nowhere.
"""

import asyncio
import json
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.certificates import copies, examined, extract_views, presented, views
from services.certificates.api import Around, Language
from services.certificates.models import PartyRow
from services.certificates.pades import SealProvider
from services.certificates.pdf import Copy, printed
from services.certificates.statements import statement_said
from shared.contracts.verification import FileView, PublicView, Statement, StatementView
from shared.kit.process import Surroundings
from shared.kit.sessions import CurrentActor, CurrentService
from shared.rules.refusals import Refused
from shared.words import LANGUAGES

router = APIRouter()
Wanted = Annotated[str | None, Query(pattern=f"^({'|'.join(LANGUAGES)})$")]
"""One of the languages of the pages; without it the reader's."""
FILE_LIMIT: Final = 5_000_000
"""Bytes of a copy somebody wants checked; ours have a tenth of that."""


@router.get("/certificates/{certificate_id}/pdf", response_class=Response)
async def pdf(
    request: Request,
    certificate_id: str,
    actor: CurrentActor,
    around: Around,
    reader: Language,
    language: Wanted = None,
) -> Response:
    """A copy of the present revision as PDF/A in the layout of the printed form, in the language asked for."""
    wanted, now = language or reader, around.now()
    async with around.database.transaction() as session:
        row = await views.seen_whole(session, certificate_id, actor, now)
        copy = await copies.copy_of(session, row, actor, now, wanted, _press(request, around))
    return await _answer(request, copy, wanted, row.number or f"draft-{row.id}")


@router.get("/extracts/{extract_id}/pdf", response_class=Response)
async def extract_pdf(
    request: Request,
    extract_id: str,
    actor: CurrentActor,
    around: Around,
    reader: Language,
    language: Wanted = None,
) -> Response:
    """A copy of an extract as PDF/A; it holds what every reader of the extract may see, and nothing else."""
    wanted, now = language or reader, around.now()
    async with around.database.transaction() as session:
        row = await extract_views.seen(session, extract_id, actor)
        copy = await copies.extract_copy_of(session, row, actor, now, wanted, _press(request, around))
    return await _answer(request, copy, wanted, row.number)


def _press(request: Request, around: Surroundings) -> copies.Press:
    state, settings = request.app.state, around.settings
    return copies.Press(state.seals, state.codes, settings.portal_url.rstrip("/"), settings.demo)


async def _answer(request: Request, copy: Copy[Any], language: str, name: str) -> Response:
    body = await asyncio.to_thread(printed, copy, language)
    if copy.sealed_by:
        seal: SealProvider = request.app.state.file_seals
        body = await seal.seal(body, copy.sealed_id, copy.sealed_by, copy.sealed_country)
    file = f"{name}-r{copy.view.revision}-{language}.pdf".replace("/", "-")
    return Response(body, media_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{file}"'})


# ---- what the holder of a copy may learn -----------------------------------------------------------------------


@router.get("/public/verify")
async def verify(
    _: CurrentService,
    request: Request,
    around: Around,
    number: Annotated[str, Query(max_length=50)],
    code: Annotated[str, Query(max_length=40)],
    revision: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
) -> PublicView:
    """What the holder of a copy may learn: status, issuing body, dates, whether his copy is of the current revision."""
    async with around.database.reading() as session:
        return await presented.presented(session, number, code, revision, request.app.state.codes)


@router.post("/public/verify/file")
async def verify_file(_: CurrentService, request: Request, around: Around) -> FileView:
    """What a PDF is that somebody holds; of one that is genuine also what its certificate is now."""
    body = await request.body()
    if len(body) > FILE_LIMIT:
        raise Refused("too_large", limit=FILE_LIMIT)
    seal: SealProvider = request.app.state.file_seals
    found = await examined.examine(body, seal.authorities(), seal.clocks())
    genuine = found.sealed and found.intact and found.trusted
    view = None
    if genuine:
        async with around.database.reading() as session:
            view = await presented.of_record(session, found.record or "")
    return FileView(
        is_copy=found.record is not None,
        sealed=found.sealed,
        intact=found.intact,
        ours=found.trusted,
        sealed_by=found.by if genuine else None,
        sealed_at=found.at if genuine else None,
        wrong=found.wrong,
        certificate=view,
    )


@router.post("/public/verify/statement")
async def verify_statement(_: CurrentService, around: Around, sent: Statement) -> StatementView:
    """What the signed statement of a square code said when it was printed; anybody can check it like this."""
    async with around.database.transaction() as session:
        try:
            said = statement_said(sent.statement, {"keys": await views.signing_keys(session)})
            by = await session.get(PartyRow, said["key"]["organisation_id"])
        except (ValueError, LookupError, TypeError, json.JSONDecodeError):
            return StatementView(genuine=False)
    return StatementView(
        genuine=True,
        number=said["n"],
        revision=said["r"],
        status=said["s"],
        said_at=said["at"],
        by=str(by.record["name"]) if by else None,
    )
