"""The library's tables, and the function that folds texts for searching on PostgreSQL.

Revises:
"""

import sqlalchemy as sa
from alembic import op

from hero_admin.database.fold_function import function_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

HAS_A_ROLE = "role IN ('viewer', 'editor', 'owner')"
IS_TOLD = sa.text("group_size > 0")


def upgrade() -> None:
    _create_accounts()
    _create_audit_log()
    op.create_table(
        "hero_admin_submission",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("resource", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_hero_admin_submission_created_at", "hero_admin_submission", ["created_at"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(function_sql(op.get_bind()))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION hero_admin_fold(text)")
    for name in ("submission", "blob", "change", "throttle", "one_time_link", "token", "session"):
        op.drop_table(f"hero_admin_{name}")
    op.drop_table("hero_admin_user")


def _create_accounts() -> None:
    op.create_table(
        "hero_admin_user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("folded_name", sa.String(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("is_disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(HAS_A_ROLE, name="hero_admin_user_has_a_role"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("folded_name"),
    )
    op.create_table(
        "hero_admin_session",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("key_check", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["hero_admin_user.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_hero_admin_session_user_id", "hero_admin_session", ["user_id"])
    op.create_table(
        "hero_admin_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(HAS_A_ROLE, name="hero_admin_token_has_a_role"),
        sa.ForeignKeyConstraint(["user_id"], ["hero_admin_user.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index("ix_hero_admin_token_user_id", "hero_admin_token", ["user_id"])
    op.create_table(
        "hero_admin_one_time_link",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["hero_admin_user.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_hero_admin_one_time_link_user_id", "hero_admin_one_time_link", ["user_id"])
    op.create_table(
        "hero_admin_throttle",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_hero_admin_throttle_last_at", "hero_admin_throttle", ["last_at"])


def _create_audit_log() -> None:
    op.create_table(
        "hero_admin_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("operation", sa.String(length=32), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=200), nullable=False),
        sa.Column("via", sa.String(length=20), nullable=False),
        sa.Column("resource", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("is_consequence", sa.Boolean(), nullable=False),
        sa.Column("values_json", sa.Text(), nullable=False),
        sa.Column("group_size", sa.Integer(), server_default="1", nullable=False),
        sqlite_autoincrement=True,
    )
    for name, columns in {
        "at": ["at"],
        "record": ["resource", "key", "id"],
        "operation": ["operation", "id"],
    }.items():
        op.create_index(f"ix_hero_admin_change_{name}", "hero_admin_change", columns)
    for name, columns in {
        "told": ["id"],
        "resource": ["resource", "id"],
        "by": ["by_name", "id"],
        "kind": ["kind", "id"],
    }.items():
        op.create_index(
            f"ix_hero_admin_change_{name}",
            "hero_admin_change",
            columns,
            sqlite_where=IS_TOLD,
            postgresql_where=IS_TOLD,
        )
    op.create_table(
        "hero_admin_blob",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
