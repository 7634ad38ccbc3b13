"""Further addresses and calendars, words by which proposals are found, and the indexes that long lists need."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WAITING = sa.text("status = 'REQUESTED'")


def upgrade() -> None:
    more = {"if_not_exists": True}
    op.add_column("organisation", sa.Column("addresses", JSONB, nullable=False, server_default="[]"), **more)
    op.add_column("organisation", sa.Column("calendar", sa.String(12)), **more)
    op.add_column("proposal", sa.Column("words", TSVECTOR, nullable=False, server_default=""), **more)
    op.create_index("role_proposal", "role", ["proposal_id"], **more)
    op.create_index("proposal_of", "proposal", ["organisation_id"], **more)
    op.create_index("proposal_words", "proposal", ["words"], postgresql_using="gin", postgresql_where=WAITING, **more)


def downgrade() -> None:
    op.drop_index("proposal_words", "proposal")
    op.drop_index("proposal_of", "proposal")
    op.drop_index("role_proposal", "role")
    op.drop_column("proposal", "words")
    op.drop_column("organisation", "calendar")
    op.drop_column("organisation", "addresses")
