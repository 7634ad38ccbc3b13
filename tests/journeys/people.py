"""The persons of the demonstration as HTTP clients, and a consignment of theirs: what anybody may say with curl.

One thing to remember: whatever is asked carries a key, and asking again with the same key is asking once.
"""

import asyncio
import inspect
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid4, uuid5

import httpx2

DEMO: Final = Path(__file__).resolve().parents[2] / "deploy" / "demo"
PASSWORD: Final = str(json.loads((DEMO / "accounts.json").read_text())["password"])
FRESH: Final = 45.0
"""Seconds for which a token is used before another is asked for."""
PROVED: Final = 200.0
"""Seconds after which a person proves again to be himself, as a page would ask him to before he signs."""

EXPORTER: Final = "exporter@atlas.example"
BODY: Final = "inspector@ecocert.example"
IMPORTER: Final = "importer@pyrenees.example"
BORDER: Final = "officer@perpignan.example"
CONSIGNEE: Final = "consignee@garonne.example"
CUSTOMS: Final = "customs@perpignan.example"
CENTRAL: Final = "supervisor@dgccrf.example"
STRANGER: Final = "importer@abian.example"
OPS: Final = "ops@bordereau.example"

EASY: Final = {
    "identity": {"PROOF_COST": "1", "ARGON2_MEMORY_KIB": "64", "ARGON2_PASSES": "1"},
    "certificates": {"WEBHOOKS_ALLOW_LOOPBACK": "true"},
}
"""Settings for tests in which many register and sign in: what keeps guessers busy need not keep us."""

JSON = dict[str, Any]


def organisation(slug: str) -> str:
    """The id of an organisation of the demonstration."""
    return str(uuid5(NAMESPACE_URL, f"https://bordereau.example/organisations/{slug}"))


def fresh_key() -> str:
    """A key for one order."""
    return uuid4().hex


async def until(
    holds: Callable[[], object] | Callable[[], Awaitable[object]], patience: float = 20, every: float = 0.03
) -> Any:
    """Ask again and again until the answer is true, and give it; fail when patience ends."""
    give_up = time.monotonic() + patience
    while True:
        answer = holds()
        found = await answer if inspect.isawaitable(answer) else answer
        if found:
            return found
        if time.monotonic() > give_up:
            raise AssertionError(f"not within {patience:g} s: {inspect.getsource(holds).strip()}")
        await asyncio.sleep(every)


SECRETS: Final[set[str]] = {PASSWORD}
"""Passwords, sessions, tokens and what links carried in this run: nobody may find one of them afterwards."""


class Refusal(Exception):
    """A service said no."""

    def __init__(self, answer: httpx2.Response) -> None:
        self.status = answer.status_code
        try:
            self.body: JSON = answer.json()
        except ValueError:
            self.body = {}
        self.code = str(self.body.get("code", ""))
        super().__init__(f"{answer.request.method} {answer.request.url.path}: {self.status} {answer.text[:600]}")

    @property
    def missing(self) -> set[tuple[str, str]]:
        """What is wrong, as boxes and codes."""
        return {(str(each.get("box")), each["code"]) for each in self.body.get("problems", ())}


@dataclass
class Person:
    """Somebody signed in, acting for one organisation."""

    web: httpx2.AsyncClient
    addresses: Mapping[str, str]
    email: str
    language: str = "en"
    session: str = ""
    me: JSON = field(default_factory=dict)
    token: str = ""
    since: float = 0.0
    proved: float = 0.0
    password: str = PASSWORD

    @property
    def id(self) -> str:
        return str(self.me["id"])

    @property
    def organisation(self) -> str:
        """For whom he acts: his first post."""
        return str(self.me["posts"][0]["organisation_id"])

    async def signs_in(self, password: str = PASSWORD) -> "Person":
        """Opens a session; asks again while identity is away."""
        body = {"email": self.email, "password": password}
        answer = self.checked(await self.web.post(f"{self.addresses['identity']}/sessions", json=body))
        opened = answer.json()
        self.session, self.me, self.token = opened["session"], opened["person"], ""
        self.password, self.proved = password, time.monotonic()
        SECRETS.update((password, self.session))
        return self

    async def headers(self) -> dict[str, str]:
        """Who he is and for whom he acts."""
        if not self.token or time.monotonic() - self.since > FRESH:
            stale = time.monotonic() - self.proved > PROVED
            url = f"{self.addresses['identity']}{'/sessions/current/proof' if stale else '/tokens'}"
            body = {"password": self.password} if stale else None
            mine = {"Authorization": f"Session {self.session}"}
            answer = self.checked(await self.web.post(url, headers=mine, json=body))
            self.token, self.since = answer.json()["token"], time.monotonic()
            SECRETS.add(self.token)
            self.proved = self.since if stale else self.proved
        acting = {"Acting-For": self.organisation} if self.me["posts"] else {}
        return {"Authorization": f"Bearer {self.token}", "Accept-Language": self.language, **acting}

    async def says(
        self, method: str, path: str, body: object = None, key: str | None = None, service: str = "certificates"
    ) -> httpx2.Response:
        """One request, and whatever is answered."""
        headers = await self.headers()
        if method != "GET":
            headers["Idempotency-Key"] = key or fresh_key()
        return await self.web.request(method, f"{self.addresses[service]}{path}", headers=headers, json=body)

    async def asks(self, method: str, path: str, body: object = None, key: str | None = None, **more: str) -> Any:
        """One request that is to succeed; raises ``Refusal`` when it does not."""
        return self.checked(await self.says(method, path, body, key, **more)).json()

    @staticmethod
    def checked(answer: httpx2.Response) -> httpx2.Response:
        """The answer, unless it is a no."""
        if answer.is_error:
            raise Refusal(answer)
        return answer

    # -- what one does with certificates

    async def drafts(self, content: Mapping[str, Any], key: str | None = None) -> JSON:
        """A new draft."""
        return await self.asks("POST", "/certificates", {"content": content}, key)  # type: ignore[no-any-return]

    async def sees(self, certificate: str) -> JSON:
        """The certificate as this person may see it."""
        return await self.asks("GET", f"/certificates/{certificate}")  # type: ignore[no-any-return]

    async def edits(self, certificate: str, revision: int, key: str | None = None, **changes: Any) -> JSON:
        """Boxes changed on the revision seen."""
        body = {"revision": revision, "changes": changes}
        return await self.asks("PUT", f"/certificates/{certificate}/boxes", body, key)  # type: ignore[no-any-return]

    async def shown(self, certificate: str, action: str) -> JSON:
        """What a signature would cover."""
        return await self.asks("GET", f"/certificates/{certificate}/confirmation?action={action}")  # type: ignore[no-any-return]

    async def wish(self, certificate: str, action: str, form: Mapping[str, Any] | None = None) -> JSON:
        """The order he would give now: what he asks, on which revision, having seen which fingerprint."""
        if action in SIGNED:
            shown = await self.shown(certificate, action)
            seen = {"revision": shown["revision"], "fingerprint": shown["fingerprint"]}
        else:
            seen = {"revision": (await self.sees(certificate))["revision"]}
        return {"action": action, "form": dict(FORMS.get(action, {}) if form is None else form), **seen}

    async def orders(self, certificate: str, wish: Mapping[str, Any], key: str | None = None) -> JSON:
        """Gives exactly this order."""
        return await self.asks("POST", f"/certificates/{certificate}/actions", dict(wish), key)  # type: ignore[no-any-return]

    async def does(
        self, certificate: str, action: str, form: Mapping[str, Any] | None = None, key: str | None = None
    ) -> JSON:
        """Looks, and does it."""
        return await self.orders(certificate, await self.wish(certificate, action, form), key)


