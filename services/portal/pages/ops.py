"""For platform administrators only: processes, messages, the fate of letters, and the engine's own pages.

One thing to remember: ops see that something happens, not what stands in it. Whoever opens the engine's pages, or has
payloads made readable, is written down.
"""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import httpx2
from fastapi import APIRouter, Query
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from temporalio.api.common.v1 import Payload  # the wire format of the engine's pages, nothing more

from services.portal import sheets
from services.portal.clients import Trouble
from services.portal.names import LETTER_STATES, PROCESSES
from services.portal.visitor import House, Ops, TheHouse, Visitor
from shared.kit.codec import EncryptingCodec
from shared.kit.keys import keyring
from shared.kit.log import logger
from shared.rules.boxes import Model
from shared.rules.refusals import Refused

router = APIRouter(prefix="/ops")
log = logger("ops")

SERVICES: Final = ("certificates", "directory", "identity", "notifications")
"""Services that say what waits in their letter box."""
EMPTY_BOX: Final[dict[str, Any]] = {"letters": {}, "waiting": [], "heard": [], "dead_letters": []}
KEPT_BACK: Final = frozenset(
    {"host", "cookie", "authorization", "connection", "content-length", "transfer-encoding", "accept-encoding"}
)
"""Headers of a browser that are none of the engine's business."""
HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-encoding", "content-length"})
MOST_PAYLOADS: Final = 1000


@router.get("")
async def ops(request: Request, house: TheHouse, visitor: Ops) -> Response:
    """Everything at a glance: what waits, what failed, who looked."""
    boxes, failed = await asyncio.gather(
        asyncio.gather(*(_outbox(house, visitor, name) for name in SERVICES)),
        house.clients.ops.letters(visitor.caller, state="FAILED"),
        return_exceptions=False,
    )
    return house.look.page(
        request,
        "ops/overview.html",
        current="ops",
        tab="overview",
        boxes=dict(zip(SERVICES, boxes, strict=True)),
        failed=failed.items,
        looks=looks(house.settings.var),
        mailbox=house.settings.mailbox_url,
    )


async def _outbox(house: House, visitor: Visitor, service: str) -> dict[str, Any] | None:
    """What a service says of its letter box; nothing while it does not answer."""
    try:
        return {**EMPTY_BOX, **await house.clients.ops.outbox(visitor.caller, service)}
    except Trouble as trouble:
        if trouble.status < 500:
            raise
        return None


@router.get("/letters")
async def letters(
    request: Request,
    house: TheHouse,
    visitor: Ops,
    state: Annotated[str, Query()] = "",
    after: Annotated[str, Query(max_length=400)] = "",
) -> Response:
    """The fate of all letters: which, about which number, whether it arrived."""
    state = state if state in LETTER_STATES else ""
    page = await house.clients.ops.letters(visitor.caller, state=state, after=after)
    return house.look.page(
        request, "ops/letters.html", current="ops", tab="letters", page=page, state=state, after=after
    )


@router.post("/letters/{letter_id}/retry")
async def retry(house: TheHouse, visitor: Ops, letter_id: str) -> Response:
    """Have a letter tried again at once."""
    await house.clients.ops.retry(visitor.caller, letter_id)
    return RedirectResponse("/ops/letters", 303)


@router.get("/process")
async def process(
    request: Request, house: TheHouse, visitor: Ops, certificate: Annotated[str, Query(max_length=60)] = ""
) -> Response:
    """The process of one certificate, by its id or its address: status, clock, and the way to its history."""
    wanted = certificate.strip().rstrip("/").rpartition("/")[2].removeprefix("certificate-")
    found: dict[str, Any] | None = None
    if wanted:
        try:
            found = await house.clients.ops.process(visitor.caller, str(UUID(wanted)))
        except ValueError:
            found = None
        except Trouble as trouble:
            if trouble.status != 404:
                raise
    history = (
        f"/ops/temporal/namespaces/{house.settings.temporal_namespace}/workflows/{found['workflow']}" if found else ""
    )
    return house.look.page(
        request,
        "ops/process.html",
        current="ops",
        tab="process",
        wanted=certificate,
        found=found,
        history=history,
        to_do=sheets.to_do(found["awaits"] or "", Model(found["form_model"])) if found else "",
        then=sheets.CLOCK_SAYS.get(found["due"] or "", "") if found else "",
        processes=[(kind, name, _all_of(house, kind)) for kind, name in PROCESSES.items()],
    )


def _all_of(house: House, kind: str) -> str:
    """The list of all processes of a kind, in the engine's own pages."""
    query = urlencode({"query": f'`WorkflowType`="{kind}"'})
    return f"/ops/temporal/namespaces/{house.settings.temporal_namespace}/workflows?{query}"


# ---- who looked -----------------------------------------------------------------------------------------------


