"""Letters, news, and what is known of those who get them; the letter box."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.kit import outbox

revision = "0001"
down_revision = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "organisation",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("country", sa.String, nullable=False),
        sa.Column("code", sa.String),
        sa.Column("superior", sa.String),
        sa.Column("control_bodies", JSONB, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
    )
    op.create_table(
        "post",
        sa.Column("person_id", sa.String, primary_key=True),
        sa.Column("organisation_id", sa.String, primary_key=True),
        sa.Column("role_type", sa.String, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
    )
    op.create_index("ix_post_organisation_id", "post", ["organisation_id"])
    op.create_table(
        "notice",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("organisation_id", sa.String),
        sa.Column("letter", sa.String, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("certificate_id", sa.String),
        sa.Column("facts", JSONB, nullable=False),
        sa.Column("mail", sa.Boolean, nullable=False),
        sa.UniqueConstraint("event_id", "organisation_id", "letter", postgresql_nulls_not_distinct=True),
    )
    op.create_index("notice_of_organisation", "notice", ["organisation_id", "at"])
    op.create_index("notice_of_certificate", "notice", ["certificate_id", "organisation_id"])
    op.create_table(
        "letter",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("notice_id", sa.Uuid, sa.ForeignKey("notice.id"), nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("person_id", sa.String, nullable=False),
        sa.Column("letter", sa.String, nullable=False),
        sa.Column("message_id", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("reason", sa.String),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("sent_at", MOMENT),
        sa.UniqueConstraint("event_id", "person_id", "letter"),
    )
    op.create_index("ix_letter_notice_id", "letter", ["notice_id"])
    op.create_index("letter_waiting", "letter", ["next_at"], postgresql_where=sa.text("state = 'WAITING'"))
    op.create_index("letter_newest", "letter", ["created_at", "id"])
    op.create_table(
        "news",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("notice_id", sa.Uuid, sa.ForeignKey("notice.id"), nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("person_id", sa.String, nullable=False),
        sa.Column("letter", sa.String, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("read_at", MOMENT),
        sa.UniqueConstraint("event_id", "person_id", "letter"),
    )
    op.create_index("ix_news_notice_id", "news", ["notice_id"])
    op.create_index("news_newest", "news", ["person_id", "at", "id"])
    op.create_index("news_unread", "news", ["person_id"], postgresql_where=sa.text("read_at IS NULL"))
    outbox.METADATA.create_all(op.get_bind())
