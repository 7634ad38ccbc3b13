"""My second factors: an authenticator app, passkeys, recovery codes. Each page asks for a fresh proof first.

One thing to remember: recovery codes are shown once, on the page that answers the form, and nowhere else.
"""

from collections.abc import Awaitable
from uuid import uuid4

import segno
from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, proof
from services.portal.clients import Trouble
from services.portal.visitor import House, Somebody, TheHouse, Visitor
from shared.contracts.identity import NewPasskey, RecoveryCodes

router = APIRouter()


@router.post("/security/proof")
async def prove(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """Prove who I am, then go on where I was."""
    typed = await request.form()
    goal = forms.text(typed, "goal")
    goal = goal if goal in ("/security/app", "/security/passkey") else "/security"
    try:
        await proof.proved(house, visitor, typed)
    except Trouble as trouble:
        if trouble.code not in proof.TROUBLES:
            raise
        return await _prove_first(request, house, visitor, goal, trouble.text)
    return RedirectResponse(goal, 303)


async def _prove_first(request: Request, house: House, visitor: Visitor, goal: str, said: str = "") -> Response:
    shown = await proof.asked(house, visitor, said=said)
    return house.look.page(
        request, "security/prove.html", status=401 if said else 200, current="security", goal=goal, **shown
    )


@router.get("/security/app")
async def app(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """A square code for my authenticator app."""
    if (await proof.asked(house, visitor))["proof"]:
        return await _prove_first(request, house, visitor, "/security/app")
    return await _app(request, house, visitor)


async def _app(request: Request, house: House, visitor: Visitor, problem: str = "") -> Response:
    try:
        begun = await house.clients.factors.begin_app(visitor.session)
    except Trouble as trouble:
        if trouble.code == "already_exists":
            return RedirectResponse("/security", 303)
        if trouble.code in proof.TROUBLES:
            return await _prove_first(request, house, visitor, "/security/app", trouble.text)
        raise
    square = segno.make(begun.uri, error="m").svg_inline(scale=5, border=3, light="#fff", omitsize=True)
    return house.look.page(
        request,
        "security/app.html",
        status=422 if problem else 200,
        current="security",
        secret=begun.secret,
        square=Markup(square),
        problem=problem,
        key=uuid4().hex,
    )


@router.post("/security/app")
async def confirm_app(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """The first code of my app: from now on it is asked for."""
    typed = await request.form()
    key = forms.text(typed, "key") or uuid4().hex
    try:
        made = await house.clients.factors.confirm_app(visitor.session, forms.text(typed, "code")[:40], key)
    except Trouble as trouble:
        if trouble.code == "wrong_code":
            return await _app(request, house, visitor, trouble.text)
        return await _or_prove(request, house, visitor, trouble, "/security/app")
    return _codes(request, house, visitor, made)


@router.post("/security/app/remove")
async def remove_app(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """Go without the app."""
    return await _changed(request, house, visitor, house.clients.factors.remove_app(visitor.session, uuid4().hex))


@router.post("/security/codes")
async def codes(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """New recovery codes in the place of the old ones."""
    typed = await request.form()
    key = forms.text(typed, "key") or uuid4().hex
    try:
        made = await house.clients.factors.recovery_codes(visitor.session, key)
    except Trouble as trouble:
        return await _or_prove(request, house, visitor, trouble, "/security")
    return _codes(request, house, visitor, made)


@router.get("/security/passkey")
async def passkey(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """A passkey of this device."""
    if (await proof.asked(house, visitor))["proof"]:
        return await _prove_first(request, house, visitor, "/security/passkey")
    return await _passkey(request, house, visitor)


async def _passkey(request: Request, house: House, visitor: Visitor, problem: str = "") -> Response:
    try:
        question = await house.clients.factors.passkey_question(visitor.session)
    except Trouble as trouble:
        return await _or_prove(request, house, visitor, trouble, "/security/passkey")
    return house.look.page(
        request,
        "security/passkey.html",
        status=422 if problem else 200,
        current="security",
        question=question,
        problem=problem,
        key=uuid4().hex,
    )


@router.post("/security/passkey")
async def add_passkey(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """My browser has made a passkey."""
    typed = await request.form()
    made = NewPasskey(passkey=proof.passkey_in(typed) or {}, name=forms.text(typed, "name")[:60])
    try:
        shown = await house.clients.factors.add_passkey(visitor.session, made, forms.text(typed, "key") or uuid4().hex)
    except Trouble as trouble:
        if trouble.code in ("wrong_code", "already_exists"):
            return await _passkey(request, house, visitor, trouble.text)
        return await _or_prove(request, house, visitor, trouble, "/security/passkey")
    return _codes(request, house, visitor, shown)


@router.post("/security/passkeys/{passkey_id}/remove")
async def remove_passkey(request: Request, house: TheHouse, visitor: Somebody, passkey_id: str) -> Response:
    """Forget one of my passkeys."""
    gone = house.clients.factors.remove_passkey(visitor.session, passkey_id[:500], uuid4().hex)
    return await _changed(request, house, visitor, gone)


async def _changed(request: Request, house: House, visitor: Visitor, change: Awaitable[None]) -> Response:
    try:
        await change
    except Trouble as trouble:
        return await _or_prove(request, house, visitor, trouble, "/security")
    house.doorkeeper.forget(visitor.session)
    return RedirectResponse("/security", 303)


async def _or_prove(request: Request, house: House, visitor: Visitor, trouble: Trouble, goal: str) -> Response:
    if trouble.code not in proof.TROUBLES:
        raise trouble
    return await _prove_first(request, house, visitor, goal, trouble.text)


def _codes(request: Request, house: House, visitor: Visitor, made: RecoveryCodes) -> Response:
    """The recovery codes, this once; whoever had some goes back."""
    house.doorkeeper.forget(visitor.session)
    if not made.codes:
        return RedirectResponse("/security", 303)
    return house.look.page(request, "security/codes.html", current="security", codes=made.codes)
