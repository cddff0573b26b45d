"""A cache of recent results of a database, where these may be some seconds old."""

import time
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

MAX_ENTRIES = 1_000


class RecentCache:
    """Answers by key, each with the moment it was found at; at most `MAX_ENTRIES`, all small."""

    # Any: an answer of any kind, which whoever put it there knows by its key.
    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[float, Any]] = {}

    def get(self, key: tuple[str, str], seconds: float) -> Any:
        """Return what was put under a key no longer ago than that, None if nothing was."""
        at, answer = self._found.get(key, (float("-inf"), None))
        return answer if time.monotonic() - at < seconds else None

    def put(self, key: tuple[str, str], answer: Any) -> None:
        self._found.pop(key, None)
        self._found[key] = time.monotonic(), answer
        if len(self._found) > MAX_ENTRIES:
            # The one put there longest ago.
            del self._found[next(iter(self._found))]


def recent_cache_of(session: AsyncSession) -> RecentCache:
    """Return the cache of the database that a session is connected to."""
    cache: RecentCache = session.info["recent"]
    return cache
