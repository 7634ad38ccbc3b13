"""The certificates service's only queries. Every function takes a session, none opens or commits one.

``record`` is where a move happens: row, journal line, seal, number, event, in one transaction or not at all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from pydantic import TypeAdapter
from sqlalchemy import bindparam, func, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates import paper, register, versions
from services.certificates.models import (
    CertificateRow,
    ExtractRow,
    IrregularityRow,
    JournalRow,
    NumberRow,
    PartyRow,
    SealedRow,
)
from services.certificates.rules import difference
from services.certificates.seal import Seals, canonical, fingerprint
from shared.contracts.certificates import (
    LIFE,
    Edit,
    Life,
    NewCertificate,
    Order,
    Record,
    Recorded,
    Ring,
    life_id,
)
from shared.events.certificates import CertificateClockRang, CertificateDrafted, CertificateEdited, CertificateMoved
from shared.kit.outbox import announce, spare_wakes, wake
from shared.rules import content as contents
from shared.rules import deadlines, forms, shape
from shared.rules import extracts as batches
from shared.rules import problems as judged
from shared.rules.actor import Actor
from shared.rules.boxes import BOX, BOXES, Filled, Model, bare_root, problem
from shared.rules.parties import Facts, may_create
from shared.rules.permissions import Tie
from shared.rules.proofs import refuse_unless_fresh
from shared.rules.refusals import Refused
from shared.rules.status import Action, Status, move
from shared.rules.verdict import refuse_unless_editable, refuse_unless_lawful

RENEWS = frozenset({"product_lines", "gross_weight", "transport", "departure_at"})
"""Boxes 13, 16 and 17: when the issuing body changes them after box 18, its seal is renewed over the new revision."""
WAKES = {"departure_at", "arrival_at", "entry_authority", "release_by_batches", "gross_weight", "transport"}
FORM_LIMIT = 100_000
"""Signs of the longest form of an order: it travels through the engine, and stays in its history."""
LIFE_JSON = TypeAdapter(Life)
SKEW = timedelta(seconds=5)  # the engine's clock and ours may differ a little: a timer that fired has fired
LATELY = timedelta(hours=1)
"""How long ago a move may be whose answer was lost."""
SYSTEM = Actor("system", "Bordereau", "system", "SYS_ADMIN")


# ── Reading what stands there ─────────────────────────────────────────────────────────────────────────────────


async def locked(session: AsyncSession, certificate_id: str) -> CertificateRow:
    """The certificate's row, held until this transaction ends; as it stands now, whatever this session read before."""
    row = await session.get(CertificateRow, certificate_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise Refused("not_found")
    return row


async def found(session: AsyncSession, certificate_id: str) -> CertificateRow:
    """The certificate's row as it stands now."""
    answer = (await session.execute(_FOUND, {"id": certificate_id})).one_or_none()  # the register's edition with it
    if answer is None:
        raise Refused("not_found")
    register.open_at(session, answer.edition)
    row: CertificateRow = answer.CertificateRow
    return row


_FOUND = select(CertificateRow, register.EDITION.label("edition")).where(col(CertificateRow.id) == bindparam("id"))


async def name_of(session: AsyncSession, organisation_id: str) -> str:
    """An organisation as a person reads it; its id while the directory has not told of it."""
    row = (await register.parties(session, [organisation_id])).get(organisation_id)
    return paper.label(paper.party(row)) if row else organisation_id


async def facts(
    session: AsyncSession,
    content: Mapping[str, Any],
    now: datetime,
    *,
    also: Iterable[str] = (),
    form: Mapping[str, object] | None = None,
    status: Status | None = None,
) -> tuple[Facts, dict[str, PartyRow]]:
    """What a verdict about this content rests on, and the rows it was read from."""
    rows = await register.parties(session, {*contents.organisations_in(content), *also})
    goods = await register.commodities(session, contents.commodities_in(content), now.date())
    known = {row.id: paper.party(row) for row in rows.values()}
    return Facts(now=now, parties=known, commodities=goods, form=form, status=status), rows


async def circumstances(session: AsyncSession, row: CertificateRow, known: Facts, lock: bool = False) -> Facts:
    """The same facts, with what stands beside the certificate: replacements, notices."""
    beside = replace(
        known,
        to_enclose=paper.to_enclose(row),
        replacement_pending=paper.is_locked(row),
        replacement_accepted=row.accepted_at is not None,
        replaces=row.replaces is not None,
        answered=row.replied_at is not None,
    )
    if row.status == Status.BASE_FOR_EXTRACT:
        beside = replace(
            beside,
            quantity_left=batches.is_anything_left(row.content, row.booked),
            extracts_open=await _open_extract(session, row.id),
        )
    if row.replaces is not None and Status(row.status) in (Status.DRAFT, Status.DESCRIPTION_COMPLETED):
        original = await (locked if lock else found)(session, row.replaces)
        waits = original.status == Status.ISSUED and original.replaced_by == row.id
        of_2022 = paper.model_of(row) is Model.COI_2022
        beside = replace(
            beside,
            replacement_lapsed=not waits,
            acceptance_awaited=waits and of_2022 and original.accepted_at is None,
        )
    return beside


async def _open_extract(session: AsyncSession, certificate_id: str) -> bool:
    """Whether an extract of this certificate still awaits a decision."""
    waiting = select(ExtractRow.id).where(
        ExtractRow.parent_id == certificate_id, col(ExtractRow.status).in_(sorted(batches.OPEN))
    )
    return (await session.exec(waiting.limit(1))).first() is not None


async def journal_of_key(session: AsyncSession, key: str) -> JournalRow | None:
    """The journal line an order with this key has written, if it was carried out."""
    return (await session.exec(_OF_KEY, params={"key": key})).one_or_none()


_ONE_BIRTH_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
_OF_KEY = select(JournalRow).where(JournalRow.key == bindparam("key"))  # built once: asked before every order


def digest_of(actor: Actor, certificate_id: str, told: Any) -> str:
    """What a key stands for: this actor, this certificate, this order; refused when it cannot be written down."""
    try:
        return fingerprint([actor.person_id, actor.organisation_id, certificate_id, told])
    except (ValueError, RecursionError):  # no number, half a sign, nested without end
        raise Refused("malformed") from None


def same_order(line: JournalRow, digest: str) -> None:
    """Refuse a key that has stood for another order."""
    if line.order_digest != digest:
        raise Refused("key_reused", field="Idempotency-Key")


async def write(session: AsyncSession, line: JournalRow) -> None:
    """Row and journal line to the database; a key that another certificate took at this moment is refused."""
    session.add(line)
    try:
        await session.flush()
    except IntegrityError as clash:
        if "journal_key_key" in str(clash.orig):
            raise Refused("key_reused", field="Idempotency-Key") from None
        raise


# ── Birth and edits: content, moved by SQL alone ──────────────────────────────────────────────────────────────


async def create(
    session: AsyncSession, actor: Actor, new: NewCertificate, key: str, now: datetime, source: str | None = None
) -> CertificateRow:
    """A draft is born: row, first journal line, event and wake line. The same key gives the same draft again."""
    digest = digest_of(actor, "new", [new.form_model, source or new.content])
    await session.execute(_ONE_BIRTH_AT_A_TIME, {"key": key})
    if line := await journal_of_key(session, key):
        same_order(line, digest)
        return await found(session, line.certificate_id)
    model = paper.model_named(new.form_model)
    _refuse_wrong_shape(new.content, model)
    content, known = await _filled(session, {}, new.content, actor, now, born=True)
    creator = known.parties.get(actor.organisation_id)
    if creator is None or not may_create(creator, now.date()):
        raise Refused("not_permitted", field="creator")
    missing = judged.missing_to_save(content, model)
    if missing:
        raise Refused("incomplete", problems=missing)
    certificate_id = str(uuid4())
    row = CertificateRow(
        id=certificate_id,
        form_model=model,
        status=Status.DRAFT,
        revision=1,
        creator=actor.organisation_id,
        created_at=now,
        updated_at=now,
        entered_at=now,
        content=content,
    )
    paper.settle(row, known, now)
    changes = {"copied_from": [None, source]} if source else {}
    changes |= difference({}, content)
    line = paper.line(row, actor, known, now, "create", None, changes=changes)
    line.key, line.order_digest = key, digest
    session.add(row)
    await write(session, line)
    await announce(session, CertificateDrafted(at=now, certificate_id=certificate_id, creator=actor.organisation_id))
    await _wake(session, row, timedelta(0))
    return row


async def edit(
    session: AsyncSession,
    certificate_id: str,
    actor: Actor,
    change: Edit,
    key: str,
    now: datetime,
    gather: timedelta,
    seals: Seals | None = None,
) -> CertificateRow:
    """Change boxes on the revision seen: row, journal line, event and, where a date or party moved, a wake line."""
    digest = digest_of(actor, certificate_id, [change.revision, change.changes])
    row = await locked(session, certificate_id)
    if line := await journal_of_key(session, key):
        same_order(line, digest)
        return row
    status = Status(row.status)
    standing, _ = await facts(session, row.content, now, also=[row.creator])
    mine = paper.ties(row, standing, actor)
    refuse_unless_lawful(Action.AMEND, status, mine, row.submitted)
    if row.revision != change.revision:
        raise Refused("stale_revision", revision=row.revision)
    _refuse_wrong_shape(change.changes, paper.model_of(row))
    touched = refuse_unless_editable(row.content, change.changes, status, mine, row.submitted)
    if paper.is_locked(row):
        raise Refused("incomplete", problems=[problem("number", "replacement_pending", paper.model_of(row))])
    content, known = await _filled(session, row.content, change.changes, actor, now)
    changes = difference(row.content, content)
    if status is not Status.DRAFT:
        worse = judged.amendment_problems(row.content, content, status, paper.model_of(row), known)
        if worse:
            raise Refused("incomplete", problems=worse)
    announced = status is not Status.DRAFT and not row.content.get("arrival_at") and bool(content.get("arrival_at"))
    before, sleeps_until = paper.bound(row, standing), row.due_at
    row.content, row.revision, row.updated_at = content, row.revision + 1, now
    row.rung = deadlines.still_rung(row.rung, changes.keys())
    if status is Status.ISSUED:
        row.amended_at = now
    paper.settle(row, known, now)
    seal = None
    if seals and status is Status.ISSUED and Tie.ISSUER in mine and {bare_root(each) for each in touched} & RENEWS:
        _, sources = await facts(session, content, now)
        seal = await sealed(session, seals, row, paper.document(row, sources), actor, "18", "amend", {}, now)
    line = paper.line(row, actor, known, now, "amend", row.status, changes=changes, seal=seal)
    line.key, line.order_digest = key, digest
    await write(session, line)
    await announce(
        session,
        CertificateEdited(
            at=now,
            certificate_id=row.id,
            number=row.number,
            status=status,
            revision=row.revision,
            by=actor.organisation_id,
            boxes=sorted(changes),
            parties=paper.concerned(row, known),
            announced=announced,
            arrival_at=row.arrival_at,
            form_model=paper.model_of(row),
        ),
    )
    sooner = row.due_at is not None and (sleeps_until is None or row.due_at < sleeps_until)
    if sooner or WAKES & changes.keys() or before != paper.bound(row, known):
        await _wake(session, row, gather)
    return row


def _refuse_wrong_shape(changes: Mapping[str, Any], model: Model) -> None:
    wrong = shape.check_shape(changes, model)
    if wrong:
        raise Refused("invalid", field=wrong[0].field, problems=wrong)


async def _filled(
    session: AsyncSession,
    before: Mapping[str, Any],
    changes: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    born: bool = False,
) -> tuple[dict[str, Any], Facts]:
    """The content after a change: what the system fills in filled in, what it derives derived."""
    known, _ = await facts(session, {**before, **changes}, now, also=[actor.organisation_id])
    for named in sorted(contents.organisations_in(changes)):
        if named not in known.parties:
            raise Refused("invalid", field=contents.places_of(named, changes)[0], organisation=named)
    creator = known.party(actor.organisation_id) if born else None
    merged = {**before, **contents.fill_in(before, changes, known, creator)}
    known, _ = await facts(session, merged, now, also=[actor.organisation_id])
    derived = contents.derive(merged, known)
    return {field: value for field, value in derived.items() if value not in (None, [], {}, "", False)}, known


# ── Moves: what the pen writes ────────────────────────────────────────────────────────────────────────────────


async def record(session: AsyncSession, record: Record, seals: Seals, now: datetime) -> Recorded:
    """Carry out one order on paper: the row, the journal line, the seal and the event, or nothing."""
    order = record.order
    row = await locked(session, record.certificate_id)
    known, sources = await facts(
        session,
        row.content,
        now,
        also=[row.creator, order.actor.organisation_id, *paper.organisations_said(order.form)],
        form=order.form,
        status=Status(row.status),
    )
    digest = digest_of(order.actor, row.id, paper.told(order))
    if line := await journal_of_key(session, record.key):  # the same order, told twice
        same_order(line, digest)
        return Recorded(paper.remembered(line), paper.life(row, known))
    action, status = order.asks, Status(row.status)
    mine = paper.ties(row, known, order.actor)
    refuse_unless_lawful(action, status, mine, row.submitted)
    if order.revision != row.revision:
        raise Refused("stale_revision", revision=row.revision)
    refuse_unless_fresh(action, order.actor.proved_at, now)
    known = await circumstances(session, row, known, lock=True)
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
    await write(session, line)
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
        ),
    )
    await spare_wakes(session, life_id(row.id))
    return Recorded(answer, answer)


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
    successor = CertificateRow(
        id=str(uuid4()),
        form_model=row.form_model,
        status=Status.DRAFT,
        revision=1,
        creator=actor.organisation_id,
        created_at=now,
        updated_at=now,
        entered_at=now,
        content=content,
        replaces=row.id,
    )
    paper.settle(successor, known, now)
    await versions.carry(session, row, successor)
    changes = {"replaces": [None, row.id], **difference({}, content)}
    session.add(successor)
    session.add(paper.line(successor, actor, known, now, "create", None, changes=changes))
    await announce(session, CertificateDrafted(at=now, certificate_id=successor.id, creator=actor.organisation_id))
    await _wake(session, successor, timedelta(0))
    return successor


