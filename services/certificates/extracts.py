"""The store of extracts. Every function takes a session, none opens or commits one.

One thing to remember: the certificate's row is locked first, then the extract's. So the ledger on it is compared and
booked by one hand at a time, however many importers cut the same certificate at once.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from pydantic import TypeAdapter
from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates import extract_paper as sheet
from services.certificates import paper, store
from services.certificates.models import CertificateRow, ExtractRow, JournalRow, PartyRow
from services.certificates.rules import difference
from services.certificates.seal import Seals, canonical, fingerprint
from shared.contracts.certificate_views import Edit
from shared.contracts.certificates import (
    EXTRACT_LIFE,
    Batch,
    BatchRecord,
    BatchRecorded,
    BatchRing,
    Order,
    extract_life_id,
)
from shared.events.certificates import ExtractClockRang, ExtractMoved
from shared.kit.outbox import announce, spare_wakes, wake
from shared.rules import deadlines
from shared.rules import extract_problems as judged
from shared.rules import extracts as law
from shared.rules.actor import Actor
from shared.rules.boxes import Model
from shared.rules.extracts import ExtractStatus
from shared.rules.parties import Facts
from shared.rules.proofs import refuse_unless_fresh
from shared.rules.refusals import Refused
from shared.rules.status import Action, Status
from shared.rules.verdict import refuse_unless_lawful

BATCH_JSON = TypeAdapter(Batch)


# ── Reading what stands there ─────────────────────────────────────────────────────────────────────────────────


async def found(session: AsyncSession, extract_id: str) -> ExtractRow:
    """The extract's row as it stands now."""
    row = await session.get(ExtractRow, extract_id) if paper.is_id(extract_id) else None
    if row is None:
        raise Refused("not_found")
    return row


async def locked(session: AsyncSession, extract_id: str) -> tuple[CertificateRow, ExtractRow]:
    """The certificate's row and then the extract's, both held until this transaction ends."""
    seen = await found(session, extract_id)
    parent = await store.locked(session, seen.parent_id)
    row = await session.get(ExtractRow, extract_id, with_for_update=True, populate_existing=True)
    assert row is not None
    return parent, row


async def of(session: AsyncSession, parent_id: str) -> list[ExtractRow]:
    """Every extract of a certificate, in the order they were begun."""
    rows = await session.exec(
        select(ExtractRow).where(ExtractRow.parent_id == parent_id).order_by(col(ExtractRow.number))
    )
    return list(rows)


async def facts(
    session: AsyncSession,
    row: ExtractRow,
    parent: CertificateRow,
    now: datetime,
    also: Iterable[str] = (),
    form: Mapping[str, object] | None = None,
) -> tuple[Facts, dict[str, PartyRow]]:
    """What a verdict about an extract rests on: everybody it and its certificate name."""
    named = [str(row.content[name]) for name in sheet.NAMED if row.content.get(name)]
    return await store.facts(session, parent.content, now, also=[parent.creator, row.creator, *named, *also], form=form)


# ── Birth and edits ───────────────────────────────────────────────────────────────────────────────────────────


