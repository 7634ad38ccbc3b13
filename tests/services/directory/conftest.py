"""The directory with the organisations of the demonstration."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text

import deploy
from services.directory import demo
from services.directory.activities import Activities
from services.directory.app import create_app, furnish
from services.directory.settings import Settings
from shared.contracts.directory import OPERATOR_VALIDATION, ROLE_VALIDATION, Note, Rung, Standing
from shared.kit.db import Database
from shared.kit.process import Surroundings
from shared.kit.sessions import Post
from shared.kit.temporal import Processes
from tests.services.conftest import NOON, Around, Clock, PassportOffice, Visitor
from tests.services.undoing import database, kept

__all__ = ["database", "kept"]

JSON = Any
APP: list[FastAPI] = []
"""The one app of these tests, furnished for each house: its table of routes takes longer to make than a test."""
FILE = Path(str(deploy.__file__)).parent / "demo" / "organisations.json"


class PenAtHand(Processes):
    """Processes without an engine: an instruction goes straight to the paper, as the workflow would send it."""

    def __init__(self, activities: Activities) -> None:
        self.activities = activities
        self.asked: list[str] = []

    async def ask(
        self, name: str, order: Any, *, workflow: str, workflow_id: str, life: Any, key: str, answer: type[Any]
    ) -> Any:
        self.asked.append(workflow_id)
        note = Note(life.id, order, key)
        if workflow == ROLE_VALIDATION:
            return (await self.activities.record_role(note)).answer
        if workflow == OPERATOR_VALIDATION:
            return (await self.activities.record_proposal(note)).answer
        return (await self.activities.record_standing(note)).answer


@dataclass
class Somebody:
    """A person at the door of the directory, acting for an organisation or for none."""

    house: "House"
    slug: str
    acting_for: str | None
    headers: dict[str, str]

    @property
    def id(self) -> str:
        """The person's id."""
        return demo.person_id(self.slug)

    async def asks(
        self, method: str, path: str, body: JSON = None, key: str | None = None, **params: Any
    ) -> httpx2.Response:
        """What the door answers."""
        headers = {**self.headers, "Idempotency-Key": key or uuid4().hex}
        return await self.house.client.request(method, path, json=body, headers=headers, params=params or None)

    async def gets(self, path: str, **params: Any) -> JSON:
        """What is there to read."""
        answer = await self.asks("GET", path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def does(self, method: str, path: str, body: JSON = None, key: str | None = None) -> JSON:
        """What comes of a command that is not refused."""
        answer = await self.asks(method, path, body, key)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def refused(self, method: str, path: str, body: JSON = None, key: str | None = None) -> str:
        """The code of the refusal."""
        answer = await self.asks(method, path, body, key)
        assert answer.status_code >= 400, answer.text
        return str(answer.json()["code"])

    async def wants(self, *slugs: str, **more: Any) -> JSON:
        """Asks for roles."""
        wanted = [{"organisation_id": demo.organisation_id(slug)} for slug in slugs]
        return await self.does("POST", "/role-requests", {"wanted": wanted, **more})

    async def steps(self, role: JSON, action: str, reason: str = "", key: str | None = None) -> httpx2.Response:
        """Takes a step about a role, in the revision he is shown."""
        body = {"action": action, "revision": role["revision"], "form": {"reason": reason} if reason else {}}
        return await self.asks("POST", f"/role-requests/{role['id']}/steps", body, key)

    async def steps_well(self, role: JSON, action: str, reason: str = "") -> JSON:
        """The same, when it is not refused."""
        answer = await self.steps(role, action, reason)
        assert answer.status_code == 200, answer.text
        return answer.json()


@dataclass
class House:
    """The directory service in this process, and a client at its door who is signed in."""

    around: Surroundings
    client: httpx2.AsyncClient
    clock: Clock
    passports: PassportOffice

    async def names(self, **wanted: Any) -> list[str]:
        """The slugs of the organisations a search finds."""
        answer = await self.client.get("/organisations", params=wanted)
        assert answer.status_code == 200, answer.text
        return [each["slug"] for each in answer.json()["items"]]

    def person(
        self, slug: str, acting_for: str | None = None, role_type: str = "", administrator: bool = False
    ) -> Somebody:
        """Somebody of the demonstration, or somebody new, with a token for one post or for none."""
        where = demo.organisation_id(acting_for) if acting_for else None
        posts = [Post(where, role_type or "OPERATOR", administrator)] if where else []
        name = slug.replace("-", " ").title()
        headers = self.passports.bearer(*posts, person_id=demo.person_id(slug), name=name)
        return Somebody(self, slug, acting_for, headers)

    async def ring_role(self, role: JSON) -> Standing:
        """Let the next clock of a role ring, as its process would once the time has come."""
        pen = self.around.processes
        assert isinstance(pen, PenAtHand)
        due = (await pen.activities.look_role(role["id"])).due
        assert due is not None
        self.clock.time = max(self.clock.time, due.at)
        return await pen.activities.ring_role(Rung(role["id"], due))

    async def ring_proposal(self, proposal_id: str) -> Standing:
        """Let the next clock of a proposal ring."""
        pen = self.around.processes
        assert isinstance(pen, PenAtHand)
        due = (await pen.activities.look_proposal(proposal_id)).due
        assert due is not None
        self.clock.time = max(self.clock.time, due.at)
        return await pen.activities.ring_proposal(Rung(proposal_id, due))

    async def ring_standing(self, slug: str) -> Standing:
        """Let the next date of an organisation come."""
        pen = self.around.processes
        assert isinstance(pen, PenAtHand)
        where = demo.organisation_id(slug)
        due = (await pen.activities.look_standing(where)).due
        assert due is not None
        self.clock.time = max(self.clock.time, due.at)
        return await pen.activities.ring_standing(Rung(where, due))

    async def news(self) -> list[Any]:
        """Everything announced so far, the oldest first."""
        return [
            (subject, body)
            for subject, body in await self.all("SELECT subject, body FROM outbox WHERE kind = 'event' ORDER BY id")
        ]

    async def all(self, query: str, **params: Any) -> list[Any]:
        """The rows a query finds."""
        async with self.around.database.transaction() as session:
            return list((await session.execute(text(query), params)).all())


async def _demonstration(database: Database) -> None:
    await demo.load(database, FILE, Settings(demo_file=FILE).grants_file, NOON)


def _house(made: Surroundings, visit: Visitor, clock: Clock, passports: PassportOffice) -> House:
    made.processes = PenAtHand(Activities(made.database, clock))
    if not APP:
        APP.append(create_app(made))
    furnish(APP[0], made)
    client = visit(APP[0])
    client.headers.update(passports.bearer(person_id=demo.person_id("thomas-hardy")))
    return House(made, client, clock, passports)


@pytest.fixture
async def empty(around: Around, visit: Visitor, clock: Clock, passports: PassportOffice) -> House:
    """A directory without organisations."""
    return _house(await around("directory", Settings), visit, clock, passports)


@pytest.fixture
async def house(around: Around, visit: Visitor, clock: Clock, passports: PassportOffice) -> House:
    """The directory with the demonstration's organisations and roles."""
    made = await around("directory", Settings, _demonstration, demo=True, demo_file=FILE)
    return _house(made, visit, clock, passports)
