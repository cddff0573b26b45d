"""Revision operations: those that Alembic lacks, and how a migration file renders them."""

import ast
from decimal import Decimal
from typing import Any

from alembic.autogenerate import render, render_op_text, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, ops
from sqlalchemy import ARRAY, CheckConstraint, Column, Enum, Table
from sqlalchemy import literal as sa_literal
from sqlalchemy.dialects.postgresql.named_types import NamedType
from sqlalchemy.exc import CompileError
from sqlalchemy.types import TypeEngine

from hero_admin.database.identifiers import quoted
from hero_admin.migrations.rendering import POSTGRESQL
from hero_admin.model.storable import unwrapped_type

NO_DEFAULT = "# Existing rows need a value: give the column a server_default."
NOT_DROPPED = "# Not dropped, as it may be in use. To drop it, uncomment:"


class AddedColumn(MigrateOperation):
    """A new column with its foreign key inline: SQLite adds one in no other way."""

    def __init__(self, added: ops.AddColumnOp, link: ops.CreateForeignKeyOp | None) -> None:
        self.added, self.link = added, link

    def reverse(self) -> MigrateOperation:
        table = self.added.table_name
        return ops.ModifyTableOps(table, [self.added.reverse()], schema=self.added.schema)


class Rebuilt(MigrateOperation):
    """Changes for which SQLite rebuilds a table as it reflects it."""

    def __init__(self, table: Table, modified: ops.ModifyTableOps) -> None:
        self.table, self.modified = table, modified

    def reverse(self) -> MigrateOperation:
        return Rebuilt(self.table, self.modified.reverse())


class AddedMember(MigrateOperation):
    """A new member of an enum type; SQLite stores enums as text."""

    def __init__(self, kind: str, member: str) -> None:
        self.kind, self.member = kind, member


class NotDropped(MigrateOperation):
    """What the database has and the models lack."""

    def __init__(self, modified: ops.ModifyTableOps) -> None:
        self.modified = modified


def single_type(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return the type of a column, or that of the items of its arrays, unwrapped."""
    plain = unwrapped_type(kind)
    return unwrapped_type(plain.item_type) if isinstance(plain, ARRAY) else plain


@renderers.dispatch_for(AddedColumn)
def render_added(context: AutogenContext, operation: AddedColumn) -> list[str]:
    """Render `op.add_column`, after the statement that creates its type on PostgreSQL."""
    lines, kind = [], operation.added.column.type
    if isinstance(single_type(kind), Enum | NamedType):
        # A new table is created with its types.
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
    """Render `op.batch_alter_table`, with what SQLite does not reflect of a table."""
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
    """Render `ALTER TYPE`, for PostgreSQL only."""
    member = operation.member.replace("'", "''").replace(":", r"\:")
    statement = f"ALTER TYPE {quoted(operation.kind)} ADD VALUE IF NOT EXISTS '{member}'"
    predicate = "if op.get_bind().dialect.name == 'postgresql':"
    return [predicate, f"op.execute({statement!r})", ""]


@renderers.dispatch_for(NotDropped)
def render_not_dropped(context: AutogenContext, operation: NotDropped) -> list[str]:
    """Render a drop as a comment."""
    first, *rest = render_op_text(context, operation.modified).strip().split("\n")
    return [NOT_DROPPED, f"# {first}", *(f"#     {line}" for line in rest), "pass"]


def _parsed(expression: str) -> ast.expr:
    return ast.parse(expression, mode="eval").body


def _link_text(link: ops.CreateForeignKeyOp) -> str:
    target = ".".join(filter(None, [link.kw.get("referent_schema"), link.referent_table]))
    options = "".join(
        f", {name}={link.kw[name]!r}" for name in ("ondelete", "onupdate") if link.kw.get(name)
    )
    return f"sa.ForeignKey({f'{target}.{link.remote_cols[0]}'!r}{options})"


def _default_text(column: Column[Any]) -> str | None:
    """Return the value for existing rows: the one that the model gives to new ones."""
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
    # Not every value has a literal.
    except (CompileError, NotImplementedError):
        return None
    escaped = str(literal).replace(":", r"\:")
    return f"sa.text({escaped!r})"