async def begin(
    session: AsyncSession, parent_id: str, actor: Actor, content: Mapping[str, Any], key: str, now: datetime
) -> ExtractRow:
    """E1: a batch is begun while something is left: extract and certificate each get a journal line."""
    digest = store.digest_of(actor, parent_id, ["extract", dict(content)])
    parent = await store.locked(session, parent_id)
    if line := await store.journal_of_key(session, key):
        store.same_order(line, digest)
        return await found(session, line.certificate_id)
    known, _ = await store.facts(session, parent.content, now, also=[parent.creator, actor.organisation_id])
    refuse_unless_lawful(Action.EXTRACT, Status(parent.status), paper.ties(parent, known, actor), parent.submitted)
    model = paper.model_of(parent)
    if not law.is_anything_left(parent.content, parent.booked):
        raise Refused("incomplete", problems=[judged.found("product_lines", "nothing_left", model)])
    _refuse_wrong_shape(content, model)
    parent.extracts += 1
    row = ExtractRow(
        id=str(uuid4()),
        number=f"{parent.number}-E{parent.extracts:02d}",
        parent_id=parent.id,
        form_model=parent.form_model,
        status=ExtractStatus.NEW,
        revision=1,
        creator=actor.organisation_id,
        created_at=now,
        updated_at=now,
        entered_at=now,
        content={**law.begun(parent.content, known, actor.organisation_id), **content},
    )
    known, _ = await facts(session, row, parent, now, also=[actor.organisation_id])
    _refuse_unknown(row.content, known, model)
    row.content = law.derived(row.content, parent.content, known)
    sheet.settle(row, parent, known)
    changes = {"number": [None, row.number], "certificate": [None, parent.id], **difference({}, row.content)}
    line = paper.line(row, actor, known, now, "create", None, changes=changes)
    line.key, line.order_digest = key, digest
    _touch(
        parent,
        known,
        now,
        paper.line_of(parent, actor, known, now, "extract", {"extract": [None, row.number]}),
        session,
    )
    session.add(row)
    await store.write(session, line)
    await _tell(session, row, parent, known, actor, None, Action.EXTRACT, now)
    await _wake(session, row)
    return row


async def edit(
    session: AsyncSession, extract_id: str, actor: Actor, change: Edit, key: str, now: datetime
) -> ExtractRow:
    """Fill in a batch on the revision seen; nothing is booked before it is submitted."""
    digest = store.digest_of(actor, extract_id, [change.revision, change.changes])
    parent, row = await locked(session, extract_id)
    if line := await store.journal_of_key(session, key):
        store.same_order(line, digest)
        return row
    known, _ = await facts(session, row, parent, now, also=[actor.organisation_id])
    mine, status, model = (
        sheet.bound(row, parent, known).get(actor.organisation_id, frozenset()),
        ExtractStatus(row.status),
        paper.model_named(row.form_model),
    )
    if actor.organisation_id not in row.visible_to:
        raise Refused("not_found")
    if status is not ExtractStatus.NEW:
        raise Refused("wrong_status", action=Action.AMEND, status=status)
    if not law.extract_allowed(status, mine).edit:
        raise Refused("not_permitted", action=Action.AMEND, status=status)
    if sheet.is_frozen(parent):
        raise Refused("frozen", action=Action.AMEND)
    if row.revision != change.revision:
        raise Refused("stale_revision", revision=row.revision)
    _refuse_wrong_shape(change.changes, model)
    content = {**row.content, **change.changes}
    row.content, before = content, row.content
    known, _ = await facts(session, row, parent, now, also=[actor.organisation_id])
    _refuse_unknown(change.changes, known, model)
    row.content = law.derived(content, parent.content, known)
    row.revision, row.updated_at = row.revision + 1, now
    sheet.settle(row, parent, known)
    line = paper.line(row, actor, known, now, "amend", row.status, changes=difference(before, row.content))
    line.key, line.order_digest = key, digest
    await store.write(session, line)
    return row


def _refuse_wrong_shape(changes: Mapping[str, Any], model: Model) -> None:
    wrong = judged.check_extract_shape(changes, model)
    if wrong:
        raise Refused("invalid", field=wrong[0].field, problems=wrong)


def _refuse_unknown(changes: Mapping[str, Any], known: Facts, model: Model) -> None:
    for name in judged.KINDS:
        if changes.get(name) and known.party(changes[name]) is None:
            raise Refused("invalid", field=name, problems=[judged.found(name, "unknown_organisation", model)])


def _touch(parent: CertificateRow, known: Facts, now: datetime, line: JournalRow, session: AsyncSession) -> None:
    """The certificate was cut: its own journal says so, and the clock of idle batches starts anew."""
    session.add(line)
    parent.updated_at = now
    parent.rung = deadlines.still_rung(parent.rung, ())
    paper.settle(parent, known, now, find=False)


# ── Moves: what the pen writes ────────────────────────────────────────────────────────────────────────────────


