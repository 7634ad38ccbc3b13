"""The documents of a certificate: what there is, adding one, giving it a new version, taking it back, its file."""

from typing import Any
from urllib.parse import quote
from uuid import uuid4

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal import forms, making, words
from services.portal.clients import Trouble
from services.portal.pages.certificates import head
from services.portal.visitor import House, Somebody, TheHouse, Visitor
from services.portal.words import N_
from shared.contracts.certificate_views import CertificateView, ProblemView
from shared.contracts.documents import DocumentView, NewDocument, Withdrawal
from shared.rules.documents import DOCUMENT_FIELDS, DOCUMENT_TYPES, LARGEST, TYPE
from shared.rules.refusals import Refused

router = APIRouter()
ABOUT_FILES = frozenset({"file_too_large", "file_kind", "file_empty", "file_damaged", "file_entities", "too_large"})
SAID = {
    "added": N_("The document is kept."),
    "changed": N_("The new version is kept."),
    "withdrawn": N_("The document is withdrawn. It is kept, and shown as withdrawn."),
}


@router.get("/certificates/{certificate_id}/documents")
async def documents(
    request: Request,
    house: TheHouse,
    visitor: Somebody,
    certificate_id: str,
    type: str = "",
    change: str = "",
    said: str = "",
) -> Response:
    """The documents of a certificate; with a type the form that adds one, with a document the one that changes it."""
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    typed: dict[str, Any] | None = {"type": type} if type in TYPE else None
    return await _page(request, house, visitor, view, typed=typed, change=change, said=said)


async def _page(
    request: Request,
    house: House,
    visitor: Visitor,
    view: CertificateView,
    *,
    typed: dict[str, Any] | None = None,
    change: str = "",
    said: str = "",
    upload: dict[str, str] | None = None,
    problems: tuple[ProblemView, ...] = (),
    refused: str = "",
    status: int = 200,
) -> Response:
    shown = await house.clients.making.documents(visitor.caller, view.id)
    changed = _changeable(shown.items, change) if change else None
    if changed is not None and typed is None:
        typed = {"type": changed.type, **{row.name: getattr(changed, row.name) for row in DOCUMENT_FIELDS}}
    return house.look.page(
        request,
        "documents/page.html",
        status=status,
        current="certificates",
        tab="documents",
        view=view,
        shown=shown,
        types=[{"value": row.code, "name": words.law(row.name)} for row in DOCUMENT_TYPES],
        kinds=TYPE,
        fields=DOCUMENT_FIELDS,
        typed=typed,
        changed=changed,
        upload=upload or {"id": "", "name": ""},
        wrong=making.at_their_fields(problems),
        refused=refused,
        key=str(uuid4()),
        size_of=making.size_of,
        most=LARGEST // 1_048_576,
        flashes=[{"tone": "", "text": words._(SAID[said])}] if said in SAID else [],
        **head(view),
    )


def _changeable(items: list[DocumentView], wanted: str) -> DocumentView:
    found = next((each for each in items if each.id == wanted), None)
    if found is None:
        raise Refused("not_found")
    if not found.may_change:
        raise Refused("not_permitted")
    return found


@router.post("/certificates/{certificate_id}/documents")
async def add(request: Request, house: TheHouse, visitor: Somebody, certificate_id: str) -> Response:
    """Add a document: the file goes to the service first, then what it is; a refusal keeps the file for another try."""
    return await _said_of(request, house, visitor, certificate_id, "")


@router.post("/certificates/{certificate_id}/documents/{document_id}")
async def change(
    request: Request, house: TheHouse, visitor: Somebody, certificate_id: str, document_id: str
) -> Response:
    """A new version of a document; without a file it keeps the one it has."""
    return await _said_of(request, house, visitor, certificate_id, document_id)


async def _said_of(request: Request, house: House, visitor: Visitor, certificate_id: str, document_id: str) -> Response:
    typed = await request.form()
    view = await house.clients.certificates.certificate(visitor.caller, certificate_id)
    said = making.said_of_document(typed)
    upload = making.sent_before(typed)
    client = house.clients.making
    try:
        upload = await making.sent_with(client, visitor.caller, view.id, typed)
        version = forms.text(typed, "version")
        new = NewDocument(
            **said,
            upload=upload["id"] or None,
            version=int(version) if version.isdigit() and 0 < len(version) < 6 else None,
        )
        key = forms.text(typed, "key") or str(uuid4())
        if document_id:
            await client.change(visitor.caller, view.id, document_id, new, key)
        else:
            await client.add(visitor.caller, view.id, new, key)
    except Trouble as trouble:
        about = trouble.problems
        if trouble.code in ABOUT_FILES or trouble.field == "upload":
            text = words._("Please choose the file.") if trouble.field == "upload" else trouble.text
            about = (ProblemView(field="file", box=None, title="", code=trouble.code, message=text),)
        elif trouble.status != 422 or not about:
            raise
        return await _page(
            request,
            house,
            visitor,
            view,
            typed=said,
            change=document_id,
            upload=upload if upload["id"] and trouble.field != "upload" else None,
            problems=about,
            refused=trouble.text,
            status=422,
        )
    return onward(request, f"/certificates/{view.id}/documents?said={'changed' if document_id else 'added'}")


def onward(request: Request, address: str) -> Response:
    """To another page, also when a script asked."""
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


@router.post("/certificates/{certificate_id}/documents/{document_id}/withdrawal")
async def withdraw(
    request: Request, house: TheHouse, visitor: Somebody, certificate_id: str, document_id: str
) -> Response:
    """Take a document back, as long as no signature covers it."""
    typed = await request.form()
    seen = forms.text(typed, "version")
    wish = Withdrawal(
        version=int(seen) if seen.isdigit() and 0 < len(seen) < 6 and int(seen) > 0 else 1,
        reason=forms.text(typed, "reason")[:2000] or None,
    )
    key = forms.text(typed, "key") or str(uuid4())
    await house.clients.making.withdraw(visitor.caller, certificate_id, document_id, wish, key)
    return RedirectResponse(f"/certificates/{quote(certificate_id, safe='')}/documents?said=withdrawn", 303)


@router.get("/certificates/{certificate_id}/files/{upload_id}")
async def file(house: TheHouse, visitor: Somebody, certificate_id: str, upload_id: str) -> Response:
    """The file of a document or a question, to be saved: never shown within the page."""
    kept = await house.clients.making.file(visitor.caller, certificate_id, upload_id)
    headers = {"Content-Disposition": f"attachment; filename*={kept.name or chr(39) * 2}"}
    return Response(kept.body, media_type=kept.media, headers=headers)


@router.get("/certificates/{certificate_id}/files/{upload_id}/preview")
async def preview(house: TheHouse, visitor: Somebody, certificate_id: str, upload_id: str) -> Response:
    """A picture of a file's first page."""
    kept = await house.clients.making.preview(visitor.caller, certificate_id, upload_id)
    media = kept.media if kept.media in ("image/png", "image/jpeg") else "application/octet-stream"
    return Response(kept.body, media_type=media, headers={"Cache-Control": "private, max-age=3600"})
