"""The history of all records tells an operation on thousands of them in one line.

Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

IS_TOLD = sa.text("group_size > 0")
INDEXES = {
    "ix_change_resource": ["resource", "id"],
    "ix_change_by": ["by_name", "id"],
    "ix_change_kind": ["kind", "id"],
}


def upgrade() -> None:
    op.add_column(
        "change", sa.Column("group_size", sa.Integer(), server_default="1", nullable=False)
    )
    for name in ("ix_change_operation", *INDEXES):
        op.drop_index(name, "change")
    op.create_index("ix_change_operation", "change", ["operation", "id"])
    for name, columns in {"ix_change_told": ["id"], **INDEXES}.items():
        op.create_index(name, "change", columns, sqlite_where=IS_TOLD, postgresql_where=IS_TOLD)


def downgrade() -> None:
    for name in ("ix_change_told", "ix_change_operation", *INDEXES):
        op.drop_index(name, "change")
    op.drop_column("change", "group_size")
    op.create_index("ix_change_operation", "change", ["operation"])
    for name, columns in INDEXES.items():
        op.create_index(name, "change", columns)
