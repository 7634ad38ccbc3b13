"""The HTTP door of documents: a file is sent first, piece by piece, then somebody says what it is.

Whoever is no party hears that there is nothing: neither files nor previews are for those who may merely read.
"""

from collections.abc import Awaitable
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from starlette.requests import ClientDisconnect

from services.certificates import documents, preview, views
from services.certificates.api import Around
from services.certificates.models_making import UploadRow
from services.certificates.objects import Objects
from shared.contracts.documents import DocumentsView, FileView, NewDocument, Withdrawal
from shared.kit.http import IdempotencyKey
from shared.kit.sessions import CurrentActor
from shared.rules import documents as law
from shared.rules.actor import Actor
from shared.rules.documents import Media
from shared.rules.refusals import Refused

router = APIRouter()


async def object_store(request: Request) -> Objects:
    """Where this process keeps files."""
    return request.app.state.objects  # type: ignore[no-any-return]


Files = Annotated[Objects, Depends(object_store)]


@router.post("/certificates/{certificate_id}/uploads", status_code=201)
async def send(
    request: Request,
    certificate_id: str,
    actor: CurrentActor,
    around: Around,
    objects: Files,
    name: Annotated[str, Query(max_length=300)] = "",
) -> FileView:
    """A file, as the body of the request. It waits a day for somebody to say what it is."""
    async with around.database.transaction() as session:
        row = await views.seen(session, certificate_id, actor)
        if not law.may_read(await documents.ties(session, row, actor)):
            raise Refused("not_found")
        certificate = row.id
    try:
        key, incoming = await documents.read_in(objects, request.stream())
    except ClientDisconnect:
        raise Refused("malformed") from None
    file = documents.upload(certificate, actor, key, incoming, name, around.now())
    shown = FileView(id=file.id, name=file.name, media=Media(file.media), size=file.size, sha256=file.sha256)
    await _or_forget(objects, key, _keep(around, file))
    return shown


async def _keep(around: Around, file: UploadRow) -> None:
    async with around.database.transaction() as session:
        session.add(file)


async def _or_forget(objects: Objects, key: str, keeping: Awaitable[None]) -> None:
    """What could not be written down leaves no file behind."""
    try:
        await keeping
    except BaseException:
        await objects.remove(key)
        raise


@router.get("/certificates/{certificate_id}/documents")
async def of_certificate(certificate_id: str, actor: CurrentActor, around: Around) -> DocumentsView:
    """The documents of a certificate, with all their versions."""
    async with around.database.transaction() as session:
        row = await views.seen(session, certificate_id, actor)
        return await documents.shown(session, row, actor)


@router.post("/certificates/{certificate_id}/documents", status_code=201)
async def add(
    certificate_id: str, new: NewDocument, actor: CurrentActor, key: IdempotencyKey, around: Around
) -> DocumentsView:
    """Add a document: its type, what the type asks, and the file sent before."""
    async with around.database.transaction() as session:
        row = await views.seen(session, certificate_id, actor)
        row = await documents.add(session, row.id, actor, new, key, around.now())
        return await documents.shown(session, row, actor)


@router.post("/certificates/{certificate_id}/documents/{document_id}/versions", status_code=201)
async def change(
    certificate_id: str,
    document_id: str,
    new: NewDocument,
    actor: CurrentActor,
    key: IdempotencyKey,
    around: Around,
) -> DocumentsView:
    """A new version of a document, on the version seen; without a file it keeps the one it has."""
    async with around.database.transaction() as session:
        row = await views.seen(session, certificate_id, actor)
        row = await documents.change(session, row.id, document_id, actor, new, key, around.now())
        return await documents.shown(session, row, actor)


@router.post("/certificates/{certificate_id}/documents/{document_id}/withdrawal")
async def withdraw(
    certificate_id: str,
    document_id: str,
    wish: Withdrawal,
    actor: CurrentActor,
    key: IdempotencyKey,
    around: Around,
) -> DocumentsView:
    """Take a document back, as long as no signature covers it. Nothing is deleted."""
    async with around.database.transaction() as session:
        row = await views.seen(session, certificate_id, actor)
        row = await documents.withdraw(session, row.id, document_id, actor, wish, key, around.now())
        return await documents.shown(session, row, actor)


@router.get("/certificates/{certificate_id}/files/{upload_id}", response_class=Response)
async def file(certificate_id: str, upload_id: str, actor: CurrentActor, around: Around, objects: Files) -> Response:
    """A file of a certificate, to be saved: the very bytes that were sent, or a refusal."""
    found = await _found(certificate_id, upload_id, actor, around)
    body = await documents.whole(objects, found)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name)}", "X-SHA256": found.sha256}
    return Response(body, media_type=found.media, headers=headers)


@router.get("/certificates/{certificate_id}/files/{upload_id}/preview", response_class=Response)
async def look(certificate_id: str, upload_id: str, actor: CurrentActor, around: Around, objects: Files) -> Response:
    """A picture of a file: its first page, or the picture it is; XML has none."""
    found = await _found(certificate_id, upload_id, actor, around)
    if found.media == Media.XML:
        raise Refused("not_found")
    body = await documents.whole(objects, found)
    if found.media == Media.PDF:
        return Response(await preview.first_page(objects, found.id, body), media_type="image/png")
    return Response(body, media_type=found.media)


async def _found(certificate_id: str, upload_id: str, actor: Actor, around: Around) -> UploadRow:
    async with around.database.transaction() as session:
        row = await views.seen(session, certificate_id, actor)
        return await documents.file_of(session, row, upload_id, actor)
