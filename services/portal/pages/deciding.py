"""Signing and other moves: what is shown before one, what it asks, and giving the order."""

import asyncio
from dataclasses import replace
from urllib.parse import quote
from uuid import uuid4

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, sheets
from services.portal.clients import Trouble
from services.portal.held import came_back
from services.portal.names import ACTIONS
from services.portal.pages.certificates import DECISIONS, candidates, goods_of, head, organisation_of, stale
from services.portal.pages.drafting import as_party
from services.portal.proof import TROUBLES, proved
from services.portal.proof import asked as asked_again
from services.portal.sheets import Sheet
from services.portal.visitor import House, Somebody, TheHouse, Visitor
from shared.contracts.certificate_views import CertificateView, ProblemView, Wish
from shared.rules.boxes import Model
from shared.rules.forms import SIGNATURES, box_signed_by
from shared.rules.refusals import Refused
from shared.rules.status import Action, Status

router = APIRouter()
OPERATOR = "form.operator"
"""The one answer of a form that is an organisation."""


@router.get("/certificates/{certificate_id}/do/{action}")
async def before_doing(
    request: Request, house: TheHouse, visitor: Somebody, certificate_id: str, action: str
) -> Response:
    """Before a move: the whole content of this revision, its fingerprint, what is declared and what is asked."""
    return await _before(request, house, visitor, certificate_id, action, str(uuid4()))


async def _before(
    request: Request,
    house: House,
    visitor: Visitor,
    certificate_id: str,
    action: str,
    key: str,
    typed: FormData | None = None,
) -> Response:
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    if action in Action.__members__.values() and action not in view.may.do:
        return house.look.page(
            request, "certificates/past.html", status=403, current="certificates", tab="past", view=view, **head(view)
        )
    return await _confirm_page(request, house, visitor, view, _action(view, action), key, typed=typed)


def _action(view: CertificateView, wanted: str) -> Action:
    if wanted not in Action.__members__.values():
        raise Refused("unknown_action", action=wanted)
    if wanted not in view.may.do or wanted in (Action.AMEND, Action.EXTRACT):
        raise Refused("not_permitted" if view.status is not Status.DELETED else "wrong_status")
    return Action(wanted)


async def _confirm_page(
    request: Request,
    house: House,
    visitor: Visitor,
    view: CertificateView,
    action: Action,
    key: str,
    *,
    typed: FormData | None = None,
    problems: tuple[ProblemView, ...] = (),
    refused: str = "",
    proof: str = "",
    status: int = 200,
) -> Response:
    goods = await goods_of(house, visitor, view)
    model = Model(view.form_model)
    shown = None
    signed = box_signed_by(action)
    if action in SIGNATURES:
        shown = await house.clients.certificates.confirmation(visitor.caller, view.id, action)
        page = sheets.shown_before_signing(view, shown, goods)
    else:
        page = sheets.laid_out(view, goods)
        if action is not Action.SUBMIT:
            page = sheets.laid_out(view, goods, problems=())
    asked = forms.questions(action, view.status, model)
    page = await _with_operator(house, visitor, page, typed)
    form_problems = forms.placed(problems, model)
    wrong = {each.place.rpartition(".")[2]: each for each in form_problems}
    beyond = [each for each in form_problems if each.place.rpartition(".")[2] not in {one.name for one in asked}]
    in_form = {(f"{signed}." if signed else "") + each.name for each in asked}
    blocking = [each for each in page.errors if each.place not in in_form]
    return house.look.page(
        request,
        "certificates/confirm.html",
        status=status,
        current="certificates",
        tab="",
        view=view,
        s=page,
        action=action,
        shown=shown,
        asked=asked,
        said={each.name: forms.text(typed, f"form.{each.name}") for each in asked}
        if typed
        else {**dict.fromkeys((each.name for each in asked), ""), **forms.suggested(action, view)},
        wrong=wrong,
        blocking=blocking + beyond,
        warnings=[each for each in page.problems if each.severity != "error"],
        refused=refused,
        **await asked_again(house, visitor, action, proof),
        key=key,
        box=_number(action, model),
        signer=visitor,
        decisions=[each for each in DECISIONS if each in view.may.do] if action in DECISIONS else [],
        choices=forms.choices,
        **head(view),
    )


