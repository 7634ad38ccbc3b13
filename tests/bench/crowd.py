"""Many organisations and many requests, written by COPY: rows as the directory writes them, without workflows."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg

from services.directory import rules
from shared.kit.calendar import is_working_day
from shared.rules import requests as law

MANY: Final = 5000
# fmt: off
FIRST: Final = ("Vallée", "Moulin", "Coopérative", "Verger", "Comptoir", "Graine", "Terre", "Mas", "Huilerie", "Cave")
SECOND: Final = ("du Lot", "des Causses", "d'Orient", "de Provence", "du Levant", "des Alpes", "de Crau", "du Ponant")
THIRD: Final = ("Bio", "Nature", "Import", "et Fils", "Primeurs", "Distribution", "Équitable", "Associés", "Sud", "Or")
COUNTRIES: Final = ("FR", "FR", "FR", "BE", "NL", "DE", "ES", "IT", "MA", "TN", "ID", "PE")
TOWNS: Final = ("Cahors", "Albi", "Rungis", "Vannes", "Liège", "Rotterdam", "Agadir", "Sfax", "Denpasar", "Lima")
# fmt: on
ORGANISATION: Final = (
    "id",
    "kind",
    "name",
    "country",
    "city",
    "postal_code",
    "address",
    "contacts",
    "identifiers",
    "status",
    "activities",
    "recognitions",
    "competences",
    "time_zone",
    "demo",
    "rung",
    "revision",
    "created_at",
    "updated_at",
    "name_key",
    "activity_kinds",
    "recognised_in",
    "numbers",
)  # fmt: skip
ROLE: Final = (
    "id", "person_id", "organisation_id", "role_type", "status", "administrator", "since", "person", "countries",
    "country", "message", "email", "phone", "requested_at", "counted_from", "question", "reason", "rung", "due_name",
    "due_at", "awaited_by", "told", "revision", "birth_key", "born",
)  # fmt: skip


def organisations(number: int, body: str, seed: int = 7) -> Iterator[tuple[dict[str, Any], str]]:
    """So many operators, each with the words by which a search finds it."""
    random, now = Random(seed), datetime.now(UTC)
    for each in range(number):
        name = f"{random.choice(FIRST)} {random.choice(SECOND)} {random.choice(THIRD)} {each}"
        country, town, code = random.choice(COUNTRIES), random.choice(TOWNS), f"{random.randrange(100000):05d}"
        numbers = [{"type": "EORI", "value": f"{country}{each:013d}"}]
        activity = {
            "chapter": "ORGANIC", "section": "ORGANIC", "kind": "ORG_IMPORTER", "status": "VALID", "control_body": body,
            "valid_from": None, "valid_to": None,
        }  # fmt: skip
        row = {
            "id": str(UUID(int=random.getrandbits(128), version=4)), "kind": "OPERATOR", "name": name,
            "country": country, "city": town, "postal_code": code, "address": "1 rue du Port",
            "contacts": [{"kind": "email", "value": f"contact@{each}.example"}], "identifiers": numbers,
            "status": "VALID", "activities": [activity], "recognitions": [], "competences": [],
            "time_zone": "Europe/Paris", "demo": False, "rung": [], "revision": 1, "created_at": now, "updated_at": now,
            "name_key": rules.folded(name), "activity_kinds": ["ORG_IMPORTER"], "recognised_in": [],
            "numbers": rules.numbers(None, numbers),
        }  # fmt: skip
        yield row, rules.sought(name, town, code, None, numbers)


def requests(
    number: int, where: Sequence[str], awaited_by: Sequence[str], country: str = "FR", since: datetime | None = None
) -> Iterator[tuple[dict[str, Any], str]]:
    """So many persons who ask to belong to some operators, a second after each other, with the words of each."""
    begun = since or datetime.now(UTC) - timedelta(seconds=number)
    lasts: dict[date, tuple[str, timedelta]] = {}
    for each in range(number):
        at = begun + timedelta(seconds=each)
        if at.date() not in lasts:  # from any hour of one day it is equally long
            found = law.next_due(at, None, (), country, is_working_day)
            assert found is not None
            lasts[at.date()] = found[0], found[1] - at
        name, long = lasts[at.date()]
        due = name, at + long
        person = f"{FIRST[each % 10]} {SECOND[each % 8]} {each}"
        row = {
            "id": str(uuid4()), "person_id": str(uuid4()), "organisation_id": where[each % len(where)],
            "role_type": "OPERATOR", "status": "REQUESTED", "administrator": False, "since": at, "person": person,
            "countries": [], "country": country, "message": "", "email": "", "phone": "", "requested_at": at,
            "counted_from": at,
            "question": "", "reason": "", "rung": [], "due_name": due[0], "due_at": due[1],
            "awaited_by": list(awaited_by), "told": [], "revision": 1, "birth_key": str(each), "born": str(each),
        }  # fmt: skip
        yield row, rules.sought(person, "", "", None, ())


async def write(
    base: asyncpg.Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[dict[str, Any], str]]
) -> None:
    """COPY rows into a table, with their words beside them; for very many its indexes are made anew afterwards."""
    made_anew = await _without_indexes(base, table) if len(rows) >= MANY else []
    await base.set_type_codec("jsonb", schema="pg_catalog", format="binary", encoder=_jsonb, decoder=bytes)
    listed = ", ".join(columns)
    await base.execute(f"CREATE TEMP TABLE crowd AS SELECT {listed}, '' AS sought FROM {table} LIMIT 0")
    records = ([row[name] for name in columns] + [sought] for row, sought in rows)
    await base.copy_records_to_table("crowd", records=records, columns=[*columns, "sought"])
    await base.execute(f"INSERT INTO {table} ({listed}, words) SELECT {listed}, sought::tsvector FROM crowd")
    await base.execute("DROP TABLE crowd")
    for definition in made_anew:
        await base.execute(definition)
    await base.execute(f"ANALYZE {table}")


async def _without_indexes(base: asyncpg.Connection, table: str) -> list[str]:
    """Drop what only makes searches fast; by which commands it comes back."""
    rows = await base.fetch(
        "SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition "
        "FROM pg_index WHERE indrelid = $1::regclass AND NOT indisunique",
        table,
    )
    for row in rows:
        await base.execute(f"DROP INDEX {row['name']}")
    return [row["definition"] for row in rows]


def _jsonb(value: Any) -> bytes:
    return b"\x01" + json.dumps(value).encode()
