"""What the portal asks about searches, exports, access tokens and webhooks, each with the type of its answer."""

from typing import Any

from pydantic import BaseModel, TypeAdapter

from services.portal.clients import Caller, Clients, segment
from shared.contracts.machines import (
    DeliveryPage,
    MintedToken,
    MintedWebhook,
    NewSearch,
    NewToken,
    NewWebhook,
    SearchView,
    TokenView,
    WebhookChange,
    WebhookView,
)

_SEARCHES = TypeAdapter(list[SearchView])
_TOKENS = TypeAdapter(list[TokenView])
_WEBHOOKS = TypeAdapter(list[WebhookView])


class Shared(BaseModel):
    """Whether a search is shared."""

    shared: bool


class Programs:
    """The doors for what programs need, asked on an administrator's behalf; and the searches of a reader."""

    def __init__(self, clients: Clients, caller: Caller) -> None:
        self._identity, self._certificates, self._caller = clients.identity, clients.certificates, caller

    async def searches(self) -> list[SearchView]:
        """My searches, and those my organisation shares."""
        return _SEARCHES.validate_json(await self._certificates.ask(self._caller, "GET", "/searches"))

    async def keep(self, new: NewSearch, key: str) -> SearchView:
        """Keep a search."""
        return SearchView.model_validate_json(await self._certificates.ask(self._caller, "POST", "/searches", new, key))

    async def share(self, search_id: str, shared: bool) -> None:
        """Share a search of mine, or keep it to myself again."""
        await self._certificates.ask(self._caller, "PUT", f"/searches/{segment(search_id)}", Shared(shared=shared))

    async def forget(self, search_id: str) -> None:
        """Give a search up."""
        await self._certificates.ask(self._caller, "DELETE", f"/searches/{segment(search_id)}")

    async def file(self, kind: str, wishes: dict[str, Any]) -> bytes:
        """A list as a file."""
        return await self._certificates.ask(self._caller, "GET", f"/lists/certificates.{segment(kind)}", **wishes)

    async def tokens(self) -> list[TokenView]:
        """The access tokens of my organisation."""
        return _TOKENS.validate_json(await self._identity.ask(self._caller, "GET", "/access-tokens"))

    async def mint(self, new: NewToken, key: str) -> MintedToken:
        """Mint an access token."""
        return MintedToken.model_validate_json(
            await self._identity.ask(self._caller, "POST", "/access-tokens", new, key)
        )

    async def revoke(self, token_id: str) -> None:
        """Revoke an access token."""
        await self._identity.ask(self._caller, "DELETE", f"/access-tokens/{segment(token_id)}")

    async def webhooks(self) -> list[WebhookView]:
        """The webhooks of my organisation."""
        return _WEBHOOKS.validate_json(await self._certificates.ask(self._caller, "GET", "/webhooks"))

    async def hook(self, new: NewWebhook, key: str) -> MintedWebhook:
        """Make a webhook."""
        return MintedWebhook.model_validate_json(
            await self._certificates.ask(self._caller, "POST", "/webhooks", new, key)
        )

    async def rotate(self, webhook_id: str, key: str) -> MintedWebhook:
        """A new secret for a webhook."""
        path = f"/webhooks/{segment(webhook_id)}/secret"
        return MintedWebhook.model_validate_json(await self._certificates.ask(self._caller, "POST", path, key=key))

    async def pause(self, webhook_id: str, active: bool) -> None:
        """Pause a webhook, or let it go on."""
        path = f"/webhooks/{segment(webhook_id)}"
        await self._certificates.ask(self._caller, "PUT", path, WebhookChange(active=active))

    async def unhook(self, webhook_id: str) -> None:
        """Give a webhook up."""
        await self._certificates.ask(self._caller, "DELETE", f"/webhooks/{segment(webhook_id)}")

    async def ping(self, webhook_id: str, key: str) -> None:
        """Try the address."""
        await self._certificates.ask(self._caller, "POST", f"/webhooks/{segment(webhook_id)}/ping", key=key)

    async def deliveries(self, webhook_id: str, after: str = "") -> DeliveryPage:
        """What was told to a webhook."""
        path = f"/webhooks/{segment(webhook_id)}/deliveries"
        said = await self._certificates.ask(self._caller, "GET", path, after=after, limit=25)
        return DeliveryPage.model_validate_json(said)

    async def replay(self, webhook_id: str, delivery_id: str) -> None:
        """Have a delivery tried again."""
        path = f"/webhooks/{segment(webhook_id)}/deliveries/{segment(delivery_id)}/replay"
        await self._certificates.ask(self._caller, "POST", path)
