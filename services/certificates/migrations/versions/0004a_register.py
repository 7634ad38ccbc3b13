"""The register: parties and commodities have an edition, which changes with them."""

from alembic import op

revision = "0004a"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE IF NOT EXISTS register (edition uuid PRIMARY KEY)")
    op.execute("INSERT INTO register (edition) VALUES (gen_random_uuid())")
    op.execute(
        """
        CREATE FUNCTION register_has_changed() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN UPDATE register SET edition = gen_random_uuid(); RETURN NULL; END $$
        """
    )
    for table in ("party", "commodity"):
        op.execute(
            f"CREATE TRIGGER register_has_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION register_has_changed()"
        )


def downgrade() -> None:
    for table in ("party", "commodity"):
        op.execute(f"DROP TRIGGER register_has_changed ON {table}")
    op.execute("DROP FUNCTION register_has_changed")
    op.execute("DROP TABLE register")
