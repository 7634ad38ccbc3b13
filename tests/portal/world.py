"""The services in memory: each class fulfils the portal's own abstract client, with the demo organisations in it.

They ask the real law for rights and moves, and are otherwise as simple as a page needs.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from services.portal.clients import Caller, Clients, NotificationsClient, OpsClient
from shared.contracts.certificate_views import SignatureView
from shared.contracts.identity import PersonView, PostView
from shared.contracts.notifications import LetterPage, LetterView, NewsPage, NewsView
from shared.contracts.organisations import ActivityView, OrganisationView
from shared.rules.status import Action, Status
from tests.portal.batches import ExtractsInMemory
from tests.portal.classic import ClassicInMemory
from tests.portal.factors import FactorsInMemory
from tests.portal.making import MakingInMemory
from tests.portal.papers import SIGNED, CertificatesInMemory, Paper, fingerprint
from tests.portal.people import (
    DEMO,
    NOON,
    PASSWORD,
    DirectoryInMemory,
    IdentityInMemory,
    organisation_id,
    person_id,
)
from tests.portal.registry import AccountsInMemory
from tests.portal.tools import ToolsInMemory

__all__ = ["DEMO", "NOON", "PASSWORD", "Paper", "World", "build", "organisation_id"]


@dataclass
class NotificationsInMemory(NotificationsClient):
    """News and letters, as many as a test puts here."""

    items: list[NewsView] = field(default_factory=list)
    posted: list[LetterView] = field(default_factory=list)

    async def news(self, caller: Caller, after: str = "", limit: int = 20) -> NewsPage:
        return NewsPage(items=self.items[:limit], next=None, unread=sum(not each.read for each in self.items))

    async def read(self, caller: Caller, news_id: str) -> None:
        self.items = [each.model_copy(update={"read": True}) if each.id == news_id else each for each in self.items]

    async def read_all(self, caller: Caller, until: str) -> None:
        read = [each.read or not until or each.at <= datetime.fromisoformat(until) for each in self.items]
        self.items = [each.model_copy(update={"read": known}) for each, known in zip(self.items, read, strict=True)]

    async def letters(self, caller: Caller, certificate_id: str) -> LetterPage:
        return LetterPage(items=[each for each in self.posted if each.certificate_id == certificate_id], next=None)

    async def close(self) -> None:
        pass


@dataclass
class OpsInMemory(OpsClient):
    """What the platform's administrators see."""

    posted: list[LetterView] = field(default_factory=list)
    retried: list[str] = field(default_factory=list)

    async def outbox(self, caller: Caller, service: str) -> dict[str, Any]:
        dead = {"publisher": "directory", "seq": 7, "subject": "directory.role.granted.v1", "error": "KeyError"}
        return {
            "letters": {"WAITING": 1, "SENT": 27, "FAILED": 0},
            "waiting": [{"kind": "wake", "number": 2, "oldest": NOON.isoformat()}],
            "heard": [{"publisher": "directory", "seq": 85, "at": NOON.isoformat()}],
            "dead_letters": [{**dead, "at": NOON.isoformat()}] if service == "notifications" else [],
        }

    async def process(self, caller: Caller, certificate_id: str) -> dict[str, Any]:
        return {
            "id": certificate_id, "number": "COI.MA.2026.0000001", "form_model": "COI_2017", "status": "ISSUED",
            "awaits": "await_box_20", "turn": ["ENTRY_AUTHORITY"], "revision": 3, "entered_at": NOON.isoformat(),
            "due": "arrival_near", "due_at": NOON.isoformat(), "workflow": f"certificate-{certificate_id}",
            "journal_length": 3,
        }  # fmt: skip

    async def letters(self, caller: Caller, state: str = "", after: str = "") -> LetterPage:
        return LetterPage(items=[each for each in self.posted if state in ("", each.state)], next=None)

    async def retry(self, caller: Caller, letter_id: str) -> None:
        self.retried.append(letter_id)

    async def close(self) -> None:
        pass


@dataclass
class World:
    """Everything, with its clients."""

    identity: IdentityInMemory
    directory: DirectoryInMemory
    certificates: CertificatesInMemory
    notifications: NotificationsInMemory
    ops: OpsInMemory
    accounts: AccountsInMemory = field(default_factory=AccountsInMemory)
    extracts: ExtractsInMemory = field(default_factory=ExtractsInMemory)
    classic: ClassicInMemory = field(default_factory=ClassicInMemory)
    making: MakingInMemory = field(default_factory=MakingInMemory)
    factors: FactorsInMemory = field(default_factory=FactorsInMemory)
    tools: ToolsInMemory = field(default_factory=ToolsInMemory)

    @property
    def clients(self) -> Clients:
        """The clients as the portal takes them."""
        own = (self.identity, self.directory, self.certificates, self.notifications, self.ops, self.accounts)
        return Clients(*own, self.extracts, self.classic, self.making, self.factors, self.tools)

    def caller(self, email: str) -> Caller:
        """Somebody, in his first post."""
        return Caller(email, self.identity.people[email].posts[0].organisation_id)

    def paper(self, status: Status = Status.DRAFT, **content: Any) -> Paper:
        """A certificate of the story, in some status."""
        paper = Paper(str(uuid4()), organisation_id("atlas-bio-export"), STORY() | content, status)
        paper.content = self.certificates._derived(paper.content)
        if status is not Status.DRAFT:
            paper.number = f"COI.MA.2026.{len(self.certificates.papers) + 1:07d}"
            paper.revision = 7
        self.certificates.papers[paper.id] = paper
        self.certificates._write(paper, self.caller("exporter@atlas.example"), "create", None, {})
        later = (Status.ISSUED, Status.CONSIGNMENT_VERIFIED, Status.FIRST_CONSIGNEE_SIGNED, Status.BASE_FOR_EXTRACT)
        for reached, box, action, email in (
            (later, "18", Action.SIGN, "inspector@ecocert.example"),
            (later[1:], "20", Action.VERIFY, "officer@perpignan.example"),
            (later[2:3], "21", Action.RECEIVE, "consignee@garonne.example"),
        ):
            if status in reached:
                person = self.identity.people[email]
                form = {"documentary": "acceptable", "physical": "not_done"}
                paper.signatures.append(
                    SignatureView(
                        box=box,
                        action=action,
                        person=f"{person.first_name} {person.last_name}",
                        organisation=self.directory.party(person.posts[0].organisation_id),
                        at=NOON,
                        revision=5,
                        fingerprint=fingerprint(paper.content),
                        form=form,
                    )
                )
                paper.content[SIGNED[action][1]] = form
                seal = {"fingerprint": fingerprint(paper.content)}
                self.certificates._write(paper, self.caller(email), action, Status.ISSUED, {}, form, seal)
        return paper


