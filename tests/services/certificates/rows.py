"""Very many certificates, written by COPY: as the service would have written them, with its own marks.

They belong to two hundred exporters, three hundred importers, twelve bodies and forty posts; the story's organisations
are among them. Indexes are made after the rows, which is many times faster.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import asyncpg

from services.certificates import finding, paper
from shared.rules.status import Status
from tests.services.certificates import world

BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
COLUMNS = (
    "id", "number", "form_model", "status", "revision", "submitted", "creator", "created_at", "updated_at",
    "entered_at", "content", "rung", "journal_length", "journal_head", "exporter", "importer", "issuing_body",
    "first_consignee", "entry_authority", "country_of_export", "clearance_country", "arrival_at", "due_at",
    "issued_at", "decided_at", "visible_to", "awaited_by", "goods", "search",
)  # fmt: skip
STATUSES = (
    Status.DRAFT, Status.DESCRIPTION_COMPLETED, Status.ISSUED, Status.CONSIGNMENT_VERIFIED,
    Status.FIRST_CONSIGNEE_SIGNED, Status.FIRST_CONSIGNEE_SIGNED, Status.FIRST_CONSIGNEE_SIGNED,
    Status.BASE_FOR_EXTRACT, Status.NOT_RELEASED, Status.DELETED,
)  # fmt: skip
GOODS = (
    ("Dattes Medjool", "08041000"), ("Avocats Hass", "08044000"), ("Huile d’olive vierge extra", "15092000"),
    ("Oranges Navel", "08051022"), ("Argan", "15159099"), ("Quinoa réal", "10085000"), ("Café arabica", "09011100"),
)  # fmt: skip
COUNTRIES = ("MA", "TN", "PE", "EC", "BR", "TR", "MG")
CLEARED = ("FR", "FR", "FR", "BE", "DE", "NL", "ES")


@cache
def somebody(kind: int, number: int, *first: str) -> str:
    """The id of one organisation of a kind; the story's come first."""
    return first[number] if number < len(first) else str(UUID(int=(kind << 96) + number + (0x4000 << 64) + (8 << 60)))


def certificate(n: int) -> Any:
    """The n-th certificate."""
    status = STATUSES[n % 10]
    at = BEGAN + timedelta(minutes=n)
    goods, code = GOODS[n % 7]
    number = f"COI.{COUNTRIES[n % 7]}.{at.year}.{n:07d}" if status is not Status.DRAFT else None
    content: dict[str, Any] = {
        "exporter": somebody(1, n % 200, world.EXPORTER),
        "importer": somebody(2, n % 301, world.IMPORTER),
        "issuing_body": somebody(3, n % 12, world.BODY),
        "first_consignee": somebody(4, n % 307, world.CONSIGNEE),
        "entry_authority": somebody(5, n % 41, world.POST),
        "responsible_for_load": [somebody(6, n % 59, world.FORWARDER)],
        "producers": [somebody(7, n % 997, world.PRODUCER)],
        "country_of_export": COUNTRIES[n % 7],
        "clearance_country": CLEARED[n % 7],
        "countries_of_origin": [COUNTRIES[n % 7]],
        "containers": [f"CSQU{n % 9_000_000:07d}"],
        "transport": {"mode": "1", "document": f"BL-{n // 3}"},
        "product_lines": [
            {"id": "1", "cn_code": code, "trade_name": goods, "lot": f"L-{n}", "net_weight": "1000", "unit": "KGM",
             "producer": somebody(7, n % 997, world.PRODUCER)}
        ],
    }  # fmt: skip
    submitted = status is not Status.DRAFT
    seen = [content[each] for each in ("exporter", "importer", "issuing_body", "first_consignee", "entry_authority")]
    turn = {Status.DESCRIPTION_COMPLETED: "issuing_body", Status.ISSUED: "entry_authority"}.get(status)
    issued = submitted and status not in (Status.DESCRIPTION_COMPLETED, Status.DELETED)
    return SimpleNamespace(
        id=str(UUID(int=(n * 0x9E3779B97F4A7C15F39CC0605CEDC835) % (1 << 128))),
        number=number, form_model="COI_2022" if n % 9 == 0 else "COI_2017", status=status, revision=3,
        submitted=submitted, creator=content["exporter"], created_at=at, updated_at=at + timedelta(days=n % 20),
        entered_at=at, content=content, rung=["completion_overdue"] if n % 50 == 2 else [], journal_length=3,
        journal_head="", exporter=content["exporter"], importer=content["importer"],
        issuing_body=content["issuing_body"], first_consignee=content["first_consignee"],
        entry_authority=content["entry_authority"], country_of_export=content["country_of_export"],
        clearance_country=content["clearance_country"], arrival_at=at + timedelta(days=9) if n % 3 else None,
        due_at=at + timedelta(days=30), issued_at=at + timedelta(days=1) if issued else None,
        decided_at=at + timedelta(days=9) if status in finding.DECIDED else None,
        visible_to=sorted(set(seen + content["responsible_for_load"] + content["producers"]))
        if submitted else [content["exporter"]],
        awaited_by=[content[turn]] if turn else [], goods=goods, documents=[], sampled_at=at if n % 31 == 0 else None,
        procedure_at=None, amended_at=None, replaced_by=None, accepted_at=None,
    )  # fmt: skip


def lines(first: int, number: int) -> Iterator[bytes]:
    """The certificates as COPY reads them; of the boxes only those that a list reads again."""
    for n in range(first, first + number):
        row = certificate(n)
        words = f"{row.number or ''} {row.goods} CSQU{n % 9_000_000:07d} L-{n}".casefold()
        for sign in ".-’":
            words = words.replace(sign, " ")
        marks = finding.marks(row, {world.POST: "FR"}, paper.flags(row))
        row.search = " ".join(f"'{each}'" for each in [*words.split(), *marks])
        row.content = {"producers": row.content["producers"]}
        yield "\t".join(_written(getattr(row, name)) for name in COLUMNS).encode()


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return "\\N"
    if isinstance(value, list) and (not value or "-" in str(value[0])):
        return "{" + ",".join(value) + "}"
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False).replace("\\", "\\\\")
    return value.isoformat() if isinstance(value, datetime) else str(value)


async def copied(url: str, number: int, at_once: int = 20_000) -> None:
    """Write so many certificates; the indexes are made afterwards."""
    connection = await asyncpg.connect(url, ssl=False)
    try:
        made = await connection.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'certificate'"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint)"
        )
        await connection.execute("SET maintenance_work_mem = '256MB'")
        for index in made:
            await connection.execute(f"DROP INDEX {index['indexname']}")
        for first in range(0, number, at_once):
            some = BytesIO(b"\n".join(lines(first, min(at_once, number - first))) + b"\n")
            await connection.copy_to_table("certificate", source=some, columns=COLUMNS, format="text")
        for index in made:
            await connection.execute(index["indexdef"])
        await connection.execute("VACUUM ANALYZE certificate")
    finally:
        await connection.close()
