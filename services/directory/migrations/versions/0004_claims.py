"""Who has taken on what waits."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CLAIMED = sa.text("claimed_by IS NOT NULL")


def upgrade() -> None:
    more = {"if_not_exists": True}
    for table in ("role", "proposal"):
        op.add_column(table, sa.Column("claimed_by", UUID), **more)
        op.add_column(table, sa.Column("claimed_for", UUID), **more)
        op.add_column(table, sa.Column("claimed_at", sa.DateTime(timezone=True)), **more)
        op.add_column(table, sa.Column("claimer", sa.Text, nullable=False, server_default=""), **more)
        op.create_index(f"{table}_claimed", table, ["claimed_by"], postgresql_where=CLAIMED, **more)


def downgrade() -> None:
    for table in ("role", "proposal"):
        op.drop_index(f"{table}_claimed", table)
        for column in ("claimer", "claimed_at", "claimed_for", "claimed_by"):
            op.drop_column(table, column)
