"""Matching records: all that a list would show, counted, and read in the order of their keys."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.identifiers import numbered
from hero_admin.listing.predicates import predicate_parameters
from hero_admin.listing.query import ListQuery
from hero_admin.listing.search.plan import exact_predicates
from hero_admin.model.fields import Field
from hero_admin.model.primary_keys import Key, key_predicate


async def count_matching(session: AsyncSession, query: ListQuery) -> int:
    """Count all records that match a query, however many there are."""
    counted = select(func.count()).select_from(query.resource.table)
    counted = counted.where(*await exact_predicates(session, query))
    return (await session.execute(counted, predicate_parameters(query))).scalar_one()


async def fetch_matching_keys(
    session: AsyncSession, query: ListQuery, limit: int, after: Key | None = None
) -> list[Key]:
    """Fetch the keys of the next records that match a query, in the order of their keys."""
    predicates = await exact_predicates(session, query)
    own = [field.exact for field in query.resource.key]
    if after is not None:
        predicates.append(_is_after(query.resource.key, after))
    keys = select(*numbered(own)).where(*predicates).order_by(*own).limit(limit)
    return [tuple(row) for row in await session.execute(keys, predicate_parameters(query))]


async def fetch_still_matching(
    session: AsyncSession, query: ListQuery, keys: Sequence[Key]
) -> list[Key]:
    """Return the keys of those of these records that match a query, in order."""
    own = [field.exact for field in query.resource.key]
    predicates = await exact_predicates(session, query)
    found = select(*numbered(own)).where(key_predicate(query.resource, keys), *predicates)
    found = found.order_by(*own)
    return [tuple(row) for row in await session.execute(found, predicate_parameters(query))]


def unknown_names(query: ListQuery, pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Return the names in a URL that are no search, sort or filter of a list."""
    known = {"q", "sort", "size"}
    for each in query.filters:
        bounds = {f"{each.name}_min", f"{each.name}_max"} if each.is_range else set()
        known |= {each.name, *bounds} if each.is_optional or not each.is_range else bounds
    return [name for name, _ in pairs if name not in known]


def _is_after(fields: Sequence[Field], key: Key) -> ColumnElement[bool]:
    """Return the predicate that a row comes after a key; an index finds where it begins."""
    # Any: values of any field.
    pairs: list[tuple[Any, Any]] = [
        (field.exact, value) for field, value in zip(fields, key, strict=True)
    ]
    alternatives = [
        and_(*(column == value for column, value in pairs[:number]), column > value)
        for number, (column, value) in enumerate(pairs)
    ]
    first, value = pairs[0]
    return and_(first >= value, or_(*alternatives)) if len(pairs) > 1 else alternatives[0]
