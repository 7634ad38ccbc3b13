"""Accounts, sessions, posts, signing keys, and the letter box."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.kit.outbox import METADATA as LETTERBOX

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False)
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", ID, primary_key=True),
        sa.Column("first_name", sa.Text, nullable=False),
        sa.Column("last_name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("email_key", sa.Text, nullable=False, unique=True),
        sa.Column("password_hash", sa.Text),
        sa.Column("status", sa.String(30), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("html", sa.Boolean, nullable=False),
        sa.Column("demo", sa.Boolean, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("signed_in_at", MOMENT),
    )
    op.create_table(
        "session",
        sa.Column("id", ID, primary_key=True),
        sa.Column("person_id", ID, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("proved_at", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Column("end_reason", sa.String(30), nullable=False),
    )
    op.create_index("session_of", "session", ["person_id"], postgresql_where=sa.text("ended_at IS NULL"))
    op.create_index("session_ended", "session", ["ended_at"])
    op.create_index("session_open", "session", ["seen_at"], postgresql_where=sa.text("ended_at IS NULL"))
    op.create_table(
        "post",
        sa.Column("person_id", ID, primary_key=True),
        sa.Column("organisation_id", ID, primary_key=True),
        sa.Column("role_type", sa.String(30), nullable=False),
        sa.Column("administrator", sa.Boolean, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
    )
    op.create_table(
        "organisation",
        sa.Column("id", ID, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("code", sa.String(40)),
        sa.Column("status", sa.String(30), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
    )
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.String(40), primary_key=True),
        sa.Column("public", JSONB, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("wrapped_by", sa.String(40), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("retired_at", MOMENT),
    )
    LETTERBOX.create_all(op.get_bind())


def downgrade() -> None:
    LETTERBOX.drop_all(op.get_bind())
    for table in ("signing_key", "organisation", "post", "session", "account"):
        op.drop_table(table)
