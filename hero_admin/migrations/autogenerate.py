"""Autogeneration: what `revision` compares with the models, and what it writes of that.

It adds what the models have and the database has not. What the database has besides belongs to
somebody: of a table that no migration here has created only new columns are written, and of the
others what would be dropped is written as a comment, for a person to decide.
"""

import ast
from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from alembic.autogenerate import render, render_op_text, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, MigrationScript, ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    ColumnClause,
    DefaultClause,
    Enum,
    Index,
    MetaData,
    Table,
    inspect,
    text,
)
from sqlalchemy import literal as sa_literal
from sqlalchemy.dialects.postgresql.base import PGInspector
from sqlalchemy.dialects.postgresql.named_types import NamedType
from sqlalchemy.engine import Inspector
from sqlalchemy.exc import CompileError, DBAPIError
from sqlalchemy.schema import CreateSchema, CreateTable, DropTable
from sqlalchemy.types import TypeEngine

from hero_admin.database.identifiers import quoted
from hero_admin.listing.search import trigram_index
from hero_admin.listing.sort_indexes import PREFIX as LIST_PREFIX
from hero_admin.migrations import view_names
from hero_admin.migrations.chain import Name
from hero_admin.migrations.rendering import POSTGRESQL
from hero_admin.model.storable import unwrapped_type

DROPS = (ops.DropColumnOp, ops.DropIndexOp, ops.DropConstraintOp, ops.DropTableOp)
NO_DEFAULT = "# Rows that are there need a value: give the column a server_default."
NOT_DROPPED = "# Not dropped, as it may be in use. To drop it, make this a statement:"


class Comparison:
    """The tables that a revision compares: those of the models that are no views, but `others`.

    created: the tables that earlier revisions create.
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

    # Any: what Alembic calls a parent.
    def has_name(self, name: str | None, kind: str, parents: Any) -> bool:
        """Whether to read what the database has under a name: other tables are left alone."""
        if kind == "schema":
            return any(schema == name for schema, _ in self.tables)
        if kind == "table":
            return (parents["schema_name"], name) in self.tables
        return True

    # Any: whatever a schema consists of.
    def has_object(
        self, item: Any, name: str | None, kind: str, is_reflected: bool, model: object
    ) -> bool:
        """Whether to compare something; the doctor's indexes follow from the resources instead."""
        if kind == "table":
            return (item.schema, item.name) in self.tables
        is_derived = str(name).startswith((LIST_PREFIX, trigram_index.PREFIX))
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
        """Whether a column has another type than the database calls that of the model."""
        connection = context.connection
        if connection is None or not context.impl.compare_type(existing, column):
            return False
        trial = Table("type_of_model", MetaData(), Column("it", kind), prefixes=["TEMPORARY"])
        try:
            with connection.begin_nested():
                connection.execute(CreateTable(trial))
                (made,) = inspect(connection).get_columns(trial.name)
                connection.execute(DropTable(trial))
        # A type that is still to be made.
        except DBAPIError:
            return True
        return made["type"].compile(connection.dialect) != existing.type.compile(connection.dialect)

    def edit(
        self,
        context: MigrationContext,
        _revision: str | Iterable[str | None] | Iterable[str],
        directives: list[MigrationScript],
    ) -> None:
        """Leave out of a revision what nobody asked for, and write none if nothing is left."""
        script = directives[0]
        assert script.upgrade_ops is not None
        found: list[MigrateOperation] = []
        created = set(self.created)
        for operation in script.upgrade_ops.ops:
            if isinstance(operation, ops.CreateTableOp):
                created.add((operation.schema, operation.table_name))
            if isinstance(operation, ops.ModifyTableOps):
                found += self._edited(operation, created)
            elif not isinstance(operation, DROPS):
                found.append(operation)
        found += self._missing_indexes(context, found)
        found += self._new_members(context, created)
        if not found:
            directives.clear()
            return
        schemas = {each.schema for each in found if isinstance(each, ops.CreateTableOp)}
        making = [CreateSchema(each, if_not_exists=True) for each in sorted(filter(None, schemas))]
        schema_ops = [
            ops.ExecuteSQLOp(str(each.compile(dialect=context.dialect))) for each in making
        ]
        script.upgrade_ops.ops = [*schema_ops, *found]
        lasting = (NotDropped, AddedMember)
        # Those of tables that are made anew, back as well.
        kept = [
            each for each in found if isinstance(each, ops.CreateIndexOp) and each.if_not_exists
        ]
        undone = [
            each.reverse()
            for each in reversed(found)
            if not isinstance(each, lasting) and each not in kept
        ]
        script.downgrade_ops = ops.DowngradeOps(ops=[*undone, *kept])

    def _missing_indexes(
        self, context: MigrationContext, found: Sequence[MigrateOperation]
    ) -> Iterator[MigrateOperation]:
        """Return the indexes on expressions that Alembic leaves out, as SQLite reads none back."""
        new = {(op.schema, op.table_name) for op in found if isinstance(op, ops.CreateTableOp)}
        # To make a table anew is to lose them there.
        rebuilt = {op.table for op in found if isinstance(op, Rebuilt)}
        written = {op.index_name for op in found if isinstance(op, ops.CreateIndexOp)}
        existing: set[str] | None = None
        if context.connection is not None and context.dialect.name == "sqlite":
            names = text("SELECT name FROM sqlite_master WHERE type = 'index'")
            existing = set(context.connection.scalars(names))
        for name, table in self.tables.items():
            if name not in new and name not in self.created:
                continue
            for index in sorted(table.indexes, key=lambda each: str(each.name)):
                if index.name in written or not _has_expression(index):
                    continue
                is_missing = name in new or (existing is not None and index.name not in existing)
                if is_missing or table in rebuilt:
                    yield _expression_index(index, if_not_exists=not is_missing)

    def _new_members(
        self, context: MigrationContext, created: Collection[Name]
    ) -> Iterator[MigrateOperation]:
        """Return what a choice has in a model, and not in the type that a server has of it."""
        inspector = inspect(context.connection)
        # The other database has such types as texts.
        if not isinstance(inspector, PGInspector):
            return
        listed = {each["name"]: each["labels"] for each in inspector.get_enums()}
        tables = [table for name, table in self.tables.items() if name in created]
        for kind in {_plain(column.type) for table in tables for column in table.columns}:
            if isinstance(kind, Enum) and kind.native_enum and kind.name in listed:
                new = [member for member in kind.enums if member not in listed[kind.name]]
                listed[kind.name] += new
                yield from (AddedMember(str(kind.name), member) for member in new)

    def _edited(
        self, modified: ops.ModifyTableOps, created: Collection[Name]
    ) -> Iterator[MigrateOperation]:
        table = self.tables[modified.schema, modified.table_name]
        is_ours = (table.schema, table.name) in created
        columns = [each for each in modified.ops if isinstance(each, ops.AddColumnOp)]
        if is_ours:
            # SQLite does not tell what happens on a deletion of what a new column points at, so
            # a table of ours is made anew with it.
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
                # To add a constraint, SQLite would make somebody's table anew.
                indexes += [_unique_index(operation)] if is_of_added else []
            else:
                changes.append(_named(operation))
        if changes and is_ours:
            yield Rebuilt(table, ops.ModifyTableOps(table.name, changes, schema=table.schema))
        yield from indexes
        if dropped and is_ours:
            yield NotDropped(ops.ModifyTableOps(table.name, dropped, schema=table.schema))


