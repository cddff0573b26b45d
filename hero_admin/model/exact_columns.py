"""Exact columns: how SQL compares columns of text, whatever their type is in the database."""

from typing import Any

from sqlalchemy import CHAR, ColumnElement, Enum, String, type_coerce
from sqlalchemy.dialects.postgresql import CITEXT
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine, UserDefinedType

from hero_admin.model.storable import unwrapped_type


class AsText(FunctionElement[str]):
    """A text column of a model, compared as text on PostgreSQL whatever its type there.

    The cast of a column that is a text is the column itself, so its index is used.
    """

    name = "as_text"
    inherit_cache = True

    def __init__(self, column: ColumnElement[Any]) -> None:
        super().__init__(column)
        self.type = column.type


# Any: what SQLAlchemy passes on to the compiler.
@compiles(AsText)
def _write_as_text(element: AsText, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    return f"CAST({column} AS TEXT)" if compiler.dialect.name == "postgresql" else column


def exactly(column: ColumnElement[Any], exact_type: TypeEngine[Any]) -> ColumnElement[Any]:
    """Return a column, read and compared by its exact type."""
    plain = unwrapped_type(column.type)
    # Padded texts and those of any case are compared in their own way.
    is_text = isinstance(plain, String) and not isinstance(plain, CHAR | CITEXT | Enum)
    return type_coerce(AsText(column) if is_text else column, exact_type)


class Padded(UserDefinedType[Any]):
    """CHAR(n), compared without the spaces at its end, as its index does."""

    cache_ok = True
    # SQLAlchemy would bind VARCHAR, in which they count.
    render_bind_cast = True

    def get_col_spec(self, **_: Any) -> str:
        return "BPCHAR"
