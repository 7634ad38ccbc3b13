"""What certificates and extracts are both asked for: edits, orders, what a signature would cover, journal and sheet.

One thing to remember: both have the same doors; only the path and the view differ.
"""

from abc import abstractmethod
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel

from services.portal.wire import Caller, Client, OverHttp, segment
from shared.contracts.certificate_views import Confirmation, Edit, JournalView, Wish

View = TypeVar("View", bound=BaseModel)


class PapersClient(Client, Generic[View]):
    """Papers of one kind."""

    @abstractmethod
    async def edit(self, caller: Caller, paper_id: str, edit: Edit, key: str) -> View:
        """Change boxes."""

    @abstractmethod
    async def confirmation(self, caller: Caller, paper_id: str, action: str) -> Confirmation:
        """What is shown before an action: the whole content of this revision and its fingerprint."""

    @abstractmethod
    async def order(self, caller: Caller, paper_id: str, wish: Wish, key: str) -> View:
        """Ask for a move."""

    @abstractmethod
    async def journal(self, caller: Caller, paper_id: str) -> JournalView:
        """Who did what when."""

    @abstractmethod
    async def journal_export(self, caller: Caller, paper_id: str) -> bytes:
        """The journal with documents and public keys: the file a verifier reads."""

    @abstractmethod
    async def pdf(self, caller: Caller, paper_id: str, language: str) -> bytes:
        """The paper as it is printed, in a language."""


class PapersOverHttp(OverHttp, PapersClient[View]):
    """The certificates service, about papers of one kind."""

    path: ClassVar[str]
    view: type[View]

    async def edit(self, caller: Caller, paper_id: str, edit: Edit, key: str) -> View:
        said = await self._wire.ask("PUT", self._at(paper_id, "boxes"), caller, body=edit, key=key)
        return self.view.model_validate_json(said)

    async def confirmation(self, caller: Caller, paper_id: str, action: str) -> Confirmation:
        said = await self._wire.ask("GET", self._at(paper_id, "confirmation"), caller, params={"action": action})
        return Confirmation.model_validate_json(said)

    async def order(self, caller: Caller, paper_id: str, wish: Wish, key: str) -> View:
        said = await self._wire.ask("POST", self._at(paper_id, "actions"), caller, body=wish, key=key)
        return self.view.model_validate_json(said)

    async def journal(self, caller: Caller, paper_id: str) -> JournalView:
        return JournalView.model_validate_json(await self._wire.ask("GET", self._at(paper_id, "journal"), caller))

    async def journal_export(self, caller: Caller, paper_id: str) -> bytes:
        return await self._wire.ask("GET", self._at(paper_id, "journal/export"), caller)

    async def pdf(self, caller: Caller, paper_id: str, language: str) -> bytes:
        return await self._wire.ask("GET", self._at(paper_id, "pdf"), caller, params={"language": language})

    async def _one(self, caller: Caller, paper_id: str) -> View:
        said = await self._wire.ask("GET", f"/{self.path}/{segment(paper_id)}", caller)
        return self.view.model_validate_json(said)

    def _at(self, paper_id: str, what: str) -> str:
        return f"/{self.path}/{segment(paper_id)}/{what}"
