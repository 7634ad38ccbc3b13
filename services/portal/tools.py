"""Identity's door for other tools (OpenID Connect), as the portal sees it.

One thing to remember: what tools send to us by themselves the portal passes on unread, and so it does the answer.
"""

from abc import abstractmethod
from dataclasses import dataclass

from services.portal.wire import Client, OverHttp
from shared.contracts.identity import SessionView
from shared.contracts.tools import HomeDoor, HomeReturn, HomeWish, ToolAnswer, ToolQuestion


@dataclass(frozen=True)
class Passed:
    """An answer of identity's for a tool."""

    status: int
    body: bytes
    headers: dict[str, str]


class ToolsClient(Client):
    """Signing in to other tools."""

    @abstractmethod
    async def asked(self, session: str, question: ToolQuestion) -> ToolAnswer:
        """A browser came with a tool's request."""

    @abstractmethod
    async def passed(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Passed:
        """A tool's own question, word for word."""

    @abstractmethod
    async def home(self, wish: HomeWish) -> HomeDoor:
        """Where a browser signs in with its account of another installation."""

    @abstractmethod
    async def home_back(self, session: str, said: HomeReturn) -> SessionView:
        """It came back: a session here."""


class ToolsOverHttp(OverHttp, ToolsClient):
    """The identity service."""

    async def asked(self, session: str, question: ToolQuestion) -> ToolAnswer:
        said = await self._wire.ask("POST", "/oauth/authorizations", session=session, body=question)
        return ToolAnswer.model_validate_json(said)

    async def passed(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Passed:
        said = await self._wire.passed(method, path, body, headers)
        return Passed(said.status_code, said.content, dict(said.headers))

    async def home(self, wish: HomeWish) -> HomeDoor:
        return HomeDoor.model_validate_json(await self._wire.ask("POST", "/sessions/elsewhere", body=wish))

    async def home_back(self, session: str, said: HomeReturn) -> SessionView:
        answer = await self._wire.ask("POST", "/sessions/elsewhere/back", session=session, body=said)
        return SessionView.model_validate_json(answer)
