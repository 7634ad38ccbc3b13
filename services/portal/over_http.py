"""The services asked over HTTP: one line for each question.

One thing to remember: an answer is read as its contract says, and nothing is decided here.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter

from services.portal.accounts import AccountsOverHttp
from services.portal.classic import ClassicOverHttp
from services.portal.clients import (
    CertificatesClient,
    Clients,
    DirectoryClient,
    IdentityClient,
    NotificationsClient,
    OpsClient,
)
from services.portal.extracts import ExtractsOverHttp
from services.portal.factors import FactorsOverHttp
from services.portal.making import MakingOverHttp
from services.portal.papers import PapersOverHttp
from services.portal.tools import ToolsOverHttp
from services.portal.wire import Caller, OpenOverHttp, OverHttp, Wire, segment
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
from shared.contracts.verification import FileView, PublicView, Statement, StatementView
from shared.kit.keys import Keyring
from shared.kit.sessions import service_token


class IdentityOverHttp(OpenOverHttp, IdentityClient):
    """The identity service."""

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


class DirectoryOverHttp(OpenOverHttp, DirectoryClient):
    """The directory service."""

    async def organisations(self, caller: Caller, **wishes: Any) -> OrganisationPage:
        return OrganisationPage.model_validate_json(
            await self._wire.ask("GET", "/organisations", caller, params=wishes)
        )

    async def organisation(self, caller: Caller, organisation_id: str) -> OrganisationView:
        said = await self._wire.ask("GET", f"/organisations/{segment(organisation_id)}", caller)
        return OrganisationView.model_validate_json(said)


class CertificatesOverHttp(OpenOverHttp, PapersOverHttp[CertificateView], CertificatesClient):
    """The certificates service; what is public there is asked in the name of this web site."""

    path = "certificates"
    view = CertificateView

    def __init__(self, wire: Wire, services: Keyring | None = None) -> None:
        super().__init__(wire)
        self._services = services

    async def certificates(self, caller: Caller, **wishes: Any) -> CertificatePage:
        plain = {name: "true" if value is True else value for name, value in wishes.items() if value is not False}
        return CertificatePage.model_validate_json(await self._wire.ask("GET", "/certificates", caller, params=plain))

    async def certificate(self, caller: Caller, certificate_id: str) -> CertificateView:
        return await self._one(caller, certificate_id)

    async def draft(self, caller: Caller, new: NewCertificate, key: str) -> CertificateView:
        said = await self._wire.ask("POST", "/certificates", caller, body=new, key=key)
        return CertificateView.model_validate_json(said)

    async def copy(self, caller: Caller, certificate_id: str, key: str) -> CertificateView:
        path = f"/certificates/{segment(certificate_id)}/copies"
        return CertificateView.model_validate_json(await self._wire.ask("POST", path, caller, key=key))

    async def order_state(self, caller: Caller, key: str) -> OrderState:
        return OrderState.model_validate_json(await self._wire.ask("GET", f"/orders/{segment(key)}", caller))

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


class NotificationsOverHttp(OverHttp, NotificationsClient):
    """The notifications service."""

    async def news(self, caller: Caller, after: str = "", limit: int = 20) -> NewsPage:
        said = await self._wire.ask("GET", "/news", caller, params={"after": after, "limit": limit})
        return NewsPage.model_validate_json(said)

    async def read(self, caller: Caller, news_id: str) -> None:
        await self._wire.ask("POST", f"/news/{segment(news_id)}/read", caller)

    async def read_all(self, caller: Caller, until: str) -> None:
        await self._wire.ask("POST", "/news/read-all", caller, params={"until": until})

    async def letters(self, caller: Caller, certificate_id: str) -> LetterPage:
        said = await self._wire.ask("GET", "/letters", caller, params={"certificate_id": certificate_id, "limit": 100})
        return LetterPage.model_validate_json(said)


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


def over_http(urls: Callable[[str], str], services: Keyring | None = None) -> Clients:
    """The clients of running services, by the address of each; identity believes us where a request comes from."""
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
