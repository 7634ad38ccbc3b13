"""What making a certificate needs beside its boxes, as the portal sees it: documents, questions, templates.

One thing to remember: a file is handed on piece by piece; the web site keeps none.
"""

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import FormData, UploadFile

from services.portal import forms
from services.portal.wire import Caller, Client, OverHttp, segment
from shared.contracts.certificate_views import CertificateView, ProblemView
from shared.contracts.documents import DocumentsView, FileView, NewDocument, Withdrawal
from shared.contracts.questions import NewMessage, NewQuestion, QuestionsView
from shared.contracts.templates import NewName, NewTemplate, TemplatesView
from shared.rules.documents import DOCUMENT_FIELDS, TYPE

PIECE: Final = 256 * 1024


@dataclass(frozen=True)
class Kept:
    """A file as it was kept, with its kind and its name."""

    body: bytes
    media: str
    name: str = ""


class MakingClient(Client):
    """Documents of certificates, and their files."""

    @abstractmethod
    async def documents(self, caller: Caller, certificate_id: str) -> DocumentsView:
        """The documents of a certificate, for its parties."""

    @abstractmethod
    async def send(self, caller: Caller, certificate_id: str, name: str, pieces: AsyncIterator[bytes]) -> FileView:
        """Send a file."""

    @abstractmethod
    async def add(self, caller: Caller, certificate_id: str, new: NewDocument, key: str) -> DocumentsView:
        """Say what the file sent before is."""

    @abstractmethod
    async def change(
        self, caller: Caller, certificate_id: str, document_id: str, new: NewDocument, key: str
    ) -> DocumentsView:
        """A new version of a document."""

    @abstractmethod
    async def withdraw(
        self, caller: Caller, certificate_id: str, document_id: str, wish: Withdrawal, key: str
    ) -> DocumentsView:
        """Take a document back."""

    @abstractmethod
    async def take_lines(
        self, caller: Caller, certificate_id: str, revision: int, more: bool, sheet: bytes, key: str
    ) -> CertificateView:
        """Take over the lines of a sheet, all of them or none."""

    @abstractmethod
    async def lines(self, caller: Caller, certificate_id: str, kind: str) -> Kept:
        """The lines of a certificate as a sheet: csv or xlsx."""

    @abstractmethod
    async def lines_template(self, caller: Caller, model: str, kind: str) -> Kept:
        """A sheet to be filled in."""

    @abstractmethod
    async def sps(self, caller: Caller, certificate_id: str) -> Kept:
        """A certificate as SPS certificate."""

    @abstractmethod
    async def take_sps(self, caller: Caller, document: bytes, key: str) -> CertificateView:
        """Begin a draft with an SPS certificate, or be told everything that is wrong with it."""

    @abstractmethod
    async def file(self, caller: Caller, certificate_id: str, upload_id: str) -> Kept:
        """The file of a document or a question."""

    @abstractmethod
    async def preview(self, caller: Caller, certificate_id: str, upload_id: str) -> Kept:
        """A picture of its first page."""

    @abstractmethod
    async def questions(self, caller: Caller, certificate_id: str) -> QuestionsView:
        """What was asked and answered about a certificate."""

    @abstractmethod
    async def ask(self, caller: Caller, certificate_id: str, new: NewQuestion, key: str) -> QuestionsView:
        """Ask one of the parties."""

    @abstractmethod
    async def answer(
        self, caller: Caller, certificate_id: str, question_id: str, new: NewMessage, key: str
    ) -> QuestionsView:
        """One more message to a question."""

    @abstractmethod
    async def settle(self, caller: Caller, certificate_id: str, question_id: str, key: str) -> QuestionsView:
        """Say that one's own question is settled."""

    @abstractmethod
    async def templates(self, caller: Caller) -> TemplatesView:
        """The templates of his organisation."""

    @abstractmethod
    async def keep_template(self, caller: Caller, new: NewTemplate, key: str) -> None:
        """Keep a certificate as a template."""

    @abstractmethod
    async def rename_template(self, caller: Caller, template_id: str, name: str) -> None:
        """Give a template another name."""

    @abstractmethod
    async def drop_template(self, caller: Caller, template_id: str) -> None:
        """Throw a template away."""

    @abstractmethod
    async def start_template(self, caller: Caller, template_id: str, key: str) -> CertificateView:
        """Begin a certificate from a template."""


