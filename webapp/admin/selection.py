"""Selection: the rows that a list is about, the titles of what they point at, and their order."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, FromClause

from webapp.admin.fields import Field
from webapp.admin.keyset import Order
from webapp.admin.query import ListQuery
from webapp.admin.search import matches_any
from webapp.admin.site import Site


@dataclass(frozen=True)
class Selection:
    """Where rows come from, the title column of each relation by field name, and the order."""

    source: FromClause
    titles: dict[str, Column[Any]]
    conditions: tuple[ColumnElement[bool], ...]
    value: ColumnElement[Any]
    order: Order


def select_rows(site: Site, query: ListQuery, fields: Iterable[Field]) -> Selection:
    """Return the selection of a list that shows `fields`."""
    resource, sort_field = query.resource, query.sort_field
    source: FromClause = resource.table
    titles: dict[str, Column[Any]] = {}
    for field in dict.fromkeys((*fields, sort_field)):
        if field.relation is not None:
            target = site.target_of(field)
            other = target.table.alias(f"{field.name}_target")
            link = other.c[target.by_name[field.relation.target_column].column.name]
            source = source.outerjoin(other, field.column == link)
            titles[field.name] = other.c[target.title_field.column.name]
    is_keyed = sort_field.is_key and len(resource.key) == 1
    value: ColumnElement[Any] = titles.get(sort_field.name, sort_field.column)
    order = Order(
        None if is_keyed else value,
        tuple(field.column for field in resource.key),
        is_nullable=sort_field.is_optional or sort_field.name in titles,
        is_descending=query.is_descending,
    )
    return Selection(source, titles, tuple(conditions_of(query)), value, order)


def conditions_of(query: ListQuery) -> list[ColumnElement[bool]]:
    """Return what every row of a list fulfils."""
    searched = matches_any(query.resource.search_fields, query.text) if query.text else None
    return query.conditions(searched)
