"""The organisations of the demonstration and who works where, from ``deploy/demo``; what is there is left alone."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from services.directory import store
from services.directory.models import OrganisationRow
from services.directory.store import By
from shared.kit.db import Database

BY = By(why="demonstration")


def organisation_id(slug: str) -> str:
    """The id of an organisation of the demonstration."""
    return str(uuid5(NAMESPACE_URL, f"https://bordereau.example/organisations/{slug}"))


def person_id(slug: str) -> str:
    """The id of a person of the demonstration."""
    return str(uuid5(NAMESPACE_URL, f"https://bordereau.example/persons/{slug}"))


async def load(database: Database, organisations: Path, accounts: Path | None, now: datetime) -> tuple[int, int]:
    """Add the organisations, then the roles, that are not there yet, and say how many of each."""
    told = await _read(organisations)
    people = (await _read(accounts))["accounts"] if accounts else []
    async with database.transaction() as session:
        await store.lock_demo(session)
        there = await store.known(session, (organisation_id(each["slug"]) for each in told["organisations"]))
        rows = [row for row in map(_row, told["organisations"]) if row.id not in there]
        for row in rows:
            await store.create(session, row, BY, now)
        grants = [
            (person_id(each["slug"]), organisation_id(grant["organisation"]), bool(grant["administrator"]))
            for each in people
            for grant in each["grants"]
        ]
        had = await store.granted(session, {person for person, _, _ in grants})
        fresh = [grant for grant in grants if grant[:2] not in had]
        for person, organisation, administrator in fresh:
            await store.grant(session, person, organisation, administrator, BY, now)
    return len(rows), len(fresh)


async def _read(file: Path) -> Any:
    return json.loads(await asyncio.to_thread(file.read_text, encoding="utf-8"))


def _row(told: Mapping[str, Any]) -> OrganisationRow:
    as_told = (
        "slug", "kind", "name", "country", "region", "city", "postal_code", "address", "latitude", "longitude",
        "contacts", "identifiers", "status", "code", "recognitions", "authority_role", "competences", "territory",
        "time_zone",
    )  # fmt: skip
    return OrganisationRow(
        id=organisation_id(told["slug"]),
        superior=told["superior"] and organisation_id(told["superior"]),
        activities=[
            {**each, "control_body": each["control_body"] and organisation_id(each["control_body"])}
            for each in told["activities"]
        ],
        demo=True,
        **{field: told[field] for field in as_told},
    )
