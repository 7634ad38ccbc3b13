"""An index for every order of a list; what is append-only is not truncated either."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ORDERS = {
    "certificate_by_status": "status, id",
    "certificate_by_number": "coalesce(number, ''), id",
    "certificate_by_arrival": "coalesce(arrival_at, 'infinity'::timestamptz), id",
    "certificate_by_arrival_last": "coalesce(arrival_at, '-infinity'::timestamptz), id",
}


def upgrade() -> None:
    for name, columns in ORDERS.items():
        op.execute(f"CREATE INDEX IF NOT EXISTS {name} ON certificate ({columns})")
    for table in ("journal", "sealed"):
        op.execute(
            f"CREATE TRIGGER {table}_is_not_truncated BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()"
        )


def downgrade() -> None:
    for table in ("journal", "sealed"):
        op.execute(f"DROP TRIGGER {table}_is_not_truncated ON {table}")
    for name in ORDERS:
        op.execute(f"DROP INDEX {name}")