async def record(session: AsyncSession, record: BatchRecord, seals: Seals, now: datetime) -> BatchRecorded:
    """Carry out one order on an extract: row, ledger of the certificate, journal, seal and event, or nothing."""
    order = record.order
    parent, row = await locked(session, record.extract_id)
    known, sources = await facts(session, row, parent, now, also=[order.actor.organisation_id], form=order.form)
    digest = store.digest_of(order.actor, row.id, paper.told(order))
    if line := await store.journal_of_key(session, record.key):  # the same order, told twice
        store.same_order(line, digest)
        return BatchRecorded(BATCH_JSON.validate_python(line.answer), sheet.batch(row, parent, known))
    action, status, model = order.asks, ExtractStatus(row.status), paper.model_named(row.form_model)
    mine = sheet.bound(row, parent, known).get(order.actor.organisation_id, frozenset())
    sees = order.actor.organisation_id in row.visible_to
    law.refuse_unless_lawful(action, status, mine, sheet.is_frozen(parent), sees)
    if order.revision != row.revision:
        raise Refused("stale_revision", revision=row.revision)
    refuse_unless_fresh(action, order.actor.proved_at, now)
    errors = judged.extract_problems(row.content, parent.content, parent.booked, action, model, known)
    if errors:
        raise Refused("incomplete", problems=errors)
    seal = await _seal(session, seals, row, parent, order, sources, now) if action in law.SIGNS else None
    decision = order.form.get("decision")
    chosen = ExtractStatus(decision) if isinstance(decision, str) and decision in set(ExtractStatus) else None
    previous = ExtractStatus(row.previous) if row.previous else None
    target = law.extract_move(status, action, previous, chosen)
    _book(parent, row, status, target, order.actor, known, now, session)
    row.previous, row.status, row.entered_at, row.rung = status, target, now, []
    row.updated_at, row.revision = now, row.revision + 1
    if field := law.SIGNS.get(action):
        row.content = {**row.content, field: dict(order.form)}
    sheet.settle(row, parent, known)
    relied = {each: sources[each].event_id for each in sorted(sources)}
    line = paper.line(row, order.actor, known, now, action, status, form=order.form, seal=seal, relies_on=relied)
    line.key, line.order_digest = record.key, digest
    answer = sheet.batch(row, parent, known)
    line.answer = BATCH_JSON.dump_python(answer, mode="json")
    await store.write(session, line)
    reason = paper.reason(order.form)
    await _tell(session, row, parent, known, order.actor, status, action, now, reason)
    await spare_wakes(session, extract_life_id(row.id))
    return BatchRecorded(answer, answer)


def _book(
    parent: CertificateRow,
    row: ExtractRow,
    source: ExtractStatus,
    target: ExtractStatus,
    actor: Actor,
    known: Facts,
    now: datetime,
    session: AsyncSession,
) -> None:
    """Book the batch on the certificate when it begins to count, and give it back when it no longer does."""
    counted, counts = source in law.BOOKED, target in law.BOOKED
    if counted == counts:
        return
    before = parent.booked
    parent.booked = law.book(before, row.content, 1 if counts else -1)
    changes = {"booked": [before, parent.booked], "extract": [None, row.number] if counts else [row.number, None]}
    action = "book_extract" if counts else "return_extract"
    _touch(parent, known, now, paper.line_of(parent, actor, known, now, action, changes), session)


async def look(session: AsyncSession, extract_id: str, now: datetime) -> Batch:
    """The extract as it stands on paper; its next clock is computed afresh."""
    parent, row = await locked(session, extract_id)
    known, _ = await facts(session, row, parent, now)
    sheet.settle(row, parent, known)
    return sheet.batch(row, parent, known)


