"""Classic accounts: who is competent for whom, and what is needed to find that out."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False)
MOMENT = sa.DateTime(timezone=True)

ORGANISATION = (
    sa.Column("kind", sa.String(30)),
    sa.Column("country", sa.String(2)),
    sa.Column("authority_role", sa.String(30)),
    sa.Column("superior", ID),
    sa.Column("time_zone", sa.String(64)),
    sa.Column("told_at", MOMENT),
)


def upgrade() -> None:
    for column in ORGANISATION:
        op.add_column("organisation", column._copy(), if_not_exists=True)
    op.create_index("organisation_code", "organisation", ["code"], if_not_exists=True)
    op.add_column("account", sa.Column("authority_id", ID), if_not_exists=True)
    op.add_column("registration", sa.Column("above_id", ID), if_not_exists=True)
    looked_after = sa.text("authority_id IS NOT NULL")
    op.create_index(
        "account_territory", "account", ["authority_id"], postgresql_where=looked_after, if_not_exists=True
    )
    op.create_index("registration_territory", "registration", ["authority_id"], if_not_exists=True)


def downgrade() -> None:
    op.drop_index("registration_territory", "registration")
    op.drop_index("account_territory", "account")
    op.drop_column("registration", "above_id")
    op.drop_column("account", "authority_id")
    op.drop_index("organisation_code", "organisation")
    for column in ORGANISATION:
        op.drop_column("organisation", column.name)
