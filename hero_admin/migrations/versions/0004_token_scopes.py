"""What tokens are for: only reading, and only some resources.

Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "hero_admin_token",
        sa.Column("is_read_only", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column("hero_admin_token", sa.Column("resources_json", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("hero_admin_token", "resources_json")
    op.drop_column("hero_admin_token", "is_read_only")
