"""Finding certificates by every box, saved searches, customs write-offs, webhooks."""

from types import SimpleNamespace
from typing import Any

from alembic import op
from sqlalchemy import text

from services.certificates import finding, paper
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
AT_ONCE = 500


def upgrade() -> None:
    for name, kind in COLUMNS.items():
        op.execute(f"ALTER TABLE certificate ADD COLUMN IF NOT EXISTS {name} {kind}")
    for name, place in INDEXES.items():
        op.execute(f"CREATE INDEX IF NOT EXISTS {name} ON certificate {place}")
    METADATA.create_all(op.get_bind(), tables=[METADATA.tables[name] for name in TABLES], checkfirst=True)
    op.execute(DATES)
    _mark_what_is_there()


def _mark_what_is_there() -> None:
    """The marks of the certificates that were written before there were marks."""
    base = op.get_bind()
    countries = {str(row[0]): str(row[1]) for row in base.execute(text("SELECT id, record ->> 'country' FROM party"))}
    columns = (
        "id, number, form_model, status, creator, content, rung, procedure_at, sampled_at, amended_at, replaced_by"
    )
    last = "00000000-0000-0000-0000-000000000000"
    while True:
        some = base.execute(
            text(f"SELECT {columns} FROM certificate WHERE id > :last ORDER BY id LIMIT {AT_ONCE}"), {"last": last}
        ).all()
        if not some:
            return
        written = []
        for each in some:
            row: Any = SimpleNamespace(**{**each._mapping, "id": str(each.id), "creator": str(each.creator)})
            written.append({"id": row.id, "marks": finding.marks(row, countries, paper.flags(row))})
        base.execute(
            text("UPDATE certificate SET search = coalesce(search, '') || array_to_tsvector(:marks) WHERE id = :id"),
            written,
        )
        last = str(some[-1].id)


def downgrade() -> None:
    for name in TABLES:
        op.execute(f"DROP TABLE {name}")
    for name in COLUMNS:
        op.execute(f"ALTER TABLE certificate DROP COLUMN {name}")