class AddedColumn(MigrateOperation):
    """A new column with what it points at, which SQLite can add in no other way."""

    def __init__(self, added: ops.AddColumnOp, link: ops.CreateForeignKeyOp | None) -> None:
        self.added, self.link = added, link

    def reverse(self) -> MigrateOperation:
        table = self.added.table_name
        return ops.ModifyTableOps(table, [self.added.reverse()], schema=self.added.schema)


class Rebuilt(MigrateOperation):
    """A change for which SQLite makes a table anew, as it reads that from the database."""

    def __init__(self, table: Table, modified: ops.ModifyTableOps) -> None:
        self.table, self.modified = table, modified

    def reverse(self) -> MigrateOperation:
        return Rebuilt(self.table, self.modified.reverse())


class AddedMember(MigrateOperation):
    """Another value of an enum; SQLite has such types as texts."""

    def __init__(self, kind: str, member: str) -> None:
        self.kind, self.member = kind, member


class NotDropped(MigrateOperation):
    """What is in the database and in no model."""

    def __init__(self, modified: ops.ModifyTableOps) -> None:
        self.modified = modified


@renderers.dispatch_for(AddedColumn)
def render_added(context: AutogenContext, operation: AddedColumn) -> list[str]:
    """Write `op.add_column`, and what makes the type of its values where a server needs one."""
    lines, kind = [], operation.added.column.type
    if isinstance(_plain(kind), Enum | NamedType):
        # That of a new table is made with it.
        plain = kind.item_type if isinstance(kind, ARRAY) else kind
        written = render._repr_type(plain, context)  # noqa: SLF001 - it has no public name
        lines.append(f"{written}.create(op.get_bind(), checkfirst=True)")
    call = ast.parse(render_op_text(context, operation.added), mode="eval").body
    assert isinstance(call, ast.Call)
    column = call.args[1]
    assert isinstance(column, ast.Call)
    if operation.link is not None:
        column.args.append(_parsed(_link_text(operation.link)))
        call.keywords.append(ast.keyword("inline_references", _parsed("True")))
    if not operation.added.column.nullable and operation.added.column.server_default is None:
        default = _default_text(operation.added.column)
        if default is None:
            lines.append(NO_DEFAULT)
        else:
            column.keywords.append(ast.keyword("server_default", _parsed(default)))
    return [*lines, ast.unparse(call)]