async def _tell_original(
    session: AsyncSession, row: CertificateRow, actor: Actor, *, signed: bool, now: datetime
) -> None:
    """A signed successor lets its original's own clock replace it at once; one that was given up frees it.

    The status of the original stays its own process's to change: only its clock is set, and it is woken.
    """
    original = await locked(session, str(row.replaces))
    if original.status != Status.ISSUED or original.replaced_by != row.id or original.succeeded_at is not None:
        return
    known, _ = await facts(session, original.content, now, also=[original.creator, actor.organisation_id])
    if signed:
        original.succeeded_at = now
    else:
        original.replaced_by = original.replacement_at = original.accepted_at = None
        original.revision, original.updated_at = original.revision + 1, now
        changes = {"replaced_by": [row.id, None]}
        session.add(paper.line(original, actor, known, now, "drop_replacement", original.status, changes=changes))
    paper.settle(original, known, now)
    await _wake(session, original, timedelta(0))


async def look(session: AsyncSession, certificate_id: str, now: datetime) -> Life:
    """The certificate as it stands on paper; its next clock is computed afresh, as the law may have changed."""
    row = await locked(session, certificate_id)
    known, _ = await facts(session, row.content, now, also=[row.creator])
    paper.settle(row, known, now, find=False)
    return paper.life(row, known)


