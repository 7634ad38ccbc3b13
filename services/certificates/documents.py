"""Documents of a certificate: files that come in, what is said of them, their versions, who may read them.

The newest version of each stands on the certificate's row as well: there a signature covers it, by its fingerprint.
Every function takes a session, none opens or commits one.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates import paper, store, versions
from services.certificates.files import Incoming, plain_name
from services.certificates.models import CertificateRow
from services.certificates.models_making import DocumentRow, MessageRow, QuestionRow, UploadRow
from services.certificates.objects import Objects
from shared.contracts.documents import DocumentsView, DocumentView, NewDocument, Withdrawal
from shared.events.certificates import CertificateEdited
from shared.kit.outbox import announce
from shared.rules import documents as law
from shared.rules.actor import Actor
from shared.rules.parties import Facts
from shared.rules.permissions import Tie
from shared.rules.refusals import Refused
from shared.rules.status import Status

KEPT_UNUSED = timedelta(hours=24)
"""How long a file waits for somebody to say what it is."""
UNFINISHED = timedelta(hours=1)
SAID = tuple(law.FIELD)


# ── Files ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def read_in(objects: Objects, pieces: AsyncIterator[bytes]) -> tuple[str, Incoming]:
    """A file as it comes in, kept under a new key if it is one of ours; otherwise nothing is kept."""
    incoming, key = Incoming(), str(uuid4())

    async def looked_at() -> AsyncIterator[bytes]:
        async for piece in pieces:
            if piece:
                yield incoming.take(piece)
        incoming.finish()

    await objects.put(key, looked_at())
    return key, incoming


def upload(certificate_id: str, actor: Actor, key: str, incoming: Incoming, name: str, now: datetime) -> UploadRow:
    """The row of a file that came in."""
    media = incoming.media
    assert media is not None
    return UploadRow(
        id=key,
        certificate_id=certificate_id,
        organisation_id=actor.organisation_id,
        person_id=actor.person_id,
        at=now,
        name=plain_name(name, media),
        media=media,
        size=incoming.size,
        sha256=incoming.sha256,
    )


async def used(session: AsyncSession, upload_id: str, row: CertificateRow, actor: Actor, now: datetime) -> UploadRow:
    """The file this organisation sent for this certificate, which from now on belongs to something."""
    found = await session.get(UploadRow, upload_id, with_for_update=True) if _is_id(upload_id) else None
    if found is None or found.used_at is not None:
        raise Refused("invalid", field="upload")
    if (found.certificate_id, found.organisation_id) != (row.id, actor.organisation_id):
        raise Refused("invalid", field="upload")
    found.used_at = now
    return found


async def file_of(session: AsyncSession, row: CertificateRow, upload_id: str, actor: Actor) -> UploadRow:
    """A file of this certificate's documents or questions, for its parties; for all others there is none."""
    if not law.may_read(await ties(session, row, actor)) or not _is_id(upload_id):
        raise Refused("not_found")
    found = await session.get(UploadRow, upload_id)
    if found is None:
        raise Refused("not_found")
    if found.used_at is None:
        mine = (found.certificate_id, found.organisation_id) == (row.id, actor.organisation_id)
    else:
        mine = await _belongs(session, row.id, upload_id)
    if not mine:
        raise Refused("not_found")
    return found


async def _belongs(session: AsyncSession, certificate_id: str, upload_id: str) -> bool:
    document = select(DocumentRow.id).where(
        DocumentRow.certificate_id == certificate_id, DocumentRow.upload_id == upload_id
    )
    message = (
        select(MessageRow.question_id)
        .join(QuestionRow, col(QuestionRow.id) == col(MessageRow.question_id))
        .where(QuestionRow.certificate_id == certificate_id, MessageRow.upload_id == upload_id)
    )
    return any([(await session.exec(each.limit(1))).first() for each in (document, message)])


async def whole(objects: Objects, file: UploadRow) -> bytes:
    """A file as it was kept; refused when a single byte of it is another."""
    incoming = Incoming()
    pieces = [incoming.take(piece) async for piece in objects.get(file.id)]
    if incoming.sha256 != file.sha256:
        raise Refused("file_altered")
    return b"".join(pieces)


async def sweep(session: AsyncSession, before: datetime, limit: int = 200) -> list[str]:
    """Forget the files that nobody has said anything about; their keys, for the store to forget them too."""
    waiting = select(UploadRow).where(col(UploadRow.used_at).is_(None), col(UploadRow.at) < before)
    rows = (await session.exec(waiting.limit(limit).with_for_update(skip_locked=True))).all()
    for row in rows:
        await session.delete(row)
    return [row.id for row in rows]


