"""The four services as the portal sees them: what may be asked (abstract), and asking over HTTP.

One thing to remember: a client never decides anything. What a service refuses arrives as ``Trouble`` with the
service's own code and its sentence in the reader's language.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import httpx2
from pydantic import BaseModel, Field, TypeAdapter

from services.portal import words
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
from shared.contracts.verification import FileView, PublicView, Statement, StatementView
from shared.kit.keys import Keyring
from shared.kit.log import CORRELATION, logger
from shared.kit.sessions import service_token

if TYPE_CHECKING:
    from services.portal.accounts import AccountsClient
    from services.portal.classic import ClassicClient
    from services.portal.extracts import ExtractsClient
    from services.portal.factors import FactorsClient
    from services.portal.making import MakingClient
    from services.portal.tools import ToolsClient

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

    @abstractmethod
    async def ask(
        self, caller: Caller, method: str, path: str, body: BaseModel | None = None, key: str = "", **wishes: Any
    ) -> bytes:
        """Anything about access tokens; ``services.portal.programs`` knows what there is to ask."""


class DirectoryClient(Client):
    """Organisations."""

    @abstractmethod
    async def organisations(self, caller: Caller, **wishes: Any) -> OrganisationPage:
        """Search: text, kind, country, activity, authority_role, competence, after, limit."""

    @abstractmethod
    async def organisation(self, caller: Caller, organisation_id: str) -> OrganisationView:
        """One organisation's public record."""

    async def ask(
        self, caller: Caller | None, method: str, path: str, body: BaseModel | None = None, key: str = "", **wishes: Any
    ) -> bytes:
        """Anything about roles, proposals and records; ``services.portal.desk`` knows what there is to ask."""
        raise Trouble(503, "unavailable")


class CertificatesClient(Client):
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
    async def pdf(self, caller: Caller, certificate_id: str, language: str) -> bytes:
        """The certificate as a PDF in a language."""

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

    @abstractmethod
    async def ask(
        self, caller: Caller, method: str, path: str, body: BaseModel | None = None, key: str = "", **wishes: Any
    ) -> bytes:
        """Anything about searches and webhooks; ``services.portal.programs`` knows what there is to ask."""


class NotificationsClient(Client):
    """News and letters."""

    @abstractmethod
    async def news(self, caller: Caller, after: str = "", limit: int = 20) -> NewsPage:
        """News for this person, newest first."""

    @abstractmethod
    async def read(self, caller: Caller, news_id: str) -> None:
        """Mark one piece of news as read."""

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
    accounts: "AccountsClient"
    extracts: "ExtractsClient"
    classic: "ClassicClient"
    making: "MakingClient"
    factors: "FactorsClient"
    tools: "ToolsClient"

    async def close(self) -> None:
        """Close what was opened."""
        own = (self.identity, self.directory, self.certificates, self.notifications, self.ops, self.accounts)
        for client in (*own, self.extracts, self.classic, self.making, self.factors, self.tools):
            await client.close()


# ---- over HTTP ------------------------------------------------------------------------------------------------


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


class Wire:
    """Asks one service over HTTP: the token, the organisation acted for, the reader's language, the correlation id."""

    def __init__(self, url: str, client: httpx2.AsyncClient | None = None, services: Keyring | None = None) -> None:
        self._services = services
        self._client = client or httpx2.AsyncClient(base_url=url, timeout=PATIENCE)

    async def ask(
        self,
        method: str,
        path: str,
        caller: Caller | None = None,
        *,
        session: str = "",
        params: Mapping[str, Any] | None = None,
        body: BaseModel | None = None,
        raw: bytes | AsyncIterator[bytes] | None = None,
        key: str = "",
    ) -> bytes:
        """The answer's body; ``Trouble`` when it is a no, or none. A file goes raw."""
        said = await self.answered(method, path, caller, session=session, params=params, body=body, raw=raw, key=key)
        return said.content

    async def answered(
        self,
        method: str,
        path: str,
        caller: Caller | None = None,
        *,
        session: str = "",
        params: Mapping[str, Any] | None = None,
        body: BaseModel | None = None,
        raw: bytes | AsyncIterator[bytes] | None = None,
        key: str = "",
    ) -> httpx2.Response:
        """The whole answer, with its headers."""
        headers = {"Accept-Language": words.reader().language, **self._own()}
        if session:
            headers["Authorization"] = f"Session {session}"
        if caller is not None and caller.token:
            headers["Authorization"] = f"Bearer {caller.token}"
        if caller is not None and caller.organisation_id:
            headers["Acting-For"] = caller.organisation_id
        if key:
            headers["Idempotency-Key"] = key
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = body.model_dump_json().encode() if body is not None else raw
        wanted = {name: value for name, value in (params or {}).items() if value not in (None, "", [], ())}
        said = await self._sent(method, path, content, headers, wanted)
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


