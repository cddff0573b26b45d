"""Raw values: those of rows of any table as JSON can hold them, whatever their types."""

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database import raw_postgresql, raw_sqlite
from hero_admin.database.engines import is_postgresql


class RawValues(Protocol):
    """How a database reads and writes raw values.

    MAX_PARAMETERS: how many values one statement takes.
    INSERTING: what an INSERT says besides. LOCKING: what a SELECT of rows `t` says to lock them.
    """

    MAX_PARAMETERS: int
    INSERTING: str
    LOCKING: str

    # Any: values of columns, and JSON.
    def selected(self, value: ColumnElement[Any], /) -> ColumnElement[Any]:
        """Return the expression by which a value is read."""

    def written(self, value: Any, /) -> Any:
        """Return what was read as JSON can hold it."""

    def parameters(self, name: str, value: Any, /) -> dict[str, Any]:
        """Return the parameters that stand for a value."""

    def value_sql(self, name: str, type_sql: str, /) -> str:
        """Return the SQL of these parameters."""

    def given_sql(
        self, types: Sequence[str], rows: Sequence[Sequence[Any]], /
    ) -> tuple[str, dict[str, Any]]:
        """Return a table expression `given_rows`, with places `n`, and its parameters."""

    def same_sql(self, own: Sequence[str], theirs: Sequence[str], /) -> str:
        """Return the predicate that all values of two rows are equal, or NULL in both."""


def raw_values_of(session: AsyncSession) -> RawValues:
    return raw_postgresql if is_postgresql(session) else raw_sqlite
