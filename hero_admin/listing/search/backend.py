"""The search backend: how each database finds the rows of a list.

A backend is a module, `sqlite` or `postgresql`. It is chosen when the database is connected, and
each session carries it. It also compiles SQL constructs such as `collation.SortKey`.
"""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import ColumnElement, Table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from hero_admin.database.engines import Database
from hero_admin.database.short_reads import Row
from hero_admin.listing.search.wanted import Wanted
from hero_admin.model.resource import Resource
from hero_admin.model.total import Total


class SearchBackend(Protocol):
    """What a list and its search plan need from a database.

    is_lateral: whether it supports LATERAL, and row comparisons that use an index.
    min_characters: the length of the shortest text whose words the trigram index finds by prefix.
    """

    is_lateral: bool
    min_characters: int

    async def fetch_estimate(self, session: AsyncSession, table: Table) -> int | None:
        """Fetch the estimated number of rows of a table; None without statistics."""

    async def fetch_has_trigrams(self, session: AsyncSession, resource: Resource) -> bool:
        """Whether the trigram index exists and is complete."""

    async def is_rare(self, session: AsyncSession, wanted: Wanted) -> bool:
        """Whether so few rows contain the text that sorting them is faster than a skip scan."""

    async def fetch_few_candidates(
        self, session: AsyncSession, wanted: Wanted, cap: int
    ) -> Sequence[Row] | None:
        """Fetch the rows from the candidates of an index that has at most `cap` of them.

        Uses short reads. None if no index is known to have so few.
        """

    async def fetch_candidates(self, session: AsyncSession, wanted: Wanted) -> Sequence[Row] | None:
        """Fetch the rows from the candidates of indexes; None if there are too many candidates."""

    async def fetch_count(self, session: AsyncSession, wanted: Wanted) -> Total | None:
        """Count the matching candidates of indexes, up to one more than the limit of `wanted`."""

    async def fetch_is_candidate(
        self, session: AsyncSession, resource: Resource, text: str, cap: int | None = None
    ) -> ColumnElement[bool] | None:
        """Return the predicate that a row is a candidate for the parameter `trigrams`.

        None if there are more than `cap` candidates, or if the database needs no such predicate to
        use its index.
        """

    async def prepare_streaming(self, session: AsyncSession, *, is_narrowed: bool) -> None:
        """Lift the time limit of a transaction, and plan its statements for their first rows."""

    async def refresh(self, connection: AsyncConnection, resource: Resource) -> None:
        """Apply all pending changes to the trigram index."""


def backend_of(connected: AsyncSession | Database) -> SearchBackend:
    """Return the backend of a database, or of the database of a session."""
    found = connected.search if isinstance(connected, Database) else connected.info["search"]
    backend: SearchBackend = found
    return backend