class IdentityOverHttp(IdentityClient):
    """The identity service."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def sign_in(self, attempt: SignIn) -> SessionView:
        return SessionView.model_validate_json(await self._wire.ask("POST", "/sessions", body=attempt))

    async def sign_out(self, session: str) -> None:
        await self._wire.ask("DELETE", "/sessions/current", session=session)

    async def token(self, session: str) -> ServiceToken:
        return ServiceToken.model_validate_json(await self._wire.ask("POST", "/tokens", session=session))

    async def me(self, caller: Caller) -> PersonView:
        return PersonView.model_validate_json(await self._wire.ask("GET", "/me", caller))

    async def prefer(self, caller: Caller, preferences: Preferences) -> None:
        await self._wire.ask("PATCH", "/me", caller, body=preferences)

    async def prove(self, session: str, proof: Proof) -> ServiceToken:
        said = await self._wire.ask("POST", "/sessions/current/proof", session=session, body=proof)
        return ServiceToken.model_validate_json(said)

    async def ask(
        self, caller: Caller, method: str, path: str, body: BaseModel | None = None, key: str = "", **wishes: Any
    ) -> bytes:
        return await self._wire.ask(method, path, caller, params=wishes, body=body, key=key)

    async def close(self) -> None:
        await self._wire.close()


class DirectoryOverHttp(DirectoryClient):
    """The directory service."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def organisations(self, caller: Caller, **wishes: Any) -> OrganisationPage:
        return OrganisationPage.model_validate_json(
            await self._wire.ask("GET", "/organisations", caller, params=wishes)
        )

    async def organisation(self, caller: Caller, organisation_id: str) -> OrganisationView:
        said = await self._wire.ask("GET", f"/organisations/{segment(organisation_id)}", caller)
        return OrganisationView.model_validate_json(said)

    async def ask(
        self, caller: Caller | None, method: str, path: str, body: BaseModel | None = None, key: str = "", **wishes: Any
    ) -> bytes:
        return await self._wire.ask(method, path, caller, params=wishes, body=body, key=key)

    async def close(self) -> None:
        await self._wire.close()


class CertificatesOverHttp(CertificatesClient):
    """The certificates service; what is public there is asked in the name of this web site."""

    def __init__(self, wire: Wire, services: Keyring | None = None) -> None:
        self._wire = wire
        self._services = services

    async def certificates(self, caller: Caller, **wishes: Any) -> CertificatePage:
        plain = {name: "true" if value is True else value for name, value in wishes.items() if value is not False}
        return CertificatePage.model_validate_json(await self._wire.ask("GET", "/certificates", caller, params=plain))

    async def certificate(self, caller: Caller, certificate_id: str) -> CertificateView:
        said = await self._wire.ask("GET", f"/certificates/{segment(certificate_id)}", caller)
        return CertificateView.model_validate_json(said)

    async def draft(self, caller: Caller, new: NewCertificate, key: str) -> CertificateView:
        said = await self._wire.ask("POST", "/certificates", caller, body=new, key=key)
        return CertificateView.model_validate_json(said)

    async def edit(self, caller: Caller, certificate_id: str, edit: Edit, key: str) -> CertificateView:
        path = f"/certificates/{segment(certificate_id)}/boxes"
        return CertificateView.model_validate_json(await self._wire.ask("PUT", path, caller, body=edit, key=key))

    async def copy(self, caller: Caller, certificate_id: str, key: str) -> CertificateView:
        path = f"/certificates/{segment(certificate_id)}/copies"
        return CertificateView.model_validate_json(await self._wire.ask("POST", path, caller, key=key))

    async def confirmation(self, caller: Caller, certificate_id: str, action: str) -> Confirmation:
        path = f"/certificates/{segment(certificate_id)}/confirmation"
        return Confirmation.model_validate_json(await self._wire.ask("GET", path, caller, params={"action": action}))

    async def order(self, caller: Caller, certificate_id: str, wish: Wish, key: str) -> CertificateView:
        path = f"/certificates/{segment(certificate_id)}/actions"
        return CertificateView.model_validate_json(await self._wire.ask("POST", path, caller, body=wish, key=key))

    async def order_state(self, caller: Caller, key: str) -> OrderState:
        return OrderState.model_validate_json(await self._wire.ask("GET", f"/orders/{segment(key)}", caller))

    async def journal(self, caller: Caller, certificate_id: str) -> JournalView:
        said = await self._wire.ask("GET", f"/certificates/{segment(certificate_id)}/journal", caller)
        return JournalView.model_validate_json(said)

    async def journal_export(self, caller: Caller, certificate_id: str) -> bytes:
        return await self._wire.ask("GET", f"/certificates/{segment(certificate_id)}/journal/export", caller)

    async def pdf(self, caller: Caller, certificate_id: str, language: str) -> bytes:
        path = f"/certificates/{segment(certificate_id)}/pdf"
        return await self._wire.ask("GET", path, caller, params={"language": language})

    async def public(self, number: str, code: str, revision: int | None) -> PublicView:
        ours = Caller(service_token("portal", self._services)) if self._services is not None else None
        wanted = {"number": number, "code": code, "revision": revision}
        return PublicView.model_validate_json(await self._wire.ask("GET", "/public/verify", ours, params=wanted))

    async def check_file(self, pdf: bytes) -> FileView:
        ours = Caller(service_token("portal", self._services)) if self._services is not None else None
        return FileView.model_validate_json(await self._wire.ask("POST", "/public/verify/file", ours, raw=pdf))

    async def check_statement(self, statement: str) -> StatementView:
        ours = Caller(service_token("portal", self._services)) if self._services is not None else None
        said = await self._wire.ask("POST", "/public/verify/statement", ours, body=Statement(statement=statement))
        return StatementView.model_validate_json(said)

    async def published_keys(self) -> bytes:
        return await self._wire.ask("GET", "/signing-keys")

    async def commodities(
        self, caller: Caller, q: str = "", parent: str = "", codes: tuple[str, ...] = ()
    ) -> list[CommodityView]:
        wanted = {"q": q, "parent": parent, "codes": ",".join(codes[:100])}
        said = await self._wire.ask("GET", "/reference/commodities", caller, params=wanted)
        return TypeAdapter(list[CommodityView]).validate_json(said)

    async def ask(
        self, caller: Caller, method: str, path: str, body: BaseModel | None = None, key: str = "", **wishes: Any
    ) -> bytes:
        return await self._wire.ask(method, path, caller, params=wishes, body=body, key=key)

    async def close(self) -> None:
        await self._wire.close()


