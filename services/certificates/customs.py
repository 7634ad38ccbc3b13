"""What customs ask of a certificate or an extract by its number: what is released, and what declarations took of it.

One thing to remember: whoever writes off holds the certificate's row, so that two declarations at once never take more
than was released. A write-off is a line of the journal; it changes no box, so it raises no revision.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates import extract_paper, extract_views, extracts, paper, store, views
from services.certificates.models import CertificateRow, ExtractRow, WriteOffRow
from shared.contracts.machines import CoiView, NewWriteOff, QuantityView
from shared.rules import content as contents
from shared.rules.actor import Actor
from shared.rules.extracts import ExtractStatus
from shared.rules.refusals import Refused
from shared.rules.roles import RoleType
from shared.rules.status import Status

_S, _X = Status, ExtractStatus

ORGANIC: Final = frozenset({_S.CONSIGNMENT_VERIFIED, _S.FIRST_CONSIGNEE_SIGNED, _X.VERIFIED, _X.CONSIGNEE_SIGNED})
"""Where the whole is released as organic."""
CONVENTIONAL: Final = frozenset({_S.RELEASED_CONVENTIONAL, _X.CONVENTIONAL})
IN_BATCHES: Final = frozenset({_S.BASE_FOR_EXTRACT, _S.DEPLETED})
WRITTEN: Final = "write_off"
"""The action's name in the journal."""

Coi = CertificateRow | ExtractRow
Taken = dict[str, tuple[Decimal, int]]
"""Line -> net weight and packages that declarations took."""


async def coi(session: AsyncSession, number: str, actor: Actor) -> CoiView:
    """A certificate or extract as an authority may ask for it."""
    row = await _seen(session, number, actor)
    return await _view(session, row, actor)


async def write_off(
    session: AsyncSession, number: str, actor: Actor, wish: NewWriteOff, key: str, now: datetime
) -> CoiView:
    """Take quantities for a declaration; the same key takes them once, and never more than is left."""
    seen = await _seen(session, number, actor)
    country = await views.customs_of(session, actor)
    if country is None or country != _cleared_in(seen):
        raise Refused("not_permitted")
    session.expunge_all()  # the row is read anew once it is ours
    parent: CertificateRow | None = None
    row: Coi
    if isinstance(seen, ExtractRow):
        parent, row = await extracts.locked(session, seen.id)
    else:
        row = await store.locked(session, seen.id)
    digest = store.digest_of(actor, row.id, wish.model_dump(mode="json"))
    if line := await store.journal_of_key(session, key):
        store.same_order(line, digest)
        return await _view(session, row, actor)
    if not _may_write_off(row, parent):
        raise Refused("wrong_status", status=row.status)
    _refuse_too_much(row, wish, await _taken(session, [row.id]))
    known, _ = await store.facts(session, {}, now, also=[actor.organisation_id])
    written = paper.line(row, actor, known, now, WRITTEN, row.status, form=wish.model_dump(mode="json"))
    written.key, written.order_digest = key, digest
    for each in wish.lines:
        session.add(
            WriteOffRow(
                id=str(uuid4()),
                coi_id=row.id,
                line=each.line,
                net_weight=each.net_weight,
                packages=each.packages,
                declaration=wish.declaration.strip(),
                at=now,
                by=actor.organisation_id,
                key=key,
            )
        )
    await store.write(session, written)
    return await _view(session, row, actor)


async def _seen(session: AsyncSession, number: str, actor: Actor) -> Coi:
    """The certificate or extract of this number, if this authority may see it."""
    if actor.role_type != RoleType.AUTHORITY or not number.isprintable():
        raise Refused("not_found")
    found = (await session.exec(select(CertificateRow.id).where(CertificateRow.number == number))).one_or_none()
    if found is not None:
        return await views.seen(session, found, actor)
    batch = (await session.exec(select(ExtractRow.id).where(ExtractRow.number == number))).one_or_none()
    if batch is None:
        raise Refused("not_found")
    return await extract_views.seen(session, batch, actor)


def _cleared_in(row: Coi) -> str | None:
    country = row.content.get("clearance_country")
    return str(country) if country else None


