"""A post office: the notifications service, a town hall that knows the people, and a real mail server on the loop."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from aiosmtpd.smtp import SMTP, Envelope
from sqlalchemy import select

from services.notifications.app import create_app
from services.notifications.events import HANDLERS
from services.notifications.mailer import Mailer
from services.notifications.models import LetterRow, NewsRow
from services.notifications.settings import Settings
from shared.contracts.identity import Recipient
from shared.events.base import Event
from shared.events.certificates import CertificateMoved
from shared.events.directory import ActivityPart, Organisation, OrganisationChanged, RoleGranted
from shared.kit.http import ServiceClient
from shared.kit.keys import keyring
from shared.kit.outbox import Letterbox
from shared.kit.process import Surroundings
from shared.kit.sessions import Post
from shared.rules.permissions import Tie
from shared.rules.refusals import Refused
from shared.rules.roles import RoleType
from shared.rules.status import Action, Status
from tests.services.conftest import NOON, Around, Clock, PassportOffice, Visitor
from tests.services.undoing import database, kept

__all__ = ["database", "kept"]

CERTIFICATE = "00000000-0000-4000-8000-0000000c0100"
NUMBER = "COI.MA.2026.0000001"
PARTIES = {
    Tie.CREATOR: ["atlas"],
    Tie.EXPORTER: ["atlas"],
    Tie.ISSUER: ["ecocert"],
    Tie.IMPORTER: ["pyrenees"],
    Tie.CONSIGNEE: ["garonne"],
    Tie.ENTRY_AUTHORITY: ["perpignan"],
    Tie.CENTRAL_AUTHORITY: ["dgccrf"],
}
PEOPLE = {
    # person: his organisation, language, zone
    "youssef": ("atlas", "fr", "Africa/Casablanca"),
    "salma": ("atlas", "en", "Africa/Casablanca"),
    "ines": ("ecocert", "fr", "Europe/Paris"),
    "claire": ("pyrenees", "fr", "Europe/Paris"),
    "luc": ("garonne", "fr", "Europe/Paris"),
    "paul": ("perpignan", "fr", "Europe/Paris"),
    "anne": ("dgccrf", "fr", "Europe/Paris"),
    "bram": ("certisys", "en", "Europe/Brussels"),
    "camille": ("ops", "fr", "Europe/Paris"),
}
NAMES = {
    "atlas": "Atlas Bio Export (démonstration)",
    "ecocert": "ECOCERT SA (démonstration)",
    "pyrenees": "Pyrénées Bio Import (démonstration)",
    "garonne": "Garonne Bio (démonstration)",
    "perpignan": "Perpignan (démonstration)",
    "dgccrf": "DGCCRF (démonstration)",
    "certisys": "CERTISYS (démonstration)",
    "ops": "Bordereau (démonstration)",
}


def person_id(name: str) -> str:
    """A person's id, as long as a real one."""
    return f"00000000-0000-4000-8000-{name.encode().hex():0>12.12}"


class TownHall(ServiceClient):
    """Identity as a letter-writer sees it: it knows people and hands out links, unless it is shut."""

    def __init__(self, key_file: Path) -> None:
        super().__init__("notifications", lambda service: f"http://{service}", keyring(key_file, "services"))
        self.people = {
            person_id(name): Recipient(
                id=person_id(name), name=name.title(), email=f"{name}@{place}.example", language=language,
                time_zone=zone, demo=True,
            )
            for name, (place, language, zone) in PEOPLE.items()
        }  # fmt: skip
        self.links = {"link-1": "https://bordereau.example/password/secret"}
        self.announced: dict[str, list[Letterbox]] = {}
        self.shut = False
        self.asked = 0

    async def get(self, service: str, path: str, **params: Any) -> Any:
        """A person or a link, by its path."""
        assert service == "identity"
        if self.shut:
            raise Refused("unavailable")
        self.asked += 1
        _, kind, key = path.split("/")
        if kind == "people" and key in self.people:
            return self.people[key].model_dump(mode="json")
        if kind == "links" and key in self.links:
            return {"url": self.links[key]}
        raise Refused("not_found")

    async def feed(self, publisher: str, after: int) -> list[Letterbox]:
        """What another service announced that the bus did not bring."""
        return [letter for letter in self.announced.get(publisher, []) if letter.seq > after]

    def announces(self, seq: int, event: Event) -> None:
        """Another service keeps this event under this number, whatever becomes of it on the bus."""
        body = event.model_dump(mode="json")
        letter = Letterbox(seq=seq, message_id=event.id, subject=event.subject, body=body)
        self.announced.setdefault(event.publisher(), []).append(letter)

    def change(self, name: str, /, **what: Any) -> None:
        """Something about a person is different from now on."""
        self.people[person_id(name)] = self.people[person_id(name)].model_copy(update=what)


