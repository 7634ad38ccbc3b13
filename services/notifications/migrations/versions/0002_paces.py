"""Letters that wait for the next morning are found by person."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX IF NOT EXISTS letter_held ON letter (next_at) WHERE state = 'HELD'")
