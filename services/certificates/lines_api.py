"""The HTTP door of product lines as spreadsheets: take one over, or take one along."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.requests import ClientDisconnect

from services.certificates import lines, paper, sheets_of_lines, store, views
from services.certificates.api import Around, Language
from shared.contracts.certificate_views import CertificateView, Edit
from shared.kit.http import IdempotencyKey
from shared.kit.sessions import CurrentActor, CurrentPerson
from shared.rules.boxes import Model
from shared.rules.content import seen_by
from shared.rules.permissions import offered
from shared.rules.refusals import Refused
from shared.rules.status import Status

router = APIRouter()
Format = Literal["csv", "xlsx"]
MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@router.post("/certificates/{certificate_id}/lines")
async def take(
    request: Request,
    certificate_id: str,
    actor: CurrentActor,
    key: IdempotencyKey,
    around: Around,
    language: Language,
    revision: Annotated[int, Query(ge=1)],
    more: Annotated[bool, Query()] = False,
) -> CertificateView:
    """Take over a sheet (CSV or XLSX, as the body) in the place of the lines there are, or after them.

    One wrong cell, and nothing is taken over: each is named with its row and its column.
    """
    body = await _whole(request)
    gather = timedelta(seconds=around.settings.edits_gather_seconds)
    now = around.now()
    async with around.database.transaction() as session:
        row = await views.seen(session, certificate_id, actor)
        known, _ = await store.facts(session, row.content, now, also=[row.creator])
        if "product_lines" not in offered(Status(row.status), paper.ties(row, known, actor), row.submitted).edit:
            raise Refused("not_permitted")
        if row.revision != revision and await store.journal_of_key(session, key) is None:
            raise Refused("stale_revision", revision=row.revision)
        taken = await lines.taken(session, row, body, more, now)
        change = Edit(revision=revision, changes={"product_lines": taken})
        seals = request.app.state.seals
        row = await store.edit(session, row.id, actor, change, key, now, gather, seals)
        return await views.certificate(session, row, actor, now, language)


async def _whole(request: Request) -> bytes:
    try:
        return await request.body()
    except ClientDisconnect:
        raise Refused("malformed") from None


@router.get("/certificates/{certificate_id}/lines.{format}", response_class=Response)
async def along(
    certificate_id: str, format: Format, actor: CurrentActor, around: Around, language: Language
) -> Response:
    """The lines of a certificate in the format that can be taken in again."""
    async with around.database.transaction() as session:
        row = await views.seen(session, certificate_id, actor)
        known, _ = await store.facts(session, row.content, around.now(), also=[row.creator])
        content = seen_by(actor.organisation_id, paper.ties(row, known, actor), row.content)
        table = await lines.shown(session, content, paper.model_of(row), language)
    return _sheet(table, format, f"{row.number or 'draft'}-13")


@router.get("/reference/lines-template.{format}", response_class=Response)
async def template(
    _: CurrentPerson, format: Format, language: Language, form_model: Annotated[Model, Query()] = Model.COI_2017
) -> Response:
    """A sheet to be filled in: the headings, and one line as an example."""
    return _sheet(sheets_of_lines.template(form_model, language), format, "bordereau-13")


def _sheet(table: list[list[object]], format: Format, name: str) -> Response:
    body = sheets_of_lines.as_csv(table) if format == "csv" else sheets_of_lines.as_xlsx(table)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{format}"'}
    return Response(body, media_type=MEDIA[format], headers=headers)
