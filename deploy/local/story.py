"""The guide's story, played over the HTTP APIs as four persons would: from a draft in Agadir to box 21 near Toulouse.

Nothing here knows the services' code: what is said is what anybody may say with curl.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid4, uuid5

import httpx2
from rich.markup import escape

from deploy.local.programs import ROOT
from deploy.local.screen import SCREEN

_PATIENCE: Final = 20.0  # seconds for news to travel: organisations at the very first start, letters at the end
_DEPARTS, _ARRIVES = timedelta(days=2), timedelta(days=6)


class Wanted(StrEnum):
    """When the story is played while everything starts."""

    NEVER = "never"
    ONCE = "once"
    ALWAYS = "always"


class Refused(Exception):
    """A service said no; the message says what and why."""


@dataclass(frozen=True)
class Step:
    """One box, or a few that belong together, as the exporter fills them in."""

    box: str
    what: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Act:
    """One person's move: what he asks, and with which form."""

    who: str
    email: str
    does: str
    action: str
    form: Mapping[str, Any]
    signs: bool = False


def organisation(slug: str) -> str:
    """The id of an organisation of the demo data."""
    return str(uuid5(NAMESPACE_URL, f"https://bordereau.example/organisations/{slug}"))


EXPORTER: Final = "exporter@atlas.example"
_BODY: Final = organisation("ecocert-ma")

_BORN: Final = {
    "issuing_body": _BODY,
    "exporter": organisation("atlas-bio-export"),
    "product_lines": [
        {
            "cn_code": "08041000",
            "trade_name": "Dattes Medjool biologiques",
            "lot": "ATL-0418",
            "packages": 400,
            "package_type": "CT",
            "net_weight": "2000",
            "unit": "KGM",
            "producer": organisation("domaine-tafilalet"),
            "producer_control_body": _BODY,
        },
    ],
}


# fmt: off
def steps(now: datetime) -> tuple[Step, ...]:
    """What is filled in after the draft is born, box by box."""
    authority, importer, consignee = map(organisation, ("perpignan", "pyrenees-bio-import", "garonne-bio"))
    road = {"mode": "3", "identification": "11874-A-33 / 5561-R-33", "document": "CMR 0418"}
    departs, arrives = ((now + later).isoformat(timespec="minutes") for later in (_DEPARTS, _ARRIVES))
    return (
        Step("7",      "origin: Morocco",                           {"countries_of_origin": ["MA"]}),
        Step("8",      "export from Morocco",                       {"country_of_export": "MA"}),
        Step("9",      "clearance in France, at Perpignan",         {"clearance_country": "FR",
                                                                     "entry_authority": authority}),
        Step("11",     "importer: Pyrénées Bio Import in Toulouse", {"importer": importer}),
        Step("12",     "first consignee: Garonne Bio",              {"first_consignee": consignee}),
        Step("14, 15", "trailer and seal",                          {"containers": ["TRLU1234567"],
                                                                     "seals": ["MA-77120"]}),
        Step("16",     "gross weight",                              {"gross_weight": {"value": "2160", "unit": "KGM"}}),
        Step("17",     "by road, and when",                         {"transport": road, "departure_at": departs,
                                                                     "arrival_at": arrives}),
    )


_GOOD: Final = "acceptable"
_ISSUE:  Final = {"documentary": _GOOD, "physical": _GOOD, "goods_have_not_left": True}
_ENTRY:  Final = {"documentary": _GOOD, "identity": _GOOD, "physical": _GOOD, "laboratory": "not_done"}
_ARRIVE: Final = {"in_order": True}
_SIGNS:  Final = True

ACTS: Final = (
    Act("The exporter in Agadir",   EXPORTER,                    "submits it",             "submit",  {}),
    Act("ECOCERT SA (MA-BIO-154)",  "inspector@ecocert.example", "checks, signs box 18",   "sign",    _ISSUE,  _SIGNS),
    Act("The border post",          "officer@perpignan.example", "verifies, signs box 20", "verify",  _ENTRY,  _SIGNS),
    Act("The first consignee",      "consignee@garonne.example", "receives, signs box 21", "receive", _ARRIVE, _SIGNS),
)
# fmt: on


async def play(addresses: Mapping[str, str]) -> int:
    """Play the story once and say how it went; 0 when it went well."""
    try:
        async with httpx2.AsyncClient(timeout=30) as web:
            await _play(web, addresses)
    except (Refused, TimeoutError, httpx2.HTTPError) as problem:
        SCREEN.print(f"[red]The story did not go on:[/red] {escape(str(problem) or type(problem).__name__)}")
        return 1
    return 0


async def _play(web: httpx2.AsyncClient, addresses: Mapping[str, str]) -> None:
    SCREEN.print("\n[bold]A certificate of inspection, from Agadir to Castelsarrasin[/bold]")
    exporter = await Person.signs_in(web, addresses, EXPORTER)
    certificate = await _draft(exporter)
    for step in steps(datetime.now(UTC)):
        certificate = await exporter.edits(certificate, step.fields)
        _tell(f"box {step.box}", step.what)
    for act in ACTS:
        person = exporter if act.email == EXPORTER else await Person.signs_in(web, addresses, act.email)
        with SCREEN.status(f"{act.who} {act.does} …"):
            certificate = await person.does(act, certificate)
        _tell(certificate["status"], f"{act.who} {act.does}")
        if act.action == "submit":
            _tell("number", certificate["number"])
    number, key = certificate["number"], certificate["id"]
    for subject, readers in await _letters(web, addresses["mailbox"], number):
        _tell("letter", f"{subject} → {', '.join(readers)}")
    portal = addresses["portal"]
    _tell("look at it", f"{portal}/certificates/{key}")
    _tell("its history, as ops", f"{portal}/ops/temporal/namespaces/default/workflows/certificate-{key}")
    SCREEN.print()


