"""What a search plan is to find, and what it has found: a page of a narrowed list."""

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
    """Up to `limit` rows that satisfy all predicates, from the cursor of the query on.

    values: the parameters of the predicates.
    has_trigrams: whether the trigram index is known to have candidates for the search.
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
        """Return the parameters of a statement for the rows: values, cursor, limit and `others`."""
        cursor = cursor_parameters(self.query.cursor, is_falling=self.query.is_falling)
        return {**self.values, **cursor, "size": self.limit, **others}

    def beyond(self, edge: Cursor, limit: int) -> "Wanted":
        """Return the same for the rows after `edge`."""
        return replace(self, query=replace(self.query, cursor=edge), limit=limit)


@dataclass(frozen=True)
class Found:
    """Rows of a page, nearest first.

    edge: the last row scanned, if the search ended before the list did.
    scanned_count: how many rows were scanned by then.
    is_partial: whether only words that begin with the text were found.
    """

    rows: tuple[Row, ...]
    edge: Cursor | None = None
    scanned_count: int = 0
    is_partial: bool = False
