"""Second factors, changes of details that wait for their mail, and signing in to other tools."""

from alembic import op

from services.identity import models

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("authenticator", "recovery_code", "passkey", "ceremony", "change", "admission")


def upgrade() -> None:
    for name in TABLES:
        models.METADATA.tables[name].create(op.get_bind(), checkfirst=True)
