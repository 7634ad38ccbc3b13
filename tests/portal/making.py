"""Documents in memory: whoever sees the certificate of a test may add to it; the real law says what a type asks."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from services.portal.clients import Caller, Trouble
from services.portal.making import Kept, MakingClient
from shared.contracts.certificate_views import CertificateView, MayView, ProblemView
from shared.contracts.documents import DocumentsView, DocumentView, FileView, NewDocument, Withdrawal
from shared.contracts.questions import (
    AskableView,
    MessageView,
    NewMessage,
    NewQuestion,
    QuestionsView,
    QuestionView,
)
from shared.contracts.templates import NewTemplate, TemplatesView, TemplateView
from shared.rules.documents import Media, document_problems
from shared.rules.questions import Ask
from shared.rules.sentences import SENTENCES
from shared.rules.status import Status

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
UPLOAD = "00000000-0000-4000-8000-0000000000f1"
DOCUMENT = "00000000-0000-4000-8000-0000000000d1"
TEMPLATE = "00000000-0000-4000-8000-0000000000a7"
QUESTION = "00000000-0000-4000-8000-0000000000e1"
EXPORTER = str(uuid5(NAMESPACE_URL, "https://bordereau.example/organisations/atlas-bio-export"))
INSPECTOR = str(uuid5(NAMESPACE_URL, "https://bordereau.example/organisations/ecocert-ma"))
BODY = b"%PDF-1.4\n%%EOF\n"


def a_document(**more: Any) -> DocumentView:
    """An invoice, as a page shows it."""
    file = FileView(
        id=UPLOAD, name="facture F-118.pdf", media=Media.PDF, size=48_213, sha256=hashlib.sha256(BODY).hexdigest()
    )
    said: dict[str, Any] = {
        "id": DOCUMENT,
        "version": 1,
        "type": "380",
        "number": "F-118",
        "date": "2026-11-02",
        "issuer": "Atlas Bio Export",
        "file": file,
        "added_by": "00000000-0000-4000-8000-000000000001",
        "added_by_name": "Atlas Bio Export (démonstration)",
        "at": NOON,
        "revision": 3,
        "may_change": True,
        "may_withdraw": True,
    }
    return DocumentView(**{**said, **more})


def a_question(**more: Any) -> QuestionView:
    """The issuing body asks the exporter to correct box 16."""
    said: dict[str, Any] = {
        "id": QUESTION,
        "number": 1,
        "kind": Ask.CORRECTION,
        "field": "gross_weight",
        "asked_by": INSPECTOR,
        "asked_by_name": "ECOCERT SA (démonstration)",
        "asked_of": EXPORTER,
        "asked_of_name": "Atlas Bio Export (démonstration)",
        "at": NOON,
        "waits_for": EXPORTER,
        "messages": [a_message("The pallets are missing.", INSPECTOR, "Inès Chraïbi", 1)],
        "may_write": True,
    }
    return QuestionView(**{**said, **more})


def a_template(name: str = "Dates", template_id: str = TEMPLATE) -> TemplateView:
    """A template, as a list shows it."""
    return TemplateView(
        id=template_id, name=name, form_model="COI_2017", goods="Medjool dates", at=NOON, person="Youssef Amrani"
    )


def a_message(text: str, organisation: str, person: str, number: int) -> MessageView:
    """A message of somebody."""
    return MessageView(
        number=number, at=NOON, person=person, organisation_id=organisation, organisation="Somebody", text=text
    )


def a_certificate(certificate_id: str, revision: int) -> CertificateView:
    """A certificate that says as little as it may."""
    return CertificateView(
        id=certificate_id,
        number=None,
        form_model="COI_2017",
        status=Status.DRAFT,
        revision=revision,
        created_at=NOON,
        updated_at=NOON,
        entered_at=NOON,
        content={},
        parties={},
        ties=[],
        may=MayView(edit=[], do=[]),
        problems=[],
        awaited=None,
        signatures=[],
        flags=[],
    )


@dataclass
class MakingInMemory(MakingClient):
    """Documents as a list."""

    items: list[DocumentView] = field(default_factory=lambda: [a_document()])
    withdrawn: list[DocumentView] = field(default_factory=list)
    asked: list[QuestionView] = field(default_factory=lambda: [a_question()])
    kept: list[TemplateView] = field(default_factory=lambda: [a_template()])
    sheets: list[bytes] = field(default_factory=list)
    sent: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    async def documents(self, caller: Caller, certificate_id: str) -> DocumentsView:
        return DocumentsView(items=self.items, withdrawn=self.withdrawn, may_add=True, revision=3)

    async def send(self, caller: Caller, certificate_id: str, name: str, pieces: AsyncIterator[bytes]) -> FileView:
        body = b"".join([piece async for piece in pieces])
        if not body.startswith(b"%PDF-"):
            raise Trouble(415, "file_kind", SENTENCES["file_kind"], "file")
        mark = str(uuid4())
        self.sent[mark] = (name, body)
        return self._file(mark)

    def _file(self, mark: str) -> FileView:
        name, body = self.sent[mark]
        return FileView(id=mark, name=name, media=Media.PDF, size=len(body), sha256=hashlib.sha256(body).hexdigest())

    async def add(self, caller: Caller, certificate_id: str, new: NewDocument, key: str) -> DocumentsView:
        self._refuse(new)
        if new.upload is None:
            raise Trouble(422, "incomplete", SENTENCES["incomplete"], "upload")
        said = new.model_dump(exclude={"upload", "version"})
        self.items = [*self.items, a_document(**said, id=str(uuid4()), file=self._file(new.upload))]
        return await self.documents(caller, certificate_id)

    async def change(
        self, caller: Caller, certificate_id: str, document_id: str, new: NewDocument, key: str
    ) -> DocumentsView:
        self._refuse(new)
        before = next((each for each in self.items if each.id == document_id), None)
        if before is None:
            raise Trouble(404, "not_found")
        said = new.model_dump(exclude={"upload", "version"})
        file = self._file(new.upload) if new.upload else before.file
        later = a_document(**said, id=document_id, version=before.version + 1, file=file, earlier=[before])
        self.items = [later if each.id == document_id else each for each in self.items]
        return await self.documents(caller, certificate_id)

    async def withdraw(
        self, caller: Caller, certificate_id: str, document_id: str, wish: Withdrawal, key: str
    ) -> DocumentsView:
        self.withdrawn += [each for each in self.items if each.id == document_id]
        self.items = [each for each in self.items if each.id != document_id]
        return await self.documents(caller, certificate_id)

    async def take_lines(
        self, caller: Caller, certificate_id: str, revision: int, more: bool, sheet: bytes, key: str
    ) -> CertificateView:
        if b"wrong" in sheet or not sheet:
            said = ProblemView(
                field="product_lines[0].lot",
                box="13",
                title="",
                code="too_long",
                message="Please shorten it.",
                params={"row": 2, "column": "C", "label": "Lot number"},
            )
            raise Trouble(422, "sheet_wrong", "Nothing was taken over.", problems=(said,))
        self.sheets.append(sheet)
        return a_certificate(certificate_id, revision + 1)

    async def lines(self, caller: Caller, certificate_id: str, kind: str) -> Kept:
        return Kept(b"cn_code\r\n", "text/csv")

    async def lines_template(self, caller: Caller, model: str, kind: str) -> Kept:
        return Kept(b"cn_code\r\n", "text/csv")

    async def sps(self, caller: Caller, certificate_id: str) -> Kept:
        return Kept(b"<rsm:SPSCertificate/>", "application/xml")

    async def take_sps(self, caller: Caller, document: bytes, key: str) -> CertificateView:
        if b"wrong" in document or not document:
            field = "SPSExchangedDocument/TypeCode"
            said = ProblemView(field=field, box=None, title="", code="sps_missing", message="Please add it.")
            raise Trouble(422, "sps_wrong", "Nothing was taken over.", problems=(said,))
        self.sheets.append(document)
        return a_certificate(str(uuid4()), 1)

    async def file(self, caller: Caller, certificate_id: str, upload_id: str) -> Kept:
        if upload_id != UPLOAD and upload_id not in self.sent:
            raise Trouble(404, "not_found")
        return Kept(BODY, "application/pdf", "UTF-8''facture%20F-118.pdf")

    async def preview(self, caller: Caller, certificate_id: str, upload_id: str) -> Kept:
        raise Trouble(404, "not_found")

    async def questions(self, caller: Caller, certificate_id: str) -> QuestionsView:
        mine = caller.organisation_id
        sides = [INSPECTOR, EXPORTER]
        items = [
            each.model_copy(
                update={"may_write": mine in sides and not each.settled_at}
                | {"may_settle": mine == each.asked_by and not each.settled_at}
            )
            for each in self.asked
        ]
        may_ask = [
            AskableView(kind=kind, organisation_id=each, organisation=f"Side {each[:4]}")
            for kind in Ask
            for each in sides
            if each != mine and (kind is Ask.QUESTION or mine == INSPECTOR)
        ]
        return QuestionsView(items=items, may_ask=may_ask)

    async def ask(self, caller: Caller, certificate_id: str, new: NewQuestion, key: str) -> QuestionsView:
        if not new.asked_of:
            raise Trouble(403, "not_permitted", SENTENCES["not_permitted"], "asked_of")
        mine = caller.organisation_id or ""
        asked = a_question(
            id=str(uuid4()),
            number=len(self.asked) + 1,
            kind=new.kind,
            field=new.field,
            asked_by=mine,
            asked_of=new.asked_of,
            waits_for=new.asked_of,
            messages=[self._message(new, mine, 1)],
        )
        self.asked = [asked, *self.asked]
        return await self.questions(caller, certificate_id)

    async def answer(
        self, caller: Caller, certificate_id: str, question_id: str, new: NewMessage, key: str
    ) -> QuestionsView:
        mine = caller.organisation_id or ""
        self.asked = [
            each.model_copy(
                update={
                    "messages": [*each.messages, self._message(new, mine, len(each.messages) + 1)],
                    "waits_for": each.asked_by if mine == each.asked_of else each.asked_of,
                }
            )
            if each.id == question_id
            else each
            for each in self.asked
        ]
        return await self.questions(caller, certificate_id)

    async def settle(self, caller: Caller, certificate_id: str, question_id: str, key: str) -> QuestionsView:
        settled = {"settled_at": NOON, "waits_for": None}
        self.asked = [
            each.model_copy(update=settled)
            if each.id == question_id and each.asked_by == caller.organisation_id
            else each
            for each in self.asked
        ]
        return await self.questions(caller, certificate_id)

    async def templates(self, caller: Caller) -> TemplatesView:
        return TemplatesView(items=self.kept)

    async def keep_template(self, caller: Caller, new: NewTemplate, key: str) -> None:
        self.kept = [*self.kept, a_template(self._named(new.name), str(uuid4()))]

    async def rename_template(self, caller: Caller, template_id: str, name: str) -> None:
        new = self._named(name)
        self.kept = [each.model_copy(update={"name": new}) if each.id == template_id else each for each in self.kept]

    async def drop_template(self, caller: Caller, template_id: str) -> None:
        self.kept = [each for each in self.kept if each.id != template_id]

    async def start_template(self, caller: Caller, template_id: str, key: str) -> CertificateView:
        if not any(each.id == template_id for each in self.kept):
            raise Trouble(404, "not_found")
        return a_certificate(template_id, 1)

    def _named(self, name: str) -> str:
        if not name:
            raise Trouble(422, "invalid", SENTENCES["invalid"], "name")
        if any(each.name == name for each in self.kept):
            raise Trouble(409, "already_exists", SENTENCES["already_exists"], "name")
        return name

    def _message(self, new: NewQuestion | NewMessage, mine: str, number: int) -> MessageView:
        if not new.text.strip():
            said = ProblemView(
                field="questions.text", box=None, title="", code="needed", message="Please fill in: What you write."
            )
            raise Trouble(422, "incomplete", SENTENCES["incomplete"], problems=(said,))
        file = self._file(new.upload) if new.upload else None
        return a_message(new.text, mine, "Somebody", number).model_copy(update={"file": file})

    async def close(self) -> None:
        pass

    def _refuse(self, new: NewDocument) -> None:
        said = new.model_dump(include={"number", "date", "country", "issuer", "remarks"})
        wrong = document_problems(new.type, said)
        if wrong:
            problems = tuple(
                ProblemView(field=each.field, box=None, title="", code=each.code, message=SENTENCES[each.code])
                for each in wrong
            )
            raise Trouble(422, "incomplete", SENTENCES["incomplete"], problems=problems)