class NotificationsOverHttp(NotificationsClient):
    """The notifications service."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def news(self, caller: Caller, after: str = "", limit: int = 20) -> NewsPage:
        said = await self._wire.ask("GET", "/news", caller, params={"after": after, "limit": limit})
        return NewsPage.model_validate_json(said)

    async def read(self, caller: Caller, news_id: str) -> None:
        await self._wire.ask("POST", f"/news/{segment(news_id)}/read", caller)

    async def letters(self, caller: Caller, certificate_id: str) -> LetterPage:
        said = await self._wire.ask("GET", "/letters", caller, params={"certificate_id": certificate_id, "limit": 100})
        return LetterPage.model_validate_json(said)

    async def close(self) -> None:
        await self._wire.close()


class OpsOverHttp(OpsClient):
    """The doors of the services that are open to platform administrators only."""

    def __init__(self, wires: Mapping[str, Wire]) -> None:
        self._wires = wires

    async def outbox(self, caller: Caller, service: str) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(await self._wires[service].ask("GET", "/ops/outbox", caller))
        return said

    async def process(self, caller: Caller, certificate_id: str) -> dict[str, Any]:
        path = f"/ops/certificates/{segment(certificate_id)}"
        said: dict[str, Any] = json.loads(await self._wires["certificates"].ask("GET", path, caller))
        return said

    async def letters(self, caller: Caller, state: str = "", after: str = "") -> LetterPage:
        wanted = {"state": state, "after": after, "limit": 50}
        return LetterPage.model_validate_json(
            await self._wires["notifications"].ask("GET", "/ops/letters", caller, params=wanted)
        )

    async def retry(self, caller: Caller, letter_id: str) -> None:
        await self._wires["notifications"].ask("POST", f"/ops/letters/{segment(letter_id)}/retry", caller)

    async def close(self) -> None:
        """The wires are closed by the clients that own them."""


def segment(text: str) -> str:
    """One piece of a path, whatever somebody typed into the address."""
    return quote(text, safe="")


def over_http(urls: Callable[[str], str], services: Keyring | None = None) -> Clients:
    """The clients of running services, by the address of each; identity believes us where a request comes from."""
    from services.portal.accounts import AccountsOverHttp
    from services.portal.classic import ClassicOverHttp
    from services.portal.extracts import ExtractsOverHttp
    from services.portal.factors import FactorsOverHttp
    from services.portal.making import MakingOverHttp
    from services.portal.tools import ToolsOverHttp

    wires = {name: Wire(urls(name)) for name in ("directory", "certificates", "notifications")}
    wires["identity"] = Wire(urls("identity"), services=services)
    return Clients(
        IdentityOverHttp(wires["identity"]),
        DirectoryOverHttp(wires["directory"]),
        CertificatesOverHttp(wires["certificates"], services),
        NotificationsOverHttp(wires["notifications"]),
        OpsOverHttp(wires),
        AccountsOverHttp(wires["identity"]),
        ExtractsOverHttp(wires["certificates"]),
        ClassicOverHttp(wires["identity"]),
        MakingOverHttp(wires["certificates"]),
        FactorsOverHttp(wires["identity"]),
        ToolsOverHttp(wires["identity"]),
    )
