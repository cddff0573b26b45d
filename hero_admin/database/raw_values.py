"""Raw values: those of rows of any table as JSON can hold them, whatever their types."""

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database import raw_postgresql, raw_sqlite
from hero_admin.database.engines import is_postgresql


class RawValues(Protocol):
    """How a database reads and writes raw values.

    INSERTING: what an INSERT says besides. LOCKING: what a SELECT of rows `t` says to lock them.
    """

    INSERTING: str
    LOCKING: str

    # Any: values of columns, and JSON.
    def selected(self, value: ColumnElement[Any], /) -> ColumnElement[Any]: ...
    def written(self, value: Any, /) -> Any: ...
    def parameters(self, name: str, value: Any, /) -> dict[str, Any]: ...
    def value_sql(self, name: str, type_sql: str, /) -> str: ...
    def given_sql(
        self, types: Sequence[str], rows: Sequence[Sequence[Any]], /
    ) -> tuple[str, dict[str, Any]]: ...
    def same_sql(self, own: Sequence[str], theirs: Sequence[str], /) -> str: ...
    def rows_at_once(self, width: int, /) -> int | None: ...


def raw_values_of(session: AsyncSession) -> RawValues:
    """Return those of the database of a session."""
    return raw_postgresql if is_postgresql(session) else raw_sqlite
