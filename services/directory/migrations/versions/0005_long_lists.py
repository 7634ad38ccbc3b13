"""What long lists need: the country of what waits, and indexes for every way in which they are asked."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WAITING = sa.text("status = 'REQUESTED'")
KIND = {"role": "role_type", "proposal": "kind"}


def upgrade() -> None:
    more = {"if_not_exists": True}
    op.create_index("organisation_by_status", "organisation", ["status", "name_key", "id"], **more)
    within = {"postgresql_using": "gin", "postgresql_ops": {"activities": "jsonb_path_ops"}}
    op.create_index("organisation_activities", "organisation", ["activities"], **within, **more)
    for table, kind in KIND.items():
        op.add_column(table, sa.Column("country", sa.String(2), nullable=False, server_default=""), **more)
        op.execute(
            f"UPDATE {table} SET country = organisation.country FROM organisation "
            f"WHERE organisation.id = {table}.organisation_id AND {table}.status = 'REQUESTED'"
        )
        due = sa.text("coalesce(due_at, requested_at)")
        for name, first in (("kind", kind), ("country", "country"), ("due", due)):
            rest = ["id"] if name == "due" else ["requested_at", "id"]
            op.create_index(f"{table}_waiting_{name}", table, [first, *rest], postgresql_where=WAITING, **more)


def downgrade() -> None:
    for table in KIND:
        for name in ("due", "country", "kind"):
            op.drop_index(f"{table}_waiting_{name}", table)
        op.drop_column(table, "country")
    op.drop_index("organisation_activities", "organisation")
    op.drop_index("organisation_by_status", "organisation")
