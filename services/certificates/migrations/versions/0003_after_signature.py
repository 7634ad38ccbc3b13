"""What begins after the signature: samples, customs procedures, replacements, notices of irregularity."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = {
    "sampled_at": "timestamptz",
    "procedure_at": "timestamptz",
    "amended_at": "timestamptz",
    "replied_at": "timestamptz",
    "replaces": "uuid",
    "replaced_by": "uuid",
    "replacement_at": "timestamptz",
    "accepted_at": "timestamptz",
    "succeeded_at": "timestamptz",
}


def upgrade() -> None:
    for name, kind in COLUMNS.items():
        op.execute(f"ALTER TABLE certificate ADD COLUMN IF NOT EXISTS {name} {kind}")
    op.execute(
        """
        CREATE TABLE IF NOT EXISTS irregularity (
            id uuid PRIMARY KEY,
            certificate_id uuid NOT NULL,
            found_at varchar(30) NOT NULL,
            signalled_at timestamptz NOT NULL,
            signalled_by uuid NOT NULL,
            reporter varchar(20) NOT NULL,
            notified_country varchar(2),
            notified_body uuid,
            notice jsonb NOT NULL,
            replied_at timestamptz,
            reply jsonb,
            concluded_at timestamptz,
            conclusion jsonb,
            outcome varchar(30)
        )
        """
    )
    op.execute("CREATE INDEX IF NOT EXISTS irregularity_of ON irregularity (certificate_id, signalled_at)")


def downgrade() -> None:
    op.execute("DROP TABLE irregularity")
    for name in COLUMNS:
        op.execute(f"ALTER TABLE certificate DROP COLUMN {name}")
