"""The HTTP door of OpenID Connect: other tools let people sign in with their account here.

The browser's half comes through the portal, which has the session and asks for consent; discovery, keys, tokens and
userinfo the portal passes on as they are. The issuer is the portal's address, the one everybody can reach.
"""

import asyncio
from typing import Annotated, Any
from urllib.parse import parse_qsl

from authlib.oauth2 import OAuth2Error
from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse

from services.identity import admissions, store
from services.identity.api import CurrentDesk, Desk, secret_of
from services.identity.provider import (
    CONSENT_NEEDED,
    LOGIN_NEEDED,
    TOKEN_LIFETIME,
    Provider,
    Question,
    Visit,
    discovery,
    who,
)
from shared.contracts.tools import ToolAnswer, ToolQuestion
from shared.kit.log import logger
from shared.rules.refusals import Refused

router = APIRouter(tags=["tools"])
log = logger("tools")
MOST_FIELDS = 40
UNCACHED = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def _provider(desk: Desk, **more: Any) -> Provider:
    settings = desk.around.settings
    known = {tool.client_id: tool for tool in settings.tools or ()}
    return Provider(settings.base_url("portal"), known, desk.around.now(), **more)


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(text, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise Refused("malformed") from None
    if any("\x00" in value for _, value in pairs):  # nothing a database could keep
        raise Refused("malformed")
    return pairs


@router.get("/.well-known/openid-configuration")
async def configuration(desk: CurrentDesk) -> dict[str, Any]:
    """What a tool needs to know of us."""
    return discovery(desk.around.settings.base_url("portal"))


@router.get("/oauth/keys")
async def published(desk: CurrentDesk) -> dict[str, Any]:
    """The public keys with which a tool checks an id token."""
    return {"keys": await desk.tool_keys.published(desk.around.now())}


async def _visit(desk: Desk, secret: str) -> Visit | None:
    try:
        opened, account = await desk.session(secret)
    except Refused:
        return None
    async with desk.around.database.transaction() as session:
        types = frozenset(post.role_type for post, _ in await store.posts(session, account.id))
    return Visit(account, opened.id, opened.proved_at or opened.opened_at, types)


@router.post("/oauth/authorizations")
async def authorize(
    said: ToolQuestion, desk: CurrentDesk, authorization: Annotated[str | None, Header()] = None
) -> ToolAnswer:
    """A browser came with a tool's request: where it goes next, or what is missing.

    Refused ``unknown_tool`` when nothing vouches for the address to go back to: then the browser stays here.
    """
    secret = secret_of(authorization)
    provider = _provider(desk, visit=await _visit(desk, secret) if secret else None)
    question = Question("GET", _pairs(said.query))
    tool = provider.tools.get(question.payload.client_id or "")
    if tool is None or question.payload.redirect_uri not in tool.redirect_uris:
        raise Refused("unknown_tool")
    try:
        grant = provider.asked(question)
        visit = provider.visit
        if visit is None:
            provider.silent(grant, LOGIN_NEEDED)
            return ToolAnswer(tool=tool.name, sign_in=True)
        prove = provider.must_prove(grant)
        provider.silent(grant, LOGIN_NEEDED if prove else None)
        lawful = not tool.role_types or bool(visit.role_types & set(tool.role_types))
        unasked = not tool.trusted or "consent" in (question.payload.data.get("prompt") or "").split()
        if lawful and said.consent is not False and (prove or (unasked and said.consent is None)):
            provider.silent(grant, CONSENT_NEEDED)
            asks = [each for each in grant.request.scope.split() if each != "openid"]
            return ToolAnswer(tool=tool.name, asks=asks, prove=prove)
        location = provider.answered(grant, yes=lawful and said.consent is not False)
    except OAuth2Error as error:
        location = provider.back(error, question)
    except ValueError:  # the library repeats in its answer what was sent, and cannot with every sign
        raise Refused("malformed") from None
    if provider.made is not None:
        async with desk.around.database.transaction() as session:
            await admissions.keep(session, provider.made)
        log.info("signed in to a tool", tool=tool.client_id)
    return ToolAnswer(tool=tool.name, location=location)


@router.post("/oauth/token")
async def exchange(
    request: Request, desk: CurrentDesk, authorization: Annotated[str | None, Header()] = None
) -> JSONResponse:
    """A tool brings its code and gets an id token and an access token; every fault has its word in the protocol."""
    now = desk.around.now()
    try:
        pairs = _pairs((await request.body()).decode("ascii"))
    except UnicodeDecodeError:
        raise Refused("malformed") from None
    question = Question("POST", pairs, authorization)
    key = await desk.tool_keys.current(now)
    async with desk.around.database.transaction() as session:
        row = await admissions.by_code(session, question.form.get("code", ""))
        whose = await admissions.holder(session, row) if row else None
        provider = _provider(desk, key=key, row=row, holder=whose)
        try:
            answer = await asyncio.to_thread(provider.create_token_response, question)
        except ValueError:
            raise Refused("malformed") from None
        if row is not None and provider.bearer:
            await admissions.spend(session, row, provider.bearer, now, now + TOKEN_LIFETIME)
        if row is not None and provider.reused:
            log.warning("a code was shown twice", tool=row.client_id)
            await admissions.revoke(session, row)
    if answer.status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="tools"'
    return JSONResponse(answer.body, answer.status, {**answer.headers, **UNCACHED})


@router.get("/oauth/userinfo")
@router.post("/oauth/userinfo")
async def userinfo(desk: CurrentDesk, authorization: Annotated[str | None, Header()] = None) -> JSONResponse:
    """Who has signed in to the tool with this access token, as long as his session here goes on."""
    scheme, _, token = (authorization or "").partition(" ")
    async with desk.around.database.transaction() as session:
        row = None
        if scheme.lower() == "bearer" and token:
            row = await admissions.by_token(session, token.strip(), desk.around.now())
        account = await admissions.holder(session, row) if row else None
    if row is None or account is None:
        said = {"error": "invalid_token"}
        return JSONResponse(said, 401, {"WWW-Authenticate": 'Bearer error="invalid_token"', **UNCACHED})
    return JSONResponse(who(account, str(row.said["scope"])), headers=UNCACHED)
