"""Comparison: which tables, indexes and types of a database a revision compares with the models."""

from collections.abc import Collection, Sequence
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, MetaData, Table, inspect
from sqlalchemy.engine import Inspector
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable, DropTable
from sqlalchemy.types import TypeEngine

from hero_admin.database.own_tables import PREFIX
from hero_admin.migrations import view_names
from hero_admin.migrations.chain import Name


class Comparison:
    """The tables that a revision compares: those of the models, without views and `others`.

    created: the tables that earlier revisions create. The methods are Alembic's `include_name`,
    `include_object` and `compare_type`.
    """

    def __init__(
        self,
        metadata: Sequence[MetaData],
        others: Collection[Table],
        inspector: Inspector,
        created: Collection[Name],
    ) -> None:
        self.created = created
        tables = [table for each in metadata for table in each.tables.values()]
        schemas = {table.schema for table in tables}
        existing = {None, *inspector.get_schema_names()} & schemas
        views = {(schema, name) for schema in existing for name in view_names(inspector, schema)}
        self.tables: dict[Name, Table] = {
            (table.schema, table.name): table
            for table in tables
            if table not in others and (table.schema, table.name) not in views
        }
        self.has_schemas = schemas != {None}

    # Any: Alembic's parent names.
    def has_name(self, name: str | None, kind: str, parents: Any) -> bool:
        """Whether to reflect a name: the tables of others are left alone."""
        if kind == "schema":
            return any(schema == name for schema, _ in self.tables)
        if kind == "table":
            return (parents["schema_name"], name) in self.tables
        return True

    # Any: an item of a schema.
    def has_object(
        self, item: Any, name: str | None, kind: str, is_reflected: bool, model: object
    ) -> bool:
        """Whether to compare an item; search and sort indexes are the doctor's."""
        if kind == "table":
            return (item.schema, item.name) in self.tables
        is_derived = str(name).startswith(PREFIX)
        return not (kind == "index" and is_reflected and model is None and is_derived)

    # Any: types of any kind.
    def has_other_type(
        self,
        context: MigrationContext,
        existing: Column[Any],
        column: Column[Any],
        _existing_type: TypeEngine[Any],
        kind: TypeEngine[Any],
    ) -> bool:
        """Whether a column's type differs from the one the database makes for the model."""
        connection = context.connection
        if connection is None or not context.impl.compare_type(existing, column):
            return False
        trial = Table("type_of_model", MetaData(), Column("it", kind), prefixes=["TEMPORARY"])
        try:
            with connection.begin_nested():
                connection.execute(CreateTable(trial))
                (made,) = inspect(connection).get_columns(trial.name)
                connection.execute(DropTable(trial))
        # A type that does not exist yet.
        except DBAPIError:
            return True
        return made["type"].compile(connection.dialect) != existing.type.compile(connection.dialect)
