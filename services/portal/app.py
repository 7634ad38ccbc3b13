"""The wiring of the web site: pages, files, guards, and what a reader sees when something goes wrong."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

import httpx2
from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from services.portal import words
from services.portal.clients import Clients, Trouble
from services.portal.held import held
from services.portal.look import STATIC, Look
from services.portal.pages import (
    account,
    certificates,
    classic,
    deciding,
    directory,
    documents,
    drafting,
    extracts,
    home,
    lines,
    machines,
    ops,
    organisations,
    passage,
    passwords,
    profile,
    proposals,
    questions,
    registration,
    requests,
    roles,
    search,
    second_factor,
    sps,
    standing,
    tasks,
    templates,
    tools,
    users,
    verify,
)
from services.portal.security import FormKeys, OwnCookies, SecurityHeaders
from services.portal.settings import PortalSettings
from services.portal.visitor import (
    SESSION_COOKIE,
    Doorkeeper,
    House,
    SignInFirst,
    enter,
    page_before,
    path_of,
    reader_of,
)
from services.portal.words import N_
from shared.contracts.identity import PostView
from shared.kit import clock
from shared.kit.http import BODY_LIMIT, Edge
from shared.kit.keys import keyring
from shared.kit.log import CORRELATION, logger
from shared.rules.documents import LARGEST
from shared.rules.refusals import CODES, REFUSALS, Refused

log = logger("portal")

AREAS: Final = (
    tasks.router, account.router, home.router, profile.router, second_factor.router, registration.router,
    passwords.router, classic.router, users.router, roles.router, requests.router, sps.router, drafting.router,
    search.router, certificates.router, deciding.router,
    documents.router, lines.router, extracts.router, organisations.router, standing.router, proposals.router,
    questions.router, templates.router, directory.router, verify.router, machines.router, ops.router, tools.router,
)  # fmt: skip
"""All pages: one router per area."""
ROOMY: Final = (
    (re.compile(r"/certificates/[^/]+/(documents|questions|lines|sps)(/.*)?"), LARGEST + BODY_LIMIT),
    (re.compile(r"/verify/file"), verify.FILE_LIMIT + BODY_LIMIT),
    (re.compile(passage.PATH + r"/certificates/[^/]+/(uploads|lines)"), LARGEST + 1),
)
"""Where a form, or a program, may bring a file."""
JSON_ONLY: Final = ("/ops/codec", f"{passage.PATH}/")
"""Where programs ask, and no browser."""
TITLES: Final = {
    400: N_("This cannot be read"),
    401: N_("Please sign in"),
    403: N_("This is not yours to do"),
    404: N_("There is nothing here"),
    405: N_("This address does not do that"),
    409: N_("Something has changed meanwhile"),
    410: N_("This has expired"),
    413: N_("This is too large"),
    415: N_("This kind of content is not understood"),
    422: N_("Something is not right yet"),
    429: N_("Too many attempts"),
    500: N_("Something went wrong on our side"),
    503: N_("A part of the system is resting"),
    504: N_("The answer takes its time"),
}
SENTENCES: Final = {row.code: row.says for row in REFUSALS}


def create_app(settings: PortalSettings, clients: Clients, now: Callable[[], datetime] = clock.now) -> "WebSite":
    """The web site, asking these clients."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        yield
        await clients.close()
        await engine.aclose()

    app = WebSite(settings.secure, settings.environment, lifespan=life, openapi_url=None, docs_url=None, redoc_url=None)
    engine = httpx2.AsyncClient(timeout=30, follow_redirects=False)
    keys = FormKeys(keyring(settings.codec_key_file, "portal-forms").values()[0])
    app.state.house = House(settings, clients, Look(settings.secure), keys, Doorkeeper(clients, now), now, engine)

    @app.get("/health")
    async def health() -> dict[str, str]:
        """Whether the web site is ready to answer."""
        return {"status": "ok"}

    app.mount("/static", Files(directory=STATIC), name="static")
    for area in AREAS:
        app.include_router(area, dependencies=[Depends(enter)])
    app.include_router(tools.machines)
    app.include_router(passage.router)

    app.add_exception_handler(SignInFirst, _to_the_door)
    app.add_exception_handler(Trouble, _trouble)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(ClientDisconnect, _left)
    app.add_exception_handler(Exception, _bug)
    app.add_middleware(Edge, limit=BODY_LIMIT, roomy=ROOMY)
    return app


