"""Heroes may retire.

Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("hero", sa.Column("retired_on", sa.Date(), nullable=True))
    op.add_column("hero", sa.Column("retirement_note", sa.String(length=1000), nullable=True))


def downgrade() -> None:
    op.drop_column("hero", "retirement_note")
    op.drop_column("hero", "retired_on")
