"""Who is asking: a service token becomes an ``Actor``.

Identity mints the token from a session and signs it (Ed25519); everybody else only needs its public keys. The person
may hold several posts: the header ``Acting-For`` names the organisation, and a post not in the token is not there.

A token dies with its session. Every process hears which sessions end (``hear_endings``, started by ``process.run``),
reads from identity what ended before it listened, and asks again before it lets anybody change something when its
list is older than a second: so a fresh replica, or one that lost the bus, refuses as well.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any

import httpx2
from fastapi import Depends, Header, Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey
from nats.aio.client import Client as NatsClient

from shared.kit import tokens
from shared.kit.keys import Keyring
from shared.rules.actor import Actor
from shared.rules.refusals import Refused

ISSUER = "bordereau-identity"
AUDIENCE = "bordereau"
SESSION_ENDED = "identity.session.ended.v1"
ENDED_KEPT = 600.0
"""Seconds we remember an ended session; longer than any token lives."""
MACHINE = "bdx_"
"""How an access token of an organisation's program begins."""
PRESENTED_FOR, PRESENTED_FOR_A_CHANGE = 30.0, 1.0
"""Seconds for which we believe what identity said of an access token: when it reads, when it changes something."""


@dataclass(frozen=True)
class Post:
    """One validated role of a person: in which organisation, of which type, and whether as its administrator."""

    organisation_id: str
    role_type: str
    administrator: bool = False


@dataclass(frozen=True)
class Person:
    """Whoever holds a service token: one natural person in one session."""

    person_id: str
    name: str
    language: str
    time_zone: str
    session_id: str
    proved_at: datetime | None
    posts: tuple[Post, ...]
    scopes: frozenset[str] | None = None
    """What an access token may be used for; None for a person."""

    def acting_for(self, organisation_id: str | None) -> Actor:
        """This person in one of his posts; with several of them the organisation must be named."""
        if organisation_id is None and len(self.posts) > 1:
            raise Refused("choose_organisation", field="Acting-For")
        post = next((p for p in self.posts if organisation_id in (None, p.organisation_id)), None)
        if post is None:
            raise Refused("not_permitted")
        return Actor(
            person_id=self.person_id,
            name=self.name,
            organisation_id=post.organisation_id,
            role_type=post.role_type,
            session_id=self.session_id,
            proved_at=self.proved_at,
            language=self.language,
        )


