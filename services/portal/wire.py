"""How a service is asked: on whose behalf, over HTTP, and what its no looks like.

One thing to remember: whatever a service refuses, or does not answer at all, arrives as ``Trouble`` with the service's
own code and its sentence in the reader's language.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, TypedDict, Unpack
from urllib.parse import quote

import httpx2
from pydantic import BaseModel, Field, TypeAdapter

from services.portal import words
from shared.contracts.certificate_views import ProblemView
from shared.kit.keys import Keyring
from shared.kit.log import CORRELATION, logger
from shared.kit.sessions import service_token

log = logger("clients")
SOURCE: ContextVar[str] = ContextVar("source", default="")
"""The address of the browser that asks; identity counts by it."""
PATIENCE: Final = 15.0
"""Seconds; a service itself gives up after ten."""


@dataclass(frozen=True)
class Caller:
    """On whose behalf a service is asked: the person's token, and the organisation he acts for."""

    token: str = ""
    organisation_id: str | None = None


class Trouble(Exception):
    """A service said no, or did not answer."""

    def __init__(
        self,
        status: int,
        code: str,
        text: str = "",
        field: str | None = None,
        problems: tuple[ProblemView, ...] = (),
        params: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.text, self.field = status, code, text, field
        self.problems = problems
        self.params = dict(params or {})


class Client(ABC):
    """Somebody to ask."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connections."""


class OpenClient(Client):
    """Somebody who may be asked more than has a name here: ``desk.py`` and ``programs.py`` know what there is."""

    @abstractmethod
    async def ask(
        self, caller: Caller | None, method: str, path: str, body: BaseModel | None = None, key: str = "", **wishes: Any
    ) -> bytes:
        """Anything; the answer's body."""


def answer(status: int, body: bytes) -> Trouble:
    """What a service says when it says no."""
    try:
        said = json.loads(body)
        problems = TypeAdapter(tuple[_Said, ...]).validate_python(said.get("problems") or ())
        return Trouble(
            status,
            str(said["code"]),
            str(said.get("title") or ""),
            said.get("field"),
            tuple(problem.view() for problem in problems),
            said.get("params"),
        )
    except (ValueError, KeyError, AttributeError, TypeError):
        return Trouble(status if status in (401, 403, 404) else 503, "unavailable")


class _Said(BaseModel):
    """A problem as problem+json writes it."""

    field: str = ""
    box: str | int | None = None
    title: str = ""
    code: str = "invalid"
    message: str = ""
    severity: str = "error"
    params: dict[str, Any] = Field(default_factory=dict)

    def view(self) -> ProblemView:
        """The same as a view."""
        box = None if self.box is None else str(self.box)
        return ProblemView(**{**self.model_dump(), "box": box})


class Sent(TypedDict, total=False):
    """What goes along with a question; a file goes raw."""

    session: str
    params: Mapping[str, Any] | None
    body: BaseModel | None
    raw: bytes | AsyncIterator[bytes] | None
    key: str


class Wire:
    """Asks one service over HTTP: the token, the organisation acted for, the reader's language, the correlation id."""

    def __init__(self, url: str, client: httpx2.AsyncClient | None = None, services: Keyring | None = None) -> None:
        self._services = services
        self._client = client or httpx2.AsyncClient(base_url=url, timeout=PATIENCE)

    async def ask(self, method: str, path: str, caller: Caller | None = None, **sent: Unpack[Sent]) -> bytes:
        """The answer's body; ``Trouble`` when it is a no, or none."""
        return (await self.answered(method, path, caller, **sent)).content

    async def answered(
        self, method: str, path: str, caller: Caller | None = None, **sent: Unpack[Sent]
    ) -> httpx2.Response:
        """The whole answer, with its headers."""
        body, wanted = sent.get("body"), sent.get("params") or {}
        headers = {"Accept-Language": words.reader().language, **self._own()}
        if session := sent.get("session"):
            headers["Authorization"] = f"Session {session}"
        if caller is not None and caller.token:
            headers["Authorization"] = f"Bearer {caller.token}"
        if caller is not None and caller.organisation_id:
            headers["Acting-For"] = caller.organisation_id
        if key := sent.get("key"):
            headers["Idempotency-Key"] = key
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = body.model_dump_json().encode() if body is not None else sent.get("raw")
        params = {name: value for name, value in wanted.items() if value not in (None, "", [], ())}
        said = await self._sent(method, path, content, headers, params)
        if said.is_error:
            raise answer(said.status_code, said.content)
        return said

    async def passed(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> httpx2.Response:
        """A question passed on as it came; the answer is whatever the service says, also when it is a no."""
        return await self._sent(method, path, body, {**headers, **self._own()})

    def _own(self) -> dict[str, str]:
        """By which a service knows the request, and believes us where it comes from."""
        headers = {"X-Correlation-Id": CORRELATION.get()}
        if self._services is not None and SOURCE.get():
            headers |= {"For-Source": SOURCE.get(), "On-Behalf": service_token("portal", self._services)}
        return headers

    async def _sent(
        self,
        method: str,
        path: str,
        content: bytes | AsyncIterator[bytes] | None,
        headers: Mapping[str, str],
        wanted: Mapping[str, Any] | None = None,
    ) -> httpx2.Response:
        try:
            return await self._client.request(method, path, params=wanted, content=content, headers=headers)
        except httpx2.TimeoutException as problem:
            raise Trouble(504, "timeout") from problem
        except httpx2.HTTPError as problem:
            log.warning("a service does not answer", path=path.split("?")[0][:40], reason=type(problem).__name__)
            raise Trouble(503, "unavailable") from problem

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


class OverHttp(Client):
    """A client whose service is asked over a wire; several may share one, and closing it twice does no harm."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def close(self) -> None:
        await self._wire.close()


class OpenOverHttp(OverHttp, OpenClient):
    """A client that asks its service anything."""

    async def ask(
        self, caller: Caller | None, method: str, path: str, body: BaseModel | None = None, key: str = "", **wishes: Any
    ) -> bytes:
        return await self._wire.ask(method, path, caller, params=wishes, body=body, key=key)


def segment(text: str) -> str:
    """One piece of a path, whatever somebody typed into the address."""
    return quote(text, safe="")
