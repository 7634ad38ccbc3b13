"""The way back in for somebody who cannot sign in, and what a person may do about his own password and sessions.

One thing to remember: asking for a new password is answered alike for every address.
"""

from typing import Final
from uuid import UUID, uuid4

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, words
from services.portal.clients import Trouble
from services.portal.pages.registration import FORM_COOKIE, by_field, keep_form, raw
from services.portal.visitor import POST_COOKIE, SESSION_COOKIE, Anybody, House, Somebody, TheHouse
from shared.contracts.certificate_views import ProblemView
from shared.contracts.identity import NewPassword, PasswordChange

router = APIRouter()
GOAL: Final = "/password/new"


@router.get("/password")
async def ask_page(request: Request, house: TheHouse, email: str = "") -> Response:
    """[Demander l'envoi d'un nouveau mot de passe]."""
    return _ask(request, house, email, {}, 200)


def _ask(
    request: Request, house: House, email: str, problems: dict[str, list[ProblemView]], status: int, sent: bool = False
) -> Response:
    return house.look.page(
        request,
        "registration/forgotten.html",
        status=status,
        current="password",
        email=email,
        problems=problems,
        sent=sent,
        key=uuid4().hex,
    )


@router.post("/password")
async def ask(request: Request, house: TheHouse) -> Response:
    """Ask for a letter; the page says the same whether or not the address is known."""
    typed = await request.form()
    email = forms.text(typed, "email")[:400]
    try:
        await house.clients.accounts.ask_password(email, forms.text(typed, "key") or uuid4().hex)
    except Trouble as trouble:
        if trouble.code != "incomplete":
            raise
        return _ask(request, house, email, by_field(trouble), 422)
    return _ask(request, house, email, {}, 200, sent=True)


@router.get("/password/{secret}")
async def open_link(request: Request, house: TheHouse, visitor: Anybody, secret: str) -> Response:
    """The link in the letter: in time it opens the form; too late it leads back to the beginning."""
    try:
        opened = await house.clients.accounts.open(secret[:200])
    except Trouble as trouble:
        if trouble.code != "link_expired":
            raise
        return _expired(request, house)
    answer = _form(request, house, {}, 200, opened.name, opened.email)
    return keep_form(answer, opened.form, house)


def _expired(request: Request, house: House) -> Response:
    """Too late: the way back to the beginning."""
    return house.look.page(request, "registration/reset_expired.html", status=410, current="password")


def _form(
    request: Request, house: House, problems: dict[str, list[ProblemView]], status: int, name: str, email: str
) -> Response:
    return house.look.page(
        request,
        "registration/password.html",
        status=status,
        current="password",
        problems=problems,
        name=name,
        email=email,
        key=uuid4().hex,
        goal=GOAL,
    )


@router.post(GOAL)
async def choose(request: Request, house: TheHouse) -> Response:
    """The new password was chosen."""
    typed = await request.form()
    key, name, email = (forms.text(typed, each) for each in ("key", "name", "email"))
    chosen = NewPassword(
        form=request.cookies.get(FORM_COOKIE, "")[:400],
        password=raw(typed, "password"),
        password_again=raw(typed, "password_again"),
    )
    try:
        await house.clients.accounts.choose(chosen, key or uuid4().hex)
    except Trouble as trouble:
        if trouble.code == "link_expired":
            return _expired(request, house)
        if trouble.code != "incomplete":
            raise
        return _form(request, house, by_field(trouble), 422, name, email)
    answer = house.look.page(request, "registration/reset_done.html", current="password", email=email)
    answer.delete_cookie(FORM_COOKIE, path="/")
    return answer


@router.get("/security")
async def security(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """My password, and where I am signed in."""
    return await _security(request, house, visitor.session, {}, 200)


async def _security(
    request: Request, house: House, session: str, problems: dict[str, list[ProblemView]], status: int, problem: str = ""
) -> Response:
    return house.look.page(
        request,
        "registration/security.html",
        status=status,
        current="security",
        sessions=await house.clients.accounts.sessions(session),
        factors=await house.clients.factors.factors(session),
        problems=problems,
        problem=problem,
        key=uuid4().hex,
    )


@router.post("/security/password")
async def change(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """Change my password; every session ends, this one as well."""
    typed = await request.form()
    wish = PasswordChange(**{name: raw(typed, name) for name in ("present", "password", "password_again")})
    try:
        await house.clients.accounts.change_password(visitor.session, wish, forms.text(typed, "key") or uuid4().hex)
    except Trouble as trouble:
        if trouble.code == "incomplete":
            return await _security(request, house, visitor.session, by_field(trouble), 422)
        if trouble.code == "bad_credentials":
            said = words._("The present password is not right.")
            return await _security(request, house, visitor.session, {}, 422, said)
        raise
    return _out(house, visitor.session)


@router.post("/security/sessions")
async def out_everywhere(request: Request, house: TheHouse, visitor: Somebody) -> Response:
    """Sign out everywhere, here as well."""
    await house.clients.accounts.end_sessions(visitor.session)
    return _out(house, visitor.session)


@router.post("/security/sessions/{session_id}")
async def out_there(request: Request, house: TheHouse, visitor: Somebody, session_id: UUID) -> Response:
    """End one of my sessions."""
    await house.clients.accounts.end_session(visitor.session, str(session_id))
    return RedirectResponse("/security", 303)


def _out(house: House, session: str) -> Response:
    house.doorkeeper.forget(session)
    answer = RedirectResponse("/sign-in", 303)
    for name in (SESSION_COOKIE, POST_COOKIE):
        answer.delete_cookie(name)
    return answer