class Gatekeeper:
    """Reads service tokens; keeps identity's public keys, and what it has read for as long as it is valid."""

    def __init__(
        self,
        identity_url: str,
        services: Keyring,
        client: httpx2.AsyncClient | None = None,
        now: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._identity = identity_url.rstrip("/")
        self._client = client or httpx2.AsyncClient(timeout=5)
        self._ring = services
        self._services = [OctKey.import_key(key) for key in services.values()]
        self._spoken: dict[str, tuple[str, float]] = {}
        self._now, self._ticks = now, ticks
        self._keys: KeySet | None = None
        self._fetched = 0.0
        self._read: dict[str, tuple[float, Person]] = {}
        self._ended: dict[str, float] = {}
        self._asked = float("-inf")
        self._asking = asyncio.Lock()
        self._machines: dict[str, tuple[float, Person]] = {}

    async def person(self, token: str, *, sure: bool = False) -> Person:
        """The person a token speaks for; refused ``unauthenticated`` or ``session_ended`` when it is not valid now.

        ``sure`` is for changes: the list of ended sessions is at most a second old, or ``unavailable``.
        """
        if token.startswith(MACHINE):
            return await self._machine(token, PRESENTED_FOR_A_CHANGE if sure else PRESENTED_FOR)
        known = self._read.get(token)
        if known is None or known[0] <= self._now():
            known = await self._open(token)
            if len(self._read) > 5000:
                self._read.clear()
            self._read[token] = known
        if sure:
            await self.ask_endings()
        elif self._asked == float("-inf"):
            with contextlib.suppress(Refused):
                await self.ask_endings()
        if known[1].session_id in self._ended:
            raise Refused("session_ended")
        return known[1]

    def forget(self, session_id: str) -> None:
        """This session has ended: its tokens are refused from now on."""
        now = self._now()
        self._ended[session_id] = now
        if len(self._ended) > 10_000:
            self._ended = {each: at for each, at in self._ended.items() if at > now - ENDED_KEPT}

    async def ask_endings(self, older_than: float = 1.0) -> None:
        """Ask identity which sessions ended lately, unless we did a moment ago."""
        async with self._asking:
            asked = self._ticks()
            if asked - self._asked <= older_than:
                return
            headers = {"Authorization": f"Bearer {service_token('gatekeeper', self._ring)}"}
            try:
                answer = await self._client.get(f"{self._identity}/sessions/ended", headers=headers)
                answer.raise_for_status()
            except httpx2.HTTPError as problem:
                raise Refused("unavailable") from problem
            for session_id in answer.json():
                self.forget(session_id)
            self._asked = asked

    async def _open(self, token: str) -> tuple[float, Person]:
        claims = await self._claims(token)
        person = Person(
            person_id=claims["sub"],
            name=claims["name"],
            language=claims["language"],
            time_zone=claims["time_zone"],
            session_id=claims["sid"],
            proved_at=datetime.fromtimestamp(claims["proved_at"], UTC) if claims.get("proved_at") else None,
            posts=tuple(Post(p["organisation"], p["role_type"], p["administrator"]) for p in claims["posts"]),
        )
        return float(claims["exp"]), person

    async def _machine(self, token: str, older_than: float) -> Person:
        """The access token of an organisation's program: identity keeps its digest, and says whether it is good now."""
        digest, now = tokens.digest(token), self._ticks()
        known = self._machines.get(digest)
        if known is not None and now - known[0] <= older_than:
            return known[1]
        headers = {"Authorization": f"Bearer {service_token('gatekeeper', self._ring)}"}
        try:
            answer = await self._client.post(
                f"{self._identity}/access-tokens/presented", json={"digest": digest}, headers=headers
            )
        except httpx2.HTTPError as problem:
            raise Refused("unavailable") from problem
        if answer.status_code == 404:
            self._machines.pop(digest, None)
            raise Refused("unauthenticated")
        if answer.is_error:
            raise Refused("unavailable")
        said = answer.json()
        person = Person(
            person_id=said["id"],
            name=said["name"],
            language="en",
            time_zone="UTC",
            session_id=f"token-{said['id']}",
            proved_at=None,
            posts=(Post(said["organisation_id"], said["role_type"]),),
            scopes=frozenset(said["scopes"]),
        )
        if len(self._machines) > 5000:
            self._machines.clear()
        self._machines[digest] = (now, person)
        return person

    async def _claims(self, token: str) -> dict[str, Any]:
        for fresh in (False, True):
            try:
                decoded = jwt.decode(token, await self._published(fresh), algorithms=["EdDSA", "Ed25519"])
                claims = decoded.claims
                if claims.get("iss") != ISSUER or claims.get("aud") != AUDIENCE or claims["exp"] <= self._now():
                    raise Refused("unauthenticated")
                return dict(claims)
            except (JoseError, ValueError, KeyError):
                if self._ticks() - self._fetched < 5:
                    break
        raise Refused("unauthenticated")

    async def _published(self, fresh: bool) -> KeySet:
        if self._keys is None or fresh:
            try:
                answer = await self._client.get(f"{self._identity}/.well-known/jwks.json")
                answer.raise_for_status()
            except httpx2.HTTPError as problem:
                raise Refused("unavailable") from problem
            self._keys = KeySet.import_key_set(answer.json())
            self._fetched = self._ticks()
        return self._keys

    def service(self, token: str) -> str:
        """The name of the service a token between services speaks for; a signature is computed once for each token."""
        if token not in self._spoken:
            if len(self._spoken) > 1000:
                self._spoken.clear()
            self._spoken[token] = self._spoken_for(token)
        name, until = self._spoken[token]
        if until <= time.time():
            raise Refused("unauthenticated")
        return name

    def _spoken_for(self, token: str) -> tuple[str, float]:
        for key in self._services:
            try:
                claims = jwt.decode(token, key, algorithms=["HS256"]).claims
            except (JoseError, ValueError):
                continue
            if claims.get("aud") == "services":
                return str(claims["iss"]), float(claims.get("exp", 0))
        raise Refused("unauthenticated")


def service_token(name: str, services: Keyring, now: float | None = None) -> str:
    """A token with which one service reads from another, good for a minute; those of one second are one."""
    return _token_until(name, services.values()[0], int((now or time.time()) + 60))


@lru_cache(maxsize=64)
def _token_until(name: str, key: bytes, until: int) -> str:
    return jwt.encode({"alg": "HS256"}, {"iss": name, "aud": "services", "exp": until}, OctKey.import_key(key))


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused("unauthenticated")
    return token


async def current_person(request: Request, authorization: Annotated[str | None, Header()] = None) -> Person:
    """The person asking, whatever his posts; for a change we make sure that his session goes on."""
    gatekeeper: Gatekeeper = request.app.state.gatekeeper
    person = await gatekeeper.person(_bearer(authorization), sure=request.method not in ("GET", "HEAD"))
    if person.scopes is not None:
        refuse_unless_in_scope(request, person.scopes)
    return person


def refuse_unless_in_scope(request: Request, scopes: frozenset[str]) -> None:
    """A program comes through the doors its service opens to programs (``app.state.scopes``), and through no other."""
    opened: Mapping[tuple[str, str], str] = getattr(request.app.state, "scopes", {})
    route = request.scope.get("route")
    needed = opened.get((request.method, getattr(route, "path", "")))
    if needed is None or needed not in scopes:
        raise Refused("not_in_scope", **({"scope": str(needed)} if needed else {}))


async def current_actor(
    person: Annotated[Person, Depends(current_person)], acting_for: Annotated[str | None, Header()] = None
) -> Actor:
    """The person asking, in the post he acts in."""
    return person.acting_for(acting_for)


async def current_administrator(
    person: Annotated[Person, Depends(current_person)], acting_for: Annotated[str | None, Header()] = None
) -> Actor:
    """The person asking, in a post in which he is his organisation's administrator."""
    actor = person.acting_for(acting_for)
    if not any(post.administrator for post in person.posts if post.organisation_id == actor.organisation_id):
        raise Refused("not_permitted")
    return actor


async def current_service(request: Request, authorization: Annotated[str | None, Header()] = None) -> str:
    """The service asking."""
    gatekeeper: Gatekeeper = request.app.state.gatekeeper
    return gatekeeper.service(_bearer(authorization))


async def current_reader(request: Request, authorization: Annotated[str | None, Header()] = None) -> str:
    """Whoever may read what is open to all of us: the id of a person, or the name of a service."""
    try:
        return await current_service(request, authorization)
    except Refused:
        return (await current_person(request, authorization)).person_id


async def hear_endings(
    connected: Callable[[Callable[[], Awaitable[None]]], Awaitable[NatsClient]], gatekeeper: Gatekeeper
) -> None:
    """Hear of every session that ends, until cancelled; after a silence ask for what was missed.

    A plain subscription, because each process must hear it, and only what ends while tokens still live matters.
    """

    async def ask() -> None:
        with contextlib.suppress(Refused):
            await gatekeeper.ask_endings(older_than=0)

    connection = await connected(ask)
    try:
        subscription = await connection.subscribe(SESSION_ENDED)
        await ask()
        async for message in subscription.messages:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                gatekeeper.forget(str(json.loads(message.data)["session_id"]))
    finally:
        await connection.close()


CurrentPerson = Annotated[Person, Depends(current_person)]
CurrentActor = Annotated[Actor, Depends(current_actor)]
CurrentAdministrator = Annotated[Actor, Depends(current_administrator)]
CurrentService = Annotated[str, Depends(current_service)]
CurrentReader = Annotated[str, Depends(current_reader)]