async def _with_operator(house: House, visitor: Visitor, page: Sheet, typed: FormData | None) -> Sheet:
    """The sheet with the operator somebody chose or looks for: the certificate need not name him (box 19)."""
    if typed is None:
        return page
    chosen, find = forms.text(typed, OPERATOR), forms.text(typed, "find")
    record = await organisation_of(house, visitor, chosen) if chosen and page.party(chosen) is None else None
    found = {find: await candidates(house, visitor, find, forms.text(typed, f"find.{find}"))} if find else {}
    return replace(page, parties={**page.parties, **({record.id: as_party(record)} if record else {})}, found=found)


def _number(action: Action, model: Model) -> int | None:
    """The number of the box an action signs."""
    signed = box_signed_by(action)
    return forms.number_of(model, signed) if signed else None


@router.post("/certificates/{certificate_id}/do/{action}")
async def do(request: Request, house: TheHouse, visitor: Somebody, certificate_id: str, action: str) -> Response:
    """Give the order for exactly the revision that was shown; the same form sent twice is one order."""
    typed = await request.form()
    key = forms.text(typed, "key") or str(uuid4())
    clients = house.clients.certificates
    if came_back(typed):
        return await _before(request, house, visitor, certificate_id, action, key, typed)
    if action == Action.COPY:
        copied = await clients.copy(visitor.caller, certificate_id, key)
        return RedirectResponse(f"/certificates/{copied.id}?said=copy", 303)
    seen = forms.text(typed, "revision")
    if forms.text(typed, "find") == OPERATOR:
        view = await clients.certificate(visitor.caller, certificate_id)
        return await _confirm_page(request, house, visitor, view, _action(view, action), key, typed=typed)
    try:
        view = await clients.certificate(visitor.caller, certificate_id)
        asked = forms.questions(Action(action), view.status, Model(view.form_model)) if action in set(Action) else ()
        visitor = await proved(house, visitor, typed)
        wish = Wish(
            action=action,
            revision=int(seen) if seen.isdigit() and 0 < len(seen) < 9 and int(seen) > 0 else 1,
            form=forms.answers(typed, asked),
            fingerprint=forms.text(typed, "fingerprint") or None,
        )
        done = await clients.order(visitor.caller, certificate_id, wish, key)
    except Trouble as trouble:
        if trouble.code == "stale_revision":
            return await stale(request, house, visitor, view, seen)
        if trouble.code in TROUBLES:
            return await _confirm_page(
                request, house, visitor, view, _action(view, action), key, typed=typed, proof=trouble.text, status=401
            )
        if trouble.status == 422 and trouble.code != "key_reused":
            return await _confirm_page(
                request,
                house,
                visitor,
                view,
                _action(view, action),
                str(uuid4()),
                typed=typed,
                problems=trouble.problems,
                refused=trouble.text,
                status=422,
            )
        if trouble.status == 504:
            return await _look_again(request, house, visitor, view, action, key)
        raise
    return RedirectResponse(f"/certificates/{done.id}?said={quote(action)}", 303)


async def _look_again(
    request: Request, house: House, visitor: Visitor, view: CertificateView, action: str, key: str
) -> Response:
    """The answer did not come in time: ask what became of the order, and say so."""
    for _ in range(3):
        state = await house.clients.certificates.order_state(visitor.caller, key)
        if state.state == "done":
            return RedirectResponse(f"/certificates/{view.id}?said={quote(action)}", 303)
        await asyncio.sleep(1)
    return house.look.page(
        request,
        "certificates/unknown.html",
        status=504,
        current="certificates",
        tab="",
        view=view,
        key=key,
        action=action,
        name=ACTIONS[Action(action)],
        **head(view),
    )
