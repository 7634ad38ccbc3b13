"""The identity service and the directory in memory, with the people and organisations of the demonstration."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from pydantic import BaseModel

from services.portal.clients import Caller, DirectoryClient, IdentityClient, Trouble
from shared.contracts.certificate_views import PartyView
from shared.contracts.directory import RoleRequestView
from shared.contracts.identity import PersonView, Preferences, Proof, ServiceToken, SessionView, SignIn
from shared.contracts.organisations import OrganisationPage, OrganisationView
from tests.portal.programs import ProgramsInMemory

DEMO = Path(__file__).parents[2] / "deploy" / "demo"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PASSWORD = "Demonstration-2026!"


def organisation_id(slug: str) -> str:
    """The id of a demo organisation."""
    return str(uuid5(NAMESPACE_URL, f"https://bordereau.example/organisations/{slug}"))


def person_id(slug: str) -> str:
    """The id of a demo person."""
    return str(uuid5(NAMESPACE_URL, f"https://bordereau.example/persons/{slug}"))


@dataclass
class IdentityInMemory(IdentityClient):
    """Accounts of the demo file; sessions and tokens are their e-mail addresses with a number."""

    people: dict[str, PersonView] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    programs: ProgramsInMemory = field(default_factory=ProgramsInMemory)
    proof_needed: bool = False

    async def sign_in(self, attempt: SignIn) -> SessionView:
        person = self.people.get(attempt.email.lower())
        if person is None or attempt.password != PASSWORD:
            raise Trouble(401, "bad_credentials", "E-mail address and password do not match.")
        session = f"session-{uuid4().hex}"
        self.sessions[session] = person.email
        return SessionView(session=session, expires_at=NOON + timedelta(hours=8), person=person)

    async def sign_out(self, session: str) -> None:
        self.sessions.pop(session, None)

    async def token(self, session: str) -> ServiceToken:
        if session not in self.sessions:
            raise Trouble(401, "session_ended")
        soon = datetime.now(UTC) + timedelta(minutes=5)
        proved_at = NOON - timedelta(hours=1) if self.proof_needed else NOON
        return ServiceToken(token=self.sessions[session], expires_at=soon, proved_at=proved_at)

    async def me(self, caller: Caller) -> PersonView:
        return self.people[caller.token]

    async def prefer(self, caller: Caller, preferences: Preferences) -> None:
        changes = preferences.model_dump(exclude_none=True)
        self.people[caller.token] = self.people[caller.token].model_copy(update=changes)

    async def prove(self, session: str, proof: Proof) -> ServiceToken:
        if proof.password != PASSWORD:
            raise Trouble(401, "bad_credentials", "E-mail address and password do not match.")
        self.proof_needed = False
        return await self.token(session)

    async def ask(
        self, caller: Caller | None, method: str, path: str, body: BaseModel | None = None, key: str = "", **wishes: Any
    ) -> bytes:
        return await self.programs.ask(caller or Caller(), method, path, body, **wishes)

    async def close(self) -> None:
        pass


@dataclass
class DirectoryInMemory(DirectoryClient):
    """The organisations of the demo file."""

    all: dict[str, OrganisationView] = field(default_factory=dict)
    waiting: list[RoleRequestView] = field(default_factory=list)

    async def organisations(self, caller: Caller, **wishes: Any) -> OrganisationPage:
        words = str(wishes.get("text") or "").lower().split()
        found = [
            each
            for each in self.all.values()
            if all(word in f"{each.name} {each.code or ''} {each.country} {each.city}".lower() for word in words)
            and wishes.get("kind") in (None, "", each.kind)
            and wishes.get("country") in (None, "", each.country)
            and (not wishes.get("activity") or wishes["activity"] in {one.kind for one in each.activities})
            and wishes.get("authority_role") in (None, "", each.authority_role)
            and (not wishes.get("competence") or wishes["competence"] in each.competences)
        ]
        limit = int(wishes.get("limit") or 20)
        start = int(wishes.get("after") or 0)
        following = str(start + limit) if len(found) > start + limit else None
        return OrganisationPage(items=found[start : start + limit], next=following)

    async def organisation(self, caller: Caller, organisation_id: str) -> OrganisationView:
        if organisation_id not in self.all:
            raise Trouble(404, "not_found")
        return self.all[organisation_id]

    async def ask(
        self, caller: Caller | None, method: str, path: str, body: BaseModel | None = None, key: str = "", **wishes: Any
    ) -> bytes:
        """A desk with nothing on it: no role was asked for, nothing is proposed, and nobody may change a record."""
        last = path.rpartition("/")[2]
        public = {name: value for name, value in wishes.items() if name in ("text", "country", "kind", "activity")}
        answers: dict[str, Any] = {
            "/openapi.json": {"openapi": "3.1.0", "paths": {}},
            "/people/me/role-requests": [],
            "/role-requests": {
                "items": [each.model_dump(mode="json") for each in self.waiting],
                "next": None,
                "number": len(self.waiting),
            },
            "/proposals": {"items": [], "next": None},
            "/public/organisations": {
                "items": [
                    {
                        **each.model_dump(include={"id", "name", "kind", "country", "city", "postal_code", "code"}),
                        "authority_role": each.authority_role,
                        "activities": [one.kind for one in each.activities],
                    }
                    for each in (await self.organisations(caller or Caller(), limit=25, **public)).items
                ],
                "next": None,
            },
            "creatable": {"kinds": ["OPERATOR"], "authority_roles": []},
            "may": {"revision": 1, "status": "VALID", "edit": None},
            "people": [],
            "history": {"at": NOON.isoformat(), "record": None, "lines": []},
        }
        found = answers.get(path, answers.get(last))
        if method != "GET" or found is None:
            raise Trouble(404, "not_found")
        return json.dumps(found).encode()

    def party(self, organisation: str) -> PartyView:
        """An organisation as a certificate shows it."""
        record = self.all[organisation]
        return PartyView(
            id=record.id,
            name=record.name,
            kind=record.kind,
            country=record.country,
            code=record.code,
            address=f"{record.address}, {record.postal_code} {record.city}",
            status=record.status,
        )

    async def close(self) -> None:
        pass
