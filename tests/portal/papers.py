"""The certificates service in memory: certificates are dictionaries, and the real law says who may do what."""

import hashlib
import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from pydantic import BaseModel

from services.certificates.rules import awaited
from services.portal.clients import Caller, CertificatesClient, Trouble
from shared.contracts.certificate_views import (
    AwaitedView,
    CertificateLine,
    CertificatePage,
    CertificateView,
    CommodityView,
    Confirmation,
    Edit,
    JournalLine,
    JournalView,
    MayView,
    NewCertificate,
    OrderState,
    PartyView,
    ProblemView,
    SignatureView,
    Wish,
)
from shared.contracts.verification import FileView, PublicView, StatementView
from shared.rules.boxes import BOX, BOXES, Model
from shared.rules.content import fillable, in_boxes
from shared.rules.permissions import Tie, offered
from shared.rules.status import Action, Status, move
from tests.portal.people import NOON, DirectoryInMemory, IdentityInMemory
from tests.portal.programs import ProgramsInMemory


@dataclass
class Paper:
    """One certificate."""

    id: str
    creator: str
    content: dict[str, Any]
    status: Status = Status.DRAFT
    revision: int = 1
    number: str | None = None
    form_model: str = "COI_2017"
    previous: Status | None = None
    entered_at: datetime = NOON
    updated_at: datetime = NOON
    signatures: list[SignatureView] = field(default_factory=list)
    journal: list[JournalLine] = field(default_factory=list)
    problems: list[ProblemView] | None = None


# fmt: off
GOODS = (
    ("08",       "Edible fruit and nuts; peel of citrus fruit or melons"),
    ("0804",     "Dates, figs, pineapples, avocados, guavas, mangoes and mangosteens, fresh or dried"),
    ("08041000", "Dates"),
    ("08044000", "Avocados"),
    ("08045000", "Guavas, mangoes and mangosteens"),
    ("0805",     "Citrus fruit, fresh or dried"),
    ("08051020", "Sweet oranges, fresh"),
    ("09",       "Coffee, tea, maté and spices"),
    ("0901",     "Coffee, whether or not roasted or decaffeinated; coffee husks and skins"),
    ("09011100", "Coffee, not roasted, not decaffeinated"),
    ("0910",     "Ginger, saffron, turmeric, thyme, bay leaves, curry and other spices"),
    ("09101100", "Ginger, neither crushed nor ground"),
    ("15",       "Animal, vegetable or microbial fats and oils"),
    ("1509",     "Olive oil and its fractions"),
    ("15092000", "Extra virgin olive oil"),
)
SIGNED = {
    Action.SIGN: ("18", "issuing_declaration"), Action.VERIFY: ("20", "entry_checks"),
    Action.OPEN_BATCHES: ("20", "entry_checks"), Action.RELEASE_CONVENTIONAL: ("20", "entry_checks"),
    Action.REJECT: ("20", "entry_checks"), Action.RECEIVE: ("21", "first_consignee_declaration"),
}
# fmt: on


