"""Product lines from a spreadsheet: a file or pasted cells in, the same format out, and every wrong cell named."""

from typing import Literal
from uuid import uuid4

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.portal import forms, making
from services.portal.clients import Trouble
from services.portal.pages.certificates import head
from services.portal.pages.documents import onward
from services.portal.visitor import House, Somebody, TheHouse
from shared.contracts.certificate_views import CertificateView, ProblemView
from shared.rules.boxes import Model
from shared.rules.refusals import Refused

router = APIRouter()
Kind = Literal["csv", "xlsx"]
LARGEST = 2 * 1024 * 1024


@router.get("/certificates/{certificate_id}/lines")
async def lines(request: Request, house: TheHouse, visitor: Somebody, certificate_id: str) -> Response:
    """Take lines over from a spreadsheet, or take them along as one."""
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    return _page(request, house, view)


def _page(
    request: Request,
    house: House,
    view: CertificateView,
    *,
    problems: tuple[ProblemView, ...] = (),
    refused: str = "",
    pasted: str = "",
    more: bool = False,
    status: int = 200,
) -> Response:
    if "product_lines" not in view.may.edit:
        raise Refused("not_permitted")
    return house.look.page(
        request,
        "documents/lines.html",
        status=status,
        current="certificates",
        tab="",
        view=view,
        problems=problems,
        refused=refused,
        pasted=pasted,
        more=more,
        key=str(uuid4()),
        **head(view),
    )


@router.post("/certificates/{certificate_id}/lines")
async def take(request: Request, house: TheHouse, visitor: Somebody, certificate_id: str) -> Response:
    """Take over a sheet, all of it or nothing."""
    typed = await request.form(max_part_size=LARGEST)
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    chosen, pasted = making.file_in(typed), forms.text(typed, "pasted")
    more = forms.text(typed, "more") == "true"
    sheet = await chosen.read(LARGEST + 1) if chosen is not None else pasted.encode()
    seen = forms.text(typed, "revision")
    revision = int(seen) if seen.isdigit() and 0 < len(seen) < 9 and int(seen) > 0 else view.revision
    try:
        key = forms.text(typed, "key") or str(uuid4())
        await house.clients.making.take_lines(visitor.caller, view.id, revision, more, sheet, key)
    except Trouble as trouble:
        if trouble.status not in (413, 415, 422):
            raise
        return _page(
            request,
            house,
            view,
            problems=trouble.problems,
            refused=trouble.text,
            pasted=pasted,
            more=more,
            status=422,
        )
    return onward(request, f"/certificates/{view.id}?edit=all&said=saved#box-13")


@router.get("/certificates/{certificate_id}/lines.{kind}")
async def along(house: TheHouse, visitor: Somebody, certificate_id: str, kind: Kind) -> Response:
    """The lines of a certificate as a sheet."""
    kept = await house.clients.making.lines(visitor.caller, certificate_id, kind)
    return _saved(kept, kind)


@router.get("/certificates/{certificate_id}/lines-template.{kind}")
async def template(house: TheHouse, visitor: Somebody, certificate_id: str, kind: Kind) -> Response:
    """A sheet to be filled in, with the columns of this certificate's form."""
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    kept = await house.clients.making.lines_template(visitor.caller, Model(view.form_model), kind)
    return _saved(kept, kind)


def _saved(kept: making.Kept, kind: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="bordereau-13.{kind}"'}
    return Response(kept.body, media_type=kept.media, headers=headers)
