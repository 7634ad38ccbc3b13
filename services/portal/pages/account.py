"""Signing in and out, the language, my profile, the organisation I act for."""

import json
from functools import cache
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import words
from services.portal.clients import Trouble
from services.portal.names import ROLES
from services.portal.visitor import (
    LANGUAGE_COOKIE,
    POST_COOKIE,
    SESSION_COOKIE,
    Anybody,
    House,
    Somebody,
    TheHouse,
    keep,
    own_path,
)
from services.portal.words import N_
from shared.contracts.identity import Preferences, SignIn
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
ZONES: Final = (
    "Europe/Paris", "Europe/Brussels", "Europe/London", "Europe/Lisbon", "Europe/Athens", "Africa/Casablanca",
    "Africa/Tunis", "Africa/Abidjan", "Africa/Nairobi", "America/Lima", "America/Bogota", "America/Sao_Paulo",
    "America/Mexico_City", "America/New_York", "Asia/Kolkata", "Asia/Colombo", "Asia/Ho_Chi_Minh", "Asia/Jakarta",
    "Asia/Makassar", "Asia/Shanghai", "Asia/Istanbul", "UTC",
)
# fmt: on


@cache
def _demo_password(file: Path | None) -> str:
    """The one password of the demonstration accounts."""
    if file is None or not file.exists():
        return ""
    return str(json.loads(file.read_text()).get("password", ""))


def _door(request: Request, house: House, wanted: str, email: str, problem: str = "", status: int = 200) -> Response:
    return house.look.page(
        request,
        "sign_in.html",
        status=status,
        current="sign-in",
        next=wanted,
        email=email,
        problem=problem,
        people=STORY if house.settings.demo else (),
        demo_password=_demo_password(house.settings.demo_file) if house.settings.demo else "",
    )


@router.get("/sign-in")
async def sign_in_page(
    request: Request, house: TheHouse, visitor: Anybody, next: str = "/", email: str = ""
) -> Response:
    """The door."""
    if visitor is not None:
        return RedirectResponse(own_path(next), 303)
    return _door(request, house, own_path(next), email)


@router.post("/sign-in")
async def sign_in(
    request: Request,
    house: TheHouse,
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Open a session, and go where the reader wanted to go."""
    wanted = own_path(next)
    attempt = SignIn(
        email=email.strip()[:254],
        password=password[:1024],
        device=request.cookies.get(DEVICE_COOKIE, "")[:200] or None,
        agent=request.headers.get("user-agent", "")[:400],
    )
    try:
        session = await house.clients.identity.sign_in(attempt)
    except Trouble as trouble:
        if trouble.status >= 500:
            raise
        return _door(request, house, wanted, email, trouble.text, trouble.status)
    answer = RedirectResponse(wanted, 303)
    keep(answer, SESSION_COOKIE, session.session, house, None)
    if session.device:
        keep(answer, DEVICE_COOKIE, session.device, house)
    answer.delete_cookie(POST_COOKIE)
    if session.person.language in words.LANGUAGES:
        keep(answer, LANGUAGE_COOKIE, session.person.language, house)
    return answer


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


@router.get("/profile")
async def profile(request: Request, house: TheHouse, visitor: Somebody, saved: str = "") -> Response:
    """Who I am here, my posts, my language and time zone."""
    zones = sorted({*ZONES, visitor.person.time_zone})
    flashes = [{"tone": "", "text": words._("Saved.")}] if saved else []
    return house.look.page(request, "profile.html", current="profile", zones=zones, flashes=flashes, role_names=ROLES)


@router.post("/profile")
async def change_profile(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    language: Annotated[str, Form()],
    time_zone: Annotated[str, Form()],
) -> Response:
    """Change my language and my time zone."""
    if language not in words.LANGUAGES:
        raise Refused("invalid", field="language")
    await house.clients.identity.prefer(visitor.caller, Preferences(language=language, time_zone=time_zone))
    house.doorkeeper.forget(visitor.session)
    answer = RedirectResponse("/profile?saved=1", 303)
    keep(answer, LANGUAGE_COOKIE, language, house)
    return answer


@router.post("/profile/post")
async def choose_post(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    organisation: Annotated[str, Form()],
    next: Annotated[str, Form()] = "/profile",
) -> Response:
    """Act for another of my organisations."""
    if organisation not in {post.organisation_id for post in visitor.posts}:
        raise Refused("not_found")
    answer = RedirectResponse(own_path(next), 303)
    keep(answer, POST_COOKIE, organisation, house)
    return answer
