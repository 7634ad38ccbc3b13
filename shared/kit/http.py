"""The HTTP edge of every service: one kind of error (problem+json), a limit on bodies, a correlation id, health."""

import json
import re
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, is_dataclass
from functools import cache, cached_property
from typing import Annotated, Any, cast

import httpx2
from fastapi import FastAPI, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoRoom
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.kit import outbox
from shared.kit.db import Database, is_away
from shared.kit.described import described
from shared.kit.keys import Keyring
from shared.kit.log import CORRELATION, correlation, logger
from shared.kit.outbox import Letterbox
from shared.kit.sessions import CurrentActor, CurrentService, Gatekeeper, service_token
from shared.rules.refusals import CODES, Refused
from shared.rules.roles import RoleType
from shared.rules.sentences import SENTENCES
from shared.words import best_language, say

BODY_LIMIT = 1_000_000
Roomy = Sequence[tuple[re.Pattern[str], int]]
"""Paths that may take larger bodies than all the others, and how large."""
NO_TEXT = ("22021", "22P05")
"""What the database calls a sign that cannot stand in a text."""
NO_OBJECT = ("model_attributes_type", "dict_type")
"""What pydantic calls a body that is no object; it may be one, of which nobody said that it is JSON."""
CHOICES = ("enum", "literal_error")
UNFIT = {"missing": "field_missing", "extra_forbidden": "unknown_field"} | dict.fromkeys(CHOICES, "not_one_of")
"""Its reasons for which we have a sentence of their own."""
KEY_HEADER = "Idempotency-Key"
log = logger("http")


class Door(FastAPI):
    """An application whose description tells programs what all doors have in common."""

    def openapi(self) -> dict[str, Any]:
        """The description (OpenAPI): who may come in with what, and how a no is said."""
        if not self.openapi_schema:
            self.openapi_schema = described(super().openapi(), getattr(self.state, "scopes", {}))
        return self.openapi_schema


def create_app(
    title: str,
    gatekeeper: Gatekeeper,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
    body_limit: int = BODY_LIMIT,
    roomy: Roomy = (),
) -> FastAPI:
    """A service's HTTP door with everything all doors have in common."""
    app = Door(title=title, lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    app.state.gatekeeper = gatekeeper
    app.state.ready = True
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DBAPIError, _database)
    app.add_exception_handler(OSError, _away)
    app.add_exception_handler(NoRoom, _away)
    app.add_exception_handler(Exception, _bug)
    app.add_middleware(Edge, limit=body_limit, roomy=roomy)

    @app.get("/health", tags=["operations"])
    async def health() -> JSONResponse:
        """Whether this process is ready to answer."""
        ready = bool(app.state.ready)
        return JSONResponse({"status": "ok" if ready else "starting"}, 200 if ready else 503)

    return app


def add_feed(app: FastAPI, database: Database) -> None:
    """The catch-up feed, for services only, and a look at the letter box for platform administrators only."""
    app.state.database = database

    @app.get("/events", tags=["operations"])
    async def events(_: CurrentService, after: Annotated[int, Query(ge=0)] = 0) -> list[Letterbox]:
        """The events this service has announced, after a number, oldest first."""
        async with app.state.database.transaction() as session:
            return await outbox.feed(session, after, limit=100)

    @app.get("/ops/outbox", tags=["operations"])
    async def letter_box(actor: CurrentActor) -> dict[str, Any]:
        """How much waits in the letter box, and what could not be understood (without what it said)."""
        if actor.role_type != RoleType.SYS_ADMIN:
            raise Refused("not_found")
        async with app.state.database.transaction() as session:
            return await outbox.state(session)


