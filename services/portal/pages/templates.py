"""Templates: certificates an organisation begins again and again, kept under a name and shared by its people."""

from typing import Final
from urllib.parse import quote
from uuid import uuid4

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, words
from services.portal.clients import Trouble
from services.portal.pages.certificates import head, may_create
from services.portal.visitor import House, Somebody, TheHouse, Visitor
from services.portal.words import N_
from shared.contracts.certificate_views import ProblemView
from shared.contracts.templates import LONGEST_NAME, NewTemplate

router = APIRouter()
SAID: Final = {
    "kept": N_("The template is kept. Everybody in your organisation can begin certificates from it."),
    "renamed": N_("The template has its new name."),
    "dropped": N_("The template is deleted. Certificates begun from it stay as they are."),
}
WRONG: Final = {
    "already_exists": N_("Your organisation has a template of this name. Please choose another name."),
    "invalid": N_("Please give the template a name."),
}


@router.get("/templates")
async def templates(request: Request, house: TheHouse, visitor: Somebody, said: str = "") -> Response:
    """The templates of my organisation."""
    return await _list(request, house, visitor, said=said)


async def _list(
    request: Request, house: House, visitor: Visitor, said: str = "", refused: str = "", status: int = 200
) -> Response:
    shown = await house.clients.making.templates(visitor.caller)
    return house.look.page(
        request,
        "templates/list.html",
        status=status,
        current="certificates",
        shown=shown.items,
        may_create=may_create(visitor),
        key=str(uuid4()),
        longest=LONGEST_NAME,
        refused=refused,
        flashes=[{"tone": "", "text": words._(SAID[said])}] if said in SAID else [],
    )


@router.get("/certificates/{certificate_id}/template")
async def new_template(request: Request, house: TheHouse, visitor: Somebody, certificate_id: str) -> Response:
    """Keep a certificate as a template: its name is asked."""
    return await _form(request, house, visitor, certificate_id, "")


async def _form(
    request: Request,
    house: House,
    visitor: Visitor,
    certificate_id: str,
    name: str,
    problems: tuple[ProblemView, ...] = (),
    status: int = 200,
) -> Response:
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    return house.look.page(
        request,
        "templates/new.html",
        status=status,
        current="certificates",
        tab="",
        view=view,
        name=name,
        problems=problems,
        longest=LONGEST_NAME,
        **head(view),
    )


@router.post("/certificates/{certificate_id}/template")
async def keep(request: Request, house: TheHouse, visitor: Somebody, certificate_id: str) -> Response:
    """Keep a certificate's parties, goods and countries under a name."""
    name = forms.text(await request.form(), "name")[:LONGEST_NAME]
    try:
        await house.clients.making.keep_template(
            visitor.caller, NewTemplate(name=name, certificate_id=certificate_id), str(uuid4())
        )
    except Trouble as trouble:
        text = _wrong(trouble)
        wrong = ProblemView(field="name", box=None, title="", code=trouble.code, message=text)
        return await _form(request, house, visitor, certificate_id, name, (wrong,), 422)
    return RedirectResponse("/templates?said=kept", 303)


def _wrong(trouble: Trouble) -> str:
    if trouble.field != "name" or trouble.code not in WRONG:
        raise trouble
    return words._(WRONG[trouble.code])


@router.post("/templates/{template_id}")
async def rename(request: Request, house: TheHouse, visitor: Somebody, template_id: str) -> Response:
    """Give a template another name."""
    name = forms.text(await request.form(), "name")[:LONGEST_NAME]
    try:
        await house.clients.making.rename_template(visitor.caller, template_id, name)
    except Trouble as trouble:
        return await _list(request, house, visitor, refused=_wrong(trouble), status=422)
    return RedirectResponse("/templates?said=renamed", 303)


@router.post("/templates/{template_id}/deletion")
async def drop(house: TheHouse, visitor: Somebody, template_id: str) -> Response:
    """Throw a template away."""
    await house.clients.making.drop_template(visitor.caller, template_id)
    return RedirectResponse("/templates?said=dropped", 303)


@router.post("/templates/{template_id}/certificates")
async def start(request: Request, house: TheHouse, visitor: Somebody, template_id: str) -> Response:
    """Begin a certificate from a template."""
    key = forms.text(await request.form(), "key") or str(uuid4())
    begun = await house.clients.making.start_template(visitor.caller, template_id, key)
    return RedirectResponse(f"/certificates/{quote(begun.id, safe='')}?said=created", 303)
