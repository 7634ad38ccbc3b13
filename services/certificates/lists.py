"""Lists of certificates: what an organisation may see, as of now, filtered, sorted, page by page with a cursor."""

import base64
import json
import uuid
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    exists,
    func,
    literal,
    literal_column,
    select,
    text,
    true,
    tuple_,
    union_all,
    values,
)
from sqlalchemy import column as sql_column
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates import finding, paper, register, views
from services.certificates.models import CertificateRow, Id, SightRow
from shared.contracts.certificate_views import CertificateLine, CertificatePage
from shared.rules import content as contents
from shared.rules.actor import Actor
from shared.rules.refusals import Refused
from shared.rules.status import Status

COUNT_LIMIT = 1000
Flag = StrEnum("Flag", [(each, each) for each in finding.FLAGS])  # type: ignore[misc]
UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

SORTS: dict[str, tuple[Any, bool]] = {
    "updated": (col(CertificateRow.updated_at), True),
    "oldest": (col(CertificateRow.updated_at), False),
    "number": (func.coalesce(col(CertificateRow.number), ""), False),
    "-number": (func.coalesce(col(CertificateRow.number), ""), True),
    "status": (col(CertificateRow.status), False),
    "-status": (col(CertificateRow.status), True),
    "arrival": (func.coalesce(col(CertificateRow.arrival_at), text("'infinity'::timestamptz")), False),
    "-arrival": (func.coalesce(col(CertificateRow.arrival_at), text("'-infinity'::timestamptz")), True),
}

ENDLESS = (datetime.max, datetime.min)  # noqa: DTZ901
"""How the driver reads and writes infinity."""


Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", examples=["MA"])]
Organisation = Annotated[str, Field(pattern=UUID)]
Beginning = Annotated[str, Field(max_length=60)]
Day = Annotated[date | None, Field(ge=date(1990, 1, 1), le=date(2200, 1, 1), examples=["2026-11-20"])]


class ListWish(BaseModel):
    """What a list is asked for; unknown parameters are refused by name. Each row of FILTERS has its field here."""

    model_config = ConfigDict(extra="forbid")

    status: list[Status] = Field(default_factory=list, max_length=20)
    text: str = Field(default="", max_length=200, description="Words by their beginnings, in any box that has words.")
    party: Organisation | None = Field(default=None, description="An organisation in any box.")
    exporter: Organisation | None = Field(default=None, description="The exporter.")
    importer: Organisation | None = Field(default=None, description="The importer.")
    issuing_body: Organisation | None = Field(default=None, description="The control body of box 1.")
    first_consignee: Organisation | None = Field(default=None, description="The first consignee.")
    entry_authority: Organisation | None = Field(default=None, description="The authority of box 9.")
    responsible_for_load: Organisation | None = Field(default=None, description="One responsible for the load.")
    producer: Organisation | None = Field(default=None, description="A producer of box 13.")
    authority_country: Country | None = Field(default=None, description="The country of the authority of box 9.")
    clearance_country: Country | None = None
    country_of_origin: Country | None = None
    country_of_export: Country | None = None
    goods: Beginning = Field(default="", description="Words of the trade name, or the beginning of a commodity code.")
    cn_code: str = Field(
        default="", pattern=r"^(\d{2,8})?$", examples=["0804"], description="The beginning of a commodity code."
    )
    lot: Beginning = ""
    container: Beginning = Field(default="", description="The beginning of a container or seal number.")
    document: Beginning = Field(
        default="", description="The beginning of a document's number or of the national reference."
    )
    form_model: Literal["COI_2017", "COI_2022"] | None = None
    flag: list[Flag] = Field(default_factory=list, max_length=10, description="All of these must be true.")
    awaits_me: bool = Field(default=False, description="It is my organisation's turn.")
    ours: bool = Field(default=False, description="Drawn up by my organisation.")
    created_from: Day = None
    created_until: Day = None
    issued_from: Day = None
    issued_until: Day = None
    decided_from: Day = None
    decided_until: Day = None
    arrival_from: Day = None
    arrival_until: Day = None
    sort: Literal["updated", "oldest", "number", "-number", "status", "-status", "arrival", "-arrival"] = "updated"
    after: str | None = Field(default=None, max_length=400, description="What the page before said as `next`.")
    limit: int = Field(default=25, ge=1, le=100)


async def page(session: AsyncSession, actor: Actor, wish: ListWish) -> CertificatePage:
    """One page of the certificates this organisation may see."""
    found, following = await lines(session, actor, wish)
    if wish.after is not None:
        return CertificatePage(items=found, next=following, counts={})
    counts, more = await counted(session, actor, wish.model_copy(update={"status": []}))
    return CertificatePage(items=found, next=following, counts=counts, more=more)


