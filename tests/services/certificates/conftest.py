"""The certificates service with the guide's organisations, its paper, and a pen that needs no engine.

``Pen`` stands where the workflow engine stands in life: it carries an order to the real activities, through the real
payload converter, and keeps the order of orders. What the workflow itself adds is shown by tests/workflows.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from temporalio.contrib.pydantic import pydantic_data_converter

from services.certificates import commodities, paper, store
from services.certificates.activities import Activities, Extracts
from services.certificates.app import furnish, make_app
from services.certificates.events import remember_organisation
from services.certificates.models import CertificateRow
from services.certificates.seal import Seals, canonical, fingerprint
from services.certificates.settings import Settings
from shared.contracts.certificate_views import Edit, NewCertificate
from shared.contracts.certificates import (
    EXTRACT_LIFE,
    Batch,
    BatchRecord,
    BatchRecorded,
    Life,
    Order,
    Record,
    Recorded,
    Ring,
)
from shared.events.directory import OrganisationChanged
from shared.kit import log
from shared.kit.db import Database
from shared.kit.keys import keyring
from shared.kit.process import Surroundings
from shared.kit.sessions import Post
from shared.kit.temporal import Answer, Processes
from shared.rules.forms import SIGNATURES
from shared.rules.status import Status
from tests.services.certificates import world
from tests.services.conftest import NOON, Around, Clock, Fill, PassportOffice, Visitor
from tests.services.undoing import database, kept

__all__ = ["database", "kept"]

Bearer = Callable[..., dict[str, str]]
CARRY = pydantic_data_converter.payload_converter
WAY = {  # how a certificate gets there: who takes which step
    Status.DRAFT: (),
    Status.DESCRIPTION_COMPLETED: (("submit", world.EXPORTER),),
    Status.ISSUED: (("submit", world.EXPORTER), ("sign", world.BODY)),
    Status.CONSIGNMENT_VERIFIED: (("submit", world.EXPORTER), ("sign", world.BODY), ("verify", world.POST)),
    Status.FIRST_CONSIGNEE_SIGNED: (
        ("submit", world.EXPORTER),
        ("sign", world.BODY),
        ("verify", world.POST),
        ("receive", world.CONSIGNEE),
    ),
}
TABLES = ("certificate", "journal", "sealed", "signing_key", "number_series", "outbox", "party")


class Pen(Processes):
    """Carries orders to the paper, one at a time per certificate, in this process."""

    def __init__(self, activities: Activities) -> None:
        self.activities = activities
        self.extracts = Extracts(activities.database, activities.seals, activities.now)
        self.asked: list[str] = []
        self._one: dict[str, asyncio.Lock] = {}

    async def ask(
        self, name: str, order: Any, *, workflow: str, workflow_id: str, life: Any, key: str, answer: type[Answer]
    ) -> Answer:
        of_extract = workflow == EXTRACT_LIFE
        told = CARRY.from_payloads(CARRY.to_payloads([order, life]), [Order, Batch if of_extract else Life])
        assert told[0].action == name
        self.asked.append(name)
        recorded: Recorded | BatchRecorded
        async with self._one.setdefault(workflow_id, asyncio.Lock()):
            if of_extract:
                recorded = await self.extracts.record(BatchRecord(told[1].extract_id, told[0], key))
            else:
                recorded = await self.activities.record(Record(told[1].certificate_id, told[0], key))
        assert isinstance(recorded.answer, answer)
        return recorded.answer


@dataclass
class House:
    """The certificates service in this process: its database, its activities, its HTTP door."""

    around: Surroundings
    activities: Activities
    clock: Clock
    bearer: Bearer
    visit: Visitor
    pen: Pen
    doors: dict[str, httpx2.AsyncClient] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return self.around.database

    @property
    def app(self) -> FastAPI:
        """The service's HTTP app, furnished for this house."""
        if not APP:
            APP.append(make_app(self.around))
        if APP[0].state.around is not self.around:
            furnish(APP[0], self.around)
        return APP[0]

    # ── asking the store ──────────────────────────────────────────────────────────────────────────────────────

    async def draft(self, by: str = world.EXPORTER, key: str | None = None, **boxes: Any) -> str:
        """A new draft of this organisation; its id."""
        return await self.drafted(world.boxes(**boxes), by, key)

    async def drafted(
        self, content: dict[str, Any], by: str = world.EXPORTER, key: str | None = None, model: str = "COI_2017"
    ) -> str:
        """A new draft with exactly these boxes; its id."""
        new = NewCertificate(form_model=model, content=content)
        async with self.database.transaction() as session:
            return (await store.create(session, world.person(by), new, key or fresh(), self.clock())).id

    async def edit(
        self,
        certificate_id: str,
        by: str,
        key: str | None = None,
        revision: int | None = None,
        changes: dict[str, Any] | None = None,
        **more: Any,
    ) -> int:
        """Boxes changed by this organisation on the newest revision, or the one named; the revision they got."""
        seen = revision or (await self.row(certificate_id)).revision
        change = Edit(revision=seen, changes={**(changes or {}), **more})
        gather = self.around.settings.edits_gather_seconds

        async with self.database.transaction() as session:
            row = await store.edit(
                session,
                certificate_id,
                world.person(by),
                change,
                key or fresh(),
                self.clock(),
                timedelta(seconds=gather),
            )
            return row.revision

    async def order(self, certificate_id: str, action: str, by: str, **more: Any) -> Order:
        """An order on what this organisation sees now; `more` says what is otherwise."""
        row = await self.row(certificate_id)
        mark = await self.fingerprint(certificate_id) if action in SIGNATURES else None
        told: dict[str, Any] = {
            "action": action,
            "actor": world.person(by, proved_at=self.clock()),
            "revision": row.revision,
            "form": world.FORMS.get(action, {}),
            "fingerprint": mark,
        }
        return Order(**{**told, **more})

    async def move(self, certificate_id: str, action: str, by: str, key: str | None = None, **more: Any) -> Recorded:
        """One move on paper."""
        order = await self.order(certificate_id, action, by, **more)
        return await self.activities.record(Record(certificate_id, order, key or fresh()))

    async def at(self, status: Status, **boxes: Any) -> str:
        """A certificate that stands there, reached by the guide's way; its id."""
        certificate_id = await self.draft(**boxes)
        for action, by in WAY[status]:
            await self.move(certificate_id, action, by)
        return certificate_id

    async def ring(self, certificate_id: str) -> Life:
        """The clock that is due, rung now."""
        due = (await self.look(certificate_id)).due
        assert due is not None
        return await self.activities.ring(Ring(certificate_id, due))

    async def look(self, certificate_id: str) -> Life:
        """What the process would believe now."""
        return await self.activities.look(certificate_id)

    # ── looking into the database ─────────────────────────────────────────────────────────────────────────────

    async def row(self, certificate_id: str) -> CertificateRow:
        """The certificate's row as it stands now."""
        async with self.database.transaction() as session:
            return await store.found(session, certificate_id)

    async def fingerprint(self, certificate_id: str) -> str:
        """What a signature over the present revision would cover."""
        async with self.database.transaction() as session:
            row = await store.found(session, certificate_id)
            _, sources = await store.facts(session, row.content, self.clock())
            return fingerprint(canonical(paper.document(row, sources)))

    async def all(self, query: str, **params: Any) -> list[Any]:
        """The rows a query finds."""
        async with self.database.transaction() as session:
            return list((await session.execute(text(query), params)).all())

    async def one(self, query: str, **params: Any) -> Any:
        """The first value of the only row a query finds."""
        (row,) = await self.all(query, **params)
        return row[0]

    async def run(self, statement: str, **params: Any) -> None:
        """One statement in a transaction of its own."""
        async with self.database.transaction() as session:
            await session.execute(text(statement), params)

    async def journal(self, certificate_id: str) -> list[Any]:
        """The certificate's journal, oldest line first."""
        return await self.all("SELECT * FROM journal WHERE certificate_id = :id ORDER BY seq", id=certificate_id)

    async def told(self, thing: str = "%") -> list[dict[str, Any]]:
        """The events announced so far, oldest first: ``moved``, ``edited``, ``drafted``, ``clock_rang``."""
        found = await self.all(
            "SELECT body FROM outbox WHERE kind = 'event' AND subject LIKE :s ORDER BY id", s=f"%.{thing}.v1"
        )
        return [row[0] for row in found]

    async def wakes(self, certificate_id: str) -> int:
        """How many calls wait to wake the certificate's process."""
        target = f"certificate-{certificate_id}"
        return int(
            await self.one(
                "SELECT count(*) FROM outbox WHERE target = :t AND kind = 'wake' AND done_at IS NULL", t=target
            )
        )

    async def digest(self) -> str:
        """A fingerprint of everything in the database: two alike mean that nothing was changed in between."""
        parts = " || ".join(
            f"coalesce((SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t), '-')" for table in TABLES
        )
        return str(await self.one(f"SELECT {parts}"))

    # ── what the directory says ───────────────────────────────────────────────────────────────────────────────

    async def directory_says(self, organisation: str, revision: int = 2, **fields: Any) -> str:
        """The directory's newest word on an organisation; the id of the event it came with."""
        event = said(organisation, revision, **fields)
        async with self.database.transaction() as session:
            await remember_organisation(session, event)
        return str(event.id)

    # ── asking at the door ────────────────────────────────────────────────────────────────────────────────────

    def door(self, organisation: str, language: str = "en") -> httpx2.AsyncClient:
        """A client at the HTTP door, signed in for this organisation; each order needs a key."""
        mark = f"{organisation} {language}"
        if mark not in self.doors:
            who = world.person(organisation)
            client = self.visit(self.app)
            client.headers.update(
                self.bearer(Post(organisation, who.role_type), person_id=who.person_id, name=who.name, proved_at=NOON)
            )
            client.headers["Accept-Language"] = language
            self.doors[mark] = client
        return self.doors[mark]

    async def get(self, organisation: str, path: str, language: str = "en", **params: Any) -> Any:
        """What the door answers to a reader, who must be answered."""
        answer = await self.door(organisation, language).get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def act(self, organisation: str, certificate_id: str, action: str, **more: Any) -> httpx2.Response:
        """An order at the door, on what this organisation sees now."""
        order = await self.order(certificate_id, action, organisation)
        wish = {
            "action": action,
            "revision": order.revision,
            "form": order.form,
            "fingerprint": order.fingerprint,
            **more,
        }
        headers = {"Idempotency-Key": wish.pop("key", None) or fresh()}
        return await self.door(organisation).post(
            f"/certificates/{certificate_id}/actions", content=json.dumps(wish), headers=headers | JSON
        )


