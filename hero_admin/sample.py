"""Sample data: what an application fills an empty database with, all or nothing."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hero_admin.database.engines import Database
from hero_admin.database.transactions import lock_tables
from hero_admin.listing.search.backend import backend_of
from hero_admin.model.resource import Resource
from hero_admin.writes.load import Loader, record_load


@dataclass(frozen=True)
class Count:
    """How many records of a resource a sample has: by default, and at most if there is a limit."""

    resource: Resource
    default: int
    maximum: int | None = None


@dataclass(frozen=True)
class SampleData:
    """What fills an empty database.

    counts: of what, and how much, in the order in which `fill` gets the numbers.
    fill: adds that many records with a `Loader`.
    """

    counts: tuple[Count, ...]
    fill: Callable[..., Awaitable[None]]

    async def is_wanted(self, database: Database) -> bool:
        """Whether there are no records of any of its resources."""
        async with database.reading.connect() as connection:
            return await self._is_empty(connection)

    async def add(
        self,
        database: Database,
        numbers: Sequence[int],
        advance: Callable[[Resource, int], None] | None = None,
        *,
        has_history: bool = True,
    ) -> bool:
        """Add that many records, all or none; add none and return False if there are any already.

        `advance` is called after each batch with its resource and its number of records.
        has_history: whether it is recorded.
        """
        async with database.writing.begin() as connection:
            await lock_tables(connection, [each.resource.table for each in reversed(self.counts)])
            if not await self._is_empty(connection):
                return False
            loader = Loader(connection, backend_of(database), advance)
            await self.fill(loader, *numbers)
            if has_history:
                await record_load(loader)
        return True

    async def _is_empty(self, connection: AsyncConnection) -> bool:
        for each in self.counts:
            if await connection.scalar(select(exists().select_from(each.resource.table))):
                return False
        return True
