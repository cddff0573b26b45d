"""What was read from a database is kept for as long as nothing is written to it."""

from collections.abc import Hashable
from typing import Any

from hero_admin.database.sqlite import State

MAX_LISTINGS = 64


class ListingCache:
    """What lists were while the database was in a state."""

    def __init__(self) -> None:
        self._state: State | None = None
        self._by_query: dict[Hashable, Any] = {}

    # Any: a listing, of a module that knows the site which keeps it.
    def get(self, state: State | None, query: Hashable) -> Any:
        """Return the listing that was kept, None if there is none."""
        return self._by_query.get(query) if state is not None and state == self._state else None

    # Any: the same.
    def keep(self, state: State, query: Hashable, listing: Any) -> None:
        if state != self._state or len(self._by_query) == MAX_LISTINGS:
            self._state, self._by_query = state, {}
        self._by_query[query] = listing
