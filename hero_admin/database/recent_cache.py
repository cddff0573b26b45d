"""A cache of recent results of a database, for what may be some seconds old.

It saves each list page the statement for the options of each relation filter (0.1 ms of CPU on
SQLite, a round trip to PostgreSQL), and the statements that estimate the number of rows.
"""

import time
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

# More than the resources and relations of most applications, each of which has one entry.
MAX_ENTRIES = 1_000


class RecentCache:
    """Results by key, with the time they were put; beyond `MAX_ENTRIES` the oldest is evicted.

    An entry takes 0.6 kB for a total, 10 kB for the options of 50 records with short titles, and at
    most 97 kB: longer options are not cached. Ten resources with ten relations take 0.1 MB.
    """

    # Any: a result of any type, which is the same for every entry of a key.
    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[float, Any]] = {}

    def get(self, key: tuple[str, str], seconds: float) -> Any:
        """Return the result put under a key in the last `seconds`, None if there is none."""
        at, result = self._found.get(key, (float("-inf"), None))
        return result if time.monotonic() - at < seconds else None

    def put(self, key: tuple[str, str], result: Any) -> None:
        self._found.pop(key, None)
        self._found[key] = time.monotonic(), result
        if len(self._found) > MAX_ENTRIES:
            # Dicts keep the order of insertion.
            del self._found[next(iter(self._found))]


def recent_cache_of(session: AsyncSession) -> RecentCache:
    """Return the cache of the database of a session, or of what its person may see of it."""
    cache: RecentCache = session.info["recent"]
    return cache
