"""Making a certificate: its documents and their files, questions about it, templates of an organisation."""

from alembic import op

revision = "0005"
down_revision = "0004a"
branch_labels = None
depends_on = None

TABLES = {
    "upload": """
        id uuid PRIMARY KEY,
        certificate_id uuid NOT NULL,
        organisation_id uuid NOT NULL,
        person_id varchar(36) NOT NULL,
        at timestamptz NOT NULL,
        name varchar(200) NOT NULL,
        media varchar(40) NOT NULL,
        size integer NOT NULL,
        sha256 varchar(64) NOT NULL,
        used_at timestamptz
    """,
    "document": """
        id uuid NOT NULL,
        version integer NOT NULL,
        certificate_id uuid NOT NULL,
        upload_id uuid NOT NULL,
        type varchar(20) NOT NULL,
        said jsonb NOT NULL,
        added_by uuid NOT NULL,
        added_by_name text NOT NULL,
        at timestamptz NOT NULL,
        revision integer NOT NULL,
        withdrawn_at timestamptz,
        PRIMARY KEY (id, version)
    """,
    "question": """
        id uuid PRIMARY KEY,
        certificate_id uuid NOT NULL,
        number integer NOT NULL,
        kind varchar(12) NOT NULL,
        field varchar(60),
        asked_by uuid NOT NULL,
        asked_of uuid NOT NULL,
        at timestamptz NOT NULL,
        settled_at timestamptz
    """,
    "question_message": """
        question_id uuid NOT NULL,
        number integer NOT NULL,
        at timestamptz NOT NULL,
        person text NOT NULL,
        organisation_id uuid NOT NULL,
        text text NOT NULL,
        upload_id uuid,
        PRIMARY KEY (question_id, number)
    """,
    "certificate_template": """
        id uuid PRIMARY KEY,
        organisation_id uuid NOT NULL,
        name varchar(100) NOT NULL,
        form_model varchar(10) NOT NULL,
        content jsonb NOT NULL,
        at timestamptz NOT NULL,
        person text NOT NULL
    """,
}
INDEXES = {
    "upload_unused": "ON upload (at) WHERE used_at IS NULL",
    "document_of": "ON document (certificate_id)",
    "template_of": "ON certificate_template (organisation_id, name)",
    "party_name": "ON party (lower(record->>'name'))",
}


def upgrade() -> None:
    op.execute("ALTER TABLE certificate ADD COLUMN IF NOT EXISTS documents jsonb NOT NULL DEFAULT '[]'::jsonb")
    for name, columns in TABLES.items():
        op.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
    op.execute("CREATE UNIQUE INDEX IF NOT EXISTS question_once ON question (certificate_id, number)")
    for name, place in INDEXES.items():
        op.execute(f"CREATE INDEX IF NOT EXISTS {name} {place}")


def downgrade() -> None:
    for name in TABLES:
        op.execute(f"DROP TABLE {name}")
    op.execute("ALTER TABLE certificate DROP COLUMN documents")
