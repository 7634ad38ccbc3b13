"""Certificates played from draft to box 21 through the HTTP API, many at a time."""

import asyncio
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import httpx2

PASSWORD = "Demonstration-2026!"
PEOPLE = {
    "exporter": "exporter@atlas.example",
    "body": "inspector@ecocert.example",
    "border": "officer@perpignan.example",
    "consignee": "consignee@garonne.example",
}
STEPS: tuple[tuple[str, str, dict[str, Any], bool], ...] = (
    ("exporter", "submit", {}, False),
    ("body", "sign", {"documentary": "acceptable", "physical": "not_done"}, True),
    (
        "border",
        "verify",
        {"documentary": "acceptable", "identity": "not_done", "physical": "not_done", "laboratory": "not_done"},
        True,
    ),
    ("consignee", "receive", {"in_order": True}, True),
)


def organisation(slug: str) -> str:
    """The id of a demo organisation."""
    return str(uuid5(NAMESPACE_URL, f"https://bordereau.example/organisations/{slug}"))


def content() -> dict[str, Any]:
    """A complete certificate."""
    now = datetime.now(UTC)
    return {
        "issuing_body": organisation("ecocert-ma"),
        "exporter": organisation("atlas-bio-export"),
        "importer": organisation("pyrenees-bio-import"),
        "first_consignee": organisation("garonne-bio"),
        "entry_authority": organisation("perpignan"),
        "clearance_country": "FR",
        "countries_of_origin": ["MA"],
        "country_of_export": "MA",
        "product_lines": [
            {
                "cn_code": "08044000",
                "trade_name": "Avocats Hass biologiques",
                "lot": f"L-{uuid4().hex[:8]}",
                "packages": 480,
                "package_type": "CT",
                "net_weight": "1920.000",
                "unit": "KGM",
                "producer": organisation("cooperative-souss"),
            }
        ],
        "gross_weight": {"value": "2150.000", "unit": "KGM"},
        "containers": ["MSKU1234565"],
        "seals": ["ML-118"],
        "transport": {"mode": "1", "identification": "MV Agadir", "document": "BL-118"},
        "departure_at": (now + timedelta(days=2)).isoformat(),
        "arrival_at": (now + timedelta(days=6)).isoformat(),
    }


class Traders:
    """The four persons of a life, signed in; their tokens are renewed before they end."""

    def __init__(self, addresses: dict[str, str]) -> None:
        self.addresses = addresses
        limits = httpx2.Limits(max_connections=100, max_keepalive_connections=100)
        self.client = httpx2.AsyncClient(base_url=addresses["certificates"], timeout=60, limits=limits)
        self.sessions: dict[str, str] = {}
        self.tokens: dict[str, tuple[str, float]] = {}
        self.times: dict[str, list[float]] = defaultdict(list)

    async def sign_in(self) -> None:
        """Open a session for each."""
        async with httpx2.AsyncClient(base_url=self.addresses["identity"], timeout=30) as door:
            for name, email in PEOPLE.items():
                answer = await door.post("/sessions", json={"email": email, "password": PASSWORD})
                answer.raise_for_status()
                self.sessions[name] = answer.json()["session"]

    async def headers(self, name: str) -> dict[str, str]:
        """A valid token and a fresh key."""
        token, until = self.tokens.get(name, ("", 0.0))
        if until < time.time() + 10:
            async with httpx2.AsyncClient(base_url=self.addresses["identity"], timeout=30) as door:
                mine = {"Authorization": f"Session {self.sessions[name]}"}
                answer = await door.post("/sessions/current/proof", headers=mine, json={"password": PASSWORD})
                answer.raise_for_status()
            token = answer.json()["token"]
            self.tokens[name] = token, datetime.fromisoformat(answer.json()["expires_at"]).timestamp()
        return {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}

    async def draft(self) -> dict[str, Any]:
        """A new complete draft."""
        began = time.perf_counter()
        answer = await self.client.post(
            "/certificates", json={"content": content()}, headers=await self.headers("exporter")
        )
        answer.raise_for_status()
        self.times["draft"].append(time.perf_counter() - began)
        return answer.json()  # type: ignore[no-any-return]

    async def live(self) -> None:
        """One whole life: as the portal does it, with the confirmation read before each signature."""
        view = await self.draft()
        for name, action, form, signs in STEPS:
            fingerprint = None
            if signs:
                shown = await self.client.get(
                    f"/certificates/{view['id']}/confirmation",
                    params={"action": action},
                    headers=await self.headers(name),
                )
                shown.raise_for_status()
                fingerprint = shown.json()["fingerprint"]
            wish = {"action": action, "revision": view["revision"], "form": form, "fingerprint": fingerprint}
            headers = await self.headers(name)
            began = time.perf_counter()
            answer = await self.client.post(f"/certificates/{view['id']}/actions", json=wish, headers=headers)
            answer.raise_for_status()
            self.times[action].append(time.perf_counter() - began)
            view = answer.json()

    async def drafts(self, number: int, at_once: int) -> None:
        """This many drafts that stay open."""
        room = asyncio.Semaphore(at_once)

        async def one() -> None:
            async with room:
                await self.draft()

        await asyncio.gather(*(one() for _ in range(number)))

    async def many(self, number: int, at_once: int) -> float:
        """This many lives, so many at a time; lives per second."""
        room = asyncio.Semaphore(at_once)

        async def one() -> None:
            async with room:
                await self.live()

        began = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(number)))
        return number / (time.perf_counter() - began)
