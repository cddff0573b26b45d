"""The search backend: how each database finds the rows of a list.

It is a module, `sqlite` or `postgresql`, chosen when the database is connected and carried by each
of its sessions. There, too, the constructs that each writes in SQL of its own are compiled, such as
`collation.SortKey`.
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
    """What the search plan, and whatever reads lists, asks of a database.

    is_lateral: whether it knows LATERAL, and compares rows by an index.
    min_characters: of how long a text the index of trigrams has words that begin with it.
    """

    is_lateral: bool
    min_characters: int

    async def fetch_estimate(self, session: AsyncSession, table: Table) -> int | None:
        """Fetch the estimated number of rows of a table; None where there are no statistics."""

    async def fetch_has_trigrams(self, session: AsyncSession, resource: Resource) -> bool:
        """Whether the trigram index exists and is complete."""

    async def is_rare(self, session: AsyncSession, wanted: Wanted) -> bool:
        """Whether the rows that contain a text are few enough to be sorted at once."""

    async def fetch_few(
        self, session: AsyncSession, wanted: Wanted, most: int
    ) -> Sequence[Row] | None:
        """Fetch the rows from the candidates of an index that has at most so many, if one has.

        By short reads; None where none is known to have so few.
        """

    async def fetch_candidates(self, session: AsyncSession, wanted: Wanted) -> Sequence[Row] | None:
        """Fetch the rows from the candidates of indexes; None if these are too many."""

    async def fetch_count(self, session: AsyncSession, wanted: Wanted) -> Total | None:
        """Count the rows among the candidates of indexes, up to one more than are wanted."""

    async def fetch_is_candidate(
        self, session: AsyncSession, resource: Resource, text: str, most: int | None = None
    ) -> ColumnElement[bool] | None:
        """Return the predicate that a row is one of the candidates for `trigrams`, up to `most`.

        None where there are more, or where the database uses its index without being told.
        """

    async def read_to_the_end(self, session: AsyncSession, *, is_narrowed: bool) -> None:
        """Lift the time limit of a transaction, and optimise it for its first rows."""

    async def refresh(self, connection: AsyncConnection, resource: Resource) -> None:
        """Bring all changes into the trigram index."""


def backend_of(connected: AsyncSession | Database) -> SearchBackend:
    """Return the backend of a database, or of the one that a session is connected to."""
    found = connected.search if isinstance(connected, Database) else connected.info["search"]
    backend: SearchBackend = found
    return backend
