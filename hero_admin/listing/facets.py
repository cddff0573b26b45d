"""Facets: how many rows each option of a filter would leave, counted up to a limit."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.listing.choices import fetch_first_options
from hero_admin.listing.columns import adapted
from hero_admin.listing.filters import none_of
from hero_admin.listing.options import fixed_options
from hero_admin.listing.predicates import predicate_parameters, predicates_of
from hero_admin.listing.query import ListQuery
from hero_admin.listing.sort_indexes import is_indexed
from hero_admin.model.fields import Field
from hero_admin.model.site import Site
from hero_admin.model.total import Total

# The most rows read per option.
FACET_CAP = 1_000


async def fetch_facets(
    session: AsyncSession, site: Site, query: ListQuery, field: Field
) -> Mapping[str, Total]:
    """Count the rows of each option of a filter that match the other filters; one statement.

    Returns no counts where they would be slow: without an index, and with a search.
    """
    if query.text or not is_indexed(query.resource, field):
        return {}
    narrowing = predicates_of(query).narrowing()
    others = [(each.read_field, each.predicate) for each in narrowing if each.field is not field]
    return await _count(session, query, field, await _fetch_values(session, site, field), others)


async def _fetch_values(session: AsyncSession, site: Site, field: Field) -> dict[str, Any]:
    """Return the value of each option by its text in a URL; None for rows without a value."""
    options = fixed_options(field)
    if field.relation:
        options = await fetch_first_options(session, site, field)
    found: dict[str, Any] = {}
    for option in options.options if options else ():
        # A value that its input rejects cannot be filtered by.
        with suppress(ValueError):
            found[option.value] = field.clean(field.input(option.value))
    if found and field.is_optional:
        found[none_of(field)] = None
    return found


async def _count(
    session: AsyncSession,
    query: ListQuery,
    field: Field,
    values: Mapping[str, Any],
    others: list[tuple[Field, ColumnElement[bool]]],
) -> dict[str, Total]:
    if not values:
        return {}
    fields = dict.fromkeys(other for other, _ in others) or [field]
    columns = [each.exact.label(each.name) for each in fields]
    counts: list[ColumnElement[int]] = []
    for number, value in enumerate(values.values()):
        rows = (
            select(*columns)
            .where(*_is(field, value))
            # In the order of the index; otherwise PostgreSQL might scan the whole table.
            .order_by(field.exact, *(part.exact for part in query.resource.key))
            .limit(FACET_CAP + 1)
            .subquery(f"rows{number}")
        )
        left = adapted([predicate for _, predicate in others], rows)
        counted = select(func.count()).select_from(rows)
        counts += [counted.where(*left).scalar_subquery(), counted.scalar_subquery()]
    found = (await session.execute(select(*counts), predicate_parameters(query))).one()
    totals = {}
    for number, text in enumerate(values):
        count, scanned = found[2 * number], found[2 * number + 1]
        totals[text] = Total(min(count, FACET_CAP), is_capped=scanned > FACET_CAP)
    return totals


def _is(field: Field, value: Any) -> tuple[ColumnElement[bool], ...]:
    column = field.exact
    if value is None:
        return (column.is_(None),)
    same = literal(value, field.exact_type)
    # With an equality PostgreSQL might scan the primary key.
    return (column >= same, column <= same)