@renderers.dispatch_for(Rebuilt)
def render_rebuilt(context: AutogenContext, operation: Rebuilt) -> list[str]:
    """Write `op.batch_alter_table`, with what the database does not tell of a table."""
    lines = render_op_text(context, operation.modified).split("\n")
    table, arguments = operation.table, []
    checks = [
        f"sa.CheckConstraint({str(each.sqltext)!r}, name={str(each.name)!r})"
        for each in sorted(table.constraints, key=lambda each: str(each.name))
        if isinstance(each, CheckConstraint) and isinstance(each.name, str)
    ]
    if checks:
        arguments.append(f"table_args=[{', '.join(checks)}]")
    if table.dialect_options["sqlite"]["autoincrement"]:
        arguments.append("table_kwargs={'sqlite_autoincrement': True}")
    if arguments:
        lines[0] = lines[0].replace(") as", f", {', '.join(arguments)}) as")
    return lines


@renderers.dispatch_for(AddedMember)
def render_member(_: AutogenContext, operation: AddedMember) -> list[str]:
    """Write it for a server only."""
    member = operation.member.replace("'", "''").replace(":", r"\:")
    statement = f"ALTER TYPE {quoted(operation.kind)} ADD VALUE IF NOT EXISTS '{member}'"
    predicate = "if op.get_bind().dialect.name == 'postgresql':"
    return [predicate, f"op.execute({statement!r})", ""]


@renderers.dispatch_for(NotDropped)
def render_not_dropped(context: AutogenContext, operation: NotDropped) -> list[str]:
    """Write it as a comment."""
    first, *rest = render_op_text(context, operation.modified).strip().split("\n")
    return [NOT_DROPPED, f"# {first}", *(f"#     {line}" for line in rest), "pass"]


def _plain(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return the type of a single value."""
    plain = unwrapped_type(kind)
    return unwrapped_type(plain.item_type) if isinstance(plain, ARRAY) else plain


def _parsed(expression: str) -> ast.expr:
    return ast.parse(expression, mode="eval").body


def _link_text(link: ops.CreateForeignKeyOp) -> str:
    target = ".".join(filter(None, [link.kw.get("referent_schema"), link.referent_table]))
    options = "".join(
        f", {name}={link.kw[name]!r}" for name in ("ondelete", "onupdate") if link.kw.get(name)
    )
    return f"sa.ForeignKey({f'{target}.{link.remote_cols[0]}'!r}{options})"


def _default_text(column: Column[Any]) -> str | None:
    """Return what the rows that are there get: what the model gives to new ones."""
    # Any: a default may be a function, too.
    default: Any = column.default
    value = default.arg if default is not None and default.is_scalar else None
    match value:
        case None:
            return None
        case bool():
            return "sa.true()" if value else "sa.false()"
        case int() | float() | Decimal():
            return f"sa.text({str(value)!r})"
    try:
        literal = sa_literal(value, column.type).compile(
            dialect=POSTGRESQL, compile_kwargs={"literal_binds": True}
        )
    # Not every value can be written down.
    except (CompileError, NotImplementedError):
        return None
    escaped = str(literal).replace(":", r"\:")
    return f"sa.text({escaped!r})"


def _is_computed(column: Column[Any]) -> bool:
    """Whether SQLite adds a column to no table that there is already."""
    match column.server_default:
        case DefaultClause(arg=str()) | None:
            return False
    return True


def _columns_of(operation: MigrateOperation) -> Sequence[str]:
    """Return what an operation that adds something to a table stands on."""
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


def _has_expression(index: Index) -> bool:
    return not all(isinstance(each, Column) for each in index.expressions)


def _expression_index(index: Index, *, if_not_exists: bool) -> ops.CreateIndexOp:
    operation = ops.CreateIndexOp.from_index(index)
    # PostgreSQL wants parentheses around what is no call.
    operation.columns = [
        each if isinstance(each, str | ColumnClause) else each.self_group()
        for each in index.expressions
    ]
    operation.if_not_exists = if_not_exists or None
    return operation


def _named(operation: MigrateOperation) -> MigrateOperation:
    """Give a constraint a name, without which SQLite's tables are not made anew."""
    match operation:
        case ops.CreateForeignKeyOp(constraint_name=None):
            parts = ["fk", operation.source_table, *operation.local_cols]
        case ops.CreateUniqueConstraintOp(constraint_name=None):
            parts = ["uq", operation.table_name, *map(str, operation.columns)]
        case _:
            return operation
    operation.constraint_name = "_".join(parts)
    return operation
