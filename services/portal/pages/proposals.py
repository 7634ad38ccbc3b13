"""A change of a record that awaits a decision, field by field, and its proof of certification."""

import base64

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal.clients import Trouble
from services.portal.pages.organisations import bodies_of
from services.portal.records import FIELDS, told
from services.portal.requests import desk_of, explained, key_of, shown, step_of
from services.portal.visitor import House, Somebody, TheHouse, Visitor

router = APIRouter()


@router.get("/proposals/{proposal_id}")
async def proposal(request: Request, house: TheHouse, visitor: Somebody, proposal_id: str) -> Response:
    """One proposal: field by field how it stands and how it would."""
    return await _proposal(request, house, visitor, proposal_id)


async def _proposal(
    request: Request, house: House, visitor: Visitor, proposal_id: str, trouble: Trouble | None = None, typed: str = ""
) -> Response:
    shown_proposal = await desk_of(house, visitor).proposal(proposal_id)
    bodies = {each.id: each.name for each in await bodies_of(house, visitor)}
    return house.look.page(
        request,
        "organisations/proposal.html",
        status=trouble.status if trouble else 200,
        current="requests",
        proposal=shown_proposal,
        mine=shown_proposal.person_id == visitor.person.id,
        fields=FIELDS,
        told=lambda field, value: told(field, value, bodies),
        trouble=explained(trouble) if trouble else "",
        typed=typed,
        **shown(),
    )


@router.post("/proposals/{proposal_id}")
async def decide(request: Request, house: TheHouse, visitor: Somebody, proposal_id: str) -> Response:
    """One step about a proposal."""
    form = await request.form()
    wish, reason = step_of(form)
    try:
        await desk_of(house, visitor).propose_step(proposal_id, wish, key_of(form))
    except Trouble as trouble:
        if trouble.status not in (403, 409, 422):
            raise
        return await _proposal(request, house, visitor, proposal_id, trouble, reason)
    return RedirectResponse(f"/proposals/{proposal_id}", 303)


@router.get("/proposals/{proposal_id}/file")
async def file(request: Request, house: TheHouse, visitor: Somebody, proposal_id: str) -> Response:
    """The proof of certification, to be kept: never shown within the page."""
    evidence = await desk_of(house, visitor).evidence(proposal_id)
    name = "".join(sign if sign.isalnum() or sign in ".-_ " else "_" for sign in evidence.file_name) or "certificate"
    return Response(
        base64.b64decode(evidence.file),
        media_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{name.encode("ascii", "replace").decode()}"'},
    )
