"""Migrations: one Alembic history per service, applied under a lock so that two processes may start at once."""

from importlib import import_module
from pathlib import Path
from typing import Any

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData, text

from shared.kit.db import Database

LOCK = 0x0B0D_E2EA


def configuration(service: str) -> Config:
    """Alembic's configuration of one service, made in memory."""
    folder = Path(str(import_module(f"services.{service}").__file__)).parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


async def upgrade(database: Database, service: str) -> None:
    """Bring a service's database to the newest shape; harmless when it already is there."""

    def run(connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        config = configuration(service)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    async with database.engine.begin() as connection:
        await connection.run_sync(run)


def environment(metadata: MetaData) -> None:
    """What every service's ``migrations/env.py`` does: run on the connection it was handed."""
    connection: Any = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()