@dataclass
class MailServer:
    """A mail server on the loop: it may be shut and opened again on its port, and may lose its answers."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """What it says to the next letters instead of taking them."""
    loses_answers: int = 0
    """So many letters are taken, and the line breaks before it says so."""

    def __post_init__(self) -> None:
        self._arrival = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Take letters, always on the same port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="mail.example", enable_SMTPUTF8=True, loop=loop), "127.0.0.1", self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Take nothing, not even a call."""
        assert self._server
        self._server.close()
        self._server = None

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:
        """Take one letter, or answer as told."""
        if self.answers:
            return self.answers.pop(0)
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self._arrival.set()
        if self.loses_answers:
            self.loses_answers -= 1
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 taken"

    async def has(self, number: int) -> list[str]:
        """The Message-IDs of everything taken, once there are so many."""
        async with asyncio.timeout(30):
            while len(self.taken) < number:
                self._arrival.clear()
                await self._arrival.wait()
        return self.ids

    def to(self, name: str) -> list[EmailMessage]:
        """The letters a person got."""
        return [message for message in self.taken if f"<{name}@" in message["To"]]

    @property
    def ids(self) -> list[str]:
        """The Message-IDs of everything taken, in order."""
        return [message["Message-ID"] for message in self.taken]


@dataclass
class PostOffice:
    """The notifications service in this process, with everything around it."""

    around: Surroundings
    hall: TownHall
    server: MailServer
    clock: Clock
    mailer: Mailer
    client: httpx2.AsyncClient
    passports: PassportOffice

    async def hear(self, *events: Event) -> None:
        """What the listeners do with events: each in a transaction of its own."""
        for event in events:
            async with self.around.database.transaction() as session:
                await HANDLERS[type(event)](session, event)

    async def deliver(self) -> None:
        """Send what can be sent now."""
        while await self.mailer.round():
            pass

    async def letters(self) -> list[LetterRow]:
        """All letters."""
        async with self.around.database.transaction() as session:
            return list((await session.execute(select(LetterRow).order_by(LetterRow.person_id))).scalars())

    async def news(self) -> list[NewsRow]:
        """All news."""
        async with self.around.database.transaction() as session:
            return list((await session.execute(select(NewsRow).order_by(NewsRow.person_id))).scalars())

    def as_(self, name: str) -> dict[str, str]:
        """The header of a person at the door."""
        organisation, language, _ = PEOPLE[name]
        kind = RoleType.SYS_ADMIN if organisation == "ops" else RoleType.OPERATOR
        return self.passports.bearer(Post(organisation, kind), person_id=person_id(name), language=language)


def organisation(slug: str, /, **more: Any) -> OrganisationChanged:
    """The directory tells of an organisation."""
    revision = more.pop("revision", 1)
    record = Organisation(id=slug, kind="OPERATOR", name=NAMES[slug], country="FR", status="VALID", demo=True)
    return OrganisationChanged(at=NOON, organisation=record.model_copy(update=more), revision=revision)


def granted(name: str, /, **more: Any) -> RoleGranted:
    """The directory tells of a person's role."""
    what = {"person_id": person_id(name), "organisation_id": PEOPLE[name][0], "role_type": "OPERATOR", "at": NOON}
    return RoleGranted(**(what | more))


def moved(action: Action, source: Status, target: Status, by: str, /, **more: Any) -> CertificateMoved:
    """The certificates service tells of a move."""
    what: dict[str, Any] = {
        "id": uuid4(), "at": NOON, "certificate_id": CERTIFICATE, "number": NUMBER, "source": source, "target": target,
        "action": action, "revision": 2, "by": by, "parties": PARTIES,
    }  # fmt: skip
    return CertificateMoved(**(what | more))


def submitted(**more: Any) -> CertificateMoved:
    """Atlas submits to ECOCERT."""
    return moved(Action.SUBMIT, Status.DRAFT, Status.DESCRIPTION_COMPLETED, "atlas", **more)


def signed(**more: Any) -> CertificateMoved:
    """ECOCERT signs box 18."""
    return moved(Action.SIGN, Status.DESCRIPTION_COMPLETED, Status.ISSUED, "ecocert", **more)


def everybody() -> Sequence[Event]:
    """What the directory has told before: organisations and people; the importer is certified by CERTISYS."""
    certified = [ActivityPart(kind="ORG_IMPORTER", control_body="certisys")]
    return (
        *(organisation(name, activities=certified if name == "pyrenees" else []) for name in NAMES),
        *(granted(name) for name in PEOPLE),
    )


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    """A mail server that is open."""
    made = MailServer()
    await made.open()
    yield made
    if made._server:
        await made.shut()


@pytest.fixture
async def office(
    around: Around, clock: Clock, passports: PassportOffice, server: MailServer, visit: Visitor, tmp_path: Path
) -> AsyncIterator[PostOffice]:
    """A post office that has heard of everybody."""
    hall = TownHall(tmp_path / "codec.key")
    place = await around(
        "notifications", Settings, smtp_port=server.port, letters_per_second=10_000, demo=True,
        portal_url="https://bordereau.example",
    )  # fmt: skip
    place = replace(place, others=hall)
    made = PostOffice(place, hall, server, clock, Mailer(place), visit(create_app(place)), passports)
    await made.hear(*everybody())
    yield made
    await made.mailer._hang_up()
    await hall.close()
