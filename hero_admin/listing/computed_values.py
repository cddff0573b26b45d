"""Computed values: those of computed columns for a few records, by one statement of their own.

So the statement of a list stays as it is, and nothing is computed for rows that are not shown.
"""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.identifiers import numbered
from hero_admin.listing.cells import EMPTY, CellRenderer, cell_renderer
from hero_admin.listing.columns import Selection
from hero_admin.model.computed_fields import ComputedField
from hero_admin.model.labels import in_sentence
from hero_admin.model.primary_keys import Key, key_predicate, key_text
from hero_admin.model.resource import Record, Resource
from hero_admin.model.site import Site
from hero_admin.model.stored_values import hashable
from hero_admin.model.total import Total
from hero_admin.web.mount import path_to

# A list reads at most so many index entries for each count that it shows.
MAX_COUNTED = 1_000
# The number alone would not tell where the link leads.
COUNT = Markup('<a href="{}" aria-label="{} {}">{}</a>')

logger = logging.getLogger("hero_admin.listing")

# Any: rows of any columns.
Rows = Sequence[Sequence[Any]]


async def fetch_computed(
    session: AsyncSession,
    resource: Resource,
    columns: Sequence[ComputedField],
    records: Sequence[Mapping[str, Any]],
    *,
    cap: int | None = None,
) -> list[list[Any]]:
    """Fetch the values of computed columns of records; one statement, and none without SQL.

    records: at least with their keys and what functions read.
    cap: how far counts go, which are then of type `Total`; None for exact numbers.
    """
    by_sql = [each for each in columns if each.function is None]
    found = await _fetch_sql(session, resource, by_sql, records, cap) if by_sql and records else {}
    own = [found.get(key_text(resource, _key(resource, record)), {}) for record in records]
    names = [field.name for field in resource.function_fields]
    read = [{name: record.get(name) for name in names} for record in records]
    by_column = [
        [values.get(each.name) for values in own]
        if each.function is None
        else _made(resource, each, read)
        for each in columns
    ]
    return [list(values) for values in zip(*by_column, strict=True)]


def _made(
    resource: Resource, column: ComputedField, records: Sequence[Mapping[str, Any]]
) -> list[str | None]:
    """Return what a function makes of records; None where it fails, which is logged once."""
    found: list[str | None] = []
    errors: list[Exception] = []
    for record in records:
        try:
            found.append(column.made(resource.model, record))
        # It is not ours, and no value of one record takes down a list of many.
        except Exception as error:  # noqa: BLE001
            found.append(None)
            errors.append(error)
    if errors:
        model = resource.model.__name__
        logger.warning("“%s” of Resource(%s) failed", column.label, model, exc_info=errors[0])
    return found


async def with_computed(
    session: AsyncSession, resource: Resource, records: Sequence[Record]
) -> Sequence[Record]:
    """Return whole records with the exact values of all computed columns."""
    columns = resource.computed
    if not columns:
        return records
    found = await fetch_computed(session, resource, columns, records)
    names = [each.name for each in columns]
    return [
        {**record, **dict(zip(names, values, strict=True))}
        for record, values in zip(records, found, strict=True)
    ]


async def fetch_row_values(
    session: AsyncSession,
    selection: Selection,
    columns: Sequence[ComputedField],
    rows: Rows,
    *,
    cap: int | None = None,
) -> list[list[Any]]:
    """Fetch the values of computed columns of the rows of a list or an export."""
    names = [field.name for field in selection.fields]
    records = [dict(zip(names, row, strict=False)) for row in rows]
    return await fetch_computed(session, selection.resource, columns, records, cap=cap)


def computed_renderer(site: Site, resource: Resource, column: ComputedField) -> CellRenderer:
    """Return the renderer of a computed column, whose counts lead to what they count."""
    counted = column.counted
    for each in site.related(resource) if column.show is None else ():
        if counted is not None and each.field.column is counted.column:
            return partial(_render_counts, resource, in_sentence(column.label), each.name)
    return cell_renderer(site, resource, column, can_reveal=False)


def _render_counts(
    resource: Resource, noun: str, path: str, keys: Sequence[str], values: Sequence[Any], _: object
) -> list[str]:
    return [
        EMPTY
        if value is None
        else COUNT.format(path_to(resource.name, key, path), value, noun, value)
        for key, value in zip(keys, values, strict=True)
    ]


def _key(resource: Resource, record: Mapping[str, Any]) -> Key:
    return tuple(hashable(record[field.name]) for field in resource.key)


async def _fetch_sql(
    session: AsyncSession,
    resource: Resource,
    columns: Sequence[ComputedField],
    records: Sequence[Mapping[str, Any]],
    cap: int | None,
) -> dict[str, dict[str, Any]]:
    """Fetch values by the text of a key."""
    keys = [_key(resource, record) for record in records]
    selected = [*(field.exact for field in resource.key), *(each.selected(cap) for each in columns)]
    statement = select(*numbered(selected)).select_from(resource.table)
    rows = await session.execute(statement.where(key_predicate(resource, keys)))
    count, found = len(resource.key), {}
    for row in rows:
        values = [
            Total.capped(value, cap) if each.counted is not None and cap is not None else value
            for each, value in zip(columns, row[count:], strict=True)
        ]
        names = [each.name for each in columns]
        found[key_text(resource, tuple(row[:count]))] = dict(zip(names, values, strict=True))
    return found