def fingerprint(content: Mapping[str, Any]) -> str:
    """SHA-256 of some JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass
class CertificatesInMemory(CertificatesClient):
    """Certificates as dictionaries; the real matrix says who may do what."""

    directory: DirectoryInMemory
    identity: IdentityInMemory
    papers: dict[str, Paper] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    now: datetime = NOON
    programs: ProgramsInMemory = field(default_factory=ProgramsInMemory)

    def ties(self, paper: Paper, organisation: str) -> frozenset[Tie]:
        """How an organisation is bound to a certificate."""
        found = {Tie.CREATOR} if paper.creator == organisation else set()
        for box in BOXES:
            value = paper.content.get(box.field)
            if box.names and organisation in (value if isinstance(value, list) else [value]):
                found.add(box.names)
        entry = paper.content.get("entry_authority")
        if entry and self.directory.all[entry].superior == organisation:
            found.add(Tie.CENTRAL_AUTHORITY)
        return frozenset(found)

    def seen(self, caller: Caller, certificate_id: str) -> Paper:
        """The certificate, if the caller may see it."""
        paper = self.papers.get(certificate_id)
        if paper is None or not self._sees(paper, caller):
            raise Trouble(404, "not_found")
        return paper

    def _sees(self, paper: Paper, caller: Caller) -> bool:
        ties = self.ties(paper, caller.organisation_id or "")
        return Tie.CREATOR in ties if paper.number is None else bool(ties)

    def view(self, paper: Paper, caller: Caller) -> CertificateView:
        """A certificate as the caller sees it."""
        mine = self.ties(paper, caller.organisation_id or "")
        may = offered(paper.status, mine, paper.number is not None)
        named = {paper.creator}
        for value in self._flat(paper.content):
            if value in self.directory.all:
                named.add(value)
        rows = awaited(paper.status, Model(paper.form_model), paper.content)
        waits = next((each for each in rows if mine & set(each.turn)), rows[0] if rows else None)
        turn = [each for each in sorted(named) if waits and self.ties(paper, each) & set(waits.turn)]
        return CertificateView(
            id=paper.id,
            number=paper.number,
            form_model=paper.form_model,
            status=paper.status,
            revision=paper.revision,
            created_at=NOON - timedelta(days=3),
            updated_at=paper.updated_at,
            entered_at=paper.entered_at,
            content=deepcopy(paper.content),
            parties={each: self.directory.party(each) for each in named},
            ties=sorted(mine),
            may=MayView(edit=sorted(fillable(may.edit, paper.content, Model(paper.form_model))), do=sorted(may.do)),
            problems=self._problems(paper, may.do),
            awaited=AwaitedView(
                code=waits.code,
                organisations=[self.directory.party(each) for each in turn],
                since=paper.entered_at,
                until=paper.entered_at + timedelta(days=10),
                clock="D10.overdue" if paper.status is Status.ISSUED else None,
                mine=caller.organisation_id in turn,
            )
            if waits
            else None,
            signatures=paper.signatures,
            flags=["completion_overdue"] if paper.status is Status.ISSUED and "transport" not in paper.content else [],
        )

    def _flat(self, value: Any) -> list[str]:
        if isinstance(value, str):
            return [value]
        if isinstance(value, Mapping):
            return [one for each in value.values() for one in self._flat(each)]
        if isinstance(value, list):
            return [one for each in value for one in self._flat(each)]
        return []

    def _problems(self, paper: Paper, do: frozenset[Action]) -> list[ProblemView]:
        if paper.problems is not None:
            return paper.problems
        if not do & {Action.SUBMIT, Action.SIGN, Action.VERIFY}:
            return []
        model = Model(paper.form_model)
        found = []
        for box in BOXES:
            if box.needed(model) is Action.SUBMIT and "." not in box.field and not paper.content.get(box.field):
                found.append(
                    ProblemView(
                        field=box.field,
                        box=str(box.number(model)) if box.number(model) else None,
                        title=box.title(model),
                        code="needed",
                        message="This box is needed before you go on.",
                    )
                )
        return found

    async def certificates(self, caller: Caller, **wishes: Any) -> CertificatePage:
        seen = [paper for paper in self.papers.values() if self._sees(paper, caller)]
        lines = []
        for paper in sorted(seen, key=lambda each: each.updated_at, reverse=True):
            view = self.view(paper, caller)
            mine = view.awaited is not None and view.awaited.mine
            if (wishes.get("awaits_me") and not mine) or paper.status not in (wishes.get("status") or list(Status)):
                continue
            if wishes.get("text") and str(wishes["text"]).lower() not in str(view.model_dump()).lower():
                continue
            party = {name: self._named(paper, name) for name in ("exporter", "importer", "issuing_body")}
            lines.append(
                CertificateLine(
                    id=paper.id,
                    number=paper.number,
                    status=paper.status,
                    revision=paper.revision,
                    form_model=paper.form_model,
                    first_consignee=self._named(paper, "first_consignee"),
                    entry_authority=self._named(paper, "entry_authority"),
                    goods=", ".join(line.get("trade_name") or "" for line in paper.content.get("product_lines", [])),
                    country_of_export=paper.content.get("country_of_export"),
                    updated_at=paper.updated_at,
                    arrival_at=datetime.fromisoformat(arrival)
                    if (arrival := paper.content.get("arrival_at"))
                    else None,
                    due_at=view.awaited.until if view.awaited else None,
                    awaits_me=mine,
                    awaits=view.awaited.code if view.awaited and mine else None,
                    **party,
                )
            )
        if not str(wishes.get("after") or 0).isdecimal():
            raise Trouble(422, "invalid", "Something in this request is not right.", "after")
        limit, start = int(wishes.get("limit") or 25), int(wishes.get("after") or 0)
        counts: dict[str, int] = {}
        for paper in seen:
            counts[paper.status] = counts.get(paper.status, 0) + 1
        following = str(start + limit) if len(lines) > start + limit else None
        return CertificatePage(items=lines[start : start + limit], next=following, counts=counts)

    def _named(self, paper: Paper, name: str) -> PartyView | None:
        value = paper.content.get(name)
        return self.directory.party(value) if value else None

    async def certificate(self, caller: Caller, certificate_id: str) -> CertificateView:
        return self.view(self.seen(caller, certificate_id), caller)

    async def draft(self, caller: Caller, new: NewCertificate, key: str) -> CertificateView:
        if key not in self.keys:
            missing = [name for name in ("issuing_body", "exporter", "product_lines") if not new.content.get(name)]
            if missing:
                raise Trouble(422, "incomplete", "Something is still missing.", problems=_missing(missing))
            paper = Paper(str(uuid4()), caller.organisation_id or "", self._derived(new.content))
            paper.form_model = new.form_model
            self.papers[paper.id] = paper
            self.keys[key] = paper.id
            self._write(paper, caller, "create", None, {name: [None, value] for name, value in new.content.items()})
        return self.view(self.papers[self.keys[key]], caller)

    async def edit(self, caller: Caller, certificate_id: str, edit: Edit, key: str) -> CertificateView:
        paper = self.seen(caller, certificate_id)
        if edit.revision != paper.revision:
            raise Trouble(409, "stale_revision", "The certificate was changed since you opened it.")
        weight = edit.changes.get("gross_weight")
        if weight and not str(weight.get("value") or "0").replace(".", "", 1).isdigit():
            raise Trouble(
                422,
                "invalid",
                "Something is not right.",
                problems=(
                    ProblemView(
                        field="gross_weight",
                        box="16",
                        title="Total gross weight",
                        code="not_a_number",
                        message="Please write a number.",
                    ),
                ),
            )
        before = dict(paper.content)
        paper.content = self._derived({**paper.content, **in_boxes(paper.content, edit.changes)})
        paper.revision += 1
        changes = {
            name: [before.get(name), paper.content.get(name)]
            for name in before.keys() | paper.content.keys()
            if before.get(name) != paper.content.get(name)
        }
        self._write(paper, caller, "amend", paper.status, changes)
        return self.view(paper, caller)

    def _derived(self, content: Mapping[str, Any]) -> dict[str, Any]:
        lines = content.get("product_lines") or []
        for number, line in enumerate(lines):
            line.setdefault("id", str(number + 1))
        consignee = content.get("first_consignee")
        derived = {
            **content,
            "producers": list(dict.fromkeys(line["producer"] for line in lines if line.get("producer"))),
            "producers_control_bodies": list(
                dict.fromkeys(line["producer_control_body"] for line in lines if line.get("producer_control_body"))
            ),
            "country_of_destination": self.directory.all[consignee].country if consignee else None,
            "procedure": "EQUIVALENT_CONTROL_BODY" if content.get("issuing_body") else None,
        }
        return {name: value for name, value in derived.items() if value not in (None, "", [], {})}

    async def copy(self, caller: Caller, certificate_id: str, key: str) -> CertificateView:
        paper = self.seen(caller, certificate_id)
        return await self.draft(caller, NewCertificate(content=deepcopy(paper.content)), key)

    async def confirmation(self, caller: Caller, certificate_id: str, action: str) -> Confirmation:
        paper = self.seen(caller, certificate_id)
        view = self.view(paper, caller)
        if action not in view.may.do:
            raise Trouble(403, "not_permitted")
        document = {"certificate": paper.id, "revision": paper.revision, "content": paper.content}
        return Confirmation(
            action=action,
            revision=paper.revision,
            fingerprint=fingerprint(document),
            document=document,
            problems=view.problems,
        )

    async def order(self, caller: Caller, certificate_id: str, wish: Wish, key: str) -> CertificateView:
        paper = self.seen(caller, certificate_id)
        if key in self.keys:
            return self.view(paper, caller)
        action = Action(wish.action)
        if wish.revision != paper.revision:
            raise Trouble(409, "stale_revision", "The certificate was changed since you opened it.")
        if action not in self.view(paper, caller).may.do:
            raise Trouble(409, "wrong_status", "The certificate is not in a status that allows this.")
        if self.identity.proof_needed and action in SIGNED:
            raise Trouble(401, "proof_needed", "Please prove once more that it is you before you sign.")
        problems = self._problems(paper, frozenset({action}))
        if problems:
            raise Trouble(422, "incomplete", "Something is still missing.", problems=tuple(problems))
        source, paper.status = paper.status, move(paper.status, action, paper.previous)
        if paper.number is None and paper.status is not Status.DELETED:
            paper.number = f"COI.MA.2026.{len(self.papers):07d}"
        if action in SIGNED:
            box, name = SIGNED[action]
            person = self.identity.people[caller.token]
            paper.signatures.append(
                SignatureView(
                    box=box,
                    action=action,
                    person=f"{person.first_name} {person.last_name}",
                    organisation=self.directory.party(caller.organisation_id or ""),
                    at=self.now,
                    revision=paper.revision,
                    fingerprint=wish.fingerprint or "",
                    form=wish.form,
                )
            )
            paper.content[name] = dict(wish.form)
        paper.revision += 1
        paper.entered_at = paper.updated_at = self.now
        seal = {"fingerprint": wish.fingerprint} if action in SIGNED else None
        self._write(paper, caller, action, source, {}, wish.form, seal)
        self.keys[key] = paper.id
        return self.view(paper, caller)

    def _write(
        self,
        paper: Paper,
        caller: Caller,
        action: str,
        source: Status | None,
        changes: Mapping[str, Any],
        form: Mapping[str, Any] | None = None,
        seal: Mapping[str, Any] | None = None,
    ) -> None:
        person = self.identity.people[caller.token]
        organisation = caller.organisation_id or ""
        paper.journal.append(
            JournalLine(
                certificate_id=paper.id,
                seq=len(paper.journal) + 1,
                at=self.now,
                person_id=person.id,
                person=f"{person.first_name} {person.last_name}",
                organisation_id=organisation,
                organisation=self.directory.all[organisation].name,
                action=action,
                source=source,
                target=paper.status,
                revision=paper.revision,
                reason=str((form or {}).get("reason") or "") or None,
                changes=dict(deepcopy(dict(changes))),
                form=dict(form or {}),
                seal=dict(seal) if seal else None,
                relies_on={},
                previous="0" * 64,
                hash=fingerprint({"seq": len(paper.journal)}),
            )
        )

    async def order_state(self, caller: Caller, key: str) -> OrderState:
        known = self.keys.get(key)
        return OrderState(key=key, state="done" if known else "unknown", certificate_id=known)

    async def journal(self, caller: Caller, certificate_id: str) -> JournalView:
        paper = self.seen(caller, certificate_id)
        head = paper.journal[-1].hash if paper.journal else ""
        return JournalView(
            certificate_id=paper.id, number=paper.number, length=len(paper.journal), head=head, lines=paper.journal
        )

    async def journal_export(self, caller: Caller, certificate_id: str) -> bytes:
        return (await self.journal(caller, certificate_id)).model_dump_json().encode()

    async def pdf(self, caller: Caller, certificate_id: str, language: str) -> bytes:
        return f"%PDF-1.7 {self.seen(caller, certificate_id).id} {language}".encode()

    async def check_file(self, pdf: bytes) -> FileView:
        if not pdf.startswith(b"%PDF-"):
            return FileView(is_copy=False, wrong=("not_a_pdf",))
        number = pdf.decode().partition(" ")[2]
        paper = next((each for each in self.papers.values() if each.number == number), None)
        if paper is None:
            return FileView(is_copy=True, sealed=True, wrong=("seal_broken",))
        view = await self.public(number, "ABCDE-12345", paper.revision)
        return FileView(
            is_copy=True, sealed=True, intact=True, ours=True, sealed_by="ECOCERT SA", sealed_at=NOON, certificate=view
        )

    async def check_statement(self, statement: str) -> StatementView:
        if not statement.startswith("BDR1.good"):
            return StatementView(genuine=False)
        return StatementView(
            genuine=True, number="COI.MA.2026.0000001", revision=3, status=Status.ISSUED, said_at=NOON, by="ECOCERT SA"
        )

    async def published_keys(self) -> bytes:
        return b'{"keys": []}'

    async def public(self, number: str, code: str, revision: int | None) -> PublicView:
        paper = next((each for each in self.papers.values() if each.number == number), None)
        if paper is None or code != "ABCDE-12345":
            raise Trouble(404, "not_found")
        body = self.directory.party(paper.content["issuing_body"])
        return PublicView(
            number=number,
            form_model=paper.form_model,
            status=paper.status,
            status_since=paper.entered_at,
            issuing_body=body.name,
            issuing_body_code=body.code,
            country_of_export=paper.content.get("country_of_export"),
            issued_at=paper.entered_at,
            revision=paper.revision,
            updated_at=paper.updated_at,
            presented=None if revision is None else "current" if revision == paper.revision else "older",
        )

    async def commodities(
        self, caller: Caller, q: str = "", parent: str = "", codes: tuple[str, ...] = ()
    ) -> list[CommodityView]:
        names = dict(GOODS)

        def shown(code: str) -> CommodityView:
            path = [names[code[:size]] for size in (2, 4, 8) if size <= len(code) and code[:size] in names]
            return CommodityView(code=code, name=names[code], path=path, category="d", leaf=len(code) == 8)

        if codes:
            return [shown(code) for code in codes if code in names]
        if q.strip():
            digits = q.replace(" ", "")
            return [shown(code) for code, name in GOODS if q.lower() in name.lower() or code.startswith(digits)]
        size = {0: 2, 2: 4, 4: 8}[len(parent)]
        return [shown(code) for code in names if len(code) == size and code.startswith(parent)]

    async def ask(
        self, caller: Caller | None, method: str, path: str, body: BaseModel | None = None, key: str = "", **wishes: Any
    ) -> bytes:
        return await self.programs.ask(caller or Caller(), method, path, body, **wishes)

    async def close(self) -> None:
        pass


def _missing(fields: list[str]) -> tuple[ProblemView, ...]:
    model = Model.COI_2017
    return tuple(
        ProblemView(
            field=name,
            box=str(BOX[name].number(model)),
            title=BOX[name].title(model),
            code="needed",
            message="This box is needed before you go on.",
        )
        for name in fields
    )
