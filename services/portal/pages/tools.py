"""Signing in to another tool with the account here: the page that asks, and the doors of the tools themselves.

One thing to remember: the way back to a tool never begins with a form of ours, because a page here may send its forms
nowhere else; after a form the browser is shown a page that takes it on.
"""

from typing import Any, Final
from uuid import uuid4

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, proof, words
from services.portal.clients import SOURCE, Trouble
from services.portal.visitor import Anybody, House, SignInFirst, Somebody, TheHouse, Visitor
from services.portal.words import N_
from shared.contracts.tools import ToolAnswer, ToolQuestion
from shared.rules.refusals import Refused

router = APIRouter()
machines = APIRouter()
"""Asked by the tools' own servers: they have neither cookies nor forms of ours."""

LONGEST: Final = 8000
LEARNS: Final = {
    "profile": N_("your name, your user name, your language and time zone"),
    "email": N_("your e-mail address"),
}
CARRIED: Final = ("authorization", "content-type", "accept")
ANSWERED: Final = ("content-type", "cache-control", "pragma", "www-authenticate")


@router.get("/oauth/authorize")
async def authorize(request: Request, house: TheHouse, visitor: Anybody) -> Response:
    """A tool sends a browser here to learn who its user is."""
    return await _next(request, house, visitor, request.url.query, None)


@router.post("/oauth/authorize")
async def consent(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """Yes or no, and a proof where the tool wants a fresh one."""
    typed = await request.form()
    query, yes = forms.text(typed, "query"), forms.text(typed, "answer") == "yes"
    try:
        visitor = await proof.proved(house, visitor, typed) if yes else visitor
    except Trouble as trouble:
        if trouble.code not in proof.TROUBLES:
            raise
        return await _next(request, house, visitor, query, None, trouble.text)
    return await _next(request, house, visitor, query, yes)


async def _next(
    request: Request, house: House, visitor: Visitor | None, query: str, said: bool | None, wrong: str = ""
) -> Response:
    if len(query) > LONGEST:
        raise Refused("malformed")
    asked = ToolQuestion(query=query, consent=said)
    answer = await house.clients.tools.asked(visitor.session if visitor else "", asked)
    if answer.location:
        return _leave(request, house, answer)
    if visitor is None or answer.sign_in:
        raise SignInFirst
    needed = wrong or (words._("This tool wants to be sure that it is you.") if answer.prove else "")
    return house.look.page(
        request,
        "tools/consent.html",
        status=401 if wrong else 200,
        current="profile",
        tool=answer.tool,
        learns=[LEARNS[each] for each in answer.asks if each in LEARNS],
        query=query,
        key=uuid4().hex,
        **await proof.asked(house, visitor, said=needed or " "),
        proving=bool(needed),
    )


def _leave(request: Request, house: House, answer: ToolAnswer) -> Response:
    """Back to the tool: at once, or by a page where a form of ours has led here."""
    after_form = request.method == "POST" or request.headers.get("sec-fetch-site") == "same-origin"
    if not after_form:
        return RedirectResponse(answer.location, 303)
    return house.look.page(request, "tools/onward.html", current="profile", tool=answer.tool, location=answer.location)


@machines.get("/.well-known/openid-configuration")
@machines.get("/oauth/keys")
@machines.post("/oauth/token")
@machines.get("/oauth/userinfo")
@machines.post("/oauth/userinfo")
async def machine(request: Request, house: TheHouse) -> Response:
    """What tools ask by themselves: identity answers."""
    SOURCE.set(request.client.host if request.client else "")
    carried = {name: request.headers[name] for name in CARRIED if name in request.headers}
    said: Any = await house.clients.tools.passed(request.method, request.url.path, await request.body(), carried)
    kept = {name: value for name, value in said.headers.items() if name.lower() in ANSWERED}
    return Response(said.body, said.status, kept)
