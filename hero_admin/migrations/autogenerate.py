"""Autogeneration: edits the operations that Alembic finds for a revision.

A revision adds what the models have and the database lacks, and drops nothing: it writes a drop
as a comment, for a person to decide. To tables that no migration of the chain created, it only
adds columns and their indexes.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from alembic.operations import MigrateOperation, MigrationScript, ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, ColumnClause, DefaultClause, Enum, Index, Table, inspect, text
from sqlalchemy.dialects.postgresql.base import PGInspector
from sqlalchemy.schema import CreateSchema

from hero_admin.migrations.chain import Name
from hero_admin.migrations.comparison import Comparison
from hero_admin.migrations.revision_operations import (
    AddedColumn,
    AddedMember,
    NotDropped,
    Rebuilt,
    single_type,
)

DROPS = (ops.DropColumnOp, ops.DropIndexOp, ops.DropConstraintOp, ops.DropTableOp)


def edit_revision(
    comparison: Comparison,
    context: MigrationContext,
    _revision: str | Iterable[str | None] | Iterable[str],
    directives: list[MigrationScript],
) -> None:
    """Replace the operations of a revision by those to write; clear `directives` if none are left.

    An Alembic `process_revision_directives` hook, once the comparison is bound.
    """
    script = directives[0]
    assert script.upgrade_ops is not None
    found: list[MigrateOperation] = []
    created = set(comparison.created)
    for operation in script.upgrade_ops.ops:
        if isinstance(operation, ops.CreateTableOp):
            created.add((operation.schema, operation.table_name))
        if isinstance(operation, ops.ModifyTableOps):
            found += _edited(
                comparison.tables[operation.schema, operation.table_name], operation, created
            )
        elif not isinstance(operation, DROPS):
            found.append(operation)
    found += _missing_indexes(comparison, context, found)
    found += _new_members(comparison, context, created)
    if not found:
        directives.clear()
        return
    schemas = {each.schema for each in found if isinstance(each, ops.CreateTableOp)}
    making = [CreateSchema(each, if_not_exists=True) for each in sorted(filter(None, schemas))]
    schema_ops = [ops.ExecuteSQLOp(str(each.compile(dialect=context.dialect))) for each in making]
    script.upgrade_ops.ops = [*schema_ops, *found]
    irreversible = (NotDropped, AddedMember)
    # Rebuilding a table loses these indexes on the way back, too.
    recreated = [
        each for each in found if isinstance(each, ops.CreateIndexOp) and each.if_not_exists
    ]
    reversed_ops = [
        each.reverse()
        for each in reversed(found)
        if not isinstance(each, irreversible) and each not in recreated
    ]
    script.downgrade_ops = ops.DowngradeOps(ops=[*reversed_ops, *recreated])


def _missing_indexes(
    comparison: Comparison, context: MigrationContext, found: Sequence[MigrateOperation]
) -> Iterator[MigrateOperation]:
    """Yield the indexes on expressions, which Alembic skips because it cannot reflect them."""
    new = {(op.schema, op.table_name) for op in found if isinstance(op, ops.CreateTableOp)}
    # Rebuilding a table loses them.
    rebuilt = {op.table for op in found if isinstance(op, Rebuilt)}
    written = {op.index_name for op in found if isinstance(op, ops.CreateIndexOp)}
    existing: set[str] | None = None
    if context.connection is not None and context.dialect.name == "sqlite":
        names = text("SELECT name FROM sqlite_master WHERE type = 'index'")
        existing = set(context.connection.scalars(names))
    for name, table in comparison.tables.items():
        if name not in new and name not in comparison.created:
            continue
        for index in sorted(table.indexes, key=lambda each: str(each.name)):
            is_plain = all(isinstance(each, Column) for each in index.expressions)
            if index.name in written or is_plain:
                continue
            is_missing = name in new or (existing is not None and index.name not in existing)
            if is_missing or table in rebuilt:
                yield _expression_index(index, if_not_exists=not is_missing)


def _new_members(
    comparison: Comparison, context: MigrationContext, created: Collection[Name]
) -> Iterator[MigrateOperation]:
    """Yield the members of an enum that the type in the database lacks."""
    inspector = inspect(context.connection)
    # SQLite stores enums as text.
    if not isinstance(inspector, PGInspector):
        return
    listed = {each["name"]: each["labels"] for each in inspector.get_enums()}
    tables = [table for name, table in comparison.tables.items() if name in created]
    for kind in {single_type(column.type) for table in tables for column in table.columns}:
        if isinstance(kind, Enum) and kind.native_enum and kind.name in listed:
            new = [member for member in kind.enums if member not in listed[kind.name]]
            listed[kind.name] += new
            yield from (AddedMember(str(kind.name), member) for member in new)


def _edited(
    table: Table, modified: ops.ModifyTableOps, created: Collection[Name]
) -> Iterator[MigrateOperation]:
    is_ours = (table.schema, table.name) in created
    columns = [each for each in modified.ops if isinstance(each, ops.AddColumnOp)]
    if is_ours:
        # SQLite reflects no ON DELETE of a foreign key that was added with its column, so a table
        # of ours is rebuilt with it.
        columns = [
            each
            for each in columns
            if not (_is_computed(each.column) or _link_of(each, modified.ops))
        ]
    added = {each.column.name for each in columns}
    changes: list[MigrateOperation] = []
    dropped: list[MigrateOperation] = []
    indexes: list[MigrateOperation] = []
    for operation in modified.ops:
        is_of_added = set(_columns_of(operation)) <= added
        if isinstance(operation, DROPS):
            dropped.append(operation)
        elif isinstance(operation, ops.AddColumnOp) and is_of_added:
            yield AddedColumn(operation, _link_of(operation, modified.ops))
        elif isinstance(operation, ops.CreateIndexOp):
            indexes += [operation] if is_ours or is_of_added else []
        elif isinstance(operation, ops.CreateUniqueConstraintOp) and not is_ours:
            # To add a constraint, SQLite would rebuild another program's table.
            indexes += [_unique_index(operation)] if is_of_added else []
        else:
            changes.append(_named(operation))
    if changes and is_ours:
        yield Rebuilt(table, ops.ModifyTableOps(table.name, changes, schema=table.schema))
    yield from indexes
    if dropped and is_ours:
        yield NotDropped(ops.ModifyTableOps(table.name, dropped, schema=table.schema))


def _is_computed(column: Column[Any]) -> bool:
    """Whether SQLite cannot add the column to an existing table."""
    match column.server_default:
        case DefaultClause(arg=str()) | None:
            return False
    return True


def _columns_of(operation: MigrateOperation) -> Sequence[str]:
    """Return the columns that an operation adds or refers to."""
    match operation:
        case ops.AddColumnOp():
            return [operation.column.name]
        case ops.CreateIndexOp() | ops.CreateUniqueConstraintOp():
            return [str(getattr(each, "name", each)) for each in operation.columns]
        case ops.CreateForeignKeyOp(local_cols=[name]):
            return [name]
    return ["\0"]


def _link_of(
    added: ops.AddColumnOp, operations: Iterable[MigrateOperation]
) -> ops.CreateForeignKeyOp | None:
    for each in operations:
        match each:
            case ops.CreateForeignKeyOp(local_cols=[name]) if name == added.column.name:
                return each
    return None


def _unique_index(operation: ops.CreateUniqueConstraintOp) -> ops.CreateIndexOp:
    columns = [str(each) for each in operation.columns]
    name = operation.constraint_name or "_".join(["uq", operation.table_name, *columns])
    return ops.CreateIndexOp(
        str(name), operation.table_name, columns, schema=operation.schema, unique=True
    )


def _expression_index(index: Index, *, if_not_exists: bool) -> ops.CreateIndexOp:
    operation = ops.CreateIndexOp.from_index(index)
    # PostgreSQL requires parentheses around expressions other than calls.
    operation.columns = [
        each if isinstance(each, str | ColumnClause) else each.self_group()
        for each in index.expressions
    ]
    operation.if_not_exists = if_not_exists or None
    return operation


def _named(operation: MigrateOperation) -> MigrateOperation:
    """Name a constraint that has no name: a rebuild on SQLite requires one."""
    match operation:
        case ops.CreateForeignKeyOp(constraint_name=None):
            parts = ["fk", operation.source_table, *operation.local_cols]
        case ops.CreateUniqueConstraintOp(constraint_name=None):
            parts = ["uq", operation.table_name, *map(str, operation.columns)]
        case _:
            return operation
    operation.constraint_name = "_".join(parts)
    return operation