def _may_write_off(row: Coi, parent: CertificateRow | None) -> bool:
    return row.status in ORGANIC and not (parent is not None and parent.status == Status.OFIS_IRREGULARITY)


def _refuse_too_much(row: Coi, wish: NewWriteOff, taken: Taken) -> None:
    """Refuse a line that is not there, is named twice, or has less left."""
    whole = {str(line.get("id")): line for line in contents.lines(row.content)}
    problems: list[dict[str, Any]] = []
    named: set[str] = set()
    for place, each in enumerate(wish.lines):
        line = whole.get(each.line)
        if line is None or each.line in named:
            code = "unknown_line" if line is None else "named_twice"
            problems.append({"field": f"lines[{place}].line", "code": code, "params": {}})
            continue
        named.add(each.line)
        weight, packages = taken.get(each.line, (Decimal(0), 0))
        rest = _weight(line) - weight
        counted = line.get("packages")
        if each.net_weight > rest:
            left = f"{max(rest, Decimal(0)):f}"
            problems.append({"field": f"lines[{place}].net_weight", "code": "more_than_left", "params": {"left": left}})
        elif isinstance(counted, int) and (each.packages or 0) > counted - packages:
            params = {"left": str(max(counted - packages, 0))}
            problems.append({"field": f"lines[{place}].packages", "code": "more_than_left", "params": params})
    if problems:
        raise Refused("incomplete", field=problems[0]["field"], problems=problems)


async def _taken(session: AsyncSession, ids: Iterable[str]) -> Taken:
    """What declarations took of each line."""
    sums = await session.execute(
        select(WriteOffRow.line, func.sum(WriteOffRow.net_weight), func.coalesce(func.sum(WriteOffRow.packages), 0))
        .where(col(WriteOffRow.coi_id).in_(sorted(ids)))
        .group_by(col(WriteOffRow.line))
    )
    return {str(line): (Decimal(weight), int(packages)) for line, weight, packages in sums}


async def _view(session: AsyncSession, row: Coi, actor: Actor) -> CoiView:
    organic, numbers = row.status in ORGANIC, list[str]()
    parent: CertificateRow | None = None
    released: dict[str, Decimal] = {}
    counted = [row.id]
    shown = contents.lines(row.content)
    if isinstance(row, ExtractRow):
        parent = await store.found(session, row.parent_id)
        shown = contents.lines(extract_paper.with_sums(row.content, contents.lines(parent.content)))
    elif row.status in IN_BATCHES:
        batches = [each for each in await extracts.of(session, row.id) if each.status in ORGANIC]
        numbers, counted = [each.number for each in batches], [each.id for each in batches]
        for line in (line for each in batches for line in contents.lines(each.content)):
            released[str(line["id"])] = released.get(str(line["id"]), Decimal(0)) + _weight(line)
    if organic:
        released = {str(line.get("id")): _weight(line) for line in shown}
    taken = await _taken(session, counted)
    mine = await views.customs_of(session, actor)
    return CoiView(
        number=str(row.number),
        kind="extract" if isinstance(row, ExtractRow) else "certificate",
        status=ExtractStatus(row.status) if isinstance(row, ExtractRow) else Status(row.status),
        released_as="organic" if released else "conventional" if row.status in CONVENTIONAL else None,
        may_write_off=_may_write_off(row, parent) and mine is not None and mine == _cleared_in(row),
        lines=[_quantity(line, released, taken) for line in shown],
        extracts=numbers,
    )


def _quantity(line: contents.Row, released: dict[str, Decimal], taken: Taken) -> QuantityView:
    line_id = str(line.get("id"))
    out, (weight, packages) = released.get(line_id, Decimal(0)), taken.get(line_id, (Decimal(0), 0))
    counted = line.get("packages") if isinstance(line.get("packages"), int) else None
    return QuantityView(
        line=line_id,
        cn_code=line.get("cn_code"),
        trade_name=line.get("trade_name"),
        unit=line.get("unit"),
        net_weight=_weight(line),
        released=out,
        written_off=weight,
        remaining=out - weight,
        packages=counted,
        packages_remaining=counted - packages if counted is not None and released else None,
    )


def _weight(line: contents.Row) -> Decimal:
    return contents.decimal(line.get("net_weight")) or Decimal(0)