async def ring(session: AsyncSession, ring: BatchRing, now: datetime) -> Batch:
    """Write down that a clock of an extract has rung, once, with its event; one that is over rings for nobody."""
    parent, row = await locked(session, ring.extract_id)
    known, _ = await facts(session, row, parent, now)
    if row.due_name == ring.due.name and row.due_at is not None and row.due_at <= now + store.SKEW:
        clock, due_at = row.due_name, row.due_at
        row.rung = [*row.rung, clock]
        sheet.settle(row, parent, known)
        said = {"clock": clock, "due_at": due_at.isoformat()}
        await store.write(session, paper.line(row, store.SYSTEM, known, now, "clock", row.status, form=said))
        told = set(law.EXTRACT_CLOCK[clock].tells)
        ties = sheet.bound(row, parent, known)
        await announce(
            session,
            ExtractClockRang(
                at=now,
                extract_id=row.id,
                certificate_id=parent.id,
                number=row.number,
                status=ExtractStatus(row.status),
                clock=clock,
                concerns=sorted(each for each, mine in ties.items() if mine & told),
                parties=sheet.concerned(row, parent, known),
                due_at=row.due_at,
                due=row.due_name,
            ),
        )
    else:
        sheet.settle(row, parent, known)
    return sheet.batch(row, parent, known)


async def overdue(session: AsyncSession, before: datetime, limit: int = 200) -> int:
    """Wake the lives of extracts whose clock should have rung and did not."""
    late = select(ExtractRow).where(col(ExtractRow.due_at) < before).order_by(col(ExtractRow.due_at)).limit(limit)
    rows = (await session.exec(late.with_for_update(skip_locked=True))).all()
    for row in rows:
        await _wake(session, row)
    return len(rows)


async def latest(session: AsyncSession, within: timedelta = timedelta(minutes=5), limit: int = 500) -> int:
    """Wake the lives of the extracts that changed last, counted from the newest change: see ``moves.latest``."""
    newest = select(func.max(ExtractRow.updated_at)).scalar_subquery()
    moved = select(ExtractRow).where(col(ExtractRow.updated_at) >= newest - within)
    rows = (await session.exec(moved.order_by(col(ExtractRow.updated_at).desc()).limit(limit))).all()
    for row in rows:
        await _wake(session, row)
    return len(rows)


async def remind(session: AsyncSession, row: ExtractRow, now: datetime) -> None:
    """An answer was lost, or is not known: perhaps to the process too. It looks again, if something moved lately."""
    if row.updated_at > now - store.LATELY:
        await _wake(session, row)


async def told_before(session: AsyncSession, order: Order, extract_id: str, key: str) -> bool:
    """Whether this very order is in the journal already; the same key with another order is refused."""
    digest = store.digest_of(order.actor, extract_id, paper.told(order))
    line = await store.journal_of_key(session, key)
    if line is None:
        return False
    store.same_order(line, digest)
    return True


async def _wake(session: AsyncSession, row: ExtractRow) -> None:
    body = BATCH_JSON.dump_python(sheet.unread(row), mode="json")
    await wake(session, EXTRACT_LIFE, extract_life_id(row.id), body, timedelta(0))


async def _tell(
    session: AsyncSession,
    row: ExtractRow,
    parent: CertificateRow,
    known: Facts,
    actor: Actor,
    source: ExtractStatus | None,
    action: Action,
    now: datetime,
    reason: str | None = None,
) -> None:
    await announce(
        session,
        ExtractMoved(
            at=now,
            extract_id=row.id,
            certificate_id=parent.id,
            number=row.number,
            source=source,
            target=ExtractStatus(row.status),
            action=action,
            revision=row.revision,
            by=actor.organisation_id,
            parties=sheet.concerned(row, parent, known),
            reason=reason,
            due_at=row.due_at,
            due=row.due_name,
        ),
    )


async def _seal(
    session: AsyncSession,
    seals: Seals,
    row: ExtractRow,
    parent: CertificateRow,
    order: Order,
    sources: Mapping[str, PartyRow],
    now: datetime,
) -> dict[str, Any]:
    """The signature over what the person saw; what he did not see, he does not sign."""
    shown = sheet.document(row, parent, sources)
    if order.fingerprint != fingerprint(canonical(shown)):
        raise Refused("stale_revision", revision=row.revision, field="fingerprint")
    box = str(law.EXTRACT_BOX[str(law.SIGNS[order.asks])].number(paper.model_named(row.form_model)))
    return await store.sealed(session, seals, row, shown, order.actor, box, order.action, order.form, now)