class MakingOverHttp(OverHttp, MakingClient):
    """The certificates service."""

    async def documents(self, caller: Caller, certificate_id: str) -> DocumentsView:
        said = await self._wire.ask("GET", f"/certificates/{segment(certificate_id)}/documents", caller)
        return DocumentsView.model_validate_json(said)

    async def send(self, caller: Caller, certificate_id: str, name: str, pieces: AsyncIterator[bytes]) -> FileView:
        path = f"/certificates/{segment(certificate_id)}/uploads"
        said = await self._wire.ask("POST", path, caller, params={"name": name[:300]}, raw=pieces)
        return FileView.model_validate_json(said)

    async def add(self, caller: Caller, certificate_id: str, new: NewDocument, key: str) -> DocumentsView:
        path = f"/certificates/{segment(certificate_id)}/documents"
        return DocumentsView.model_validate_json(await self._wire.ask("POST", path, caller, body=new, key=key))

    async def change(
        self, caller: Caller, certificate_id: str, document_id: str, new: NewDocument, key: str
    ) -> DocumentsView:
        path = f"/certificates/{segment(certificate_id)}/documents/{segment(document_id)}/versions"
        return DocumentsView.model_validate_json(await self._wire.ask("POST", path, caller, body=new, key=key))

    async def withdraw(
        self, caller: Caller, certificate_id: str, document_id: str, wish: Withdrawal, key: str
    ) -> DocumentsView:
        path = f"/certificates/{segment(certificate_id)}/documents/{segment(document_id)}/withdrawal"
        return DocumentsView.model_validate_json(await self._wire.ask("POST", path, caller, body=wish, key=key))

    async def take_lines(
        self, caller: Caller, certificate_id: str, revision: int, more: bool, sheet: bytes, key: str
    ) -> CertificateView:
        path = f"/certificates/{segment(certificate_id)}/lines"
        wanted = {"revision": revision, "more": "true" if more else ""}
        return CertificateView.model_validate_json(
            await self._wire.ask("POST", path, caller, params=wanted, raw=sheet, key=key)
        )

    async def lines(self, caller: Caller, certificate_id: str, kind: str) -> Kept:
        return await self._kept(caller, f"/certificates/{segment(certificate_id)}/lines.{segment(kind)}")

    async def lines_template(self, caller: Caller, model: str, kind: str) -> Kept:
        return await self._kept(caller, f"/reference/lines-template.{segment(kind)}", {"form_model": model})

    async def sps(self, caller: Caller, certificate_id: str) -> Kept:
        return await self._kept(caller, f"/certificates/{segment(certificate_id)}/sps.xml")

    async def take_sps(self, caller: Caller, document: bytes, key: str) -> CertificateView:
        said = await self._wire.ask("POST", "/certificates/sps", caller, raw=document, key=key)
        return CertificateView.model_validate_json(said)

    async def file(self, caller: Caller, certificate_id: str, upload_id: str) -> Kept:
        return await self._kept(caller, f"/certificates/{segment(certificate_id)}/files/{segment(upload_id)}")

    async def preview(self, caller: Caller, certificate_id: str, upload_id: str) -> Kept:
        return await self._kept(caller, f"/certificates/{segment(certificate_id)}/files/{segment(upload_id)}/preview")

    async def questions(self, caller: Caller, certificate_id: str) -> QuestionsView:
        path = f"/certificates/{segment(certificate_id)}/questions"
        return QuestionsView.model_validate_json(await self._wire.ask("GET", path, caller))

    async def ask(self, caller: Caller, certificate_id: str, new: NewQuestion, key: str) -> QuestionsView:
        path = f"/certificates/{segment(certificate_id)}/questions"
        return QuestionsView.model_validate_json(await self._wire.ask("POST", path, caller, body=new, key=key))

    async def answer(
        self, caller: Caller, certificate_id: str, question_id: str, new: NewMessage, key: str
    ) -> QuestionsView:
        path = f"/certificates/{segment(certificate_id)}/questions/{segment(question_id)}/messages"
        return QuestionsView.model_validate_json(await self._wire.ask("POST", path, caller, body=new, key=key))

    async def settle(self, caller: Caller, certificate_id: str, question_id: str, key: str) -> QuestionsView:
        path = f"/certificates/{segment(certificate_id)}/questions/{segment(question_id)}/settlement"
        return QuestionsView.model_validate_json(await self._wire.ask("POST", path, caller, key=key))

    async def templates(self, caller: Caller) -> TemplatesView:
        return TemplatesView.model_validate_json(await self._wire.ask("GET", "/templates", caller))

    async def keep_template(self, caller: Caller, new: NewTemplate, key: str) -> None:
        await self._wire.ask("POST", "/templates", caller, body=new, key=key)

    async def rename_template(self, caller: Caller, template_id: str, name: str) -> None:
        await self._wire.ask("PUT", f"/templates/{segment(template_id)}", caller, body=NewName(name=name))

    async def drop_template(self, caller: Caller, template_id: str) -> None:
        await self._wire.ask("DELETE", f"/templates/{segment(template_id)}", caller)

    async def start_template(self, caller: Caller, template_id: str, key: str) -> CertificateView:
        path = f"/templates/{segment(template_id)}/certificates"
        return CertificateView.model_validate_json(await self._wire.ask("POST", path, caller, key=key))

    async def _kept(self, caller: Caller, path: str, params: Mapping[str, Any] | None = None) -> Kept:
        said = await self._wire.answered("GET", path, caller, params=params)
        disposition = said.headers.get("content-disposition", "")
        return Kept(said.content, said.headers.get("content-type", ""), disposition.partition("filename*=")[2])


