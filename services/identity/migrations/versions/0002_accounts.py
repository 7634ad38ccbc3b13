"""Registrations, links, resets, known devices, wrong passwords, the journal of accounts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False)
MOMENT = sa.DateTime(timezone=True)
NOW = sa.text("now()")
NONE = sa.text("'{}'::jsonb")

ACCOUNT = (
    sa.Column("mode", sa.String(10), nullable=False, server_default="EU"),
    sa.Column("username", sa.Text),
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    sa.Column("block_reason", sa.String(30)),
    sa.Column("question", sa.String(30)),
    sa.Column("answer_hash", sa.Text),
    sa.Column("password_at", MOMENT),
    sa.Column("details", JSONB, nullable=False, server_default=NONE),
    sa.Column("notify", JSONB, nullable=False, server_default=NONE),
    sa.Column("warned", sa.String(40), nullable=False, server_default=""),
    sa.Column("due_at", MOMENT),
)
SESSION = (
    sa.Column("device", sa.Text, nullable=False, server_default=""),
    sa.Column("source", sa.String(64), nullable=False, server_default=""),
)


def upgrade() -> None:
    for column in ACCOUNT:
        op.add_column("account", column._copy())
    op.execute("UPDATE account SET due_at = coalesce(signed_in_at, created_at) + interval '2 months'")
    op.create_index("account_due", "account", ["due_at"], postgresql_where=sa.text("status = 'ACTIVE'"))
    for column in SESSION:
        op.add_column("session", column._copy())
    op.create_table(
        "registration",
        sa.Column("id", ID, primary_key=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("proof", sa.String(64), unique=True),
        sa.Column("mode", sa.String(10), nullable=False),
        sa.Column("state", sa.String(30), nullable=False),
        sa.Column("over", sa.Boolean, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("first_name", sa.Text, nullable=False),
        sa.Column("last_name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("email_key", sa.Text, nullable=False),
        sa.Column("username", sa.Text),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("html", sa.Boolean, nullable=False),
        sa.Column("password_hash", sa.Text),
        sa.Column("question", sa.String(30)),
        sa.Column("answer_hash", sa.Text),
        sa.Column("details", JSONB, nullable=False),
        sa.Column("authority_id", ID),
        sa.Column("account_id", ID),
        sa.Column("links_wanted", sa.Integer, nullable=False),
        sa.Column("links_minted", sa.Integer, nullable=False),
        sa.Column("reminders", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("entered_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT),
        sa.Column("rung", JSONB, nullable=False),
    )
    waiting = sa.text("over = false")
    op.create_index("registration_of", "registration", ["email_key"], postgresql_where=waiting)
    op.create_index("registration_due", "registration", ["due_at"], postgresql_where=waiting)
    op.create_index("registration_queue", "registration", ["authority_id", "state"], postgresql_where=waiting)
    op.create_table(
        "reset",
        sa.Column("id", ID, primary_key=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("email_key", sa.Text, nullable=False),
        sa.Column("account_id", ID),
        sa.Column("state", sa.String(30), nullable=False),
        sa.Column("over", sa.Boolean, nullable=False),
        sa.Column("by_authority", sa.Boolean, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT),
    )
    op.create_index("reset_of", "reset", ["email_key"], postgresql_where=waiting)
    op.create_index("reset_due", "reset", ["due_at"], postgresql_where=waiting)
    op.create_table(
        "link",
        sa.Column("id", ID, primary_key=True),
        sa.Column("purpose", sa.String(40), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("course_id", ID, nullable=False),
        sa.Column("made_with", sa.String(40), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("minted_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("clicked_at", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Column("facts", JSONB, nullable=False),
    )
    op.create_index("link_of", "link", ["course_id"])
    op.create_table(
        "choice",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("course_id", ID, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("question", sa.String(30)),
        sa.Column("answer_hash", sa.Text),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_table(
        "journal",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("source", sa.String(30)),
        sa.Column("target", sa.String(30)),
        sa.Column("by_person", ID),
        sa.Column("by_organisation", ID),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("key", sa.String(64), unique=True),
    )
    op.create_index("journal_of", "journal", ["person_id", "id"])
    op.create_table(
        "command",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("answer", JSONB),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_table(
        "wrong",
        sa.Column("subject", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_table(
        "device",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("person_id", ID, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("wrong", sa.Integer, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
    )
    op.create_index("device_of", "device", ["person_id"])


def downgrade() -> None:
    for table in ("device", "wrong", "command", "journal", "choice", "link", "reset", "registration"):
        op.drop_table(table)
    for column in SESSION:
        op.drop_column("session", column.name)
    op.drop_index("account_due", "account")
    for column in ACCOUNT:
        op.drop_column("account", column.name)
