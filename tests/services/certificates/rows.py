"""Very many certificates, written by COPY: as the service would have written them, with its own marks.

They belong to two hundred exporters, three hundred importers, thirteen bodies and forty posts; the story's
organisations are among them. The numbers have no divisor in common, so that everything meets everything. Indexes are
made after the rows, which is many times faster.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
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
CLEARED = ("FR", "FR", "FR", "FR", "BE", "BE", "DE", "DE", "NL", "NL", "ES")


FIRST = 10_000
"""Certificates that are made one by one."""
_KEPT = import_module("services.certificates.migrations.versions.0007_counts")
_FIRST = f"(SELECT search FROM certificate LIMIT {FIRST}) written_one_by_one"
COUNTED = (
    f"INSERT INTO sight {_KEPT.READERS.format(rows='certificate')}",
    "ALTER TABLE sight ADD PRIMARY KEY (organisation, status, certificate_id)",
    "CREATE INDEX sight_of ON sight (certificate_id)",
    f"INSERT INTO word {_KEPT.WORDS.format(lexemes=_KEPT.ALL.replace('FROM certificate', f'FROM {_FIRST}'))}",
    "ALTER TABLE certificate ENABLE TRIGGER USER",
)
"""What the database does for each row, done for all at once."""


_LATER = f"+ again * interval '{FIRST} minutes'"
_OTHER = f"lpad((right(number, 7)::integer + again * {FIRST})::text, 7, '0')"
OTHERWISE = {
    "id": "gen_random_uuid()",
    "number": f"left(number, 12) || {_OTHER}",
    "search": f"ts_delete(search, right(number, 7)) || array_to_tsvector(ARRAY[{_OTHER}])",
    **{each: f"{each} {_LATER}" for each in COLUMNS if each.endswith("_at")},
}
"""In what a later certificate differs from the one it is like."""


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
        "exporter": somebody(1, n % 199, world.EXPORTER),
        "importer": somebody(2, n % 307, world.IMPORTER),
        "issuing_body": somebody(3, n % 13, world.BODY),
        "first_consignee": somebody(4, n % 311, world.CONSIGNEE),
        "entry_authority": somebody(5, n % 41, world.POST),
        "responsible_for_load": [somebody(6, n % 59, world.FORWARDER)],
        "producers": [somebody(7, n % 997, world.PRODUCER)],
        "country_of_export": COUNTRIES[n % 7],
        "clearance_country": CLEARED[n % 11],
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
        marks = finding.marks(row, {world.POST: "FR"}, paper.flags(row), words)
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


@asynccontextmanager
async def at_once(url: str) -> AsyncIterator[Any]:
    """A connection to write very many rows with: indexes, counts and words are made when all are there."""
    connection = await asyncpg.connect(url, ssl=False)
    try:
        made = await connection.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'certificate'"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint)"
        )
        await connection.execute("SET maintenance_work_mem = '256MB'; SET work_mem = '128MB'")
        await connection.execute("ALTER TABLE sight DROP CONSTRAINT sight_pkey; DROP INDEX sight_of")
        for index in made:
            await connection.execute(f"DROP INDEX {index['indexname']}")
        await connection.execute("ALTER TABLE certificate DISABLE TRIGGER USER")
        yield connection
        for statement in (*COUNTED, *(index["indexdef"] for index in made), "VACUUM ANALYZE certificate, sight, word"):
            await connection.execute(statement)
    finally:
        await connection.close()


AGAIN = f"""
INSERT INTO certificate ({", ".join(COLUMNS)})
SELECT {", ".join(OTHERWISE.get(each, each) for each in COLUMNS)}
FROM certificate, generate_series(1, $1) again
WHERE number IS NOT NULL
"""


async def copied(url: str, number: int) -> None:
    """Write about so many certificates: the first by COPY, the others as their like, later and with other numbers."""
    async with at_once(url) as connection:
        first = min(number, FIRST)
        some = BytesIO(b"\n".join(lines(0, first)) + b"\n")
        await connection.copy_to_table("certificate", source=some, columns=COLUMNS, format="text")
        if number > first:
            await connection.execute(AGAIN, number // first - 1)
