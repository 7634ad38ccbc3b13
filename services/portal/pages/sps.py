"""SPS certificates (UN/CEFACT XML): one to take along from a certificate's page, and a draft begun with one."""

from uuid import uuid4

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, making
from services.portal.clients import Trouble
from services.portal.pages.certificates import may_create
from services.portal.visitor import House, Somebody, TheHouse
from shared.contracts.certificate_views import ProblemView
from shared.rules.refusals import Refused

router = APIRouter()
LARGEST = 1_000_000


@router.get("/certificates/{certificate_id}/sps.xml")
async def along(house: TheHouse, visitor: Somebody, certificate_id: str) -> Response:
    """The certificate as SPS certificate."""
    kept = await house.clients.making.sps(visitor.caller, certificate_id)
    name = "".join(letter for letter in certificate_id if letter.isalnum() or letter == "-")
    headers = {"Content-Disposition": f'attachment; filename="{name}.sps.xml"'}
    return Response(kept.body, media_type=kept.media, headers=headers)


@router.get("/certificates/new/sps")
async def begin(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """Choose the file of an SPS certificate to begin a draft with."""
    if not may_create(visitor):
        raise Refused("not_permitted")
    return _page(request, house)


def _page(
    request: Request, house: House, refused: str = "", problems: tuple[ProblemView, ...] = (), status: int = 200
) -> Response:
    return house.look.page(
        request,
        "documents/sps.html",
        status=status,
        current="certificates",
        refused=refused,
        problems=problems,
        key=str(uuid4()),
    )


@router.post("/certificates/new/sps")
async def take(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """Begin a draft with what an SPS certificate says: all of it or nothing."""
    typed = await request.form()
    chosen = making.file_in(typed)
    document = await chosen.read(LARGEST + 1) if chosen is not None else b""
    try:
        key = forms.text(typed, "key") or str(uuid4())
        view = await house.clients.making.take_sps(visitor.caller, document, key)
    except Trouble as trouble:
        if trouble.status not in (413, 415, 422):
            raise
        return _page(request, house, trouble.text, trouble.problems, 422)
    return RedirectResponse(f"/certificates/{view.id}?edit=all", 303)
