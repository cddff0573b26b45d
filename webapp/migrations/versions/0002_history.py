"""The history; and on SQLite no hero or team gets the number of one that was deleted.

Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "change",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True
        ),
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
        sqlite_autoincrement=True,
    )
    op.create_index("ix_change_at", "change", ["at"])
    op.create_index("ix_change_operation", "change", ["operation"])
    op.create_index("ix_change_record", "change", ["resource", "key", "id"])
    op.create_index("ix_change_resource", "change", ["resource", "id"])
    op.create_index("ix_change_by", "change", ["by_name", "id"])
    op.create_index("ix_change_kind", "change", ["kind", "id"])
    if op.get_bind().dialect.name == "sqlite":
        for table in (_team(), _hero()):
            _make_anew(table)


def downgrade() -> None:
    op.drop_table("change")


def _make_anew(table: sa.Table) -> None:
    """Make a table again with AUTOINCREMENT, which no ALTER TABLE can add."""
    with op.batch_alter_table(
        table.name,
        copy_from=table,
        recreate="always",
        table_kwargs={"sqlite_autoincrement": True},
    ):
        pass


def _team() -> sa.Table:
    return sa.Table(
        "team",
        sa.MetaData(),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("headquarters", sa.String(length=200), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(trim(name)) BETWEEN 1 AND 200", name="team_name_is_not_blank"),
        sa.CheckConstraint("length(headquarters) <= 200", name="team_headquarters_is_short"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sa.Index("ix_team_headquarters", "headquarters"),
    )


def _hero() -> sa.Table:
    metadata = sa.MetaData()
    sa.Table("team", metadata, sa.Column("id", sa.Integer(), primary_key=True))
    return sa.Table(
        "hero",
        metadata,
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("secret_name", sa.String(length=200), nullable=False),
        sa.Column("age", sa.Integer(), nullable=True),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(trim(name)) BETWEEN 1 AND 200", name="hero_name_is_not_blank"),
        sa.CheckConstraint(
            "length(trim(secret_name)) BETWEEN 1 AND 200", name="hero_secret_name_is_not_blank"
        ),
        sa.CheckConstraint("age BETWEEN 0 AND 150000", name="hero_age_is_possible"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
        sa.Index("ix_hero_name", "name"),
        sa.Index("ix_hero_secret_name", "secret_name"),
        sa.Index("ix_hero_age", "age"),
        sa.Index("ix_hero_team_id", "team_id"),
    )
