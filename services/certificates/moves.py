"""What the pen writes: orders, the ring of a clock, one certificate in the place of another.

``record`` is where a move happens: row, journal line, seal, number, event, in one transaction or not at all.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates import paper, store, versions
from services.certificates.models import CertificateRow, IrregularityRow, NumberRow, PartyRow
from services.certificates.rules import difference
from services.certificates.seal import Seals, canonical, fingerprint
from shared.contracts.certificates import Life, Order, Record, Recorded, Ring, life_id
from shared.events.certificates import CertificateClockRang, CertificateDrafted, CertificateMoved
from shared.kit.outbox import announce, spare_wakes
from shared.rules import deadlines, forms
from shared.rules import problems as judged
from shared.rules.actor import Actor
from shared.rules.boxes import BOX, BOXES, Filled
from shared.rules.parties import Facts
from shared.rules.permissions import Tie
from shared.rules.proofs import refuse_unless_fresh
from shared.rules.refusals import Refused
from shared.rules.status import Action, Status, move
from shared.rules.verdict import refuse_unless_lawful

FORM_LIMIT = 100_000
"""Signs of the longest form of an order: it travels through the engine, and stays in its history."""


async def told_before(session: AsyncSession, order: Order, certificate_id: str, key: str) -> bool:
    """Whether this very order is in the journal already; the same key with another order is refused."""
    digest = store.digest_of(order.actor, certificate_id, paper.told(order))
    if len(canonical(order.form)) > FORM_LIMIT:
        raise Refused("too_large", field="form", limit=FORM_LIMIT)
    if not _is_flat(order.form):
        raise Refused("malformed", field="form")
    line = await store.journal_of_key(session, key)
    if line is None:
        return False
    store.same_order(line, digest)
    return True


def _is_flat(value: Any, levels: int = 10) -> bool:
    """Whether a value is nested no deeper than any form of ours."""
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return levels > 0 and all(_is_flat(each, levels - 1) for each in inner)


async def record(session: AsyncSession, record: Record, seals: Seals, now: datetime) -> Recorded:
    """Carry out one order on paper: the row, the journal line, the seal and the event, or nothing."""
    order = record.order
    row = await store.locked(session, record.certificate_id)
    known, sources = await store.facts(
        session,
        row.content,
        now,
        also=[row.creator, order.actor.organisation_id, *paper.organisations_said(order.form)],
        form=order.form,
        status=Status(row.status),
    )
    digest = store.digest_of(order.actor, row.id, paper.told(order))
    if line := await store.journal_of_key(session, record.key):  # the same order, told twice
        store.same_order(line, digest)
        return Recorded(paper.remembered(line), paper.life(row, known))
    action, status = order.asks, Status(row.status)
    mine = paper.ties(row, known, order.actor)
    refuse_unless_lawful(action, status, mine, row.submitted)
    if order.revision != row.revision:
        raise Refused("stale_revision", revision=row.revision)
    refuse_unless_fresh(action, order.actor.proved_at, now)
    known = await store.circumstances(session, row, known, lock=True)
    judged.refuse_if_incomplete(row.content, action, paper.model_of(row), known)
    seal = await _seal(session, seals, row, order, sources, now) if action in forms.SIGNATURES else None
    target = move(status, action, Status(row.previous) if row.previous else None, paper.choice(order))
    changes: dict[str, Any] = {}
    if row.number is None and target not in (Status.DRAFT, Status.DELETED):
        row.number = await _next_number(session, str(row.content["country_of_export"]), now.year)
        changes = {"number": [None, row.number]}
    if target is not status:
        row.previous, row.status, row.entered_at, row.rung = row.status, target, now, []
    row.updated_at, row.revision = now, row.revision + 1
    row.submitted = row.submitted or target is not Status.DELETED
    if field := forms.box_signed_by(action):
        row.content = {**row.content, field: dict(order.form)}
    changes |= await _beside(session, row, order, status, mine, known, now)
    paper.settle(row, known, now)
    line = paper.line(
        row,
        order.actor,
        known,
        now,
        action,
        status,
        changes=changes,
        form=order.form,
        seal=seal,
        relies_on={each: sources[each].event_id for each in sorted(sources)},
    )
    line.key, line.order_digest = record.key, digest
    answer = paper.life(row, known)
    line.answer = paper.as_json(answer)
    await store.write(session, line)
    await announce(
        session,
        CertificateMoved(
            at=now,
            certificate_id=row.id,
            number=row.number,
            source=status,
            target=target,
            action=action,
            revision=row.revision,
            by=order.actor.organisation_id,
            parties=paper.concerned(row, known),
            reason=paper.reason(order.form),
            due_at=row.due_at,
            due=row.due_name,
            arrival_at=row.arrival_at,
            form_model=paper.model_of(row),
        ),
    )
    await spare_wakes(session, life_id(row.id))
    return Recorded(answer, answer)


async def _next_number(session: AsyncSession, country: str, year: int) -> str:
    """The next number of a country and year, counted in the transaction that uses it: no gaps, no doubles."""
    counted = await session.execute(
        insert(NumberRow)
        .values(country=country, year=year, last=1)
        .on_conflict_do_update(index_elements=["country", "year"], set_={"last": NumberRow.last + 1})
        .returning(col(NumberRow.last))
    )
    return f"COI.{country}.{year}.{counted.scalar_one():07d}"


async def _seal(
    session: AsyncSession,
    seals: Seals,
    row: CertificateRow,
    order: Order,
    sources: Mapping[str, PartyRow],
    now: datetime,
) -> dict[str, Any]:
    """The signature over what the person saw; what he did not see, he does not sign."""
    shown = paper.document(row, sources)
    if order.fingerprint != fingerprint(canonical(shown)):
        raise Refused("stale_revision", revision=row.revision, field="fingerprint")
    box = str(BOX[forms.SIGNED[order.asks]].number(paper.model_of(row)))
    return await store.sealed(session, seals, row, shown, order.actor, box, order.action, order.form, now)


async def _beside(
    session: AsyncSession,
    row: CertificateRow,
    order: Order,
    source: Status,
    mine: frozenset[Tie],
    known: Facts,
    now: datetime,
) -> dict[str, Any]:
    """What an order does beside the status: sample, procedure, successor, notice; what of it the journal says."""
    action, begun = order.asks, set[str]()
    if action is Action.RECORD_CHECKS:
        pending = order.form.get("laboratory") == "pending"
        if pending and row.sampled_at is None:
            begun.add(deadlines.Start.SAMPLED)
        row.sampled_at = (row.sampled_at or now) if pending else None
    elif action is Action.START_CUSTOMS_PROCEDURE:
        row.procedure_at = now
        begun.add(deadlines.Start.PROCEDURE)
    elif action is Action.ACCEPT_REPLACEMENT:
        row.accepted_at = now
    elif action is Action.REPLACE:
        begun.add(deadlines.Start.REPLACEMENT)
        successor = await _succeed(session, row, order.actor, known, now)
        row.replaced_by, row.replacement_at, row.accepted_at = successor.id, now, None
        row.rung = deadlines.still_rung(row.rung, begun)
        return {"replaced_by": [None, successor.id]}
    elif action is Action.SIGNAL_IRREGULARITY:
        session.add(paper.irregularity(row, order, source, mine, now))
        row.replied_at = None
    elif action is Action.REPLY_IRREGULARITY:
        notice = await open_notice(session, row)
        row.replied_at = notice.replied_at = now
        notice.reply = dict(order.form)
    elif action is Action.CONCLUDE_IRREGULARITY:
        notice = await open_notice(session, row)
        notice.concluded_at, notice.conclusion, notice.outcome = now, dict(order.form), row.status
    if row.replaces is not None and action in (Action.SIGN, Action.DELETE):
        await _tell_original(session, row, order.actor, signed=action is Action.SIGN, now=now)
    if begun:
        row.rung = deadlines.still_rung(row.rung, begun)
    return {}


async def open_notice(session: AsyncSession, row: CertificateRow) -> IrregularityRow:
    """The notice of irregularity that has frozen this certificate."""
    newest = select(IrregularityRow).where(IrregularityRow.certificate_id == row.id)
    notice = (await session.exec(newest.order_by(col(IrregularityRow.signalled_at).desc()).limit(1))).one_or_none()
    if notice is None:
        raise Refused("wrong_status", status=row.status)
    return notice


async def _succeed(
    session: AsyncSession, row: CertificateRow, actor: Actor, known: Facts, now: datetime
) -> CertificateRow:
    """The draft that shall replace a certificate: all its data, none of its signatures; linked both ways."""
    signed = {box.field for box in BOXES if box.filled is Filled.SIGNED}
    content = {name: value for name, value in row.content.items() if name not in signed}
    successor = store.newborn(actor, row.form_model, content, now)
    successor.replaces = row.id
    paper.settle(successor, known, now)
    await versions.carry(session, row, successor)
    changes = {"replaces": [None, row.id], **difference({}, content)}
    session.add(successor)
    session.add(paper.line(successor, actor, known, now, "create", None, changes=changes))
    await announce(session, CertificateDrafted(at=now, certificate_id=successor.id, creator=actor.organisation_id))
    await store.wake_life(session, successor, timedelta(0))
    return successor


async def _tell_original(
    session: AsyncSession, row: CertificateRow, actor: Actor, *, signed: bool, now: datetime
) -> None:
    """A signed successor lets its original's own clock replace it at once; one that was given up frees it.

    The status of the original stays its own process's to change: only its clock is set, and it is woken.
    """
    original = await store.locked(session, str(row.replaces))
    if original.status != Status.ISSUED or original.replaced_by != row.id or original.succeeded_at is not None:
        return
    known, _ = await store.facts(session, original.content, now, also=[original.creator, actor.organisation_id])
    if signed:
        original.succeeded_at = now
    else:
        original.replaced_by = original.replacement_at = original.accepted_at = None
        original.revision, original.updated_at = original.revision + 1, now
        changes = {"replaced_by": [row.id, None]}
        session.add(paper.line(original, actor, known, now, "drop_replacement", original.status, changes=changes))
    paper.settle(original, known, now)
    await store.wake_life(session, original, timedelta(0))


async def look(session: AsyncSession, certificate_id: str, now: datetime) -> Life:
    """The certificate as it stands on paper; its next clock is computed afresh, as the law may have changed."""
    row = await store.locked(session, certificate_id)
    known, _ = await store.facts(session, row.content, now, also=[row.creator])
    paper.settle(row, known, now, find=False)
    return paper.life(row, known)


async def ring(session: AsyncSession, ring: Ring, now: datetime) -> Life:
    """Write down that a clock has rung, once, with its event; a clock that is over by now rings for nobody."""
    row = await store.locked(session, ring.certificate_id)
    known, _ = await store.facts(session, row.content, now, also=[row.creator])
    if row.due_name == ring.due.name and row.due_at is not None and row.due_at <= now + store.SKEW:
        status, clock = Status(row.status), row.due_name
        due_at = row.due_at
        row.rung = [*row.rung, clock]
        target = deadlines.effect(clock)
        changes: dict[str, Any] = {}
        if target is not None:
            row.previous, row.status, row.entered_at, row.updated_at = row.status, target, now, now
            row.revision += 1
        if deadlines.clock_of(clock).start is deadlines.Start.REPLACEMENT:
            changes = {"replaced_by": [row.replaced_by, None]}
            row.replaced_by = row.replacement_at = row.accepted_at = None
            row.revision, row.updated_at = row.revision + 1, now
        if target is Status.DELETED and row.replaces is not None:
            await _tell_original(session, row, store.SYSTEM, signed=False, now=now)
        paper.settle(row, known, now)
        said = {"clock": clock, "due_at": due_at.isoformat()}
        line = paper.line(row, store.SYSTEM, known, now, "clock", status, form=said, changes=changes)
        await store.write(session, line)
        tied = paper.bound(row, known)
        told = deadlines.concerned(clock)
        await announce(
            session,
            CertificateClockRang(
                at=now,
                certificate_id=row.id,
                number=row.number,
                status=Status(row.status),
                clock=clock,
                concerns=sorted(each for each, mine in tied.items() if mine & told),
                parties=paper.concerned(row, known),
                due_at=row.due_at,
                due=row.due_name,
            ),
        )
    else:
        paper.settle(row, known, now, find=False)
    return paper.life(row, known)


async def overdue(session: AsyncSession, before: datetime, limit: int = 200) -> int:
    """Wake the lives whose clock should have rung and did not; how many there were is for ops to know."""
    rows = (
        await session.exec(
            select(CertificateRow)
            .where(col(CertificateRow.due_at) < before)
            .order_by(col(CertificateRow.due_at))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    ).all()
    for row in rows:
        await store.wake_life(session, row, timedelta(0))
    return len(rows)


async def latest(session: AsyncSession, within: timedelta = timedelta(minutes=5), limit: int = 500) -> int:
    """Wake the lives of the rows that changed last: who died may have written a move its process never heard of.

    "Last" is counted from the newest change, not from now: nobody knows how long nobody was there.
    """
    newest = select(func.max(CertificateRow.updated_at)).scalar_subquery()
    rows = (
        await session.exec(
            select(CertificateRow)
            .where(col(CertificateRow.updated_at) >= newest - within)
            .order_by(col(CertificateRow.updated_at).desc())
            .limit(limit)
        )
    ).all()
    for row in rows:
        await store.wake_life(session, row, timedelta(0))
    return len(rows)