# ── What is said of them ──────────────────────────────────────────────────────────────────────────────────────


async def add(
    session: AsyncSession, certificate_id: str, actor: Actor, new: NewDocument, key: str, now: datetime
) -> CertificateRow:
    """A document is added: row, journal line, event. The same key adds it once."""
    row, mine, known, digest = await opened(session, certificate_id, actor, key, ["document", new.model_dump()], now)
    if digest is None:
        return row
    if not law.may_add(mine, len(row.documents)):
        raise Refused("not_permitted")
    _refuse_wrong(new)
    if new.upload is None or new.version is not None:
        raise Refused("incomplete", field="upload")
    file = await used(session, new.upload, row, actor, now)
    fresh = _version(str(uuid4()), 1, row, actor, known, new, file, now)
    await _written(session, row, actor, known, now, "document_added", None, fresh, key, digest)
    return row


async def change(
    session: AsyncSession,
    certificate_id: str,
    document_id: str,
    actor: Actor,
    new: NewDocument,
    key: str,
    now: datetime,
) -> CertificateRow:
    """A new version of a document, on the version seen; the one before stays beside it."""
    told = ["document", document_id, new.model_dump()]
    row, mine, known, digest = await opened(session, certificate_id, actor, key, told, now)
    if digest is None:
        return row
    before = _standing(row, document_id)
    if not law.may_change(before["added_by"], actor.organisation_id, mine):
        raise Refused("not_permitted")
    if new.version != before["version"]:
        raise Refused("stale_revision", revision=row.revision, field="version")
    _refuse_wrong(new)
    if new.upload is None:
        file = await session.get(UploadRow, before["file"]["id"])
        assert file is not None
    else:
        file = await used(session, new.upload, row, actor, now)
    fresh = _version(document_id, before["version"] + 1, row, actor, known, new, file, now)
    await _written(session, row, actor, known, now, "document_changed", before, fresh, key, digest)
    return row


async def withdraw(
    session: AsyncSession,
    certificate_id: str,
    document_id: str,
    actor: Actor,
    wish: Withdrawal,
    key: str,
    now: datetime,
) -> CertificateRow:
    """A document is taken back, as long as no signature covers it. It is kept, and shown as withdrawn."""
    told = ["withdrawal", document_id, wish.model_dump()]
    row, mine, known, digest = await opened(session, certificate_id, actor, key, told, now)
    if digest is None:
        return row
    before = _standing(row, document_id)
    covered = before["revision"] <= await versions.sealed_revision(session, row.id)
    if not law.may_change(before["added_by"], actor.organisation_id, mine):
        raise Refused("not_permitted")
    if covered:
        raise Refused("document_covered")
    if wish.version != before["version"]:
        raise Refused("stale_revision", revision=row.revision, field="version")
    standing = await session.get(DocumentRow, (document_id, before["version"]))
    assert standing is not None
    standing.withdrawn_at = now
    await _written(session, row, actor, known, now, "document_withdrawn", before, None, key, digest, wish.reason)
    return row


async def opened(
    session: AsyncSession, certificate_id: str, actor: Actor, key: str, told: list[Any], now: datetime
) -> tuple[CertificateRow, frozenset[Tie], Facts, str | None]:
    """The row, locked, and what a change beside its boxes rests on; no digest when this was told before."""
    digest = store.digest_of(actor, certificate_id, told)
    row = await store.locked(session, certificate_id)
    known, _ = await store.facts(session, row.content, now, also=[row.creator, actor.organisation_id])
    if line := await store.journal_of_key(session, key):
        store.same_order(line, digest)
        return row, frozenset(), known, None
    return row, paper.ties(row, known, actor), known, digest


async def ties(session: AsyncSession, row: CertificateRow, actor: Actor) -> frozenset[Tie]:
    """How the asker is bound to a certificate."""
    known, _ = await store.facts(session, row.content, row.updated_at, also=[row.creator])
    return paper.ties(row, known, actor)


def _refuse_wrong(new: NewDocument) -> None:
    wrong = law.document_problems(new.type, {name: getattr(new, name) for name in SAID})
    if wrong:
        raise Refused("incomplete", problems=wrong)


