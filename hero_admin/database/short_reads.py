"""Short reads: a few rows by an index, fetched from the driver directly.

SQLAlchemy's overhead is several times as long as such a statement takes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Engine, Select
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.util import await_, greenlet_spawn

from hero_admin.database.errors import TOO_LONG
from hero_admin.database.loop_reader import LoopReader
from hero_admin.database.row_scopes import scoped
from hero_admin.database.statement_cache import statement_cache
from hero_admin.database.statement_count import note_statement

# The execution option of engines whose drivers may be asked: by the event loop's own connection to
# SQLite, or by the pool's connections to a server.
WAY = "way_of_short_reads"
# The type code of a column, which only SQLAlchemy's own cursors know.
UNKNOWN = -1

# Any: values of any column.
Row = Sequence[Any]
# A statement of any columns.
Statement = Select[*tuple[Any, ...]]
Convert = Callable[[Any], Any]
Way = LoopReader | Literal["pool"] | None


@dataclass(frozen=True)
class _Prepared:
    """A compiled statement, and how its parameters and results are converted."""

    text: str
    defaults: Mapping[str, Any]
    given: tuple[tuple[str, Convert | None], ...]
    found: tuple[tuple[int, Convert], ...]

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        values = {**self.defaults, **parameters}
        return [convert(values[name]) if convert else values[name] for name, convert in self.given]

    def rows(self, found: Sequence[Row]) -> list[Row]:
        columns: list[Iterable[Any]] = list(zip(*found, strict=True))
        if columns:
            for place, convert in self.found:
                columns[place] = map(convert, columns[place])
        return list(zip(*columns, strict=True))


async def fetch_few(
    session: AsyncSession, statement: Statement, parameters: Mapping[str, Any]
) -> Sequence[Row]:
    """Return the rows of a statement that takes no longer than a trip to another thread.

    Unless the session has begun a transaction, it is asked outside of any. What the driver cannot
    do at once it does in the session, which waits for locks and says what is wrong. Statements
    are cached by identity, so each should be made once. Raises what a session raises, and errors
    of asyncpg.
    """
    statement = scoped(session, statement)
    engine = session.get_bind()
    if isinstance(engine, Engine) and not session.in_transaction():
        found = await _fetch(engine, statement, parameters)
        if found is not None:
            return found
    connection = await session.connection()
    return (await connection.execute(statement, parameters)).all()


async def _fetch(
    engine: Engine, statement: Statement, parameters: Mapping[str, Any]
) -> Sequence[Row] | None:
    way: Way = engine.get_execution_options().get(WAY)
    if way is None:
        return None
    prepared = _prepared(statement, engine.dialect)
    if prepared is None:
        return None
    try:
        arguments = prepared.arguments(parameters)
    # The session reports what is wrong with a value.
    except Exception:  # noqa: BLE001 - types raise what they like
        return None
    if isinstance(way, LoopReader):
        found: Sequence[Row] | None = way.fetch(prepared.text, arguments)
    else:
        found = await greenlet_spawn(_ask_server, engine, prepared.text, arguments)
    if found is None:
        return None
    note_statement(prepared.text, arguments)
    return prepared.rows(found)


def _ask_server(engine: Engine, text: str, arguments: Sequence[Any]) -> Sequence[Row] | None:
    try:
        connection = engine.raw_connection()
    except engine.dialect.loaded_dbapi.Error:
        return None
    try:
        # Any: asyncpg has no types.
        driver: Any = connection.driver_connection
        found: Sequence[Row] = await_(driver.fetch(text, *arguments))
    # The session meets and reports the error, too; a time limit must not pass twice.
    except Exception as error:
        connection.close()
        if getattr(error, "sqlstate", None) in TOO_LONG:
            raise
        return None
    except BaseException:
        # Its result may still arrive.
        connection.invalidate()
        raise
    connection.close()
    return found


@statement_cache
def _prepared(statement: Statement, dialect: Dialect) -> _Prepared | None:
    """Compile a statement for its driver; None if its values need SQLAlchemy's cursor."""
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)
    if compiled.post_compile_params or compiled.literal_execute_params:
        return None
    given, found = [], []
    for name in compiled.positiontup or ():
        kind = compiled.binds[name].type.dialect_impl(dialect)
        given.append((name, kind.bind_processor(dialect)))
    for place, column in enumerate(statement.selected_columns):
        try:
            convert = column.type.dialect_impl(dialect).result_processor(dialect, UNKNOWN)
        # A number whose column may be of several types.
        except InvalidRequestError:
            return None
        if convert is not None:
            found.append((place, convert))
    return _Prepared(compiled.string, dict(compiled.params), tuple(given), tuple(found))
