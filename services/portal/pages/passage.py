"""The way in for programs: what they ask under ``/api`` is passed on to the service that knows, and its answer back.

One thing to remember: only a request with an access token of an organisation passes. Cookies stay outside, and what a
token may do the service itself decides; so nothing is open here that is not open to programs there.
"""

import json
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from services.portal import words
from services.portal.clients import Caller
from services.portal.visitor import House, TheHouse, reader_of
from shared.kit.log import CORRELATION
from shared.kit.sessions import MACHINE
from shared.rules.refusals import Refused

router = APIRouter()

PATH: Final = "/api"
ELSEWHERE: Final = ("organisations",)
"""What the directory is asked; all the rest the certificates service is."""
CARRIED: Final = ("authorization", "accept", "accept-language", "content-type", "content-length", "idempotency-key")
ANSWERED: Final = ("content-type", "content-disposition", "cache-control", "www-authenticate", "retry-after")


@router.get(f"{PATH}/openapi.json")
async def description(house: TheHouse) -> Response:
    """What programs may ask, described for them (OpenAPI)."""
    return JSONResponse(await described(house))


async def described(house: House) -> dict[str, Any]:
    """The description of the doors that are open to programs, of all services."""
    said: dict[str, Any] = json.loads(await house.clients.certificates.ask(Caller(), "GET", "/openapi.json"))
    more: dict[str, Any] = json.loads(await house.clients.directory.ask(None, "GET", "/openapi.json"))
    said["info"] = said.get("info", {}) | {"title": "Bordereau"}
    said["servers"] = [{"url": house.settings.portal_url.rstrip("/") + PATH}]
    doors = {**more.get("paths", {}), **said.get("paths", {})}
    open_to_them = {path: {method: each for method, each in of.items() if _scoped(each)} for path, of in doors.items()}
    said["paths"] = {path: of for path, of in open_to_them.items() if of}
    parts = said.setdefault("components", {})
    parts["schemas"] = {**more.get("components", {}).get("schemas", {}), **parts.get("schemas", {})}
    return said


def _scoped(door: Any) -> bool:
    return any(any(scopes) for each in door.get("security", ()) for scopes in each.values())


@router.api_route(f"{PATH}/{{path:path}}", methods=["GET", "POST", "PUT", "DELETE"])
async def passed(request: Request, house: TheHouse, path: str) -> Response:
    """A program's request, passed on as it came."""
    words.write_for(reader_of(request))
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.startswith(MACHINE):
        raise Refused("unauthenticated")
    settings = house.settings
    base = urlsplit(settings.directory_url if path.split("/")[0] in ELSEWHERE else settings.certificates_url)
    said = request.scope.get("raw_path", request.url.path.encode()).partition(b"?")[0]
    raw = b"/" + said.partition(PATH.encode() + b"/")[2]
    if request.url.query:
        raw += b"?" + request.url.query.encode()
    target = httpx2.URL(scheme=base.scheme, host=base.hostname, port=base.port, raw_path=raw)
    headers = {name: request.headers[name] for name in CARRIED if name in request.headers}
    headers["x-correlation-id"] = CORRELATION.get()
    bodiless = request.method == "GET" or request.headers.get("content-length") == "0"
    asked = house.engine.build_request(
        request.method, target, headers=headers, content=None if bodiless else _body(request)
    )
    try:
        answer = await house.engine.send(asked, stream=True)
    except ClientDisconnect:
        raise Refused("malformed") from None
    except httpx2.TimeoutException as problem:
        raise Refused("timeout") from problem
    except httpx2.HTTPError as problem:
        raise Refused("unavailable") from problem
    kept = {name: value for name, value in answer.headers.items() if name.lower() in ANSWERED}
    gone = BackgroundTask(answer.aclose)
    return StreamingResponse(answer.aiter_bytes(), answer.status_code, kept, background=gone)


async def _body(request: Request) -> AsyncIterator[bytes]:
    async for piece in request.stream():
        yield piece
