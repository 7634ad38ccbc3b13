"""The services as the portal sees them: what may be asked of each.

One thing to remember: a client never decides anything. ``over_http.py`` asks running services, the tests ask some
in memory; rooms of their own (accounts, extracts, …) have their client beside them.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

from services.portal.accounts import AccountsClient
from services.portal.classic import ClassicClient
from services.portal.extracts import ExtractsClient
from services.portal.factors import FactorsClient
from services.portal.making import MakingClient
from services.portal.papers import PapersClient
from services.portal.tools import ToolsClient
from services.portal.wire import SOURCE, Caller, Client, OpenClient, Trouble, segment
from shared.contracts.certificate_views import (
    CertificatePage,
    CertificateView,
    CommodityView,
    NewCertificate,
    OrderState,
)
from shared.contracts.identity import PersonView, Preferences, Proof, ServiceToken, SessionView, SignIn
from shared.contracts.notifications import LetterPage, NewsPage
from shared.contracts.organisations import OrganisationPage, OrganisationView
from shared.contracts.verification import FileView, PublicView, StatementView

__all__ = [
    "SOURCE",
    "Caller",
    "CertificatesClient",
    "Client",
    "Clients",
    "DirectoryClient",
    "IdentityClient",
    "NotificationsClient",
    "OpsClient",
    "Trouble",
    "segment",
]


class IdentityClient(OpenClient):
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


class DirectoryClient(OpenClient):
    """Organisations."""

    @abstractmethod
    async def organisations(self, caller: Caller, **wishes: Any) -> OrganisationPage:
        """Search: text, kind, country, activity, authority_role, competence, after, limit."""

    @abstractmethod
    async def organisation(self, caller: Caller, organisation_id: str) -> OrganisationView:
        """One organisation's public record."""


class CertificatesClient(OpenClient, PapersClient[CertificateView]):
    """Certificates, their journal, and the reference lists their boxes draw on."""

    @abstractmethod
    async def certificates(self, caller: Caller, **wishes: Any) -> CertificatePage:
        """A page of the list: status, text, party, awaits_me, sort, after, limit."""

    @abstractmethod
    async def certificate(self, caller: Caller, certificate_id: str) -> CertificateView:
        """One certificate as this reader may see it."""

    @abstractmethod
    async def draft(self, caller: Caller, new: NewCertificate, key: str) -> CertificateView:
        """A draft is born."""

    @abstractmethod
    async def order_state(self, caller: Caller, key: str) -> OrderState:
        """What became of an order whose answer did not arrive."""

    @abstractmethod
    async def copy(self, caller: Caller, certificate_id: str, key: str) -> CertificateView:
        """Copy as new: a draft with the same parties and products."""

    @abstractmethod
    async def public(self, number: str, code: str, revision: int | None) -> PublicView:
        """What the holder of a copy may learn; the same ``Trouble`` for a wrong number and a wrong code."""

    @abstractmethod
    async def check_file(self, pdf: bytes) -> FileView:
        """What a PDF is that somebody holds; anybody may ask."""

    @abstractmethod
    async def check_statement(self, statement: str) -> StatementView:
        """What the signed statement of a square code says; anybody may ask."""

    @abstractmethod
    async def published_keys(self) -> bytes:
        """Every organisation's public signing key, as a file; anybody may ask."""

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
    async def read_all(self, caller: Caller, until: str) -> None:
        """Mark all news as read that are no younger than this moment."""

    @abstractmethod
    async def letters(self, caller: Caller, certificate_id: str) -> LetterPage:
        """The letters about one certificate to the organisation the caller acts for."""


class OpsClient(Client):
    """What platform administrators may see: processes and the fate of messages, no content."""

    @abstractmethod
    async def outbox(self, caller: Caller, service: str) -> dict[str, Any]:
        """What waits in a service's letter box, and what was not understood."""

    @abstractmethod
    async def process(self, caller: Caller, certificate_id: str) -> dict[str, Any]:
        """A certificate's process: status, clock, workflow id."""

    @abstractmethod
    async def letters(self, caller: Caller, state: str = "", after: str = "") -> LetterPage:
        """The fate of all letters, newest first."""

    @abstractmethod
    async def retry(self, caller: Caller, letter_id: str) -> None:
        """Have a letter tried again at once."""


@dataclass(frozen=True)
class Clients:
    """The four services, and what ops may ask of each."""

    identity: IdentityClient
    directory: DirectoryClient
    certificates: CertificatesClient
    notifications: NotificationsClient
    ops: OpsClient
    accounts: AccountsClient
    extracts: ExtractsClient
    classic: ClassicClient
    making: MakingClient
    factors: FactorsClient
    tools: ToolsClient

    async def close(self) -> None:
        """Close what was opened."""
        own = (self.identity, self.directory, self.certificates, self.notifications, self.ops, self.accounts)
        for client in (*own, self.extracts, self.classic, self.making, self.factors, self.tools):
            await client.close()
