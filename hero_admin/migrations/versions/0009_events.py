"""The history: events, each chained to the one before, and the head of the chain.

Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "hero_admin_event",
        sa.Column("id", number, primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.Column("token", sa.String(length=200), nullable=False),
        sa.Column("resource", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=True),
        sa.Column("details_json", sa.Text(), nullable=False),
        sa.Column("key_check", sa.String(length=16), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
    )
    for name, columns in {
        "at": ["at"],
        "by": ["by_name", "id"],
        "kind": ["kind", "id"],
        "resource": ["resource", "id"],
    }.items():
        op.create_index(f"ix_hero_admin_event_{name}", "hero_admin_event", columns)
    op.create_table(
        "hero_admin_event_head",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("pruned_id", sa.BigInteger(), nullable=False),
        sa.Column("pruned_hash", sa.String(length=64), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("last_hash", sa.String(length=64), nullable=False),
        sa.Column("key_check", sa.String(length=16), nullable=False),
        sa.Column("signature", sa.String(length=64), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("hero_admin_event_head")
    op.drop_table("hero_admin_event")