async def _draft(exporter: "Person") -> dict[str, Any]:
    """The draft is born; at the very first start the organisations may still be on their way to the service."""
    give_up = time.monotonic() + _PATIENCE
    certificate = None
    while certificate is None:
        try:
            certificate = await exporter.drafts(_BORN)
        except Refused:
            if time.monotonic() > give_up:
                raise
            await asyncio.sleep(0.3)
    _tell(certificate["status"], "The exporter in Agadir drafts: boxes 1, 4 and 13, dates of the Tafilalet")
    return certificate


@dataclass
class Person:
    """Somebody signed in, acting for his organisation."""

    web: httpx2.AsyncClient
    addresses: Mapping[str, str]
    password: str
    session: str
    organisation_id: str
    token: str

    @classmethod
    async def signs_in(cls, web: httpx2.AsyncClient, addresses: Mapping[str, str], email: str) -> "Person":
        password = json.loads((ROOT / "deploy" / "demo" / "accounts.json").read_text())["password"]
        opened = await _ask(
            web, "POST", f"{addresses['identity']}/sessions", {}, {"email": email, "password": password}
        )
        person = cls(web, addresses, password, opened["session"], opened["person"]["posts"][0]["organisation_id"], "")
        person.token = (await person._identity("/tokens", {}))["token"]
        return person

    async def proves_himself(self) -> None:
        """Says his password once more, as is asked before a signature."""
        self.token = (await self._identity("/sessions/current/proof", {"password": self.password}))["token"]

    async def drafts(self, content: Mapping[str, Any]) -> dict[str, Any]:
        return await self._certificates("POST", "", {"content": content})

    async def sees(self, key: str) -> dict[str, Any]:
        return await self._certificates("GET", f"/{key}")

    async def edits(self, certificate: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        body = {"revision": certificate["revision"], "changes": changes}
        return await self._certificates("PUT", f"/{certificate['id']}/boxes", body)

    async def does(self, act: Act, certificate: Mapping[str, Any]) -> dict[str, Any]:
        """Looks, is shown what he would sign, proves himself, and signs exactly that."""
        seen = await self.sees(certificate["id"])
        wish = {"action": act.action, "revision": seen["revision"], "form": act.form}
        if act.signs:
            shown = await self._certificates("GET", f"/{certificate['id']}/confirmation?action={act.action}")
            await self.proves_himself()
            wish |= {"revision": shown["revision"], "fingerprint": shown["fingerprint"]}
        return await self._certificates("POST", f"/{certificate['id']}/actions", wish)

    async def _certificates(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}", "Acting-For": self.organisation_id}
        return await _ask(self.web, method, f"{self.addresses['certificates']}/certificates{path}", headers, body)

    async def _identity(self, path: str, body: object) -> dict[str, Any]:
        headers = {"Authorization": f"Session {self.session}"}
        return await _ask(self.web, "POST", f"{self.addresses['identity']}{path}", headers, body)


async def _ask(
    web: httpx2.AsyncClient, method: str, url: str, headers: Mapping[str, str], body: object = None
) -> dict[str, Any]:
    """One request; whatever is asked carries a key, so that asking twice is asking once."""
    keyed = {**headers, "Accept-Language": "en", **({} if method == "GET" else {"Idempotency-Key": str(uuid4())})}
    answer = await web.request(method, url, headers=keyed, json=body)
    if answer.is_error:
        raise Refused(_why(method, url, answer))
    found: dict[str, Any] = answer.json()
    return found


def _why(method: str, url: str, answer: httpx2.Response) -> str:
    try:
        problem = answer.json()
        said = [str(problem.get("title", "")), str(problem.get("detail", "") or "")]
        said += [f"box {one.get('box')}: {one.get('message')}" for one in problem.get("problems") or ()]
    except (ValueError, AttributeError):
        said = [answer.text[:500]]
    return f"{method} {url}: {answer.status_code} {'; '.join(part for part in said if part)}"


async def _letters(web: httpx2.AsyncClient, mailbox: str, number: str) -> list[tuple[str, list[str]]]:
    """The letters about this certificate, oldest first, and who got each: waits until no further one comes."""
    found: list[dict[str, Any]] = []
    quiet, patience = 0.0, _PATIENCE
    while patience > 0 and quiet < (1.0 if found else 5.0):
        await asyncio.sleep(0.25)
        letters = (await web.get(f"{mailbox}/messages", params={"q": number})).json()
        quiet, patience = (0.0 if len(letters) > len(found) else quiet + 0.25), patience - 0.25
        found = letters
    readers: dict[str, list[str]] = {}
    for letter in found[::-1]:
        readers.setdefault(letter["subject"], []).extend(letter["to"])
    return list(readers.items())


def _tell(what: str, how: str) -> None:
    SCREEN.print(f"  [green]{escape(what.ljust(22))}[/green]  {escape(how)}")
