"""What a reader gets to see of extracts: his batch, the certificate behind it, what is left, and the way of the goods.

One thing to remember: a consignee sees his extract, boxes 1 to 10 of the certificate and the lines of his batch; never
another batch, nor how much is left.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates import extract_paper, extracts, paper, register, store, views
from services.certificates.models import CertificateRow, ExtractRow, PartyRow
from services.certificates.rules import EXTRACT_AWAITED
from services.certificates.seal import canonical, fingerprint
from shared.contracts.certificate_views import (
    AwaitedView,
    Confirmation,
    ExtractLine,
    ExtractPage,
    ExtractParent,
    ExtractView,
    LineLeft,
    MayView,
    TraceStep,
    TraceView,
)
from shared.rules import content as contents
from shared.rules import extract_problems as judged
from shared.rules import extracts as law
from shared.rules.actor import Actor
from shared.rules.extracts import ExtractStatus
from shared.rules.permissions import allowed
from shared.rules.refusals import Refused
from shared.rules.status import Action, Status

NEXT = {
    ExtractStatus.NEW: Action.SUBMIT,
    ExtractStatus.SUBMITTED: Action.VERIFY,
    ExtractStatus.VERIFIED: Action.RECEIVE,
}
"""What an extract is being made ready for, to tell what still stands in its way."""
BOXES_1_TO_10 = (
    "issuing_body", "procedure", "national_reference", "exporter", "producers", "producers_control_bodies",
    "countries_of_origin", "country_of_export", "clearance_country", "entry_authority", "country_of_destination",
    "importer",
)  # fmt: skip
"""What every reader of an extract sees of the certificate (box 6 of the extract repeats its importer)."""


async def seen(session: AsyncSession, extract_id: str, actor: Actor) -> ExtractRow:
    """The extract, if this organisation may see it; otherwise it is not there."""
    row = await extracts.found(session, extract_id)
    if actor.organisation_id in row.visible_to:
        return row
    country = row.content.get("clearance_country")
    if row.status != ExtractStatus.NEW and country and country == await views.customs_of(session, actor):
        return row
    raise Refused("not_found")


async def extract(session: AsyncSession, row: ExtractRow, actor: Actor, now: datetime, language: str) -> ExtractView:
    """An extract as this organisation may see it."""
    parent = await store.found(session, row.parent_id)
    known, sources = await extracts.facts(session, row, parent, now, also=[actor.organisation_id])
    status, model = ExtractStatus(row.status), paper.model_named(row.form_model)
    mine = extract_paper.bound(row, parent, known).get(actor.organisation_id, frozenset())
    frozen = extract_paper.is_frozen(parent)
    may = law.extract_allowed(status, mine, frozen)
    ahead = NEXT.get(status) if may.do else None
    found = judged.extract_problems(row.content, parent.content, parent.booked, ahead, model, known) if ahead else ()
    whole = actor.organisation_id in parent.visible_to
    behind = parent_of(row, parent, whole)
    named = {str(row.content[name]) for name in extract_paper.NAMED if row.content.get(name)} | {row.creator}
    named |= contents.organisations_in(behind.content)
    cuts = whole and bool(paper.ties(parent, known, actor) & law.SEES_ALL)
    return ExtractView(
        id=row.id,
        number=row.number,
        form_model=row.form_model,
        status=status,
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
        entered_at=row.entered_at,
        content=extract_paper.with_sums(row.content, contents.lines(parent.content)),
        parent=behind,
        parties={each: views.party_view(sources[each]) for each in sorted(named) if each in sources},
        ties=sorted(mine),
        may=MayView(edit=sorted(may.edit), do=sorted(may.do)),
        frozen=frozen and status not in law.FINAL,
        problems=views.problem_views(found, language),
        awaited=_awaited(row, sources, actor),
        signatures=await views.signatures(session, row.id, sources),
        left=lines_left(parent) if cuts else [],
    )


def parent_of(row: ExtractRow, parent: CertificateRow, whole: bool) -> ExtractParent:
    """The certificate behind an extract: boxes 1 to 10, and of box 13 the lines of this batch."""
    own = {str(line.get("id")) for line in contents.lines(row.content)}
    rows = [line for line in contents.lines(parent.content) if str(line.get("id")) in own]
    shown: dict[str, Any] = {name: parent.content[name] for name in BOXES_1_TO_10 if name in parent.content}
    if not whole:
        shown["producers"] = list(dict.fromkeys(line["producer"] for line in rows if line.get("producer")))
        bodies = (line["producer_control_body"] for line in rows if line.get("producer_control_body"))
        shown["producers_control_bodies"] = list(dict.fromkeys(bodies))
    return ExtractParent(
        id=parent.id,
        number=parent.number,
        status=Status(parent.status),
        whole=whole,
        content={**shown, "product_lines": rows},
    )


def lines_left(parent: CertificateRow) -> list[LineLeft]:
    """Each line of the certificate, and what no extract has taken of it."""
    rest = law.left(parent.content, parent.booked)
    return [
        LineLeft(
            id=str(line["id"]),
            cn_code=line.get("cn_code"),
            trade_name=line.get("trade_name"),
            lot=line.get("lot"),
            unit=line.get("unit") or "KGM",
            package_type=line.get("package_type"),
            packages=line.get("packages"),
            net_weight=str(line.get("net_weight") or "0"),
            packages_left=rest[str(line["id"])].packages,
            net_weight_left=f"{rest[str(line['id'])].net_weight:f}",
        )
        for line in contents.lines(parent.content)
        if line.get("id")
    ]


def _awaited(row: ExtractRow, sources: dict[str, PartyRow], actor: Actor) -> AwaitedView | None:
    awaits = EXTRACT_AWAITED.get(ExtractStatus(row.status))
    if awaits is None:
        return None
    return AwaitedView(
        code=awaits.code,
        organisations=[views.party_view(sources[each]) for each in row.awaited_by if each in sources],
        since=row.entered_at,
        until=row.due_at,
        clock=row.due_name,
        mine=actor.organisation_id in row.awaited_by,
    )


# ── lists ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def of_certificate(session: AsyncSession, parent: CertificateRow, actor: Actor, now: datetime) -> ExtractPage:
    """The extracts of a certificate that this organisation may see, and what is left for more of them."""
    known, _ = await store.facts(session, parent.content, now, also=[parent.creator, actor.organisation_id])
    mine = paper.ties(parent, known, actor)
    rows = [row for row in await extracts.of(session, parent.id) if actor.organisation_id in row.visible_to]
    may = Action.EXTRACT in allowed(Status(parent.status), mine, parent.submitted).do
    return ExtractPage(
        items=await _lines(session, rows, actor),
        left=lines_left(parent) if mine & law.SEES_ALL else [],
        may_begin=may and law.is_anything_left(parent.content, parent.booked),
    )


async def mine(
    session: AsyncSession, actor: Actor, status: list[ExtractStatus], awaits_me: bool, limit: int, after: str | None
) -> ExtractPage:
    """The extracts this organisation may see, newest change first; `after` is the id of the last one seen."""
    query = select(ExtractRow).where(col(ExtractRow.visible_to).contains([actor.organisation_id]))
    if status:
        query = query.where(col(ExtractRow.status).in_(status))
    if awaits_me:
        query = query.where(col(ExtractRow.awaited_by).contains([actor.organisation_id]))
    if after:
        last = await seen(session, after, actor)
        same = (col(ExtractRow.updated_at) == last.updated_at) & (col(ExtractRow.id) < last.id)
        query = query.where(or_(col(ExtractRow.updated_at) < last.updated_at, same))
    newest = query.order_by(col(ExtractRow.updated_at).desc(), col(ExtractRow.id).desc())
    rows = list(await session.exec(newest.limit(limit + 1)))
    shown = rows[:limit]
    further = shown[-1].id if len(rows) > limit else None
    return ExtractPage(items=await _lines(session, shown, actor), left=[], may_begin=False, next=further)


async def _lines(session: AsyncSession, rows: Iterable[ExtractRow], actor: Actor) -> list[ExtractLine]:
    listed = list(rows)
    named = {str(row.content[name]) for row in listed for name in extract_paper.NAMED if row.content.get(name)}
    sources = await register.parties(session, named)
    parents: dict[str, CertificateRow] = {}
    for parent_id in {row.parent_id for row in listed}:
        parents[parent_id] = await store.found(session, parent_id)
    return [_line(row, parents[row.parent_id], sources, actor) for row in listed]


def _line(row: ExtractRow, parent: CertificateRow, sources: dict[str, PartyRow], actor: Actor) -> ExtractLine:
    def party(name: str) -> Any:
        source = sources.get(str(row.content.get(name)))
        return views.party_view(source) if source else None

    rows = contents.lines(row.content)
    units = {str(line.get("id")): line.get("unit") or "KGM" for line in contents.lines(parent.content)}
    sums: dict[str, Any] = {}
    for line in rows:
        unit = units.get(str(line.get("id")), "KGM")
        sums[unit] = sums.get(unit, 0) + law.quantity(line).net_weight
    counted = [each for line in rows if (each := law.quantity(line).packages) is not None]
    return ExtractLine(
        id=row.id,
        number=row.number,
        parent_id=row.parent_id,
        status=ExtractStatus(row.status),
        revision=row.revision,
        consignee=party("consignee"),
        entry_authority=party("entry_authority"),
        packages=sum(counted) if counted else None,
        net_weight=[(f"{total:f}", unit) for unit, total in sums.items()],
        updated_at=row.updated_at,
        awaits_me=actor.organisation_id in row.awaited_by,
    )


# ── before a signature ────────────────────────────────────────────────────────────────────────────────────────


async def confirmation(
    session: AsyncSession, row: ExtractRow, actor: Actor, action: str, now: datetime, language: str
) -> Confirmation:
    """The whole of the present revision with its fingerprint, for somebody who may sign it now."""
    if action not in law.SIGNS:
        raise Refused("unknown_action", action=action, field="action")
    parent = await store.found(session, row.parent_id)
    known, sources = await extracts.facts(session, row, parent, now, also=[actor.organisation_id])
    mine = extract_paper.bound(row, parent, known).get(actor.organisation_id, frozenset())
    status, model = ExtractStatus(row.status), paper.model_named(row.form_model)
    if Action(action) not in law.extract_allowed(status, mine, extract_paper.is_frozen(parent)).do:
        raise Refused("not_permitted", action=action)
    shown = extract_paper.document(row, parent, sources)
    found = judged.extract_problems(row.content, parent.content, parent.booked, Action(action), model, known)
    return Confirmation(
        action=action,
        revision=row.revision,
        fingerprint=fingerprint(canonical(shown)),
        document=shown,
        problems=views.problem_views(found, language),
    )


# ── the way of the goods ──────────────────────────────────────────────────────────────────────────────────────


async def trace_back(session: AsyncSession, row: ExtractRow, actor: Actor, now: datetime) -> TraceView:
    """From a batch to the producers of its lines."""
    parent = await store.found(session, row.parent_id)
    _, sources = await extracts.facts(session, row, parent, now)
    own = {str(line.get("id")) for line in contents.lines(row.content)}
    rows = [line for line in contents.lines(parent.content) if str(line.get("id")) in own]
    steps = [*_upstream(parent, rows, sources), *_batch_steps(row, rows, sources)]
    return TraceView(certificate_id=parent.id, number=row.number, steps=steps)


async def trace_forth(session: AsyncSession, parent: CertificateRow, actor: Actor, now: datetime) -> TraceView:
    """From a certificate to everybody who received a part of it, as far as this organisation may know."""
    known, sources = await store.facts(session, parent.content, now, also=[parent.creator, actor.organisation_id])
    mine = paper.ties(parent, known, actor)
    shown = contents.seen_by(actor.organisation_id, mine, parent.content)
    rows = contents.lines(shown)
    steps = _upstream(parent, rows, sources)
    consignee = sources.get(str(parent.content.get("first_consignee")))
    if consignee and mine:
        steps.append(_step("first_consignee", consignee, rows, parent.status))
    for row in await extracts.of(session, parent.id):
        if actor.organisation_id in row.visible_to and row.status != ExtractStatus.DELETED:
            _, theirs = await extracts.facts(session, row, parent, now)
            own = {str(line.get("id")) for line in contents.lines(row.content)}
            part = [line for line in contents.lines(parent.content) if str(line.get("id")) in own]
            steps += _batch_steps(row, part, theirs)
    return TraceView(certificate_id=parent.id, number=parent.number, steps=steps)


def _upstream(parent: CertificateRow, rows: list[contents.Row], sources: dict[str, PartyRow]) -> list[TraceStep]:
    """The stations before release: the producers of these lines and their bodies, exporter, body, importer, border."""
    steps = []
    for role in ("producer", "producer_control_body"):
        for each in dict.fromkeys(line.get(role) for line in rows):
            if source := sources.get(str(each)):
                steps.append(_step(role, source, [line for line in rows if line.get(role) == each]))
    for role in ("exporter", "issuing_body", "importer", "entry_authority"):
        if source := sources.get(str(parent.content.get(role))):
            steps.append(_step(role, source, rows, parent.status if role == "entry_authority" else None))
    return steps


def _batch_steps(row: ExtractRow, rows: list[contents.Row], sources: dict[str, PartyRow]) -> list[TraceStep]:
    steps = []
    for role in ("entry_authority", "consignee"):
        if source := sources.get(str(row.content.get(role))):
            steps.append(_step(role, source, rows, row.status, row.number))
    return steps


def _step(
    role: str, source: PartyRow, rows: Iterable[contents.Row], status: str | None = None, number: str | None = None
) -> TraceStep:
    lots = list(dict.fromkeys(str(line["lot"]) for line in rows if line.get("lot")))
    return TraceStep(role=role, organisation=views.party_view(source), lots=lots, extract=number, status=status)
