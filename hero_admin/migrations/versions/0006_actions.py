"""The action of a change, in the audit log.

Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("hero_admin_change", sa.Column("action", sa.String(length=80), nullable=True))


def downgrade() -> None:
    op.drop_column("hero_admin_change", "action")