class Edge:
    """ASGI middleware: gives each request its correlation id and refuses bodies beyond the limit before reading on."""

    def __init__(self, app: ASGIApp, limit: int, roomy: Roomy = ()) -> None:
        self.app, self.limit, self.roomy = app, limit, roomy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        brought = headers.get(b"x-correlation-id", b"").decode("latin-1")
        CORRELATION.set(brought if brought.isalnum() and len(brought) <= 64 else "")
        mark = correlation().encode()
        length = headers.get(b"content-length", b"0")
        limit = next((most for path, most in self.roomy if path.fullmatch(scope["path"])), self.limit)
        read, started = 0, False

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > limit:
                    raise Refused("too_large", limit=limit)
            return message

        async def marked(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", []), (b"x-correlation-id", mark)]
            await send(message)

        try:
            if not length.isdigit() or int(length) > limit:
                raise Refused("too_large", limit=limit)
            await self.app(scope, bounded, marked)
        except Refused as refusal:
            if started:
                raise
            await _refused(Request(scope), refusal)(scope, receive, marked)


class Problem(JSONResponse):
    """A refusal on the wire; half a sign somebody sent, and we repeat, becomes a question mark."""

    media_type = "application/problem+json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def problem_body(refusal: Refused, language: str) -> dict[str, Any]:
    """A refusal as the reader gets it: the code for programs, a sentence that says what to do for people."""
    details = dict(refusal.details)
    problems = details.pop("problems", None)
    field = details.pop("field", None)
    body: dict[str, Any] = {
        "type": f"urn:bordereau:problem:{refusal.code}",
        "title": say(SENTENCES.get(refusal.code, refusal.code), language, field=field or "", **details),
        "status": CODES[refusal.code],
        "code": refusal.code,
        "correlation": CORRELATION.get(),
    }
    if field is not None:
        body["field"] = field
    if details:
        body["params"] = details
    if problems is not None:
        body["problems"] = [_spoken(problem, language) for problem in cast(Iterable[Any], problems)]
    return body


def _spoken(problem: Any, language: str) -> dict[str, Any]:
    row: dict[str, Any] = asdict(problem) if is_dataclass(problem) and not isinstance(problem, type) else dict(problem)
    params = row.get("params") or {}
    row["title"] = say(str(row.get("title") or ""), language)
    row["message"] = say(SENTENCES.get(row["code"], row["code"]), language, **params)
    return row


def _language(request: Request) -> str:
    return best_language(request.headers.get("accept-language"))


def _refused(request: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, Refused)
    body = problem_body(refusal, _language(request))
    headers = {"WWW-Authenticate": "Bearer"} if body["status"] == 401 else None
    return Problem(body, body["status"], headers)


def _not_understood(request: Request, trouble: Exception) -> JSONResponse:
    assert isinstance(trouble, RequestValidationError)
    errors = trouble.errors()
    if any(error["type"] == "json_invalid" for error in errors):
        return _refused(request, Refused("malformed"))
    if any(error["type"] == "missing" and error["loc"][-1] == KEY_HEADER for error in errors):
        return _refused(request, Refused("key_missing", field=KEY_HEADER))
    said_json = "json" in request.headers.get("content-type", "")
    if not said_json and any(error["type"] in NO_OBJECT and error["loc"] == ("body",) for error in errors):
        return _refused(request, Refused("unsupported"))
    problems = [_misunderstood(error["loc"], error["type"], error.get("ctx", {})) for error in errors]
    return _refused(request, Refused("invalid", field=problems[0]["field"], problems=problems))


def _misunderstood(where: tuple[int | str, ...], reason: str, more: Mapping[str, Any]) -> dict[str, Any]:
    """One place of a request that does not fit, named as problems of the law name theirs: ``lines[0].net_weight``."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in where[1:]]
    field = "".join(parts).removeprefix(".") or str(where[0])
    params = {"reason": reason, "name": field}
    if reason in CHOICES:
        params["expected"] = str(more.get("expected", "")).replace("'", "").replace(" or ", ", ")
    return {"field": field, "code": UNFIT.get(reason, "invalid"), "params": params}


def _http(request: Request, trouble: Exception) -> JSONResponse:
    assert isinstance(trouble, HTTPException)
    if isinstance(trouble.__cause__, Refused):  # a body beyond the limit, noticed while it was read
        return _refused(request, trouble.__cause__)
    code = {404: "not_found", 405: "method_not_allowed", 400: "malformed"}.get(trouble.status_code, "invalid")
    return _refused(request, Refused(code))


def _database(request: Request, trouble: Exception) -> JSONResponse:
    """A database that is away, shuts down or has no room is no bug, nor is a sign that no text may contain (NUL)."""
    if getattr(getattr(trouble, "orig", None), "sqlstate", None) in NO_TEXT:
        return _refused(request, Refused("malformed"))
    return _away(request, trouble) if is_away(trouble) else _bug(request, trouble)


def _away(request: Request, trouble: Exception) -> JSONResponse:
    log.warning("something we need is away", reason=type(trouble).__name__)
    return _refused(request, Refused("unavailable"))


def _bug(request: Request, trouble: Exception) -> JSONResponse:
    log.error("bug", path=request.scope.get("route") and request.scope["route"].path, exc_info=trouble)
    return _refused(request, Refused("internal"))


@cache
def trusted() -> ssl.SSLContext:
    """The certificate authorities this machine trusts; reading them takes a while, so they are read once."""
    return httpx2.create_ssl_context()


class ServiceClient:
    """Reads from our other services: one connection pool, a token of our own, the correlation id carried on."""

    def __init__(self, name: str, urls: Callable[[str], str], services: Keyring) -> None:
        self._name, self._urls, self._services = name, urls, services

    @cached_property
    def _client(self) -> httpx2.AsyncClient:
        """Made at the first question."""
        return httpx2.AsyncClient(timeout=5, verify=trusted())

    async def get(self, service: str, path: str, **params: Any) -> Any:
        """The JSON at a path of another service; ``unavailable`` when it does not answer, ``not_found`` as it says."""
        headers = {
            "Authorization": f"Bearer {service_token(self._name, self._services)}",
            "X-Correlation-Id": CORRELATION.get(),
        }
        try:
            answer = await self._client.get(self._urls(service) + path, params=params, headers=headers)
        except httpx2.HTTPError as problem:
            raise Refused("unavailable") from problem
        if answer.status_code == 404:
            raise Refused("not_found")
        if answer.is_error:
            raise Refused("unavailable")
        return answer.json()

    async def feed(self, publisher: str, after: int) -> list[Letterbox]:
        """A publisher's events after a number; empty while it cannot be asked."""
        try:
            return [Letterbox.model_validate(row) for row in await self.get(publisher, "/events", after=after)]
        except Refused:
            return []

    async def close(self) -> None:
        """Close the connections, if there are any."""
        if "_client" in vars(self):
            await self._client.aclose()


IdempotencyKey = Annotated[str, Header(alias=KEY_HEADER, pattern=r"^[0-9A-Za-z_-]{8,64}$")]
