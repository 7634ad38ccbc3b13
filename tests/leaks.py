"""At the end of every installation: no secret stands in a history, an event, a log or a letter that was kept.

Mails are what carries links and temporary passwords, so the mail catcher's folder is left out, and so is the key file
of the installation. What mails have carried is read from the catcher; what people typed and what browsers were given is
told here while it happens.
"""

import asyncio
import json
import re
import subprocess
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import asyncpg

from deploy.local.programs import SERVICES
from deploy.local.stack import Stack
from tests.journeys.people import SECRETS

LEFT_OUT: Final = ("mail", "codec.key")
SHORTEST: Final = 8
"""Whatever is shorter would be found by chance."""
CARRIED: Final = re.compile(r"/(?:password|confirmation)/([\w-]{40,})")
TEMPORARY: Final = re.compile(r"\bTR\d{12}\b")
TYPED: Final = frozenset({"password", "password_again", "present", "code"})
ANSWERED: Final = ("/registration/classic", "/password/own", "/question")
"""Where [answer] is the answer to a secret question; elsewhere people answer in the open."""
HELD: Final = frozenset({"session", "choosing", "device"})
"""Cookies that open something."""


def typed(url: str, body: str | None) -> None:
    """Remember what of a form nobody may find afterwards."""
    secret = TYPED | ({"answer"} if urlsplit(url).path.endswith(ANSWERED) else set())
    SECRETS.update(value for name, value in parse_qsl(body or "") if name in secret)


def kept(cookies: dict[str, str]) -> None:
    """Remember what a browser was given to keep."""
    SECRETS.update(value for name, value in cookies.items() if name in HELD)


def _mailed(stack: Stack) -> set[str]:
    letters = (stack.letters.get(each.id) for each in stack.letters.all())
    texts = [letter.text for letter in letters if letter]
    return {found for text in texts for way in (CARRIED, TEMPORARY) for found in way.findall(text)}


def _written(secret: str) -> set[str]:
    """As it stands in a file, or in JSON."""
    return {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}


async def nothing_secret(stack: Stack) -> None:
    """Greps whatever the installation has left: rows of all services, histories, the bus, the logs."""
    secrets = {way for each in SECRETS | _mailed(stack) if len(each) >= SHORTEST for way in _written(each)}
    rows = stack.var / "rows.txt"
    with rows.open("wb") as sheet:
        for service in (row.name for row in SERVICES if row.name != "portal"):
            base = await asyncpg.connect(stack.database_url(service, scheme="postgresql"))
            try:
                for (table,) in await base.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
                    sheet.write(f"\n{service}.{table}\n".encode())
                    await base.copy_from_table(table, output=sheet)
            finally:
                await base.close()
    places = [str(each) for each in stack.var.iterdir() if each.name not in LEFT_OUT]
    assert {"rows.txt", "log", "nats", "temporal"} <= {each.name for each in stack.var.iterdir()}
    found = await asyncio.to_thread(
        subprocess.run,
        ["grep", "-r", "-a", "-o", "-F", "-f", "-", *places],
        input="\n".join(sorted(secrets)).encode(),
        capture_output=True,
        check=False,
        env={"LC_ALL": "C"},
    )
    assert found.returncode == 1, found.stdout[:2000].decode(errors="replace") + found.stderr[:500].decode()