async def ring(session: AsyncSession, ring: Ring, now: datetime) -> Life:
    """Write down that a clock has rung, once, with its event; a clock that is over by now rings for nobody."""
    row = await locked(session, ring.certificate_id)
    known, _ = await facts(session, row.content, now, also=[row.creator])
    if row.due_name == ring.due.name and row.due_at is not None and row.due_at <= now + SKEW:
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
            await _tell_original(session, row, SYSTEM, signed=False, now=now)
        paper.settle(row, known, now)
        said = {"clock": clock, "due_at": due_at.isoformat()}
        line = paper.line(row, SYSTEM, known, now, "clock", status, form=said, changes=changes)
        await write(session, line)
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
        await _wake(session, row, timedelta(0))
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
        await _wake(session, row, timedelta(0))
    return len(rows)


async def remind(session: AsyncSession, row: CertificateRow, now: datetime) -> None:
    """An answer was lost, or is not known: perhaps to the process too. It looks again, if something moved lately."""
    if row.updated_at > now - LATELY:
        await _wake(session, row, timedelta(0))


async def _wake(session: AsyncSession, row: CertificateRow, after: timedelta) -> None:
    await wake(session, LIFE, life_id(row.id), paper.as_json(paper.unread(row)), after)


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
    return await sealed(session, seals, row, shown, order.actor, box, order.action, order.form, now)


