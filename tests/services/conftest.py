"""A real PostgreSQL for the session, a clone of the migrated database for each test, and everything around a service.

Nothing is patched: the clock is an argument that a test may move, and tokens are signed by a passport office whose
public keys the gatekeeper fetches over HTTP, as it does from identity.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from joserfc import jwt
from joserfc.jwk import OKPKey

from deploy.local.postgres import Server, postgres
from shared.kit import migrations, temporal
from shared.kit.db import Database
from shared.kit.http import ServiceClient
from shared.kit.keys import keyring
from shared.kit.process import Surroundings
from shared.kit.sessions import AUDIENCE, ISSUER, Gatekeeper, Post, service_token
from shared.kit.settings import ServiceSettings
from shared.kit.temporal import Processes
from shared.kit.tokens import mint

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)  # a Friday

Fill = Callable[[Database], Awaitable[None]]
DatabaseOf = Callable[..., Awaitable[Database]]
Around = Callable[..., Awaitable[Surroundings]]
Visitor = Callable[[FastAPI], httpx2.AsyncClient]


@dataclass
class Templates:
    """The server of this test session, and the migrated databases that tests clone."""

    server: Server
    made: dict[str, str] = field(default_factory=dict)

    async def of(self, service: str, fill: Fill | None = None) -> str:
        """The name of the service's migrated (and filled) database; made when it is first asked for."""
        key = service if fill is None else f"{service}_{fill.__module__}_{fill.__qualname__}"
        if key not in self.made:
            empty = await self.of(service) if fill else None
            name = f"template_{len(self.made)}"
            database = Database(await self.server.create(name, owner=service, template=empty))
            await (fill(database) if fill else migrations.upgrade(database, service))
            await database.close()
            self.made[key] = name
        return self.made[key]


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Templates]:
    """One PostgreSQL for the whole session of this test process, without fsync."""
    loop = asyncio.new_event_loop()
    block = postgres(tmp_path_factory.mktemp("postgres"), fsync=False)
    try:
        yield Templates(loop.run_until_complete(block.__aenter__()))
    finally:
        loop.run_until_complete(block.__aexit__(None, None, None))
        loop.close()


@pytest.fixture
async def database(templates: Templates) -> AsyncIterator[DatabaseOf]:
    """``await database("identity")``: a migrated database of one's own, removed after the test.

    With ``fill``, a function that fills a database, it is a clone of one that was filled once.
    """
    async with AsyncExitStack() as ends:

        async def clone(service: str, fill: Fill | None = None) -> Database:
            name = f"{service}_{uuid4().hex[:12]}"
            template = await templates.of(service, fill)
            made = Database(await templates.server.create(name, owner=service, template=template), pool=4)
            ends.push_async_callback(templates.server.drop, name)
            ends.push_async_callback(made.close)
            return made

        yield clone


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime = NOON) -> None:
        self.time = start

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **step: float) -> None:
        """Move on, by the words of ``timedelta``."""
        self.time += timedelta(**step)


@pytest.fixture
def clock() -> Clock:
    """Friday, 20 November 2026, noon."""
    return Clock()


class PassportOffice:
    """Signs service tokens as identity does, and publishes its keys where a gatekeeper looks for them."""

    def __init__(self, key_file: Path) -> None:
        self.key = OKPKey.generate_key("Ed25519", parameters={"kid": "test"}, private=True)
        self.services = keyring(key_file, "services")
        self.app = FastAPI()
        self.ended: list[str] = []
        self.app.get("/.well-known/jwks.json")(self.published)
        self.app.get("/sessions/ended")(self.sessions_ended)
        self.bearers: dict[str, dict[str, Any]] = {}
        self.app.post("/access-tokens/presented")(self.presented)

    async def published(self) -> dict[str, Any]:
        """The public keys."""
        return {"keys": [self.key.as_dict(private=False)]}

    async def sessions_ended(self) -> list[str]:
        """The sessions that a test has ended."""
        return self.ended

    async def presented(self, shown: dict[str, str]) -> JSONResponse:
        """What identity says of an access token of a test's."""
        said = self.bearers.get(shown["digest"])
        return JSONResponse(said or {"code": "not_found"}, 200 if said else 404)

    def token(self, post: Post, *scopes: str, name: str = "ERP") -> dict[str, str]:
        """The header of a program with a fresh access token."""
        secret, digest = mint("bdx")
        said = {"id": str(uuid4()), "name": name, "scopes": list(scopes), "expires_at": NOON.isoformat()}
        self.bearers[digest] = {**said, "organisation_id": post.organisation_id, "role_type": post.role_type}
        return {"Authorization": f"Bearer {secret}"}

    def gatekeeper(self) -> Gatekeeper:
        """A gatekeeper that believes this office."""
        client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.app))
        return Gatekeeper("http://identity", self.services, client)

    def bearer(
        self,
        *posts: Post,
        person_id: str = "00000000-0000-4000-8000-000000000001",
        name: str = "Claire Delmas",
        session_id: str = "session",
        language: str = "en",
        proved_at: datetime | None = None,
    ) -> dict[str, str]:
        """The header of a person who holds these posts."""
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": person_id,
            "sid": session_id,
            "name": name,
            "language": language,
            "time_zone": "Europe/Paris",
            "proved_at": int(proved_at.timestamp()) if proved_at else None,
            "posts": _claimed(posts),
            "exp": int(time.time()) + 120,
        }
        token = jwt.encode({"alg": "Ed25519", "kid": "test"}, claims, self.key, algorithms=["Ed25519"])
        return {"Authorization": f"Bearer {token}"}

    def service(self, name: str = "notifications") -> dict[str, str]:
        """The header of another service."""
        return {"Authorization": f"Bearer {service_token(name, self.services)}"}


def _claimed(posts: Sequence[Post]) -> list[dict[str, Any]]:
    return [
        {"organisation": p.organisation_id, "role_type": p.role_type, "administrator": p.administrator} for p in posts
    ]


@pytest.fixture
def passports(tmp_path: Path) -> PassportOffice:
    """Where a test gets its tokens."""
    return PassportOffice(tmp_path / "codec.key")


@cache
def read_once(settings: type[ServiceSettings]) -> ServiceSettings:
    """The settings of a service as the environment gives them; reading them takes a few milliseconds."""
    return settings()


@pytest.fixture
async def around(
    database: DatabaseOf, passports: PassportOffice, clock: Clock, tmp_path: Path
) -> AsyncIterator[Around]:
    """``await around("directory", Settings, demo=True, …)``: a service's surroundings, with a database of its own."""
    async with AsyncExitStack() as ends:

        async def make(
            name: str, settings: type[ServiceSettings], fill: Fill | None = None, **more: Any
        ) -> Surroundings:
            base = await database(name, fill)
            ours = {"database_url": base.url, "codec_key_file": tmp_path / "codec.key", "var": tmp_path}
            made = read_once(settings).model_copy(update={**ours, **more}, deep=True)
            client = await temporal.connect(made)
            others = ServiceClient(name, made.base_url, passports.services)
            ends.push_async_callback(others.close)
            return Surroundings(
                name, made, base, client, Processes(client, name), passports.gatekeeper(), others, clock
            )

        yield make


@pytest.fixture
async def visit() -> AsyncIterator[Visitor]:
    """``visit(app)``: an HTTP client that speaks to an app in this process."""
    async with AsyncExitStack() as ends:

        def open_door(app: FastAPI) -> httpx2.AsyncClient:
            client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://service")
            ends.push_async_callback(client.aclose)
            return client

        yield open_door
