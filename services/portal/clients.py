"""The four services as the portal sees them: what may be asked (abstract), and asking over HTTP.

One thing to remember: a client never decides anything. What a service refuses arrives as ``Trouble`` with the
service's own code and its sentence in the reader's language.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from shared.contracts.certificates import (
    CertificatePage,
    CertificateView,
    CommodityView,
    Confirmation,
    Edit,
    JournalView,
    NewCertificate,
    OrderState,
    ProblemView,
    Wish,
)
from shared.contracts.directory import OrganisationPage, OrganisationView
from shared.contracts.identity import PersonView, Preferences, Proof, ServiceToken, SessionView, SignIn
from shared.contracts.notifications import LetterPage, NewsPage
from shared.kit.log import logger

log = logger("clients")
Answer = TypeVar("Answer")


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


class IdentityClient(Client):
    """Persons and their sessions."""

    @abstractmethod
    async def sign_in(self, attempt: SignIn) -> SessionView:
        """Open a session."""

    @abstractmethod
    async def sign_out(self, session: str) -> None:
        """End a session."""

    @abstractmethod
    async def token(self, session: str) -> ServiceToken:
        """A short-lived token for this session."""

    @abstractmethod
    async def me(self, caller: Caller) -> PersonView:
        """The person himself."""

    @abstractmethod
    async def prefer(self, caller: Caller, preferences: Preferences) -> None:
        """Change his language or time zone."""

    @abstractmethod
    async def prove(self, session: str, proof: Proof) -> ServiceToken:
        """Prove once more to be oneself, before a signature; the answer is a token that says so."""


class DirectoryClient(Client):
    """Organisations."""

    @abstractmethod
    async def organisations(self, caller: Caller, **wishes: Any) -> OrganisationPage:
        """Search: q, kind, country, activity, role, after, limit."""

    @abstractmethod
    async def organisation(self, caller: Caller, organisation_id: str) -> OrganisationView:
        """One organisation's public record."""


class CertificatesClient(Client):
    """Certificates, their journal, and the reference lists their boxes draw on."""

    @abstractmethod
    async def certificates(self, caller: Caller, **wishes: Any) -> CertificatePage:
        """A page of the list: status, q, party, awaits_me, sort, after, limit."""

    @abstractmethod
    async def certificate(self, caller: Caller, certificate_id: str) -> CertificateView:
        """One certificate as this reader may see it."""

    @abstractmethod
    async def draft(self, caller: Caller, new: NewCertificate, key: str) -> CertificateView:
        """A draft is born."""

    @abstractmethod
    async def edit(self, caller: Caller, certificate_id: str, edit: Edit, key: str) -> CertificateView:
        """Change boxes."""

    @abstractmethod
    async def confirmation(self, caller: Caller, certificate_id: str, action: str) -> Confirmation:
        """What is shown before an action: the whole content of this revision and its fingerprint."""

    @abstractmethod
    async def order(self, caller: Caller, certificate_id: str, wish: Wish, key: str) -> CertificateView:
        """Ask for a move."""

    @abstractmethod
    async def order_state(self, caller: Caller, key: str) -> OrderState:
        """What became of an order whose answer did not arrive."""

    @abstractmethod
    async def journal(self, caller: Caller, certificate_id: str) -> JournalView:
        """The journal of a certificate."""

    @abstractmethod
    async def copy(self, caller: Caller, certificate_id: str, key: str) -> CertificateView:
        """Copy as new: a draft with the same parties and products."""

    @abstractmethod
    async def journal_export(self, caller: Caller, certificate_id: str) -> bytes:
        """The journal with documents and public keys: the file a verifier reads."""

    @abstractmethod
    async def commodities(
        self, caller: Caller, q: str = "", parent: str = "", codes: tuple[str, ...] = ()
    ) -> list[CommodityView]:
        """Commodity codes: by name or code, the children of one node of the tree, or some by code."""


class NotificationsClient(Client):
    """News and letters."""

    @abstractmethod
    async def news(self, caller: Caller, after: str = "", limit: int = 20) -> NewsPage:
        """News for this person, newest first."""

    @abstractmethod
    async def read(self, caller: Caller, news_id: str) -> None:
        """Mark one piece of news as read."""

    @abstractmethod
    async def letters(self, caller: Caller, **wishes: Any) -> LetterPage:
        """Letters: certificate_id, state, after, limit."""


class OpsClient(Client):
    """What platform administrators may see: processes and the fate of messages, no content."""

    @abstractmethod
    async def outbox(self, caller: Caller, service: str) -> dict[str, Any]:
        """What waits in a service's letter box, and what was not understood."""

    @abstractmethod
    async def process(self, caller: Caller, certificate_id: str) -> dict[str, Any]:
        """A certificate's process: status, clock, workflow id."""


@dataclass(frozen=True)
class Clients:
    """The four services, and what ops may ask of each."""

    identity: IdentityClient
    directory: DirectoryClient
    certificates: CertificatesClient
    notifications: NotificationsClient
    ops: OpsClient

    async def close(self) -> None:
        """Close what was opened."""
        for client in (self.identity, self.directory, self.certificates, self.notifications, self.ops):
            await client.close()