async def sealed(
    session: AsyncSession,
    seals: Seals,
    row: CertificateRow | ExtractRow,
    shown: dict[str, Any],
    actor: Actor,
    box: str,
    action: str,
    form: Mapping[str, Any],
    now: datetime,
) -> dict[str, Any]:
    """The organisation's seal over a document of this certificate's, which is kept byte for byte."""
    text = canonical(shown)
    mark = fingerprint(text)
    await session.execute(
        insert(SealedRow)
        .values(fingerprint=mark, certificate_id=row.id, revision=row.revision, document=text)
        .on_conflict_do_nothing()
    )
    statement = {
        "certificate": row.id,
        "box": box,
        "action": action,
        "revision": row.revision,
        "fingerprint": mark,
        "form": dict(form),
        "person": actor.name,
        "person_id": actor.person_id,
        "organisation_id": actor.organisation_id,
        "proved_at": actor.proved_at.isoformat() if actor.proved_at else None,
        "at": now.isoformat(),
        "journal": row.journal_head,
    }
    return await seals.sign(session, actor.organisation_id, statement)


async def _next_number(session: AsyncSession, country: str, year: int) -> str:
    """The next number of a country and year, counted in the transaction that uses it: no gaps, no doubles."""
    counted = await session.execute(
        insert(NumberRow)
        .values(country=country, year=year, last=1)
        .on_conflict_do_update(index_elements=["country", "year"], set_={"last": NumberRow.last + 1})
        .returning(col(NumberRow.last))
    )
    return f"COI.{country}.{year}.{counted.scalar_one():07d}"


