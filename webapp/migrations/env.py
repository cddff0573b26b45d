"""Alembic runs this file for every command, on the connection that it was handed."""

from typing import Literal

from alembic import context
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from webapp import history, resources
from webapp.accounts import links, sessions, throttle, tokens, users
from webapp.admin import indexes, submissions, trigrams

# Their models are in the metadata once they are imported.
MODELS = (history, resources, submissions, users, sessions, links, throttle, tokens)


def render_item(kind: str, item: object, _: object) -> str | Literal[False]:
    """Write SQLModel's texts as what they are, so that a migration needs SQLAlchemy only."""
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return False


def is_ours(_: object, name: str | None, kind: str, is_reflected: bool, model: object) -> bool:
    """Leave out what the doctor makes: it follows from the resources, not from the models."""
    prefixes = {
        "index": (indexes.PREFIX, trigrams.PREFIX),
        "table": (trigrams.PREFIX, trigrams.NUMBERS_PREFIX),
    }
    is_derived = str(name).startswith(prefixes.get(kind, ("\0",)))
    return not (is_reflected and model is None and is_derived)


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    # SQLite changes a table by making it anew.
    render_as_batch=True,
    compare_type=True,
    include_object=is_ours,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
