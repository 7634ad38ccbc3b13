"""A certificate's row: reading it with what a verdict rests on, its birth, its edits. No function opens or commits.

Content is moved here, by SQL alone; what the pen moves is in ``moves``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from pydantic import TypeAdapter
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates import paper, register
from services.certificates.models import (
    CertificateRow,
    ExtractRow,
    JournalRow,
    PartyRow,
    SealedRow,
)
from services.certificates.rules import difference
from services.certificates.seal import Seals, canonical, fingerprint
from shared.contracts.certificate_views import Edit, NewCertificate
from shared.contracts.certificates import LIFE, Life, life_id
from shared.events.certificates import CertificateDrafted, CertificateEdited
from shared.kit.outbox import announce, wake
from shared.rules import content as contents
from shared.rules import deadlines, shape
from shared.rules import extracts as batches
from shared.rules import problems as judged
from shared.rules.actor import Actor
from shared.rules.boxes import Model, bare_root, problem
from shared.rules.parties import Facts, may_create
from shared.rules.permissions import Tie
from shared.rules.refusals import Refused
from shared.rules.status import Action, Status
from shared.rules.verdict import refuse_unless_editable, refuse_unless_lawful

RENEWS = frozenset({"product_lines", "gross_weight", "transport", "departure_at"})
"""Boxes 13, 16 and 17: when the issuing body changes them after box 18, its seal is renewed over the new revision."""
WAKES = {
    "departure_at", "arrival_at", "entry_authority", "release_by_batches", "gross_weight", "transport",
    "customs_procedure",
}  # fmt: skip
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
    row = newborn(actor, model, content, now)
    paper.settle(row, known, now)
    changes = {"copied_from": [None, source]} if source else {}
    changes |= difference({}, content)
    line = paper.line(row, actor, known, now, "create", None, changes=changes)
    line.key, line.order_digest = key, digest
    session.add(row)
    await write(session, line)
    await announce(session, CertificateDrafted(at=now, certificate_id=row.id, creator=actor.organisation_id))
    await wake_life(session, row, timedelta(0))
    return row


def newborn(actor: Actor, model: str, content: dict[str, Any], now: datetime) -> CertificateRow:
    """A draft as it begins."""
    return CertificateRow(
        id=str(uuid4()),
        form_model=model,
        status=Status.DRAFT,
        revision=1,
        creator=actor.organisation_id,
        created_at=now,
        updated_at=now,
        entered_at=now,
        content=content,
    )


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
        await wake_life(session, row, gather)
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


async def remind(session: AsyncSession, row: CertificateRow, now: datetime) -> None:
    """An answer was lost, or is not known: perhaps to the process too. It looks again, if something moved lately."""
    if row.updated_at > now - LATELY:
        await wake_life(session, row, timedelta(0))


async def wake_life(session: AsyncSession, row: CertificateRow, after: timedelta) -> None:
    """A line that has the certificate's process look at its row, after a while."""
    await wake(session, LIFE, life_id(row.id), paper.as_json(paper.unread(row)), after)


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


async def copy(session: AsyncSession, certificate_id: str, actor: Actor, key: str, now: datetime) -> CertificateRow:
    """Copy as new: a draft with the same parties, products and boxes 7 to 11, without lots, loads and signatures."""
    row = await found(session, certificate_id)
    known, _ = await facts(session, row.content, now, also=[row.creator])
    refuse_unless_lawful(Action.COPY, Status(row.status), paper.ties(row, known, actor), row.submitted)
    new = NewCertificate(form_model=row.form_model, content=contents.kept(row.content))
    return await create(session, actor, new, key, now, row.id)