# fmt: off
_GOOD: Final = "acceptable"
FORMS: Final[dict[str, JSON]] = {
    "sign":                 {"documentary": _GOOD, "physical": "not_done", "goods_have_not_left": True},
    "verify":               {"documentary": _GOOD, "identity": _GOOD, "physical": "not_done", "laboratory": "not_done"},
    "open_batches":         {"documentary": _GOOD, "identity": _GOOD, "physical": _GOOD},
    "release_conventional": {"documentary": _GOOD, "reason": "Traces of a substance that organic farming does not use"},
    "reject":               {"documentary": "not_acceptable", "reason": "The seal is broken"},
    "receive":              {"in_order": True},
    "delete":               {"reason": "Drawn up twice"},
}
"""What each action's form says unless a story says otherwise."""
SIGNED: Final = frozenset({"sign", "verify", "open_batches", "release_conventional", "reject", "receive"})


def born() -> JSON:
    """What a draft is born with: boxes 1, 4 and a line of 13."""
    return {
        "issuing_body": organisation("ecocert-ma"),
        "exporter": organisation("atlas-bio-export"),
        "product_lines": [
            {"cn_code": "08044000", "trade_name": "Avocats Hass biologiques", "lot": "L-2026-118", "packages": 480,
             "package_type": "CT", "net_weight": "1920.000", "unit": "KGM",
             "producer": organisation("cooperative-souss")},
        ],
    }


def boxes(now: datetime | None = None) -> tuple[JSON, ...]:
    """The other boxes, one after another, as the exporter fills them in."""
    departs, arrives = ((now or datetime.now(UTC)) + timedelta(days=days) for days in (2, 6))
    return (
        {"countries_of_origin": ["MA"]},
        {"country_of_export": "MA"},
        {"clearance_country": "FR", "entry_authority": organisation("perpignan")},
        {"importer": organisation("pyrenees-bio-import")},
        {"first_consignee": organisation("garonne-bio")},
        {"containers": ["MSKU1234565"], "seals": ["ML-1"]},
        {"gross_weight": {"value": "2150.000", "unit": "KGM"}},
        {"transport": {"mode": "1", "identification": "MV Agadir", "document": "BL-1"},
         "departure_at": departs.isoformat(timespec="minutes"), "arrival_at": arrives.isoformat(timespec="minutes")},
    )


def complete(now: datetime | None = None) -> JSON:
    """Everything at once."""
    content = born()
    for box in boxes(now):
        content |= box
    return content


STORY: Final = ((EXPORTER, "submit"), (BODY, "sign"), (BORDER, "verify"), (CONSIGNEE, "receive"))
"""From draft to box 21: who does what."""
# fmt: on


@dataclass
class People:
    """Everybody, signed in when first called for."""

    web: httpx2.AsyncClient
    addresses: Mapping[str, str]
    known: dict[str, Person] = field(default_factory=dict)

    async def __call__(self, email: str) -> Person:
        if email not in self.known:
            self.known[email] = await Person(self.web, self.addresses, email).signs_in()
        return self.known[email]

    async def draft(self, **changes: Any) -> JSON:
        """A complete draft of the exporter's."""
        return await (await self(EXPORTER)).drafts(complete() | changes)

    async def brought_to(self, action: str, **changes: Any) -> JSON:
        """A certificate on which the story was played up to and with this action."""
        certificate = await self.draft(**changes)
        for email, step in STORY:
            certificate = await (await self(email)).does(certificate["id"], step)
            if step == action:
                return certificate
        raise AssertionError(f"{action} is no step of the story")
