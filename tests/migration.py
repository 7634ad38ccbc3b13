"""`make migration s=certificates m="what changes"`: a new migration, drawn from the tables and the migrations so far.

A PostgreSQL of its own is brought to the newest shape; what the tables have besides becomes the new migration. Read it
before you keep it: Alembic does not know what a rename is.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import Connection

from deploy.local.postgres import postgres
from shared.kit import migrations
from shared.kit.db import Database


async def main(service: str, message: str) -> None:
    """Write the next migration of this service."""

    def draw(connection: Connection) -> None:
        configuration = migrations.configuration(service)
        configuration.attributes["connection"] = connection
        command.revision(configuration, message, autogenerate=True)

    with tempfile.TemporaryDirectory() as folder:
        async with postgres(Path(folder), fsync=False, databases=(service,)) as server:
            database = Database(server.url(service))
            await migrations.upgrade(database, service)
            async with database.engine.begin() as connection:
                await connection.run_sync(draw)
            await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
