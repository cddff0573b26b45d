"""Rendering: column types in a migration file, with the types of SQLAlchemy alone.

A migration outlives the classes of its application, so it names the types that a `TypeDecorator`
has on both databases.
"""

from typing import Any, Literal

from alembic.autogenerate import render
from alembic.autogenerate.api import AutogenContext
from alembic.ddl.postgresql import PostgresqlImpl
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.functions import now
from sqlalchemy.types import TypeDecorator, TypeEngine, to_instance


class PlainSqlite(SQLiteDialect):
    """SQLite with the generic types of SQLAlchemy instead of those of its drivers."""

    def type_descriptor(self, typeobj: Any) -> Any:
        return to_instance(typeobj)


class PlainPostgresql(PGDialect):
    """PostgreSQL with the generic types of SQLAlchemy."""

    def type_descriptor(self, typeobj: Any) -> Any:
        return to_instance(typeobj)


SQLITE: Dialect = PlainSqlite()
POSTGRESQL: Dialect = PlainPostgresql()  # type: ignore[no-untyped-call]  # SQLAlchemy's own
SERVER = PostgresqlImpl(POSTGRESQL, None, True, None, None, {})


def render_item(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Render a type or a server default; False leaves it to Alembic."""
    if kind == "server_default" and isinstance(getattr(item, "arg", None), now):
        # Alembic would render the name that this database has for it.
        return "sa.func.now()"
    module = type(item).__module__
    if kind != "type":
        return False
    if module.startswith("sqlalchemy.dialects.postgresql"):
        context.imports.add("from sqlalchemy.dialects import postgresql")
        # On SQLite, Alembic does not know how to render it.
        return SERVER.render_type(item, context) or f"postgresql.{item!r}"
    if module.startswith("sqlalchemy."):
        return False
    if isinstance(item, TypeDecorator):
        embedded, server = (_text_of(item, dialect, context) for dialect in (SQLITE, POSTGRESQL))
        is_same = embedded == server
        return embedded if is_same else f"{embedded}.with_variant({server}, 'postgresql')"
    # A type of the application itself.
    context.imports.add(f"import {module}")
    return f"{module}.{item!r}"


def _text_of(kind: TypeEngine[Any], dialect: Dialect, context: AutogenContext) -> str:
    while isinstance(kind, TypeDecorator) and not type(kind).__module__.startswith("sqlalchemy."):
        variants = kind._variant_mapping  # noqa: SLF001 - there is no other way to learn of them
        kind = variants.get(dialect.name) or kind.load_dialect_impl(dialect)
    # As Alembic renders a type of SQLAlchemy.
    return render._repr_type(kind, context)  # noqa: SLF001
