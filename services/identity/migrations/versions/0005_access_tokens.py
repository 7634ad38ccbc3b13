"""Access tokens of organisations' programs."""

from alembic import op

from services.identity import models

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    models.METADATA.tables["access_token"].create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    op.drop_table("access_token")
