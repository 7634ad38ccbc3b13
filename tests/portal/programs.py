"""Searches, tokens and webhooks in memory: what the portal's pages for finding and for programs ask of the services."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from pydantic import BaseModel

from services.portal.clients import Caller, Trouble
from tests.services.conftest import NOON

AT = NOON.isoformat()
HOOK = "00000000-0000-4000-8000-0000000000f1"
DELIVERY = "00000000-0000-4000-8000-0000000000f2"


@dataclass
class ProgramsInMemory:
    """Remembers what it was told, by the method and path it was asked."""

    searches: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    hooks: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    """The changes that were asked for: method and path."""
    wishes: list[dict[str, Any]] = field(default_factory=list)
    """What exports were asked for."""

    def hook(self, url: str = "https://erp.atlas.example/hook", hook_id: str = HOOK) -> dict[str, Any]:
        """A webhook that is there."""
        made = {
            "id": hook_id, "url": url, "active": True, "created_at": AT, "created_by": "Salma", "rotated_at": None,
            "waiting": 1, "failed": 1,
        }  # fmt: skip
        self.hooks[hook_id] = made
        return made

    def delivery(self, state: str, **more: Any) -> dict[str, Any]:
        """A delivery of the webhook."""
        body = {"number": "COI.MA.2026.0000001", "action": "sign", "target": "ISSUED", "certificate_id": DELIVERY}
        return {
            "id": DELIVERY, "event_id": DELIVERY, "body": body, "state": state, "attempts": 3, "created_at": AT,
            "next_at": AT if state == "pending" else None, "answered": None, "trouble": None, "delivered_at": None,
            **more,
        }  # fmt: skip

    async def ask(self, caller: Caller, method: str, path: str, body: BaseModel | None, **wishes: Any) -> bytes:
        """An answer as the services give it."""
        said = body.model_dump(mode="json") if body else {}
        if method != "GET":
            self.told.append(f"{method} {path}")
        return json.dumps(self._answer(caller, method, path, said, wishes)).encode()

    def _answer(self, caller: Caller, method: str, path: str, said: dict[str, Any], wishes: dict[str, Any]) -> Any:
        _, room, *rest = path.split("/")
        if room == "lists":
            self.wishes.append(wishes)
            return "Number,Status"
        if room == "openapi.json":
            doors = {"get": {"security": [{"token": ["read"]}]}, "post": {"security": [{"token": []}]}}
            return {"openapi": "3.1.0", "info": {}, "paths": {"/certificates": doors, "/health": {"get": {}}}}
        if room == "searches":
            return self._search(caller, method, rest, said)
        if room == "access-tokens":
            return self._token(method, rest, said)
        if room == "webhooks":
            return self._webhook(method, rest, said)
        raise Trouble(404, "not_found")

    def _search(self, caller: Caller, method: str, rest: list[str], said: dict[str, Any]) -> Any:
        if method == "GET":
            return list(self.searches.values())
        if method == "POST":
            made = {**said, "id": str(uuid4()), "mine": True, "by": caller.token, "created_at": AT}
            self.searches[made["id"]] = made
            return made
        if method == "DELETE":
            self.searches.pop(rest[0], None)
        else:
            self.searches[rest[0]] |= said
        return None

    def _token(self, method: str, rest: list[str], said: dict[str, Any]) -> Any:
        if method == "GET":
            return list(self.tokens.values())
        if method == "DELETE":
            if rest[0] in self.tokens:
                self.tokens[rest[0]]["revoked_at"] = AT
            return None
        made = {
            "id": str(uuid4()), "name": said["name"], "beginning": "bdx_abc123", "scopes": said["scopes"],
            "created_at": AT, "created_by": "Salma", "expires_at": AT, "last_used_at": None, "revoked_at": None,
        }  # fmt: skip
        self.tokens[made["id"]] = made
        return {"token": made, "secret": "bdx_abc123-the-rest"}

    def _webhook(self, method: str, rest: list[str], said: dict[str, Any]) -> Any:
        if not rest:
            if method == "GET":
                return list(self.hooks.values())
            if not said["url"].startswith("https://"):
                raise Trouble(422, "invalid", "Something in this request is not right.", "url")
            return {"webhook": self.hook(said["url"], str(uuid4())), "secret": "whsec_the-secret"}
        if rest[0] not in self.hooks:
            raise Trouble(404, "not_found")
        if rest[1:] == ["deliveries"]:
            items = [
                self.delivery("delivered"),
                self.delivery("pending", trouble="not_taken", answered=500),
                self.delivery("failed", trouble="private_address", body={"type": "ping"}),
            ]
            return {"webhook": self.hooks[rest[0]], "items": items, "next": None}
        if rest[1:] == ["secret"]:
            return {"webhook": self.hooks[rest[0]], "secret": "whsec_another"}
        if method == "DELETE":
            self.hooks.pop(rest[0])
        elif method == "PUT":
            self.hooks[rest[0]]["active"] = said["active"]
        return None