async def lines(session: AsyncSession, actor: Actor, wish: ListWish) -> tuple[list[CertificateLine], str | None]:
    """The next certificates of a list, and the cursor of what follows them."""
    customs = await views.customs_of(session, actor)
    key, falling = SORTS[wish.sort]
    conditions = finding.conditions(actor, customs, wish, await finding.spelled(session, wish))
    query: Select[Any] = select(CertificateRow, key.label("key")).where(*conditions)
    place = tuple_(key, col(CertificateRow.id))
    if wish.after:
        value, row_id = _opened(wish.after, wish.sort)
        seen = tuple_(literal(value, key.type), literal(row_id, Id))
        query = query.where(place < seen if falling else place > seen)
    order = (key.desc(), col(CertificateRow.id).desc()) if falling else (key.asc(), col(CertificateRow.id).asc())
    rows = (await session.execute(query.order_by(*order).limit(wish.limit + 1))).all()
    shown = rows[: wish.limit]
    wanted = {each for row, _ in shown for each in _named(row)}
    known = await register.parties(session, wanted)
    following = _cursor(shown[-1], wish.sort) if len(rows) > wish.limit else None
    return [_line(row, known, actor) for row, _ in shown], following


async def counted(session: AsyncSession, actor: Actor, wish: ListWish) -> tuple[dict[str, int], bool]:
    """Certificates per status, and whether there are more: a list must not become slow because it is long.

    Of all that an organisation sees each status is counted up to a limit; of a list that is narrowed otherwise, the
    newest are.
    """
    customs = await views.customs_of(session, actor)
    narrowed = finding.narrowed(wish)
    if narrowed:
        conditions = finding.conditions(actor, customs, wish, await finding.spelled(session, wish))
        newest = (
            select(col(CertificateRow.status).label("status"))
            .where(*conditions)
            .order_by(col(CertificateRow.updated_at).desc())
            .limit(COUNT_LIMIT)
            .subquery()
        )
        query = select(newest.c.status, func.count()).group_by(newest.c.status)
    else:
        statuses = values(sql_column("status", String), name="statuses").data([(each.value,) for each in Status])
        some = union_all(*_sights(actor, customs, statuses.c.status)).limit(COUNT_LIMIT).lateral("some")
        query = select(statuses.c.status, func.count()).select_from(statuses).join(some, true())
        query = query.group_by(statuses.c.status)
    counts = {str(row[0]): int(row[1]) for row in (await session.execute(query)).all()}
    return counts, narrowed and sum(counts.values()) >= COUNT_LIMIT


def _sights(actor: Actor, customs: str | None, status: ColumnElement[str]) -> list[Select[Any]]:
    """What this organisation sees in a status; customs see besides what is cleared in their country."""
    own, theirs = aliased(SightRow), aliased(SightRow)
    seen: Select[Any] = select(literal_column("1")).where(
        col(own.organisation) == actor.organisation_id, col(own.status) == status
    )
    if customs is None:
        return [seen]
    country = func.md5(f"customs/{customs}").cast(Id)
    twice = exists().where(
        col(theirs.organisation) == country,
        col(theirs.status) == col(own.status),
        col(theirs.certificate_id) == col(own.certificate_id),
    )
    cleared: Select[Any] = select(literal_column("1")).where(
        col(SightRow.organisation) == country, col(SightRow.status) == status
    )
    return [cleared, seen.where(~twice)]


def _named(row: CertificateRow) -> list[str]:
    named = (row.exporter, row.importer, row.issuing_body, row.first_consignee, row.entry_authority)
    return [each for each in named if each]


def _line(row: CertificateRow, known: dict[str, Any], actor: Actor) -> CertificateLine:
    def shown(organisation: str | None) -> Any:
        return views.party_view(known[organisation]) if organisation in known else None

    return CertificateLine(
        id=row.id,
        number=row.number,
        status=Status(row.status),
        revision=row.revision,
        form_model=row.form_model,
        exporter=shown(row.exporter),
        importer=shown(row.importer),
        issuing_body=shown(row.issuing_body),
        first_consignee=shown(row.first_consignee),
        entry_authority=shown(row.entry_authority),
        goods=finding.goods_for(row, actor.organisation_id),
        country_of_export=row.country_of_export,
        updated_at=row.updated_at,
        arrival_at=row.arrival_at,
        due_at=row.due_at,
        awaits_me=actor.organisation_id in row.awaited_by,
        awaits=_awaits(row, actor.organisation_id) if actor.organisation_id in row.awaited_by else None,
    )


def _awaits(row: CertificateRow, organisation: str) -> str | None:
    """What a certificate waits for of an organisation whose turn it is; no superior has one."""
    awaits = paper.awaits_of(row, contents.ties_of(row.content, row.creator, lambda _: None)(organisation))
    return awaits.code if awaits else None


def _cursor(last: Any, sort: str) -> str:
    row, key = last
    value = key.isoformat() if isinstance(key, datetime) else str(key)
    return base64.urlsafe_b64encode(json.dumps([sort, value, row.id]).encode()).decode().rstrip("=")


def _opened(cursor: str, sort: str) -> tuple[Any, str]:
    """Where a cursor of ours points to; one that is not ours is refused."""
    try:
        made_for, value, row_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if made_for != sort or "\x00" in value:
            raise ValueError(made_for)
        if sort in ("updated", "oldest", "arrival", "-arrival"):
            value = datetime.fromisoformat(value)
            if value not in ENDLESS:
                value = _in_utc(value)
        return value, str(uuid.UUID(row_id))
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise Refused("invalid", field="after") from None


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(moment)
    return moment.astimezone(UTC)
