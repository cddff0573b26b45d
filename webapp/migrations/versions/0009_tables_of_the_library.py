"""Accounts, history and submissions belong to the library, which migrates them itself from now on.

Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

HAS_A_ROLE = "role IN ('viewer', 'editor', 'owner')"
IS_TOLD = "group_size > 0"
# What their names begin with, before and after.
PREFIXES = {
    "user_account": "hero_admin_user",
    "user_session": "hero_admin_session",
    "api_token": "hero_admin_token",
    "one_time_link": "hero_admin_one_time_link",
    "guesses": "hero_admin_throttle",
    "change": "hero_admin_change",
    "history_blob": "hero_admin_blob",
    "submission": "hero_admin_submission",
}
# The rest of their names, their columns, and of which rows they are.
INDEXES: dict[str, dict[str, tuple[list[str], str | None]]] = {
    "user_session": {"user_id": (["user_id"], None)},
    "api_token": {"user_id": (["user_id"], None)},
    "one_time_link": {"user_id": (["user_id"], None)},
    "guesses": {"last_at": (["last_at"], None)},
    "change": {
        "at": (["at"], None),
        "record": (["resource", "key", "id"], None),
        "operation": (["operation", "id"], None),
        "told": (["id"], IS_TOLD),
        "resource": (["resource", "id"], IS_TOLD),
        "by": (["by_name", "id"], IS_TOLD),
        "kind": (["kind", "id"], IS_TOLD),
    },
    "submission": {"created_at": (["created_at"], None)},
}
CONSTRAINTS = "SELECT conname FROM pg_constraint WHERE conrelid = to_regclass(:name)"
SEQUENCES = """
SELECT s.relname FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.deptype IN ('a', 'i')
WHERE s.relkind = 'S' AND d.refobjid = to_regclass(:name)
"""
# The first revision of hero_admin/migrations/versions, which has nothing left to do.
STAMP = """
CREATE TABLE hero_admin_alembic_version (
  version_num VARCHAR(32) NOT NULL,
  CONSTRAINT hero_admin_alembic_version_pkc PRIMARY KEY (version_num)
)
"""


def upgrade() -> None:
    # Each by itself, as `migrate` reads here what a database holds afterwards.
    op.rename_table("user_account", "hero_admin_user")
    op.rename_table("user_session", "hero_admin_session")
    op.rename_table("api_token", "hero_admin_token")
    op.rename_table("one_time_link", "hero_admin_one_time_link")
    op.rename_table("guesses", "hero_admin_throttle")
    op.rename_table("change", "hero_admin_change")
    op.rename_table("history_blob", "hero_admin_blob")
    op.rename_table("submission", "hero_admin_submission")
    if op.get_bind().dialect.name == "postgresql":
        _rename_what_belongs_to_them()
    else:
        _make_what_belongs_to_them_anew()
    op.execute(STAMP)
    op.execute("INSERT INTO hero_admin_alembic_version VALUES ('0001')")


def downgrade() -> None:
    raise NotImplementedError("The library has these tables now, and may have changed them.")


def _rename_what_belongs_to_them() -> None:
    """Rename indexes, constraints and sequences, without reading a row."""
    quoted = op.get_bind().dialect.identifier_preparer.quote
    for old, new in PREFIXES.items():
        for name in INDEXES.get(old, {}):
            op.execute(f"ALTER INDEX IF EXISTS ix_{old}_{name} RENAME TO ix_{new}_{name}")
        for name in _names(CONSTRAINTS, new, f"{old}_"):
            renamed = quoted(f"{new}{name.removeprefix(old)}")
            op.execute(f"ALTER TABLE {new} RENAME CONSTRAINT {quoted(name)} TO {renamed}")
        for name in _names(SEQUENCES, new, f"{old}_"):
            renamed = quoted(f"{new}{name.removeprefix(old)}")
            op.execute(f"ALTER SEQUENCE {quoted(name)} RENAME TO {renamed}")
    op.execute("ALTER FUNCTION fold(text) RENAME TO hero_admin_fold")


def _names(statement: str, table: str, prefix: str) -> list[str]:
    found = op.get_bind().scalars(sa.text(statement), {"name": table})
    return [name for name in found if name.startswith(prefix)]


def _make_what_belongs_to_them_anew() -> None:
    """Make indexes and constraints again, as SQLite renames neither."""
    for old in ("user_account", "api_token"):
        with op.batch_alter_table(PREFIXES[old], recreate="always") as table:
            table.drop_constraint(f"{old}_has_a_role", type_="check")
            table.create_check_constraint(f"{PREFIXES[old]}_has_a_role", sa.text(HAS_A_ROLE))
    for old, indexes in INDEXES.items():
        for name, (columns, where) in indexes.items():
            op.drop_index(f"ix_{old}_{name}", PREFIXES[old], if_exists=True)
            op.create_index(
                f"ix_{PREFIXES[old]}_{name}",
                PREFIXES[old],
                columns,
                sqlite_where=sa.text(where) if where else None,
            )