def _journal(var: Path) -> Path:
    return var / "looking.jsonl"


def look_down(house: House, visitor: Visitor, what: str, which: str) -> None:
    """Write down who looked at what: in the log, and in a file of the installation that is only ever appended to."""
    at: datetime = house.clock()
    log.info("looked", person=visitor.person.id, what=what, which=which)
    line = {"at": at.isoformat(), "person": visitor.person.id, "what": what, "which": which}
    file = _journal(house.settings.var)
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a") as out:
        out.write(json.dumps(line) + "\n")


def looks(var: Path, latest: int = 20) -> list[dict[str, Any]]:
    """Who looked lately, newest first; a page that asks for its payloads in pieces is one look."""
    file = _journal(var)
    if not file.exists():
        return []
    with file.open("rb") as source:
        source.seek(max(0, file.stat().st_size - 20_000))
        lines = source.read().decode(errors="replace").splitlines()
    found: list[dict[str, Any]] = []
    for line in reversed(lines):
        try:
            row = json.loads(line)
        except ValueError:
            continue
        told = (row["person"], row["what"], row["which"])
        if not found or told != (found[-1]["person"], found[-1]["what"], found[-1]["which"]):
            found.append({**row, "at": datetime.fromisoformat(row["at"])})
    return found[:latest]


# ---- payloads made readable -----------------------------------------------------------------------------------


@router.post("/codec/decode")
async def decode(request: Request, house: TheHouse, visitor: Ops) -> Response:
    """Open payloads for the engine's pages; who had it done is written down."""
    sent = await _payloads(request)
    codec = EncryptingCodec(keyring(house.settings.codec_key_file, "codec"))
    try:
        opened = codec.open(
            Payload(
                metadata={name: base64.b64decode(value) for name, value in (each.get("metadata") or {}).items()},
                data=base64.b64decode(each.get("data") or ""),
            )
            for each in sent
        )
    except Exception as problem:
        raise Refused("malformed") from problem
    look_down(house, visitor, "payloads", _shown_page(request))
    return JSONResponse(
        {
            "payloads": [
                {
                    "metadata": {name: base64.b64encode(value).decode() for name, value in payload.metadata.items()},
                    "data": base64.b64encode(payload.data).decode(),
                }
                for payload in opened
            ]
        }
    )


async def _payloads(request: Request) -> list[dict[str, Any]]:
    try:
        sent = json.loads(await request.body())["payloads"]
    except (ValueError, KeyError, TypeError) as problem:
        raise Refused("malformed") from problem
    if not isinstance(sent, list) or len(sent) > MOST_PAYLOADS or not all(isinstance(each, dict) for each in sent):
        raise Refused("malformed")
    return sent


def _shown_page(request: Request) -> str:
    """The page of the engine that asks, without its query."""
    return urlsplit(request.headers.get("referer", "")).path[:200]


# ---- the engine's own pages -----------------------------------------------------------------------------------


@router.api_route("/temporal", methods=["GET"])
async def engine_root(visitor: Ops) -> Response:
    """The engine's pages live under a path of their own."""
    return RedirectResponse("/ops/temporal/", 308)


@router.api_route("/temporal/{path:path}", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
async def engine(request: Request, house: TheHouse, visitor: Ops, path: str) -> Response:
    """Pass a request on to the engine's pages, and its answer back, both as they come."""
    if path.startswith("namespaces/") and request.headers.get("sec-fetch-mode") in (None, "navigate"):
        look_down(house, visitor, "process", f"/{path}"[:200])
    elif request.method not in ("GET", "HEAD"):
        look_down(house, visitor, request.method.lower(), f"/{path}"[:200])
    base = urlsplit(house.settings.temporal_ui_url)
    raw = request.url.path.encode() + (b"?" + request.url.query.encode() if request.url.query else b"")
    target = httpx2.URL(scheme=base.scheme, host=base.hostname, port=base.port, raw_path=raw)
    headers = [(name, value) for name, value in request.headers.items() if name not in KEPT_BACK]
    cookies = "; ".join(f"{name}={value}" for name, value in request.cookies.items() if name == "_csrf")
    if cookies:
        headers.append(("cookie", cookies))
    asked = house.engine.build_request(request.method, target, headers=headers, content=_body(request))
    try:
        said = await house.engine.send(asked, stream=True)
    except httpx2.HTTPError as problem:
        raise Refused("unavailable") from problem
    answer = StreamingResponse(said.aiter_bytes(), said.status_code, background=BackgroundTask(said.aclose))
    for name, value in said.headers.multi_items():
        if name.lower() not in HOP and not name.lower().startswith("content-security-policy"):
            answer.headers.append(name, value)
    return answer


async def _body(request: Request) -> AsyncIterator[bytes]:
    async for piece in request.stream():
        yield piece
