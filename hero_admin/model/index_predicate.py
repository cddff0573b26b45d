"""A predicate that is compiled to a form for which the database uses an index."""

from typing import Any, Self

from sqlalchemy import Boolean
from sqlalchemy.sql.functions import FunctionElement


class IndexPredicate(FunctionElement[bool]):
    """A predicate whose compiled form is written as it is, wherever it stands.

    SQLAlchemy would compare it with 1 on databases without booleans, where an index finds nothing.
    """

    type = Boolean()

    # Any: SQLAlchemy's operators.
    def self_group(self, against: Any = None) -> Self:  # noqa: ARG002
        return self
