"""Identity with two persons of its own: one active, one blocked; hashing is cheap here."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from services.identity import store
from services.identity.api import Desk
from services.identity.app import create_app, furnish
from services.identity.models import AccountRow, OrganisationRow, PostRow
from services.identity.passwords import Passwords
from services.identity.rules import AccountStatus, email_key
from services.identity.settings import Settings
from shared.kit.db import Database
from shared.kit.process import Surroundings
from shared.kit.sessions import Gatekeeper
from shared.kit.settings import Registering
from tests.services.conftest import NOON, Around, Clock, Fill, PassportOffice, Visitor
from tests.services.undoing import database, kept

__all__ = ["database", "kept"]

CHEAP: dict[str, Any] = {"argon2_memory_kib": 64, "argon2_passes": 1, "registration": Registering.BOTH}
PASSWORD = "Correct-horse-1"
CLAIRE = "00000000-0000-4000-8000-00000000c1a1"
BLOCKED = "00000000-0000-4000-8000-00000000b10c"
DEMO = "00000000-0000-4000-8000-00000000de30"
TOULOUSE = "00000000-0000-4000-8000-0000000000aa"
PERPIGNAN = "00000000-0000-4000-8000-0000000000bb"


@dataclass
class House:
    """The identity service in this process, and a client at its door."""

    around: Surroundings
    client: httpx2.AsyncClient
    clock: Clock
    desk: Desk

    async def sign_in(self, email: str = "claire@pyrenees.example", password: str = PASSWORD, **headers: str) -> Any:
        """The answer to an attempt."""
        return await self.client.post("/sessions", json={"email": email, "password": password}, headers=headers)

    async def secret(self) -> str:
        """The secret of a fresh session of Claire's."""
        return str((await self.sign_in()).json()["session"])

    async def announced(self, subject: str) -> list[dict[str, Any]]:
        """The bodies of the events of one kind, oldest first."""
        async with self.around.database.transaction() as session:
            rows = await session.execute(text("SELECT body FROM outbox WHERE subject = :s ORDER BY id"), {"s": subject})
            return [row[0] for row in rows]

    async def one(self, query: str, **params: Any) -> Any:
        """The first value a query finds."""
        async with self.around.database.transaction() as session:
            return (await session.execute(text(query), params)).scalar_one()


def by(secret: str) -> dict[str, str]:
    """The header of a session."""
    return {"Authorization": f"Session {secret}"}


APP: list[FastAPI] = []
"""The one app of these tests, furnished for each house: its table of routes takes longer to make than a test."""


async def the_people(database: Database) -> None:
    """The persons of this file, and two organisations."""
    passwords = Passwords(Settings(**CHEAP))
    kept = await passwords.hashed(PASSWORD)
    passwords.close()
    async with database.transaction() as session:
        await store.add_accounts(session, [_account(*each, kept) for each in _PEOPLE])
        for organisation_id, name in ((TOULOUSE, "Pyrénées Bio Import"), (PERPIGNAN, "Perpignan")):
            await store.remember_organisation(
                session, OrganisationRow(id=organisation_id, name=name, status="VALID", revision=1)
            )
        await store.remember_post(
            session,
            PostRow(person_id=CLAIRE, organisation_id=TOULOUSE, role_type="OPERATOR", administrator=True, since=NOON),
        )


@pytest.fixture
def fill() -> Fill:
    """Who is there; a file of tests may name others."""
    return the_people


@pytest.fixture
async def house(
    around: Around, visit: Visitor, clock: Clock, passports: PassportOffice, fill: Fill
) -> AsyncIterator[House]:
    made = await around("identity", Settings, fill, **CHEAP)
    if not APP:
        APP.append(create_app(made))
    (app,) = APP
    door = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app))
    made.gatekeeper = Gatekeeper("http://identity", passports.services, door, lambda: clock().timestamp())
    furnish(app, made)
    yield House(made, visit(app), clock, app.state.desk)
    await door.aclose()


_PEOPLE = (
    (CLAIRE, "Claire", "Delmas", "Claire@Pyrenees.example", AccountStatus.ACTIVE, False),
    (BLOCKED, "Paul", "Renaud", "blocked@inao.example", AccountStatus.BLOCKED, False),
    (DEMO, "Luc", "Marty", "demo@garonne.example", AccountStatus.ACTIVE, True),
)


def _account(
    person_id: str, first: str, last: str, email: str, status: AccountStatus, demo: bool, kept: str
) -> AccountRow:
    return AccountRow(
        id=person_id,
        first_name=first,
        last_name=last,
        email=email,
        email_key=email_key(email),
        password_hash=kept,
        status=status,
        demo=demo,
        created_at=NOON,
    )