# ---- what somebody sends ------------------------------------------------------------------------------------------


async def pieces_of(file: UploadFile) -> AsyncIterator[bytes]:
    """A file somebody chose, piece by piece."""
    while piece := await file.read(PIECE):
        yield piece


def file_in(typed: FormData, name: str = "file") -> UploadFile | None:
    """The file somebody chose; None when he chose none."""
    value = typed.get(name)
    return value if isinstance(value, UploadFile) and value.filename else None


def sent_before(typed: FormData) -> dict[str, str]:
    """The file that was sent with a form that was refused: its id and name."""
    return {name: forms.text(typed, f"upload.{name}") for name in ("id", "name")}


async def sent_with(client: MakingClient, caller: Caller, certificate_id: str, typed: FormData) -> dict[str, str]:
    """The file that comes with a form, sent to the service; else the one that was sent before."""
    chosen = file_in(typed)
    if chosen is None:
        return sent_before(typed)
    kept = await client.send(caller, certificate_id, chosen.filename or "", pieces_of(chosen))
    return {"id": kept.id, "name": kept.name}


def at_their_fields(problems: Iterable[ProblemView]) -> dict[str, list[ProblemView]]:
    """Problems under the field of the form they are about."""
    found: dict[str, list[ProblemView]] = {}
    for each in problems:
        found.setdefault(each.field.rpartition(".")[2], []).append(each)
    return found


def said_of_document(typed: FormData) -> dict[str, Any]:
    """What somebody says of a document."""
    said: dict[str, Any] = {row.name: forms.text(typed, row.name) or None for row in DOCUMENT_FIELDS}
    kind = forms.text(typed, "type")
    return {**said, "type": kind if kind in TYPE else ""}


def size_of(size: int) -> tuple[str, str]:
    """A size as a number and its unit."""
    return (f"{size / 1_048_576:.1f}", "MB") if size >= 1_048_576 else (str(max(1, size // 1024)), "KB")
