"""A session holds for one secret key; those that there are get the key of the next start.

Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user_session", sa.Column("key_check", sa.String(length=16), nullable=True))


def downgrade() -> None:
    op.drop_column("user_session", "key_check")
