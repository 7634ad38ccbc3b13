"""Requests for roles, proposals about operators, the history of both, and the dates of operators."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False)
MOMENT = sa.DateTime(timezone=True)
TEXTS = ARRAY(sa.Text)
WAITING = sa.text("status = 'REQUESTED'")
DUE = sa.text("due_at IS NOT NULL")
NEW_OF_ORGANISATION = ("duplicate_of", "rung", "due_name", "due_at")
NEW_OF_ROLE = (
    "person", "countries", "message", "email", "phone", "proposal_id", "requested_at", "counted_from", "asked_at",
    "question", "reason", "rung", "due_name", "due_at", "awaited_by", "told", "revision", "birth_key", "born", "words",
)


def words(name: str) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def texts(name: str) -> sa.Column:
    return sa.Column(name, TEXTS, nullable=False, server_default="{}")


def upgrade() -> None:
    for column in (
        sa.Column("duplicate_of", ID),
        texts("rung"),
        sa.Column("due_name", sa.String(80)),
        sa.Column("due_at", MOMENT),
    ):
        op.add_column("organisation", column)
    op.create_index("organisation_due", "organisation", ["due_at"], postgresql_where=DUE)
    op.create_index("organisation_postal_code", "organisation", ["country", "postal_code"])
    for column in (
        words("person"),
        texts("countries"),
        words("message"),
        words("email"),
        words("phone"),
        sa.Column("proposal_id", ID),
        sa.Column("requested_at", MOMENT),
        sa.Column("counted_from", MOMENT),
        sa.Column("asked_at", MOMENT),
        words("question"),
        words("reason"),
        texts("rung"),
        sa.Column("due_name", sa.String(80)),
        sa.Column("due_at", MOMENT),
        texts("awaited_by"),
        texts("told"),
        sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
        sa.Column("birth_key", sa.String(64), nullable=False, server_default=""),
        sa.Column("born", sa.String(64), nullable=False, server_default=""),
        sa.Column("words", TSVECTOR, nullable=False, server_default=""),
    ):
        op.add_column("role", column)
    op.execute("UPDATE role SET requested_at = since, counted_from = since")
    op.alter_column("role", "requested_at", nullable=False)
    op.alter_column("role", "counted_from", nullable=False)
    op.drop_index("role_of", "role")
    op.create_index(
        "role_of", "role", ["person_id", "organisation_id"], unique=True,
        postgresql_where=sa.text("status IN ('REQUESTED', 'VALID', 'SUSPENDED')"),
    )
    op.create_index("role_awaited", "role", ["awaited_by"], postgresql_using="gin", postgresql_where=WAITING)
    op.create_index("role_told", "role", ["told"], postgresql_using="gin", postgresql_where=WAITING)
    op.create_index("role_waiting", "role", ["requested_at", "id"], postgresql_where=WAITING)
    op.create_index("role_words", "role", ["words"], postgresql_using="gin", postgresql_where=WAITING)
    op.create_index("role_due", "role", ["due_at"], postgresql_where=DUE)
    op.create_index("role_born", "role", ["person_id", "birth_key"])
    op.create_table(
        "proposal",
        sa.Column("id", ID, primary_key=True),
        sa.Column("organisation_id", ID, sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("acting_for", ID),
        sa.Column("status", sa.String(30), nullable=False),
        sa.Column("changes", JSONB, nullable=False),
        sa.Column("before", JSONB, nullable=False),
        words("why"),
        sa.Column("evidence", JSONB),
        words("file"),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("counted_from", MOMENT, nullable=False),
        sa.Column("asked_at", MOMENT),
        words("question"),
        words("reason"),
        texts("rung"),
        sa.Column("due_name", sa.String(80)),
        sa.Column("due_at", MOMENT),
        texts("awaited_by"),
        texts("told"),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("born", sa.String(64), nullable=False),
    )
    op.create_index("proposal_open", "proposal", ["organisation_id"], unique=True, postgresql_where=WAITING)
    op.create_index("proposal_awaited", "proposal", ["awaited_by"], postgresql_using="gin", postgresql_where=WAITING)
    op.create_index("proposal_told", "proposal", ["told"], postgresql_using="gin", postgresql_where=WAITING)
    op.create_index("proposal_waiting", "proposal", ["requested_at", "id"], postgresql_where=WAITING)
    op.create_index("proposal_due", "proposal", ["due_at"], postgresql_where=DUE)
    op.create_table(
        "line",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("about", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("person_id", ID),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("acting_for", ID),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("status", sa.String(30), nullable=False),
        sa.Column("key", sa.String(64), unique=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("answer", JSONB),
    )
    op.create_index("line_of", "line", ["about", "id"])


def downgrade() -> None:
    op.drop_table("line")
    op.drop_table("proposal")
    op.drop_index("organisation_due", "organisation")
    op.drop_index("organisation_postal_code", "organisation")
    for name in ("role_of", "role_born"):
        op.drop_index(name, "role")
    op.execute("DELETE FROM role WHERE status NOT IN ('REQUESTED', 'VALID', 'SUSPENDED')")
    for name in NEW_OF_ROLE:
        op.drop_column("role", name)
    op.create_index("role_of", "role", ["person_id", "organisation_id"], unique=True)
    for name in NEW_OF_ORGANISATION:
        op.drop_column("organisation", name)
