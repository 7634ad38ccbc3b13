"""Signing in with the account of another installation: there, and back with a session of our own.

One thing to remember: the browser keeps the ticket of its way in a cookie; nobody else's way back opens a session here.
"""

from typing import Annotated, Final
from urllib.parse import quote, unquote

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal.pages.account import DEVICE_COOKIE, ask_second, come_in, door
from services.portal.visitor import Anybody, TheHouse, keep, own_path
from services.portal.wire import Trouble
from shared.contracts.tools import HomeReturn, HomeWish

router = APIRouter()
HOME_COOKIE: Final = "home"
PATIENCE: Final = 600
MOST: Final = 2000
BROUGHT: Final = ("code", "state", "iss", "error")


@router.get("/sign-in/elsewhere")
async def leave(
    house: TheHouse, next: Annotated[str, Query(max_length=MOST)] = "/", again: Annotated[str, Query(max_length=1)] = ""
) -> Response:
    """Off to the other installation."""
    way = await house.clients.tools.home(HomeWish(again=bool(again)))
    answer = RedirectResponse(way.location, 303)
    keep(answer, HOME_COOKIE, f"{way.ticket} {quote(own_path(next))}", house, PATIENCE)
    return answer


@router.get("/sign-in/elsewhere/back")
async def back(request: Request, house: TheHouse, visitor: Anybody) -> Response:
    """Back from there: with a session, or at our own door with what went wrong."""
    ticket, _, path = request.cookies.get(HOME_COOKIE, "").partition(" ")
    wanted = own_path(unquote(path))
    said = HomeReturn(
        ticket=ticket[:400],
        said={name: request.query_params[name][:MOST] for name in BROUGHT if name in request.query_params},
        device=request.cookies.get(DEVICE_COOKIE, "")[:200] or None,
        agent=request.headers.get("user-agent", "")[:400],
    )
    try:
        session = await house.clients.tools.home_back(visitor.session if visitor else "", said)
    except Trouble as trouble:
        if trouble.code == "second_factor_needed":
            return await ask_second(request, house, wanted, trouble.params)
        if trouble.status == 404 or trouble.status >= 500:
            raise
        return door(request, house, wanted, "", trouble.text, trouble.status)
    if visitor is not None:
        house.doorkeeper.forget(visitor.session)
    answer = come_in(house, session, wanted)
    answer.delete_cookie(HOME_COOKIE)
    return answer