class WebSite(FastAPI):
    """An application whose every answer carries the security headers, also the answer to a bug."""

    def __init__(self, secure: bool, environment: str = "", **settings: Any) -> None:
        super().__init__(**settings)
        self.secure, self.environment = secure, environment

    def build_middleware_stack(self) -> ASGIApp:
        """The headers go outside of everything else, and cookies have their full names there."""
        return OwnCookies(SecurityHeaders(super().build_middleware_stack(), self.secure), self.environment)


class Files(StaticFiles):
    """Files a browser may keep for ever when it asks for them by their digest."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        forever = scope["query_string"].startswith(b"v=")
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if forever else "public, max-age=300"
        return answer


# ---- what a reader sees when something goes wrong --------------------------------------------------------------


def problem_page(
    request: Request, status: int, code: str, text: str = "", problems: tuple[object, ...] = ()
) -> Response:
    """The page (or the problem+json) that says what went wrong and what to do."""
    house: House = request.app.state.house
    words.write_for(reader_of(request) if not hasattr(request.state, "context") else words.reader())
    text = text or words.law(SENTENCES.get(code, SENTENCES["internal"]))
    if "application/json" in request.headers.get("accept", "") or request.url.path.startswith(JSON_ONLY):
        body = {"type": f"urn:bordereau:problem:{code}", "title": text, "status": status, "code": code}
        return JSONResponse(body, status, media_type="application/problem+json")
    return house.look.page(
        request,
        "problem.html",
        status=status,
        number=status,
        title=words._(TITLES.get(status, TITLES[500])),
        code=code,
        text=text,
        problems=problems,
        elsewhere=_elsewhere(request) if code == "not_found" else (),
        again=path_of(request) if status in (409, 503, 504) and request.method == "GET" else "",
        correlation=CORRELATION.get() if status >= 500 else "",
    )


def _elsewhere(request: Request) -> list[PostView]:
    """The reader's other posts, in one of which the page may be there: a letter's link knows nothing of posts."""
    visitor = getattr(request.state, "visitor", None)
    if visitor is None or request.method != "GET" or "route" not in request.scope:
        return []
    others = [post for post in visitor.posts if post != visitor.post]
    known: list[PostView] | None = getattr(request.state, "elsewhere", None)
    return others if known is None else known


async def _to_the_door(request: Request, _: Exception) -> Response:
    """The door; whoever was inside before is told that his session ended, and comes back to the page he was on.

    What he typed there goes along, where its page can show it again.
    """
    if request.headers.get("hx-request"):
        return Response(status_code=401)  # the page stays, with what is typed there: portal.js says what to do
    ended = SESSION_COOKIE in request.cookies
    if ended and (typed := await held(request)):
        request.state.context["visitor"] = None
        house: House = request.app.state.house
        return account.door(request, house, typed.path, "", status=401, ended=True, carries=typed)
    wanted = path_of(request) if request.method == "GET" else page_before(request) if ended else "/"
    if wanted == "/" and not ended:
        return RedirectResponse("/welcome", 303)
    return RedirectResponse(f"/sign-in?next={quote(wanted, safe='/')}{'&ended=true' if ended else ''}", 303)


async def _trouble(request: Request, trouble: Exception) -> Response:
    assert isinstance(trouble, Trouble)
    if trouble.code in ("unauthenticated", "session_ended"):
        request.app.state.house.doorkeeper.forget(request.cookies.get(SESSION_COOKIE, ""))
        return await _to_the_door(request, trouble)
    if trouble.code == "timeout" and request.method == "GET":  # he only looked: there is no order to worry about
        return problem_page(request, 503, "unavailable")
    return problem_page(request, trouble.status, trouble.code, trouble.text, trouble.problems)


async def _refused(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refused)
    text = words.law(SENTENCES[refusal.code], **refusal.details)
    return problem_page(request, CODES[refusal.code], refusal.code, text)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {400: "malformed", 404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "invalid")
    if request.method == "GET" and not hasattr(request.state, "context"):  # an address without a route: who asks?
        with suppress(Trouble, Refused):
            await enter(request)
    return problem_page(request, error.status_code, code)


async def _not_understood(request: Request, error: Exception) -> Response:
    return problem_page(request, 422, "invalid")


async def _left(request: Request, _: Exception) -> Response:
    """Somebody left the page while he sent something: nobody reads the answer, and it is no bug."""
    return Response(status_code=499)


async def _bug(request: Request, error: Exception) -> Response:
    log.error("bug", exc_info=error)
    return problem_page(request, 500, "internal")
