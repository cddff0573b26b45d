"""Row scopes: the conditions that limit a session to those rows that its person may see.

They are added to statements when these are executed, wherever in the code they were written, so
no statement has to remember them: with_loader_criteria does that for mapped classes, this for all
tables. Source: https://docs.sqlalchemy.org/en/21/orm/session_events.html#do-orm-execute
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import (
    Alias,
    ClauseElement,
    ColumnElement,
    Delete,
    FromClause,
    Join,
    Select,
    Table,
    TableSample,
    Update,
    and_,
    event,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import ORMExecuteState, Session
from sqlalchemy.sql.util import ClauseAdapter
from sqlalchemy.sql.visitors import cloned_traverse, iterate

from hero_admin.database.recent_cache import RecentCache

MAX_STATEMENTS = 256
# The key of its scopes in the `info` of a session, and the execution option for a statement that
# reads all rows, such as the one that finds out whether a record exists.
SCOPES = "row_scopes"
UNSCOPED = "reads_all_rows"


class RowScopes:
    """The rows of each table that a session may read, update and delete.

    conditions: by table, on its columns; rows of other tables are not limited.
    recent: the recent results of this person's statements.
    """

    def __init__(self, conditions: Mapping[Table, ColumnElement[bool]]) -> None:
        self.conditions = dict(conditions)
        self.recent = RecentCache()
        # A short read prepares each statement once, so each has to be rewritten once.
        self._applied = lru_cache(MAX_STATEMENTS)(self._apply)

    def __contains__(self, table: object) -> bool:
        """Whether rows of a table are limited."""
        return table in self.conditions

    def applied(self, statement: "Statement") -> "Statement":
        """Return a statement that reads, updates and deletes only the rows in scope."""
        if not self.conditions or not isinstance(statement, ClauseElement):
            return statement
        found: Statement = self._applied(statement)
        return found

    # Any: a statement of any kind.
    def _apply(self, statement: Any) -> Any:
        if not reads_any(statement, self.conditions):
            return statement
        if isinstance(statement, Update | Delete):
            table = statement.table
            return statement.where(*self._of(table))
        return cloned_traverse(statement, {}, {"select": self._limit, "join": self._limit_join})

    # Any: a clone, which nobody else has yet.
    def _limit(self, select: Select[Any]) -> None:
        found = [condition for rows in _sources(select) for condition in self._of(rows)]
        if found:
            # The same as `select.where(…)`, which would return another clone.
            select.where.non_generative(select, *found)  # type: ignore[attr-defined]

    def _limit_join(self, join: Join) -> None:
        """Limit the rows that an outer join adds; those of an inner join are in WHERE."""
        if not join.isouter:
            return
        for rows in _required(join.right):
            join.onclause = and_(join.onclause, *self._of(rows))  # type: ignore[arg-type]

    def _of(self, rows: FromClause) -> list[ColumnElement[bool]]:
        table = rows.element if isinstance(rows, Alias | TableSample) else rows
        condition = self.conditions.get(table) if isinstance(table, Table) else None
        if condition is None:
            return []
        return [condition if rows is table else ClauseAdapter(rows).traverse(condition)]


def reads_any(statement: ClauseElement, tables: Collection[Table]) -> bool:
    """Whether a statement is about the rows of one of these tables."""
    return any(each in tables for each in iterate(statement) if isinstance(each, Table))


def _sources(select: Select[Any]) -> list[FromClause]:
    """Return the tables of which each row of a statement has a row.

    Those of an outer one, too, if the statement is correlated with it: there they are in scope.
    """
    found = [each for each in select.get_children() if isinstance(each, FromClause)]
    # By name: the clone of an alias in a join is another object than that of its columns.
    joined = {_name_of(part) for each in found if isinstance(each, Join) for part in _parts(each)}
    alone = [each for each in found if isinstance(each, Join) or _name_of(each) not in joined]
    return list({_name_of(rows): rows for each in alone for rows in _required(each)}.values())


def _name_of(source: FromClause) -> object:
    """Return what no other part of the same FROM clause is called."""
    return getattr(source, "schema", None), getattr(source, "name", source)


def _parts(join: Join) -> Iterator[FromClause]:
    """Yield everything that a join consists of."""
    for side in (join.left, join.right):
        yield side
        if isinstance(side, Join):
            yield from _parts(side)


def _required(source: FromClause) -> Iterator[FromClause]:
    """Yield the rows of which each row of a source has one."""
    if not isinstance(source, Join):
        yield source
        return
    yield from _required(source.left)
    if not source.isouter:
        yield from _required(source.right)


EVERYTHING = RowScopes({})


class UnscopedError(LookupError):
    """A statement about rows that not everybody may see, in a session that has no scopes."""


class ScopedSession(Session):
    """The session of an Admin some of whose resources have `rows=`."""


@event.listens_for(ScopedSession, "do_orm_execute")
def _scope(state: ORMExecuteState) -> None:
    if not state.execution_options.get(UNSCOPED):
        # SQLAlchemy types it as anything that can be executed.
        state.statement = _scoped(state.session, state.statement)


Statement = TypeVar("Statement")


def scoped(session: AsyncSession, statement: Statement) -> Statement:
    """Return a statement that reads what a session may, for a connection."""
    return _scoped(session.sync_session, statement)


def _scoped(session: Session, statement: Statement) -> Statement:
    scopes: RowScopes | None = session.info.get(SCOPES)
    if scopes is not None:
        return scopes.applied(statement)
    tables: Collection[Table] = session.info.get("scoped_tables", ())
    if tables and isinstance(statement, ClauseElement) and reads_any(statement, tables):
        raise UnscopedError("This session has no row scopes.")
    return statement


def scopes_of(session: AsyncSession) -> RowScopes | None:
    """Return the row scopes of a session; None if it may read everything."""
    scopes: RowScopes | None = session.info.get(SCOPES)
    return scopes


def is_limited(session: AsyncSession, table: Table) -> bool:
    """Whether a session may not read all rows of a table."""
    scopes = scopes_of(session)
    return scopes is not None and table in scopes


def set_scopes(session: AsyncSession, scopes: RowScopes) -> None:
    """Limit a session to the rows in scope, and to what was read within them."""
    session.info[SCOPES] = scopes
    if scopes.conditions:
        session.info["recent"] = scopes.recent


@contextmanager
def unscoped(session: AsyncSession) -> Iterator[None]:
    """Let a session read all rows within the block, as rules of an application do."""
    scopes = scopes_of(session)
    if scopes is None:
        yield
        return
    session.info[SCOPES] = EVERYTHING
    try:
        yield
    finally:
        session.info[SCOPES] = scopes


def share_scopes(session: AsyncSession, other: AsyncSession) -> None:
    """Limit another session, such as that of a stream, to the rows in scope of this one."""
    scopes = scopes_of(session)
    if scopes is not None:
        set_scopes(other, scopes)
