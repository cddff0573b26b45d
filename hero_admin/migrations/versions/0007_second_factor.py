"""Second factors: authenticator apps and recovery codes.

Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "hero_admin_user",
        sa.Column("has_second_factor", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        "hero_admin_totp",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("sealed_secret", sa.String(length=300), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["hero_admin_user.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "hero_admin_recovery_code",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["hero_admin_user.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_hero_admin_recovery_code_user_id", "hero_admin_recovery_code", ["user_id"])


def downgrade() -> None:
    op.drop_table("hero_admin_recovery_code")
    op.drop_table("hero_admin_totp")
    op.drop_column("hero_admin_user", "has_second_factor")
