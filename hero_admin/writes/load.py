"""Loading: inserts many records into empty tables in bulk."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hero_admin.audit_log.changes import Entry, Kind, Operation, record
from hero_admin.listing.search.backend import SearchBackend
from hero_admin.model.records import columns_of
from hero_admin.model.resource import Resource
from hero_admin.person import COMMAND_LINE
from hero_admin.writes.entries import creation_of

ROWS_PER_INSERT = 5_000
# Up to this many records have an entry each in the history; more have one for each resource, as
# ten million entries would take more time and space than the records themselves.
MAX_SINGLE_ENTRIES = 10_000

# A row to insert. Any: values of any columns.
Row = Mapping[str, Any]


@dataclass
class Loader:
    """Adds records within the transaction of a sample.

    backend: indexes the records for search, which would take too long in the commit.
    advance: is called with the number of records of each batch.
    """

    connection: AsyncConnection
    backend: SearchBackend
    advance: Callable[[Resource, int], None] | None = None
    counts: dict[str, tuple[Resource, int]] = field(default_factory=dict)

    async def add(self, resource: Resource, rows: Iterable[Row]) -> None:
        """Insert records, which the schemas of the model would accept."""
        for chunk in _chunks(iter(rows)):
            await self.connection.execute(insert(resource.model), chunk)
            await self.backend.refresh(self.connection, resource)
            _, count = self.counts.get(resource.name, (resource, 0))
            self.counts[resource.name] = resource, count + len(chunk)
            if self.advance:
                self.advance(resource, len(chunk))

    # Any: keys of any type.
    async def fetch_keys(self, resource: Resource) -> Sequence[Any]:
        """Return the keys of all records in order, for a resource with a key of one column."""
        (key,) = (each.column for each in resource.key)
        return (await self.connection.scalars(select(key).order_by(key))).all()


async def record_load(loader: Loader) -> None:
    """Record the added records in the history."""
    operation = Operation(COMMAND_LINE, "command")
    is_single = sum(count for _, count in loader.counts.values()) <= MAX_SINGLE_ENTRIES
    for resource, count in loader.counts.values():
        if is_single:
            entries = await _creations(loader.connection, resource)
        else:
            title = f"{resource.counted(count)} as a sample"
            entries = [Entry(resource.name, "", title, Kind.LOADED, {})]
        await record(loader.connection, operation, entries)


async def _creations(connection: AsyncConnection, resource: Resource) -> list[Entry]:
    """Return an entry for every record, in the order of insertion."""
    names = [field.name for field in resource.fields]
    own = [field.exact for field in resource.key]
    rows = await connection.execute(select(*columns_of(resource)).order_by(*own))
    return [creation_of(resource, dict(zip(names, row, strict=True))) for row in rows]


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, ROWS_PER_INSERT)):
        yield chunk
