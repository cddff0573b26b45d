"""References: the titles of the records that relations refer to."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.short_reads import Row
from hero_admin.listing.cells import UNTITLED, Reference, reference_reader
from hero_admin.listing.columns import Selection
from hero_admin.model.fields import Field
from hero_admin.model.formatting import shown_in_cell
from hero_admin.model.primary_keys import Key, key_predicate, key_text
from hero_admin.model.resource import Record, Resource
from hero_admin.model.site import Site
from hero_admin.model.stored_values import comparable, hashable


async def fetch_references(
    session: AsyncSession, site: Site, resource: Resource, record: Record
) -> dict[str, Reference]:
    """Fetch the references of one record by field name; one statement, and one per made title."""
    columns: list[ColumnElement[Any]] = []
    readers = {}
    references: dict[str, Reference] = {}
    for field in resource.fields:
        value = record[field.name]
        if field.relation is None or value is None:
            continue
        target = site.target_of(field)
        if target.titles.function is not None:
            made = await fetch_made_titles(session, site, field, {value})
            reference = reference_reader(site, field)(value, made.get(value))
            if reference is not None:
                references[field.name] = reference
            continue
        other = target.table.alias(f"{field.name}_target")
        link = target.by_name[field.relation.target_column].exact_in(other)
        title = select(target.titles.field.exact_in(other).label("title")).where(link == value)
        columns.append(title.scalar_subquery().label(f"_{field.name}"))
        readers[field.name] = (value, reference_reader(site, field))
    if not columns:
        return references
    titles = (await session.execute(select(*columns))).one()
    found = {
        name: reader(value, title)
        for (name, (value, reader)), title in zip(readers.items(), titles, strict=True)
    }
    references |= {name: reference for name, reference in found.items() if reference is not None}
    return references


async def fetch_titles(
    session: AsyncSession, resource: Resource, keys: Sequence[Key]
) -> list[tuple[str, str]]:
    """Fetch the keys, as URL segments, and titles of those records that exist."""
    fields = (*resource.key, *resource.titles.fields)
    labelled = [field.exact.label(f"_{index}") for index, field in enumerate(fields)]
    found = await session.execute(select(*labelled).where(key_predicate(resource, keys)))
    count = len(resource.key)
    return [
        (key_text(resource, tuple(row[:count])), _title(resource, row[count:])) for row in found
    ]


def _title(resource: Resource, values: Row) -> str:
    if len(values) == 1 and resource.titles.function is None:
        return shown_in_cell(resource.titles.field, values[0]) or UNTITLED
    names = (field.name for field in resource.titles.fields)
    return resource.titles.of(dict(zip(names, values, strict=True)))


# Any: values of a field, and rows of any columns.
async def with_made_titles(
    session: AsyncSession, selection: Selection, rows: Sequence[Sequence[Any]]
) -> list[Sequence[Any]]:
    """Return rows with the titles of related records whose titles are made by a function.

    One statement for each such relation, however many rows there are.
    """
    site = selection.site
    made = [
        each for each in selection.relations if site.target_of(each).titles.function is not None
    ]
    if not made or not rows:
        return list(rows)
    changed = [list(row) for row in rows]
    for field in made:
        value_index, title_index = selection.column_index(field), selection.title_index(field)
        values = {row[value_index] for row in changed} - {None}
        titles = await fetch_made_titles(session, site, field, values)
        for row in changed:
            row[title_index] = titles.get(row[value_index])
    return list(map(tuple, changed))


async def fetch_made_titles(
    session: AsyncSession, site: Site, relation: Field, values: Collection[Any]
) -> dict[Any, str]:
    """Fetch the titles of related records by the values of the relation; one statement."""
    if not values or relation.relation is None:
        return {}
    target = site.target_of(relation)
    at = target.by_name[relation.relation.target_column].exact
    columns = [field.exact.label(f"_{index}") for index, field in enumerate(target.titles.fields)]
    found = await session.execute(select(at.label("_value"), *columns).where(at.in_(values)))
    exact = {hashable(row[0]): _title(target, row[1:]) for row in found}
    titles = {comparable(value): title for value, title in exact.items()}
    return {
        value: exact.get(value, titles[same])
        for value in values
        if (same := comparable(value)) in titles
    }