def _standing(row: CertificateRow, document_id: str) -> dict[str, Any]:
    for item in row.documents:
        if item["id"] == document_id:
            return item
    raise Refused("not_found")


def _version(
    document_id: str,
    version: int,
    row: CertificateRow,
    actor: Actor,
    known: Facts,
    new: NewDocument,
    file: UploadRow,
    now: datetime,
) -> dict[str, Any]:
    """One version as it stands on the certificate."""
    own = known.parties.get(actor.organisation_id)
    said = {name: value.strip() for name in SAID if (value := getattr(new, name)) and value.strip()}
    return {
        "id": document_id,
        "version": version,
        "type": new.type,
        **said,
        "file": {
            "id": file.id,
            "name": file.name,
            "media": file.media,
            "size": file.size,
            "sha256": file.sha256,
        },
        "added_by": actor.organisation_id,
        "added_by_name": own.name if own else actor.name,
        "at": now.isoformat(),
        "revision": row.revision + 1,
    }


async def _written(
    session: AsyncSession,
    row: CertificateRow,
    actor: Actor,
    known: Facts,
    now: datetime,
    action: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    key: str,
    digest: str,
    reason: str | None = None,
) -> None:
    """Certificate, version, journal line and event, in one transaction."""
    if after is not None:
        file = after["file"]
        session.add(
            DocumentRow(
                id=after["id"],
                version=after["version"],
                certificate_id=row.id,
                upload_id=file["id"],
                type=after["type"],
                said={name: after[name] for name in SAID if name in after},
                added_by=actor.organisation_id,
                added_by_name=after["added_by_name"],
                at=now,
                revision=after["revision"],
            )
        )
    if before is None:
        row.documents = [*row.documents, *([after] if after else [])]
    else:
        stands = [after if each["id"] == before["id"] else each for each in row.documents]
        row.documents = [each for each in stands if each is not None]
    row.updated_at, row.revision = now, row.revision + 1
    paper.settle(row, known, now)
    line = paper.line(
        row,
        actor,
        known,
        now,
        action,
        row.status,
        changes={"documents": [_brief(before), _brief(after)]},
        form={"reason": reason} if reason else {},
    )
    line.key, line.order_digest = key, digest
    await store.write(session, line)
    await announce(
        session,
        CertificateEdited(
            at=now,
            certificate_id=row.id,
            number=row.number,
            status=Status(row.status),
            revision=row.revision,
            by=actor.organisation_id,
            boxes=["documents"],
            parties=paper.concerned(row, known),
            announced=False,
            arrival_at=row.arrival_at,
            form_model=paper.model_of(row),
        ),
    )


def _brief(item: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A version as the journal tells of it: what it is, and the fingerprint of its file."""
    if item is None:
        return None
    said = {name: item[name] for name in SAID if name in item}
    file = item["file"]
    return {
        "id": item["id"],
        "version": item["version"],
        "type": item["type"],
        **said,
        "file": file["name"],
        "sha256": file["sha256"],
    }


# ── For readers ───────────────────────────────────────────────────────────────────────────────────────────────


async def shown(session: AsyncSession, row: CertificateRow, actor: Actor) -> DocumentsView:
    """The documents of a certificate with all their versions, for a party; for all others there are none."""
    mine = await ties(session, row, actor)
    if not law.may_read(mine):
        raise Refused("not_found")
    sealed = await versions.sealed_revision(session, row.id)
    known = await versions.of_certificate(session, row.id)
    items = [
        viewed(item, actor, mine, sealed, [each for each in known.get(item["id"], []) if not each.withdrawn])
        for item in row.documents
    ]
    here = {item.id for item in items}
    gone = [views[0] for document, views in known.items() if document not in here]
    return DocumentsView(
        items=items, withdrawn=gone, may_add=law.may_add(mine, len(row.documents)), revision=row.revision
    )


def viewed(
    item: Mapping[str, Any], actor: Actor, mine: frozenset[Tie], sealed: int, versions: list[DocumentView]
) -> DocumentView:
    """The newest version of a document, with those before it, and what this reader may do with it."""
    covered = item["revision"] <= sealed
    return DocumentView.model_validate(
        {
            **item,
            "covered": covered,
            "may_change": law.may_change(item["added_by"], actor.organisation_id, mine),
            "may_withdraw": law.may_withdraw(item["added_by"], actor.organisation_id, mine, covered),
            "earlier": [each for each in versions if each.version < item["version"]],
        }
    )


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
