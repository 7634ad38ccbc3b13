"""Extracts: the batches of a certificate, and on its row the ledger of what they took."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEXES = {
    "extract_of": "(parent_id, number)",
    "extract_seen": "USING gin (visible_to)",
    "extract_awaited": "USING gin (awaited_by)",
    "extract_due": "(due_at)",
    "extract_updated": "(updated_at, id)",
}


def upgrade() -> None:
    op.execute("ALTER TABLE certificate ADD COLUMN IF NOT EXISTS booked jsonb NOT NULL DEFAULT '{}'::jsonb")
    op.execute("ALTER TABLE certificate ADD COLUMN IF NOT EXISTS extracts integer NOT NULL DEFAULT 0")
    op.execute(
        """
        CREATE TABLE IF NOT EXISTS extract (
            id uuid PRIMARY KEY,
            number varchar(50) NOT NULL UNIQUE,
            parent_id uuid NOT NULL,
            form_model varchar(10) NOT NULL,
            status varchar(30) NOT NULL,
            previous varchar(30),
            revision integer NOT NULL,
            creator uuid NOT NULL,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            entered_at timestamptz NOT NULL,
            content jsonb NOT NULL,
            due_name varchar(40),
            due_at timestamptz,
            rung jsonb NOT NULL,
            journal_length integer NOT NULL,
            journal_head varchar(64) NOT NULL,
            visible_to uuid[] NOT NULL,
            awaited_by uuid[] NOT NULL
        )
        """
    )
    for name, place in INDEXES.items():
        op.execute(f"CREATE INDEX IF NOT EXISTS {name} ON extract {place}")


def downgrade() -> None:
    op.execute("DROP TABLE extract")
    op.execute("ALTER TABLE certificate DROP COLUMN booked, DROP COLUMN extracts")
