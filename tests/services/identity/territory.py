"""Two departments with their authorities, the one above them, and somebody who asks for a classic account."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
from altcha import Challenge, Payload, solve_challenge

from services.identity import store
from services.identity.activities import Paper
from services.identity.models import AccountRow, OrganisationRow, PostRow
from services.identity.rules import AccountStatus, email_key
from shared.contracts.identity import Course, Kind, Rung, Step, Taken, Tick, Which
from shared.kit.db import Database
from shared.kit.temporal import Processes
from tests.services.conftest import NOON
from tests.services.identity.conftest import CLAIRE, PASSWORD, House, by, the_people

DDPP_31 = "00000000-0000-4000-8000-000000000031"
DDPP_81 = "00000000-0000-4000-8000-000000000081"
DGCCRF = "00000000-0000-4000-8000-0000000000cc"
INAO = "00000000-0000-4000-8000-0000000000a0"
OPS = "00000000-0000-4000-8000-0000000000b5"
ODILE = "00000000-0000-4000-8000-0000000000d1"
OTHMAR = "00000000-0000-4000-8000-0000000000d2"
SYLVIE = "00000000-0000-4000-8000-0000000000d3"
PAUL = "00000000-0000-4000-8000-0000000000d4"
CAMILLE = "00000000-0000-4000-8000-0000000000d5"

# fmt: off
ORGANISATIONS = (
    # id       name                        code         kind         role                     superior
    (DDPP_31,  "DDPP de la Haute-Garonne", "FRDDPP31",  "AUTHORITY", "CUSTOMS",               DGCCRF),
    (DDPP_81,  "DDETSPP du Tarn",          "FRDDPP81",  "AUTHORITY", "CUSTOMS",               DGCCRF),
    (DGCCRF,   "DGCCRF",                   "FRDGCCRF",  "AUTHORITY", "CCA",                   None),
    (INAO,     "INAO",                     "FRINAO01",  "AUTHORITY", "NATIONAL_VALIDATING",   None),
    (OPS,      "Platform",                 None,        "SYS_ADMIN", None,                    None),
)
OFFICIALS = (
    # id       first      last       address                   works for
    (ODILE,    "Odile",   "Faure",   "odile@ddpp31.example",   DDPP_31,  "AUTHORITY"),
    (OTHMAR,   "Othmar",  "Weiss",   "othmar@ddpp81.example",  DDPP_81,  "AUTHORITY"),
    (SYLVIE,   "Sylvie",  "Garnier", "sylvie@dgccrf.example",  DGCCRF,   "AUTHORITY"),
    (PAUL,     "Paul",    "Renaud",  "paul@inao.example",      INAO,     "AUTHORITY"),
    (CAMILLE,  "Camille", "Fabre",   "ops@platform.example",   OPS,      "SYS_ADMIN"),
)
# fmt: on


async def settled(database: Database) -> None:
    """Everybody and every organisation there is."""
    await the_people(database)
    async with database.transaction() as session:
        kept = (await session.get_one(AccountRow, CLAIRE)).password_hash
        for each, name, code, kind, role, superior in ORGANISATIONS:
            await store.remember_organisation(
                session,
                OrganisationRow(
                    id=each,
                    name=name,
                    code=code,
                    kind=kind,
                    status="VALID",
                    revision=1,
                    country="FR",
                    authority_role=role,
                    superior=superior,
                    time_zone="Europe/Paris",
                ),
            )
        await store.add_accounts(
            session,
            [
                AccountRow(
                    id=each,
                    first_name=first,
                    last_name=last,
                    email=email,
                    email_key=email_key(email),
                    password_hash=kept,
                    status=AccountStatus.ACTIVE,
                    created_at=NOON,
                )
                for each, first, last, email, *_ in OFFICIALS
            ],
        )
        for each, _, _, _, where, kind in OFFICIALS:
            post = PostRow(person_id=each, organisation_id=where, role_type=kind, administrator=True, since=NOON)
            await store.remember_post(session, post)


class Direct(Processes):
    """Asks the paper itself, as the process would: for the rules behind a door, not for the engine."""

    def __init__(self, paper: Paper) -> None:
        self.paper = paper

    async def ask(self, name: str, order: Any, **more: Any) -> Any:
        return await self.paper.take(Taken(order, more["key"]))


@dataclass
class Territory:
    """Identity with its authorities, and what people there do."""

    house: House
    paper: Paper

    def __post_init__(self) -> None:
        self.house.around.processes = Direct(self.paper)

    async def worked(self) -> str:
        """What a browser does with the challenge."""
        challenge = Challenge.from_dict(self.house.desk.person_check.challenge())
        solution = await asyncio.to_thread(solve_challenge, challenge)
        assert solution is not None
        return Payload(challenge, solution).to_base64()

    async def fill_in(self, email: str = "ann@tarn.example", key: str = "", **changes: Any) -> httpx2.Response:
        """The form, sent."""
        form = {
            "email": email, "password": PASSWORD, "password_again": PASSWORD, "question": "hero", "answer": "Zorro",
            "first_name": "Ann", "last_name": "O'Neill", "language": "en", "privacy": True,
            "organisation": {
                "name": "Lapujade Bio", "address": "27 chemin de Lapujade", "postal_code": "31200",
                "city": "Toulouse", "country": "FR",
            },
            "reach": {"phone": "+33 5 00 00 00 00"},
            "proof": await self.worked(),
        }  # fmt: skip
        headers = {"Idempotency-Key": key or uuid4().hex, "Accept-Language": "en"}
        return await self.house.client.post("/registrations/classic", json=form | changes, headers=headers)

    async def asks(self, email: str = "ann@tarn.example", **changes: Any) -> str:
        """A request, and its process has looked at it; its id."""
        answer = await self.fill_in(email, **changes)
        assert answer.status_code == 202, answer.text
        await self.look(answer.json()["id"])
        return str(answer.json()["id"])

    async def look(self, request: str, kind: Kind = Kind.VALIDATION) -> Course:
        """The process looks."""
        return await self.paper.look(Which(kind, request))

    async def secret(self, course: str, purpose: str) -> str:
        """What the newest letter of this purpose carries."""
        link = await self.house.one(
            "SELECT id FROM link WHERE course_id = :c AND purpose = :p ORDER BY minted_at DESC LIMIT 1",
            c=course,
            p=purpose,
        )
        return self.paper.mint.secret(str(link), self.paper.mint.current)

    async def confirms(self, request: str, mine: bool = True, purpose: str = "account-confirmation") -> httpx2.Response:
        """The letter is answered."""
        opened = await self.post("/registrations/classic/opened", {"secret": await self.secret(request, purpose)})
        if opened.is_error:
            return opened
        return await self.post("/registrations/classic/answers", {"form": opened.json()["form"], "mine": mine})

    async def confirmed(self, email: str = "ann@tarn.example", **changes: Any) -> str:
        """A request that waits for its authority."""
        request = await self.asks(email, **changes)
        answer = await self.confirms(request)
        assert answer.json()["state"] == "CONFIRMED", answer.text
        return request

    async def valid(self, email: str = "ann@tarn.example", **changes: Any) -> str:
        """An account, activated by Odile."""
        request = await self.confirmed(email, **changes)
        answer = await (await self.official("odile@ddpp31.example")).decides(request, "activate")
        assert answer.status_code == 200, answer.text
        return request

    async def post(self, path: str, body: Any, **headers: str) -> httpx2.Response:
        """One request with a key."""
        known = {"Idempotency-Key": uuid4().hex, "Accept-Language": "en"} | headers
        return await self.house.client.post(path, json=body, headers=known)

    async def rings(self, request: str) -> Course:
        """Time goes on until the next clock, and it rings."""
        due = (await self.look(request)).due
        assert due is not None
        self.house.clock.time = max(self.house.clock.time, due.at) + timedelta(seconds=1)
        return await self.paper.ring(Rung(Kind.VALIDATION, request, Tick(due.name, due.at)))

    async def take(self, request: str, name: str, **more: Any) -> Course:
        """One step as the process would have it taken."""
        return await self.paper.take(Taken(Step(Kind.VALIDATION, request, name, **more), uuid4().hex))

    async def official(self, email: str) -> "Official":
        """Somebody of an authority, or of the platform, signed in."""
        secret = (await self.house.sign_in(email)).json()["session"]
        token = (await self.house.client.post("/tokens", headers=by(secret))).json()["token"]
        return Official(self, {"Authorization": f"Bearer {token}", "Accept-Language": "en"})

    async def temporary(self, course: str) -> str:
        """The password in the newest letter of a reset."""
        link = await self.house.one(
            "SELECT id FROM link WHERE course_id = :c AND purpose = 'password-temporary'", c=course
        )
        return self.paper.mint.temporary(str(link), self.paper.mint.current)


@dataclass
class Official:
    """Somebody who works at an authority, at identity's door."""

    territory: Territory
    headers: dict[str, str]

    async def sees(self, user: str) -> httpx2.Response:
        """One user, opened."""
        return await self.territory.house.client.get(f"/users/{user}", headers=self.headers)

    async def finds(self, **wanted: Any) -> Any:
        """A search."""
        answer = await self.territory.house.client.get("/users", params=wanted, headers=self.headers)
        return answer.json()

    async def decides(self, user: str, action: str, reason: str = "", revision: int | None = None) -> httpx2.Response:
        """One decision about what he sees."""
        if revision is None:
            revision = (await self.sees(user)).json().get("revision", 0)
        body = {"action": action, "revision": revision, "reason": reason}
        return await self.territory.post(f"/users/{user}/actions", body, **self.headers)

    async def corrects(self, user: str, **changes: Any) -> httpx2.Response:
        """What he sees, with corrections."""
        seen = (await self.sees(user)).json()
        names = ("revision", "first_name", "last_name", "language", "html", "organisation", "reach")
        edit = {name: seen[name] for name in names} | changes
        headers = self.headers | {"Idempotency-Key": uuid4().hex}
        return await self.territory.house.client.put(f"/users/{user}", json=edit, headers=headers)

    async def corrects_blindly(self, user: str) -> httpx2.Response:
        """A correction of somebody he does not see."""
        edit = {
            "revision": 1, "first_name": "A", "last_name": "B", "language": "en", "html": True, "reach": {},
            "organisation": {"name": "x", "address": "y", "postal_code": "31000", "country": "FR"},
        }  # fmt: skip
        headers = self.headers | {"Idempotency-Key": uuid4().hex}
        return await self.territory.house.client.put(f"/users/{user}", json=edit, headers=headers)
