"""Signing in and out, the language, my profile, the organisation I act for."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import words
from services.portal.clients import Trouble
from services.portal.held import Held, carried
from services.portal.pages.classic import TEMPORARY, sign_in_temporarily
from services.portal.proof import passkey_in
from services.portal.security import BROWSER_COOKIE
from services.portal.visitor import (
    LANGUAGE_COOKIE,
    POST_COOKIE,
    SESSION_COOKIE,
    Anybody,
    House,
    TheHouse,
    keep,
    own_path,
)
from services.portal.words import N_
from shared.contracts.identity import SecondProof, SessionView, SignIn
from shared.rules.refusals import Refused

router = APIRouter()
DEVICE_COOKIE: Final = "device"
"""By which the account knows this browser: guesses elsewhere do not lock its owner out here."""

# fmt: off
STORY: Final = (
    #  who plays which part in the guides' story
    ("exporter@atlas.example",     N_("Exporter in Morocco: drafts and submits")),
    ("inspector@ecocert.example",  N_("Control body MA-BIO-154: signs box 18")),
    ("importer@pyrenees.example",  N_("Importer in Toulouse")),
    ("officer@perpignan.example",  N_("Border post: signs box 20")),
    ("consignee@garonne.example",  N_("First consignee: signs box 21")),
    ("supervisor@dgccrf.example",  N_("Central authority")),
    ("ops@bordereau.example",      N_("Platform administrator")),
)
# fmt: on


@cache
def _demo_password(file: Path | None) -> str:
    """The one password of the demonstration accounts."""
    if file is None or not file.exists():
        return ""
    return str(json.loads(file.read_text()).get("password", ""))


def door(
    request: Request,
    house: House,
    wanted: str,
    email: str,
    problem: str = "",
    status: int = 200,
    ended: bool = False,
    carries: Held | None = None,
) -> Response:
    """The page where one signs in."""
    return house.look.page(
        request,
        "sign_in.html",
        status=status,
        current="sign-in",
        next=wanted,
        email=email,
        problem=problem,
        ended=ended,
        held=carries.text() if carries else "",
        people=STORY if house.settings.demo and not carries else (),
        demo_password=_demo_password(house.settings.demo_file) if house.settings.demo else "",
    )


@router.get("/sign-in")
async def sign_in_page(
    request: Request, house: TheHouse, visitor: Anybody, next: str = "/", email: str = "", ended: bool = False
) -> Response:
    """The door."""
    if visitor is not None:
        return RedirectResponse(own_path(next), 303)
    return door(request, house, own_path(next), email, ended=ended)


@router.post("/sign-in")
async def sign_in(
    request: Request,
    house: TheHouse,
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
    held: Annotated[str, Form()] = "",
) -> Response:
    """Open a session, and go where the reader wanted to go."""
    wanted, carries = own_path(next), carried(held)
    attempt = SignIn(
        email=email.strip()[:254],
        password=password[:1024],
        device=request.cookies.get(DEVICE_COOKIE, "")[:200] or None,
        agent=request.headers.get("user-agent", "")[:400],
    )
    try:
        if TEMPORARY.fullmatch(password):
            return await sign_in_temporarily(house, request, attempt.email, password)
        session = await house.clients.identity.sign_in(attempt)
    except Trouble as trouble:
        if trouble.status >= 500:
            raise
        if trouble.code == "second_factor_needed":
            return await ask_second(request, house, wanted, trouble.params, carries=carries)
        return door(request, house, wanted, email, trouble.text, trouble.status, carries=carries)
    return await come_back(request, house, session, wanted, carries)


async def ask_second(
    request: Request,
    house: House,
    wanted: str,
    asked: Mapping[str, Any],
    problem: str = "",
    status: int = 200,
    carries: Held | None = None,
) -> Response:
    """The password was right: now the second factor."""
    ways = [str(each) for each in asked.get("ways") or ()]
    ticket = str(asked.get("ticket") or "")
    question = await house.clients.factors.second_question(ticket) if "passkey" in ways else None
    return house.look.page(
        request,
        "security/second.html",
        status=status,
        current="sign-in",
        next=wanted,
        ticket=ticket,
        ways=ways,
        question=question,
        problem=problem,
        held=carries.text() if carries else "",
    )


def come_in(house: House, session: SessionView, wanted: str) -> Response:
    """Keep the session in its cookie, and go where the reader wanted to go."""
    answer = RedirectResponse(wanted, 303)
    keep(answer, SESSION_COOKIE, session.session, house, None)
    if session.device:
        keep(answer, DEVICE_COOKIE, session.device, house)
    answer.delete_cookie(POST_COOKIE)
    if session.person.language in words.LANGUAGES:
        keep(answer, LANGUAGE_COOKIE, session.person.language, house)
    return answer


async def come_back(
    request: Request, house: House, session: SessionView, wanted: str, carries: Held | None
) -> Response:
    """In again: whoever typed something when his session ended finds it, for the organisation he acted for."""
    answer = come_in(house, session, wanted)
    if carries is None or not carries.is_of(house.keys, request, session.person.id):
        return answer
    browser = request.cookies.get(BROWSER_COOKIE, "")
    request.state.context |= {
        "visitor": await house.doorkeeper.visitor(session.session, request.cookies.get(POST_COOKIE, "")),
        "form_token": house.keys.token(browser, session.session),
    }
    page = house.look.page(request, "resumed.html", back=carries)
    for cookie in answer.headers.getlist("set-cookie"):
        if not cookie.startswith(f"{POST_COOKIE}="):
            page.headers.append("set-cookie", cookie)
    return page


@router.post("/sign-in/second")
async def second(
    request: Request,
    house: TheHouse,
    ticket: Annotated[str, Form()] = "",
    ways: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
    held: Annotated[str, Form()] = "",
) -> Response:
    """A code or a passkey after the password."""
    wanted, typed, carries = own_path(next), await request.form(), carried(held)
    said = SecondProof(
        ticket=ticket[:400],
        code=code.strip()[:40],
        passkey=passkey_in(typed),
        device=request.cookies.get(DEVICE_COOKIE, "")[:200] or None,
        agent=request.headers.get("user-agent", "")[:400],
    )
    try:
        session = await house.clients.factors.second(said)
    except Trouble as trouble:
        if trouble.code == "wrong_code":
            asked = {"ticket": ticket, "ways": ways.split()}
            return await ask_second(request, house, wanted, asked, trouble.text, trouble.status, carries)
        if trouble.status >= 500:
            raise
        return door(request, house, wanted, "", trouble.text, trouble.status, carries=carries)
    return await come_back(request, house, session, wanted, carries)


@router.post("/sign-out")
async def sign_out(request: Request, house: TheHouse) -> Response:
    """End the session here and at identity."""
    session = request.cookies.get(SESSION_COOKIE, "")
    answer = RedirectResponse("/sign-in", 303)
    for name in (SESSION_COOKIE, POST_COOKIE):
        answer.delete_cookie(name)
    if session:
        house.doorkeeper.forget(session)
        try:
            await house.clients.identity.sign_out(session)
        except Trouble as trouble:
            if trouble.status >= 500:
                raise
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@router.get("/language/{code}")
async def language(
    request: Request, house: TheHouse, visitor: Anybody, code: str, back: Annotated[str, Query()] = "/"
) -> Response:
    """Read on in another language, from now on."""
    if code not in words.LANGUAGES:
        raise Refused("not_found")
    answer = RedirectResponse(own_path(back), 303)
    keep(answer, LANGUAGE_COOKIE, code, house)
    return answer
