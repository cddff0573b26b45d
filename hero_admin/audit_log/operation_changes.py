"""The changes of one operation, in the order of their ids, among millions of others.

With `operation = …` PostgreSQL takes ORDER BY operation, id for ORDER BY id. It may then read the
primary key from one end, past all changes of other operations, until it meets the first of these:
it expects them everywhere, though they stand together. With a range it reads the index of
operations.
"""

from sqlalchemy import ColumnElement
from sqlmodel import col

from hero_admin.audit_log.changes import Change

OLDEST_FIRST = (col(Change.operation), col(Change.id))
NEWEST_FIRST = (col(Change.operation).desc(), col(Change.id).desc())


def is_of_operation(operation_id: str) -> ColumnElement[bool]:
    """Return the predicate of the changes of an operation, to be sorted by one of these orders."""
    return col(Change.operation).between(operation_id, operation_id)
