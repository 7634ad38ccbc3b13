"""The first shape of the certificates service's tables."""

from alembic import op

from services.certificates.models import METADATA

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    METADATA.create_all(op.get_bind())
    op.execute(
        """
        CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the journal is append-only'; END $$
        """
    )
    op.execute(
        "CREATE TRIGGER journal_is_append_only BEFORE UPDATE OR DELETE ON journal"
        " FOR EACH ROW EXECUTE FUNCTION journal_is_append_only()"
    )
    op.execute(
        "CREATE TRIGGER sealed_is_append_only BEFORE UPDATE OR DELETE ON sealed"
        " FOR EACH ROW EXECUTE FUNCTION journal_is_append_only()"
    )


def downgrade() -> None:
    METADATA.drop_all(op.get_bind())
