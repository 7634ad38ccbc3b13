"""Organisations, roles, their journal, and the letter box."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

from shared.kit.outbox import METADATA as LETTERBOX

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False)
MOMENT = sa.DateTime(timezone=True)
TEXTS = ARRAY(sa.Text)


def upgrade() -> None:
    op.create_table(
        "organisation",
        sa.Column("id", ID, primary_key=True),
        sa.Column("slug", sa.String(100), unique=True),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("region", sa.Text),
        sa.Column("city", sa.Text, nullable=False),
        sa.Column("postal_code", sa.String(20), nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("latitude", sa.Float),
        sa.Column("longitude", sa.Float),
        sa.Column("contacts", JSONB, nullable=False),
        sa.Column("identifiers", JSONB, nullable=False),
        sa.Column("status", sa.String(30), nullable=False),
        sa.Column("activities", JSONB, nullable=False),
        sa.Column("code", sa.String(40)),
        sa.Column("recognitions", JSONB, nullable=False),
        sa.Column("authority_role", sa.String(30)),
        sa.Column("competences", TEXTS, nullable=False),
        sa.Column("superior", ID, sa.ForeignKey("organisation.id", deferrable=True, initially="DEFERRED")),
        sa.Column("territory", sa.String(40)),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("demo", sa.Boolean, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False),
        sa.Column("activity_kinds", TEXTS, nullable=False),
        sa.Column("recognised_in", TEXTS, nullable=False),
        sa.Column("numbers", TEXTS, nullable=False),
        sa.Column("words", TSVECTOR, nullable=False),
    )
    op.create_index("organisation_by_name", "organisation", ["name_key", "id"])
    op.create_index("organisation_by_country", "organisation", ["country", "name_key", "id"])
    op.create_index("organisation_by_kind", "organisation", ["kind", "country", "name_key", "id"])
    for name, column in (
        ("activity", "activity_kinds"),
        ("competence", "competences"),
        ("recognised", "recognised_in"),
        ("numbers", "numbers"),
        ("words", "words"),
    ):
        op.create_index(f"organisation_{name}", "organisation", [column], postgresql_using="gin")
    op.create_index("organisation_code", "organisation", ["code"])
    op.create_index(
        "organisation_superior", "organisation", ["superior"], postgresql_where=sa.text("superior IS NOT NULL")
    )
    op.create_table(
        "role",
        sa.Column("id", ID, primary_key=True),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("organisation_id", ID, sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("role_type", sa.String(30), nullable=False),
        sa.Column("status", sa.String(30), nullable=False),
        sa.Column("administrator", sa.Boolean, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
    )
    op.create_index("role_of", "role", ["person_id", "organisation_id"], unique=True)
    op.create_index("role_in", "role", ["organisation_id", "status"])
    op.create_table(
        "journal",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("organisation_id", ID, sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("what", sa.String(40), nullable=False),
        sa.Column("person_id", ID),
        sa.Column("acting_for", ID),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("changed", JSONB, nullable=False),
        sa.Column("record", JSONB, nullable=False),
    )
    op.create_index("journal_of", "journal", ["organisation_id", "id"])
    LETTERBOX.create_all(op.get_bind())


def downgrade() -> None:
    LETTERBOX.drop_all(op.get_bind())
    for table in ("journal", "role", "organisation"):
        op.drop_table(table)
