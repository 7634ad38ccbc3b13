"""The versions of documents as they are kept: none is ever changed, and the newest stands on the certificate too."""

from uuid import uuid4

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates.models import CertificateRow, JournalRow
from services.certificates.models_making import DocumentRow, UploadRow
from shared.contracts.documents import DocumentView, FileView
from shared.rules.documents import Media


async def of_certificate(session: AsyncSession, certificate_id: str) -> dict[str, list[DocumentView]]:
    """Every version of every document of a certificate, newest first."""
    rows = await session.exec(
        select(DocumentRow, UploadRow)
        .join(UploadRow, col(UploadRow.id) == col(DocumentRow.upload_id))
        .where(DocumentRow.certificate_id == certificate_id)
        .order_by(col(DocumentRow.at).desc(), col(DocumentRow.version).desc())
    )
    found: dict[str, list[DocumentView]] = {}
    for document, file in rows:
        view = DocumentView(
            id=document.id,
            version=document.version,
            type=document.type,
            **document.said,
            file=FileView(id=file.id, name=file.name, media=Media(file.media), size=file.size, sha256=file.sha256),
            added_by=document.added_by,
            added_by_name=document.added_by_name,
            at=document.at,
            revision=document.revision,
            withdrawn=document.withdrawn_at is not None,
        )
        found.setdefault(document.id, []).append(view)
    return found


async def sealed_revision(session: AsyncSession, certificate_id: str) -> int:
    """The newest revision of a certificate that a signature covers; 0 while there is none."""
    statement = JournalRow.seal["statement"]["revision"].as_integer()  # type: ignore[index]
    newest = select(func.max(statement)).where(
        JournalRow.certificate_id == certificate_id, col(JournalRow.seal).is_not(None)
    )
    return int((await session.exec(newest)).one() or 0)


async def carry(session: AsyncSession, row: CertificateRow, successor: CertificateRow) -> None:
    """The documents of a certificate for the one that shall replace it: the same files, as documents of its own."""
    for item in row.documents:
        version = await session.get(DocumentRow, (item["id"], item["version"]))
        if version is None:
            continue
        own = {**version.model_dump(), "id": str(uuid4()), "version": 1, "certificate_id": successor.id, "revision": 1}
        session.add(DocumentRow(**own))
        fresh = {**item, "id": own["id"], "version": 1, "revision": 1}
        successor.documents = [*successor.documents, fresh]