def _is_flat(value: Any, levels: int = 10) -> bool:
    """Whether a value is nested no deeper than any form of ours."""
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return levels > 0 and all(_is_flat(each, levels - 1) for each in inner)


async def told_before(session: AsyncSession, order: Order, certificate_id: str, key: str) -> bool:
    """Whether this very order is in the journal already; the same key with another order is refused."""
    digest = digest_of(order.actor, certificate_id, paper.told(order))
    if len(canonical(order.form)) > FORM_LIMIT:
        raise Refused("too_large", field="form", limit=FORM_LIMIT)
    if not _is_flat(order.form):
        raise Refused("malformed", field="form")
    line = await journal_of_key(session, key)
    if line is None:
        return False
    same_order(line, digest)
    return True


async def copy(session: AsyncSession, certificate_id: str, actor: Actor, key: str, now: datetime) -> CertificateRow:
    """Copy as new: a draft with the same parties, products and boxes 7 to 11, without lots, loads and signatures."""
    row = await found(session, certificate_id)
    known, _ = await facts(session, row.content, now, also=[row.creator])
    refuse_unless_lawful(Action.COPY, Status(row.status), paper.ties(row, known, actor), row.submitted)
    new = NewCertificate(form_model=row.form_model, content=contents.kept(row.content))
    return await create(session, actor, new, key, now, row.id)
