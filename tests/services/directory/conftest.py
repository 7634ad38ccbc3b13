"""The directory with the organisations of the demonstration."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

import deploy
from services.directory import demo
from services.directory.app import create_app
from services.directory.settings import Settings
from shared.kit.db import Database
from shared.kit.process import Surroundings
from tests.services.conftest import NOON, Around, Clock, PassportOffice, Visitor

FILE = Path(str(deploy.__file__)).parent / "demo" / "organisations.json"


@dataclass
class House:
    """The directory service in this process, and a client at its door who is signed in."""

    around: Surroundings
    client: httpx2.AsyncClient
    clock: Clock

    async def names(self, **wanted: Any) -> list[str]:
        """The slugs of the organisations a search finds."""
        answer = await self.client.get("/organisations", params=wanted)
        assert answer.status_code == 200, answer.text
        return [each["slug"] for each in answer.json()["items"]]

    async def all(self, query: str, **params: Any) -> list[Any]:
        """The rows a query finds."""
        async with self.around.database.transaction() as session:
            return list((await session.execute(text(query), params)).all())


async def _demonstration(database: Database) -> None:
    await demo.load(database, FILE, Settings(demo_file=FILE).grants_file, NOON)


def _house(made: Surroundings, visit: Visitor, clock: Clock, passports: PassportOffice) -> House:
    client = visit(create_app(made))
    client.headers.update(passports.bearer(person_id=demo.person_id("thomas-hardy")))
    return House(made, client, clock)


@pytest.fixture
async def empty(around: Around, visit: Visitor, clock: Clock, passports: PassportOffice) -> House:
    """A directory without organisations."""
    return _house(await around("directory", Settings), visit, clock, passports)


@pytest.fixture
async def house(around: Around, visit: Visitor, clock: Clock, passports: PassportOffice) -> House:
    """The directory with the demonstration's organisations and roles."""
    made = await around("directory", Settings, _demonstration, demo=True, demo_file=FILE)
    return _house(made, visit, clock, passports)
