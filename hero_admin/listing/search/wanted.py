"""What a search plan looks for and finds: rows of a narrowed list, from where its query begins."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hero_admin.database.short_reads import Row
from hero_admin.listing.columns import Selection, order_of
from hero_admin.listing.cursors import Cursor
from hero_admin.listing.predicates import Predicates, predicate_parameters, predicates_of
from hero_admin.listing.query import ListQuery
from hero_admin.listing.segments import Start, cursor_parameters, start_of


@dataclass(frozen=True)
class Wanted:
    """Up to `limit` rows that satisfy all predicates, nearest first.

    values: the parameters of the predicates.
    has_trigrams: whether an index of trigrams is known to hold what is searched for.
    """

    query: ListQuery
    selection: Selection
    predicates: Predicates
    values: Mapping[str, Any]
    limit: int
    has_trigrams: bool = False

    @classmethod
    def of(cls, query: ListQuery, selection: Selection, limit: int) -> "Wanted":
        return cls(query, selection, predicates_of(query), predicate_parameters(query), limit)

    @property
    def start(self) -> Start:
        return start_of(order_of(self.selection), self.query.cursor)

    def parameters(self, **others: int) -> dict[str, Any]:
        """Return the parameters of a statement for the rows."""
        cursor = cursor_parameters(self.query.cursor, is_falling=self.query.is_falling)
        return {**self.values, **cursor, "size": self.limit, **others}

    def beyond(self, edge: Cursor, limit: int) -> "Wanted":
        """Return what is wanted after the rows up to an edge were scanned."""
        return replace(self, query=replace(self.query, cursor=edge), limit=limit)


@dataclass(frozen=True)
class Found:
    """Rows of a page, nearest first; `edge` is where the search was given up.

    `scanned_count` is how many rows it had scanned then, and `is_partial` says that only the
    beginnings of words were found.
    """

    rows: tuple[Row, ...]
    edge: Cursor | None = None
    scanned_count: int = 0
    is_partial: bool = False
