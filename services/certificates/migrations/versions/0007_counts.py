"""Lists that stay quick when they are long: readers to count by, and the words there are, kept by the database itself."""

from types import SimpleNamespace
from typing import Any

from alembic import op
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from services.certificates import finding, paper
from services.certificates.models import METADATA

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

READERS = """
SELECT each, status, id FROM {rows}, unnest(visible_to) each
UNION ALL SELECT md5('customs/' || clearance_country)::uuid, status, id FROM {rows}
WHERE submitted AND clearance_country IS NOT NULL
"""
"""Whom a certificate is counted for: its parties, and the customs of a country under an id of theirs in common."""
WORDS = """
SELECT DISTINCT kind, word FROM (
    SELECT coalesce(substring(lexeme FROM '^=([a-z]+)/'), '') AS kind, regexp_replace(lexeme, '^=[a-z]+/', '') AS word
    FROM ({lexemes}) found
    WHERE lexeme !~ '^=' OR lexeme ~ '^=(goods|cn|lot|container|document|attached)/'
) AS told
WHERE length(word) <= 41
    AND (kind = 'cn' OR word ~ '#$' OR (length(word) <= 40 AND (length(word) <= 4 OR word !~ '[0-9]')))
ORDER BY 1, 2
"""
"""The words that are whole, and the stems of the others: what ``finding.stem_of`` gives none, and what it gives."""
ALL = "SELECT DISTINCT lexeme FROM certificate, unnest(tsvector_to_array(search)) lexeme"
AT_ONCE = 500


def upgrade() -> None:
    METADATA.create_all(
        op.get_bind(), tables=[METADATA.tables["sight"], METADATA.tables["word"]], checkfirst=True
    )
    _mark_anew()
    op.execute(f"INSERT INTO sight (organisation, status, certificate_id) {READERS.format(rows='certificate')}")
    op.execute(f"INSERT INTO word (kind, word) {WORDS.format(lexemes=ALL)}")
    op.execute(
        f"""
        CREATE FUNCTION certificate_is_seen() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP <> 'INSERT' THEN DELETE FROM sight WHERE certificate_id = OLD.id; END IF;
            IF TG_OP <> 'DELETE' THEN
                INSERT INTO sight (organisation, status, certificate_id)
                {READERS.format(rows="(SELECT NEW.*) told")}
                ON CONFLICT DO NOTHING;
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER certificate_is_seen AFTER INSERT OR DELETE ON certificate"
        " FOR EACH ROW EXECUTE FUNCTION certificate_is_seen()"
    )
    op.execute(
        "CREATE TRIGGER certificate_is_seen_otherwise"
        " AFTER UPDATE OF status, visible_to, submitted, clearance_country ON certificate FOR EACH ROW"
        " WHEN ((OLD.status, OLD.visible_to, OLD.submitted, OLD.clearance_country)"
        " IS DISTINCT FROM (NEW.status, NEW.visible_to, NEW.submitted, NEW.clearance_country))"
        " EXECUTE FUNCTION certificate_is_seen()"
    )
    op.execute(
        f"""
        CREATE FUNCTION certificate_has_words() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' OR OLD.search IS DISTINCT FROM NEW.search THEN
                INSERT INTO word (kind, word)
                {WORDS.format(lexemes="SELECT lexeme FROM unnest(tsvector_to_array(NEW.search)) lexeme")}
                ON CONFLICT DO NOTHING;
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER certificate_has_words AFTER INSERT OR UPDATE OF search ON certificate"
        " FOR EACH ROW EXECUTE FUNCTION certificate_has_words()"
    )


def _mark_anew() -> None:
    """The marks of the certificates that were written before there were these."""
    base, table = op.get_bind(), METADATA.tables["certificate"]
    countries = {str(row[0]): str(row[1]) for row in base.execute(_countries())}
    words = func.tsvector_to_array(table.c.search, type_=ARRAY(Text)).label("words")
    marked = func.coalesce(table.c.search, func.to_tsvector("")).op("||")(func.array_to_tsvector(bindparam("marks", type_=ARRAY(Text))))
    write = update(table).where(table.c.id == bindparam("row")).values(search=marked)
    last = "00000000-0000-0000-0000-000000000000"
    while True:
        some = base.execute(select(table, words).where(table.c.id > last).order_by(table.c.id).limit(AT_ONCE)).all()
        if not some:
            return
        told = []
        for each in some:
            row: Any = SimpleNamespace(**each._mapping)
            said = " ".join(word for word in row.words or () if not word.startswith("="))
            told.append({"row": row.id, "marks": finding.marks(row, countries, paper.flags(row), said)})
        base.execute(write, told)
        last = some[-1].id


def _countries() -> Any:
    parties = METADATA.tables["party"]
    return select(parties.c.id, parties.c.record["country"].astext)


def downgrade() -> None:
    for name in ("certificate_is_seen", "certificate_is_seen_otherwise", "certificate_has_words"):
        op.execute(f"DROP TRIGGER {name} ON certificate")
    for name in ("certificate_is_seen", "certificate_has_words"):
        op.execute(f"DROP FUNCTION {name}")
    for name in ("sight", "word"):
        op.execute(f"DROP TABLE {name}")
