"""The migrated database is what the models say."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from services.certificates.models import METADATA
from tests.services.conftest import DatabaseOf


async def test_the_migrations_make_what_the_models_describe(database: DatabaseOf) -> None:
    base = await database("certificates")

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), METADATA))

    async with base.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
