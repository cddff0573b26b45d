"""Link keys: the keys of all records that the rows of an export are linked with, in portions."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.statement_cache import statement_cache
from hero_admin.listing.columns import Selection
from hero_admin.model.links import ManyToMany
from hero_admin.model.site import Site
from hero_admin.model.stored_values import hashable

# A portion has at most so many links, unless one row alone has more.
MAX_LINKS = 10_000
LINKS_PER_READ = 1_000

# Any: rows of any columns.
Rows = Sequence[Sequence[Any]]


async def with_link_keys(
    session: AsyncSession, selection: Selection, rows: Rows
) -> AsyncIterator[Rows]:
    """Yield rows in portions, with a list of keys for each link at their end.

    For each link one statement counts those of all rows, and one for each portion reads them.
    """
    links = selection.resource.many_to_many
    if not links:
        yield rows
        return
    for portion in _portions(rows, await _fetch_counts(session, selection, rows)):
        found = [await _fetch_keys(session, selection, link, portion) for link in links]
        yield [(*row, *keys) for row, *keys in zip(portion, *found, strict=True)]


def _portions(rows: Rows, counts: Iterable[int]) -> Iterable[Rows]:
    portion: list[Sequence[Any]] = []
    total = 0
    for row, count in zip(rows, counts, strict=True):
        if portion and total + count > MAX_LINKS:
            yield portion
            portion, total = [], 0
        portion.append(row)
        total += count
    yield portion


async def _fetch_counts(session: AsyncSession, selection: Selection, rows: Rows) -> list[int]:
    """Fetch how many links each row has."""
    counts = [0] * len(rows)
    for link in selection.resource.many_to_many:
        owners = _owners(selection, link, rows)
        found = await session.execute(_select_counts(selection.site, link), {"owners": owners})
        by_owner = {hashable(own): count for own, count in found}
        for position, own in enumerate(owners):
            counts[position] += by_owner.get(hashable(own), 0)
    return counts


async def _fetch_keys(
    session: AsyncSession, selection: Selection, link: ManyToMany, rows: Rows
) -> list[list[Any]]:
    """Fetch the keys of all linked records of each row, in the order of the association."""
    owners = _owners(selection, link, rows)
    # A record may be linked twice.
    found: dict[Any, dict[Any, Any]] = {}
    result = await session.stream(
        _select_keys(selection.site, link),
        {"owners": owners},
        execution_options={"yield_per": LINKS_PER_READ},
    )
    async for own, far in result:
        found.setdefault(hashable(own), {}).setdefault(hashable(far), far)
    return [list(found.get(hashable(own), {}).values()) for own in owners]


# Any: values of any field.
def _owners(selection: Selection, link: ManyToMany, rows: Rows) -> list[Any]:
    index = selection.column_index(link.own)
    return [row[index] for row in rows]


@statement_cache
def _select_counts(site: Site, link: ManyToMany) -> Select[Any]:
    linking = site.of(link.association).table.alias("links")
    own, near = link.own.exact, link.near.exact_in(linking)
    owners = link.own.column.table.join(linking, near == own)
    given = link.own.given("owners", is_list=True)
    count = select(own.label("own"), func.count().label("count")).select_from(owners)
    return count.where(own.in_(given)).group_by(own)


@statement_cache
def _select_keys(site: Site, link: ManyToMany) -> Select[Any]:
    association = site.of(link.association)
    linking = association.table.alias("links")
    own, near, far = link.own.exact, link.near.exact_in(linking), link.far.exact_in(linking)
    owners = link.own.column.table.join(linking, near == own)
    given = link.own.given("owners", is_list=True)
    keys = select(own.label("own"), far.label("far")).select_from(owners)
    keys = keys.where(own.in_(given), far.is_not(None))
    return keys.order_by(*(linking.c[key.column.key] for key in association.key))
