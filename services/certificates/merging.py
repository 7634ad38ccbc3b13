"""Two records of one organisation became one: what named the one that is gone names the one that stays.

One thing to remember: what was sealed stays as it was, byte for byte. The boxes of journeys that go on are rewritten
with a line in their journals; those that have ended are only shown to the one that stays as well.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, literal, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates import extract_paper, extracts, paper, store
from services.certificates.models import CertificateRow, ExtractRow, Id
from services.certificates.models_making import TemplateRow
from services.certificates.rules import difference
from shared.contracts.certificates import EXTRACT_LIFE, LIFE, extract_life_id, life_id
from shared.events.directory import OrganisationMerged
from shared.kit.outbox import wake
from shared.rules import content as contents
from shared.rules.actor import Actor
from shared.rules.extracts import ExtractStatus, is_extract_over
from shared.rules.status import Status, is_over

MERGED = "merge"
OPEN = sorted(each for each in Status if not is_over(each))
OPEN_EXTRACTS = sorted(each for each in ExtractStatus if not is_extract_over(each))


async def repoint(session: AsyncSession, event: OrganisationMerged) -> None:
    """Have every certificate and extract that named the record that is gone name the one that stays."""
    gone, kept = event.organisation_id, event.kept
    rows = select(CertificateRow).where(col(CertificateRow.status).in_(OPEN), _names(CertificateRow, gone))
    for row in (await session.exec(rows.order_by(col(CertificateRow.id)).with_for_update())).all():
        await _certificate(session, row, event)
    batches = select(ExtractRow).where(col(ExtractRow.status).in_(OPEN_EXTRACTS), _names(ExtractRow, gone))
    for batch in (await session.exec(batches.order_by(col(ExtractRow.id)).with_for_update())).all():
        await _extract(session, batch, event)
    await _templates(session, event)
    for table in (CertificateRow, ExtractRow):
        seen = col(table.visible_to)
        ended = update(table).where(seen.contains([gone]), ~seen.contains([kept]))
        values: dict[str, Any] = {"visible_to": func.array_append(seen, literal(kept, Id))}
        if table is CertificateRow:
            values["search"] = col(CertificateRow.search).op("||")(func.array_to_tsvector([f"=seen/{kept}"]))
        await session.execute(ended.values(**values))


async def _templates(session: AsyncSession, event: OrganisationMerged) -> None:
    """Templates are the kept one's from now on, and name it."""
    gone = event.organisation_id
    named = or_(col(TemplateRow.organisation_id) == gone, cast(col(TemplateRow.content), String).contains(gone))
    for row in (await session.exec(select(TemplateRow).where(named).with_for_update())).all():
        row.organisation_id, row.content = _renamed(row.organisation_id, event), _renamed(row.content, event)


def _names(table: type[CertificateRow] | type[ExtractRow], organisation: str) -> ColumnElement[bool]:
    """Those that name an organisation anywhere; drafts too, which only their creators see."""
    return or_(
        col(table.creator) == organisation,
        col(table.visible_to).contains([organisation]),
        cast(col(table.content), String).contains(organisation),
    )


async def _certificate(session: AsyncSession, row: CertificateRow, event: OrganisationMerged) -> None:
    content = _renamed(row.content, event)
    creator = _renamed(row.creator, event)
    known, _ = await store.facts(session, content, event.at, also=[creator, event.by or ""])
    content = contents.derive(content, known)
    changes = difference({**row.content, "creator": row.creator}, {**content, "creator": creator})
    row.content, row.creator = content, creator
    row.revision, row.updated_at = row.revision + 1, event.at
    paper.settle(row, known, event.at)
    line = paper.line(
        row, _by(event), known, event.at, MERGED, row.status, changes=changes, relies_on={event.kept: str(event.id)}
    )
    await store.write(session, line)
    await wake(session, LIFE, life_id(row.id), paper.as_json(paper.unread(row)), timedelta(0))
    for batch in await extracts.of(session, row.id):
        if not is_extract_over(ExtractStatus(batch.status)):
            extract_paper.settle(batch, row, await _facts(session, batch, row, event))


async def _extract(session: AsyncSession, row: ExtractRow, event: OrganisationMerged) -> None:
    parent = await session.get(CertificateRow, row.parent_id)
    assert parent is not None, "an extract has a certificate"
    content, creator = _renamed(row.content, event), _renamed(row.creator, event)
    if (content, creator) == (row.content, row.creator):
        return
    changes = difference({**row.content, "creator": row.creator}, {**content, "creator": creator})
    row.content, row.creator = content, creator
    row.revision, row.updated_at = row.revision + 1, event.at
    known = await _facts(session, row, parent, event)
    extract_paper.settle(row, parent, known)
    line = paper.line(
        row, _by(event), known, event.at, MERGED, row.status, changes=changes, relies_on={event.kept: str(event.id)}
    )
    await store.write(session, line)
    unread = extracts.BATCH_JSON.dump_python(extract_paper.unread(row), mode="json")
    await wake(session, EXTRACT_LIFE, extract_life_id(row.id), unread, timedelta(0))


async def _facts(session: AsyncSession, row: ExtractRow, parent: CertificateRow, event: OrganisationMerged) -> Any:
    known, _ = await extracts.facts(session, row, parent, event.at)
    return known


def _by(event: OrganisationMerged) -> Actor:
    """Whoever merged, as the journal names him: his organisation, for the news name no person."""
    return Actor(store.SYSTEM.person_id, store.SYSTEM.name, event.by or store.SYSTEM.organisation_id, "AUTHORITY")


def _renamed(value: Any, event: OrganisationMerged) -> Any:
    """The same value with the record that stays in the place of the one that is gone; in lists once."""
    if isinstance(value, dict):
        return {name: _renamed(each, event) for name, each in value.items()}
    if isinstance(value, list):
        told = [_renamed(each, event) for each in value]
        return list(dict.fromkeys(told)) if event.organisation_id in value else told
    return event.kept if value == event.organisation_id else value
