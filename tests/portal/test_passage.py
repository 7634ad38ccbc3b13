"""The way in for programs: what passes to the services behind the web site, and what does not."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx2
import pytest
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse

from services.portal.app import WebSite
from tests.portal.conftest import ADDRESS


class Away(httpx2.AsyncBaseTransport):
    """The way to a service that does not answer."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("away", request=request)


TOKEN = {"Authorization": "Bearer bdx_secret"}


@pytest.fixture
async def program(site: WebSite) -> AsyncIterator[httpx2.AsyncClient]:
    """A program before the web site; behind it a service that repeats what it hears."""
    behind = FastAPI()

    @behind.api_route("/{path:path}", methods=["GET", "POST", "PUT", "DELETE"])
    async def echo(request: Request) -> JSONResponse:
        heard = {
            "host": f"{request.url.hostname}:{request.url.port}",
            "path": request.scope["raw_path"].decode(),
            "query": request.url.query,
            "headers": dict(request.headers),
            "body": (await request.body()).decode(),
        }
        return JSONResponse(heard, 418, {"Set-Cookie": "a=b", "X-Correlation-Id": "theirs", "Retry-After": "7"})

    site.state.house = replace(site.state.house, engine=httpx2.AsyncClient(transport=httpx2.ASGITransport(app=behind)))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=site), base_url=ADDRESS) as client:
        yield client


async def test_a_programs_request_is_passed_on_as_it_came_and_so_is_the_answer(program: httpx2.AsyncClient) -> None:
    sent = {**TOKEN, "Idempotency-Key": "a-key-of-mine", "Cookie": "session=1", "X-Else": "1", "Accept-Language": "en"}
    said = await program.post("/api/certificates/a%2Fb/boxes?x=1&x=2", content=b"{}", headers=sent)
    heard = said.json()
    assert (heard["path"], heard["query"], heard["body"]) == ("/certificates/a%2Fb/boxes", "x=1&x=2", "{}")
    assert heard["host"] == "127.0.0.1:8103"
    assert heard["headers"]["idempotency-key"] == "a-key-of-mine"
    assert heard["headers"]["x-correlation-id"] == said.headers["x-correlation-id"]
    assert not {"cookie", "x-else"} & set(heard["headers"])
    assert (said.status_code, said.headers["retry-after"], "set-cookie" in said.headers) == (418, "7", False)


async def test_organisations_are_asked_of_the_directory(program: httpx2.AsyncClient) -> None:
    assert (await program.get("/api/organisations?text=a", headers=TOKEN)).json()["host"] == "127.0.0.1:8102"


@pytest.mark.parametrize("told", ["", "Bearer eyJhbGciOi.J9.x", "Session session_x", "Bearer", "bdx_secret"])
async def test_nobody_passes_without_a_token_of_an_organisation(program: httpx2.AsyncClient, told: str) -> None:
    for path in ("/api/certificates", "/api/", "/api/public/organisations"):
        refused = await program.get(path, headers={"Authorization": told, "Accept-Language": "en"})
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
        assert refused.json()["title"] == "Please sign in first."
        assert refused.headers["content-type"] == "application/problem+json"


async def test_what_is_too_large_goes_no_further_and_a_service_that_is_away_is_named_so(
    program: httpx2.AsyncClient, site: WebSite
) -> None:
    much = await program.post("/api/certificates", content=b"x" * 2_000_000, headers=TOKEN)
    assert (much.status_code, much.json()["code"]) == (413, "too_large")

    site.state.house = replace(site.state.house, engine=httpx2.AsyncClient(transport=Away()))
    nobody = await program.get("/api/certificates", headers=TOKEN)
    assert (nobody.status_code, nobody.json()["code"]) == (503, "unavailable")


async def test_the_description_names_the_doors_that_are_open_to_programs(program: httpx2.AsyncClient) -> None:
    said = (await program.get("/api/openapi.json")).json()
    assert said["servers"] == [{"url": f"{ADDRESS}/api"}]
    assert {path: list(doors) for path, doors in said["paths"].items()} == {"/certificates": ["get"]}
