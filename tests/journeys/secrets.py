"""After a run: no secret stands in a history, an event, a log or a letter that was kept.

Mails are what carries them, so the mail catcher's folder is left out, and so is the key file of the installation.
"""

import asyncio
import subprocess

import asyncpg

from deploy.local.stack import Stack
from tests.journeys.people import SECRETS

LEFT_OUT = ("mail", "codec.key")


async def nothing_secret(stack: Stack) -> None:
    """Greps whatever the installation has left: rows of all services, histories, the bus, the logs."""
    rows = stack.var / "rows.txt"
    with rows.open("w") as sheet:
        for service in ("identity", "directory", "certificates", "notifications"):
            base = await asyncpg.connect(stack.database_url(service, scheme="postgresql"))
            try:
                for (table,) in await base.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
                    for (row,) in await base.fetch(f'SELECT t::text FROM "{table}" t'):
                        sheet.write(f"{service}.{table} {row}\n")
            finally:
                await base.close()
    places = [str(each) for each in stack.var.iterdir() if each.name not in LEFT_OUT]
    assert {"rows.txt", "log", "nats", "temporal"} <= {each.name for each in stack.var.iterdir()}
    secrets = "\n".join(sorted(SECRETS))
    found = await asyncio.to_thread(
        subprocess.run,
        ["grep", "-r", "-a", "-o", "-F", "-f", "-", *places],
        input=secrets.encode(),
        capture_output=True,
        check=False,
    )
    assert found.returncode == 1, found.stdout[:2000].decode(errors="replace") + found.stderr[:500].decode()
