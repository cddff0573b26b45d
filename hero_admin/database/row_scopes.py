"""Row scopes: the conditions that limit a session to those rows that its person may see.

They are added to statements when these are executed, wherever in the code they were written, so
no statement has to remember them.
Source: https://docs.sqlalchemy.org/en/21/orm/session_events.html#do-orm-execute
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cached_property, lru_cache, partial
from typing import TypeVar

from sqlalchemy import ClauseElement, Table, event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import ORMExecuteState, Session
from sqlalchemy.orm.util import LoaderCriteriaOption

from hero_admin.database.limited_statements import (
    Conditions,
    limited,
    loader_options,
    reads_any,
)
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

    def __init__(self, conditions: Conditions) -> None:
        self.conditions = dict(conditions)
        self.recent = RecentCache()
        # A short read prepares each statement once, so each has to be rewritten once.
        self._applied = lru_cache(MAX_STATEMENTS)(partial(limited, conditions=self.conditions))

    def __contains__(self, table: object) -> bool:
        """Whether rows of a table are limited."""
        return table in self.conditions

    def applied(self, statement: "Statement") -> "Statement":
        """Return a statement that reads, updates and deletes only the rows in scope."""
        if not self.conditions or not isinstance(statement, ClauseElement):
            return statement
        found: Statement = self._applied(statement)
        return found

    @cached_property
    def loader_options(self) -> tuple[LoaderCriteriaOption, ...]:
        """What limits the rows that the ORM adds to a statement."""
        return loader_options(self.conditions)


EVERYTHING = RowScopes({})


class UnscopedError(LookupError):
    """A statement about rows that not everybody may see, in a session that has no scopes."""


class ScopedSession(Session):
    """The session of an Admin some of whose resources have `rows=`."""


@event.listens_for(ScopedSession, "do_orm_execute")
def _scope(state: ORMExecuteState) -> None:
    if state.execution_options.get(UNSCOPED):
        return
    # SQLAlchemy types it as anything that can be executed.
    state.statement = _scoped(state.session, state.statement)
    scopes: RowScopes | None = state.session.info.get(SCOPES)
    if scopes is not None and state.bind_mapper is not None and scopes.loader_options:
        state.statement = state.statement.options(*scopes.loader_options)


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
