"""Heroes, teams, submissions, and the function that folds text for searching.

Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The same as webapp/folding.py; lower() needs a collation that knows every alphabet.
FOLD = """
CREATE FUNCTION fold(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT replace(replace(replace(replace(translate(
    lower(regexp_replace(normalize($1, NFKD), '[\u0300-\u036f]', '', 'g') {collation}),
    'łøđħıŧς', 'lodhitσ'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th')
$$
"""
COLLATIONS = ("und-x-icu", "pg_c_utf8")


def upgrade() -> None:
    op.create_table(
        "team",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("headquarters", sa.String(length=200), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(trim(name)) BETWEEN 1 AND 200", name="team_name_is_not_blank"),
        sa.CheckConstraint("length(headquarters) <= 200", name="team_headquarters_is_short"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_index("ix_team_headquarters", "team", ["headquarters"])
    op.create_table(
        "hero",
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
    )
    op.create_index("ix_hero_name", "hero", ["name"])
    op.create_index("ix_hero_secret_name", "hero", ["secret_name"])
    op.create_index("ix_hero_age", "hero", ["age"])
    op.create_index("ix_hero_team_id", "hero", ["team_id"])
    op.create_table(
        "submission",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("resource", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_submission_created_at", "submission", ["created_at"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(FOLD.format(collation=_collation()))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION fold(text)")
    op.drop_table("submission")
    op.drop_table("hero")
    op.drop_table("team")


def _collation() -> str:
    # Servers are built with ICU or are new enough for their own; else the database's must do.
    for name in COLLATIONS:
        found = sa.text("SELECT 1 FROM pg_collation WHERE collname = :name")
        if op.get_bind().execute(found, {"name": name}).first():
            return f'COLLATE "{name}"'
    return ""