def STORY() -> dict[str, Any]:
    """The certificate of the guides' story, all boxes filled in."""
    return {
        "issuing_body": organisation_id("ecocert-ma"),
        "exporter": organisation_id("atlas-bio-export"),
        "importer": organisation_id("pyrenees-bio-import"),
        "first_consignee": organisation_id("garonne-bio"),
        "entry_authority": organisation_id("perpignan"),
        "responsible_for_load": [organisation_id("transit-catalan")],
        "national_reference": "PBI-2026-118",
        "countries_of_origin": ["MA"],
        "country_of_export": "MA",
        "clearance_country": "FR",
        "product_lines": [
            {
                "id": "1",
                "cn_code": "08041000",
                "trade_name": "Medjool dates, extra",
                "lot": "AT-26-0412",
                "packages": 480,
                "package_type": "CT",
                "net_weight": "2400",
                "unit": "KGM",
                "producer": organisation_id("domaine-tafilalet"),
                "producer_control_body": organisation_id("ecocert-ma"),
                "category": "d",
            },
            {
                "id": "2",
                "cn_code": "15092000",
                "trade_name": "Extra virgin olive oil",
                "lot": "AT-26-0413",
                "packages": 96,
                "package_type": "CT",
                "net_weight": "864.5",
                "unit": "KGM",
                "producer": organisation_id("huilerie-meknes"),
                "producer_control_body": organisation_id("ecocert-ma"),
                "category": "d",
            },
        ],
        "containers": ["MSKU 482120-5"],
        "seals": ["ML-MA 0098123"],
        "gross_weight": {"value": "3610.25", "unit": "KGM"},
        "transport": {"mode": "1", "identification": "MV Tafraout", "document": "BL AGA-2026-5511"},
        "departure_at": "2026-11-24T06:00:00+01:00",
        "arrival_at": "2026-11-28T09:30:00+01:00",
    }


def build() -> World:
    """A fresh world with the demo organisations and people in it."""
    organisations = json.loads((DEMO / "organisations.json").read_text())["organisations"]
    accounts = json.loads((DEMO / "accounts.json").read_text())["accounts"]
    directory = DirectoryInMemory()
    codes = {row["slug"]: row["code"] for row in organisations}
    for row in organisations:
        record = OrganisationView(
            id=organisation_id(row["slug"]),
            slug=row["slug"],
            kind=row["kind"],
            name=row["name"],
            country=row["country"],
            region=row["region"],
            city=row["city"],
            postal_code=row["postal_code"],
            address=row["address"],
            status=row["status"],
            code=row["code"],
            identifiers=row["identifiers"],
            contacts=row["contacts"],
            activities=[
                ActivityView(
                    kind=each["kind"],
                    section=each["section"],
                    status=each["status"],
                    valid_from=each["valid_from"],
                    valid_to=each["valid_to"],
                    control_body=organisation_id(each["control_body"]) if each["control_body"] else None,
                    control_body_code=codes.get(each["control_body"] or ""),
                )
                for each in row["activities"]
            ],
            recognitions=row["recognitions"],
            authority_role=row["authority_role"],
            competences=row["competences"],
            superior=organisation_id(row["superior"]) if row["superior"] else None,
            territory=row["territory"],
            time_zone=row["time_zone"],
            updated_at=NOON,
        )
        directory.all[record.id] = record
    identity = IdentityInMemory()
    for row in accounts:
        posts = [
            PostView(
                organisation_id=organisation_id(grant["organisation"]),
                organisation=directory.all[organisation_id(grant["organisation"])].name,
                role_type=directory.all[organisation_id(grant["organisation"])].kind,
                administrator=grant["administrator"],
            )
            for grant in row["grants"]
        ]
        identity.people[row["email"]] = PersonView(
            id=person_id(row["slug"]),
            first_name=row["first_name"],
            last_name=row["last_name"],
            email=row["email"],
            language=row["language"],
            time_zone=row["time_zone"],
            posts=posts,
        )
    certificates = CertificatesInMemory(directory, identity)
    return World(identity, directory, certificates, NotificationsInMemory(), OpsInMemory())
