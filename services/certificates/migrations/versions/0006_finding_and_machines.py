"""Finding certificates by every box, saved searches, customs write-offs, webhooks."""

from alembic import op

from services.certificates.models import METADATA

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = {"issued_at": "timestamptz", "decided_at": "timestamptz"}
INDEXES = {
    "certificate_created": "(created_at)",
    "certificate_issued": "(issued_at) WHERE issued_at IS NOT NULL",
    "certificate_decided": "(decided_at) WHERE decided_at IS NOT NULL",
}
TABLES = ("saved_search", "write_off", "webhook", "webhook_delivery")
DATES = """
UPDATE certificate SET issued_at = signed.at, decided_at = decided.at
FROM certificate c
LEFT JOIN LATERAL (
    SELECT min(at) AS at FROM journal j WHERE j.certificate_id = c.id AND j.action = 'sign' AND j.target = 'ISSUED'
) signed ON true
LEFT JOIN LATERAL (
    SELECT min(at) AS at FROM journal j WHERE j.certificate_id = c.id
        AND j.action IN ('verify', 'open_batches', 'release_conventional', 'reject')
) decided ON true
WHERE certificate.id = c.id AND c.status <> 'DRAFT' AND certificate.issued_at IS NULL
"""


def upgrade() -> None:
    for name, kind in COLUMNS.items():
        op.execute(f"ALTER TABLE certificate ADD COLUMN IF NOT EXISTS {name} {kind}")
    for name, place in INDEXES.items():
        op.execute(f"CREATE INDEX IF NOT EXISTS {name} ON certificate {place}")
    METADATA.create_all(op.get_bind(), tables=[METADATA.tables[name] for name in TABLES], checkfirst=True)
    op.execute(DATES)  # the marks of what was written before are made in 0007


def downgrade() -> None:
    for name in TABLES:
        op.execute(f"DROP TABLE {name}")
    for name in COLUMNS:
        op.execute(f"ALTER TABLE certificate DROP COLUMN {name}")
