"""The persons of the demonstration, from ``deploy/demo/accounts.json``; harmless when they are there already."""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from services.identity import store
from services.identity.models import AccountRow
from services.identity.passwords import Passwords
from services.identity.rules import AccountStatus, email_key
from shared.kit.db import Database


def person_id(slug: str) -> str:
    """The id of a person of the demonstration."""
    return str(uuid5(NAMESPACE_URL, f"https://bordereau.example/persons/{slug}"))


async def load(database: Database, passwords: Passwords, file: Path, now: datetime) -> int:
    """Add the accounts of the file that are not there yet, and say how many; they share one password."""
    told = json.loads(await asyncio.to_thread(file.read_text, encoding="utf-8"))
    accounts = {person_id(each["slug"]): each for each in told["accounts"]}
    async with database.transaction() as session:
        missing = accounts.keys() - await store.known_accounts(session, accounts)
    if not missing:
        return 0
    shared = await passwords.hashed(told["password"])
    rows = [
        AccountRow(
            id=each_id,
            first_name=each["first_name"],
            last_name=each["last_name"],
            email=each["email"],
            email_key=email_key(each["email"]),
            password_hash=shared,
            status=AccountStatus.ACTIVE,
            language=each["language"],
            time_zone=each["time_zone"],
            html=each.get("html", True),
            demo=True,
            created_at=now,
        )
        for each_id, each in accounts.items()
        if each_id in missing
    ]
    async with database.transaction() as session:
        await store.add_accounts(session, rows)
    return len(rows)