APP: list[FastAPI] = []
"""The one app of all tests of this process: FastAPI takes half a second to learn its doors."""


JSON = {"Content-Type": "application/json"}


def fresh() -> str:
    """A key that nobody has used."""
    return uuid4().hex


def said(organisation: str, revision: int = 1, **fields: Any) -> OrganisationChanged:
    """What the directory says of an organisation, with some of it otherwise."""
    record = world.ORGANISATIONS[organisation].model_copy(update=fields)
    return OrganisationChanged(at=NOON, organisation=record, revision=revision)


async def the_story(database: Database) -> None:
    """The organisations of the story and the commodities it needs."""
    years: dict[str, Any] = {"valid_from": date(2022, 1, 1), "valid_to": None, "category": None}
    async with database.transaction() as session:
        for organisation in world.ORGANISATIONS:
            await remember_organisation(session, said(organisation))
        await commodities.load(session, [{**years, **row} for row in world.COMMODITIES])


@pytest.fixture(scope="session", autouse=True)
def quiet() -> None:
    """Logs as in life, one line each: drawing a traceback with its variables takes half a minute."""
    log.set_up("certificates", "ERROR")


async def the_house(around: Around, visit: Visitor, clock: Clock, passports: PassportOffice, fill: Fill) -> House:
    """The service around a database that was filled like this."""
    made = await around("certificates", Settings, fill)
    seals = Seals(keyring(made.settings.codec_key_file, "seals"))
    activities = Activities(made.database, seals, clock)
    made.processes = pen = Pen(activities)
    return House(made, activities, clock, passports.bearer, visit, pen)


@pytest.fixture
async def house(around: Around, visit: Visitor, clock: Clock, passports: PassportOffice) -> House:
    """The service with the story's organisations and no certificate yet."""
    return await the_house(around, visit, clock, passports, the_story)
