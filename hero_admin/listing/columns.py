"""Selection: the columns of a list, the titles of related records, and the ORDER BY."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Label,
    Select,
    bindparam,
    case,
    func,
    literal,
    select,
)
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.util import ClauseAdapter

from hero_admin.database.statement_cache import statement_cache
from hero_admin.listing.collation import is_collated, sorted_as
from hero_admin.listing.keyset import order_by_clauses, select_page, select_segment
from hero_admin.listing.query import ListQuery
from hero_admin.listing.segments import Link, OrderBy, Start, segments
from hero_admin.model.fields import Field
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site


@dataclass(frozen=True)
class Selection:
    """The columns that a list reads of each row: `fields`, then the titles of `relations`.

    is_lateral: that of the `OrderBy`.
    """

    site: Site
    resource: Resource
    fields: tuple[Field, ...]
    relations: tuple[Field, ...]
    sort_field: Field
    is_descending: bool
    is_lateral: bool

    @property
    def columns(self) -> list[Label[Any]]:
        return [field.exact.label(field.name) for field in self.fields]

    def column_index(self, field: Field) -> int:
        """Return the index of the value of a field in a row."""
        return self.fields.index(field)

    def title_index(self, field: Field) -> int:
        """Return the index of the title of a related record in a row."""
        return len(self.fields) + self.relations.index(field)

    @property
    def sort_index(self) -> int:
        """The index of the sort value in a row."""
        if self.sort_field.relation is None:
            return self.column_index(self.sort_field)
        return self.title_index(self.sort_field)


def selection_of(
    site: Site, query: ListQuery, fields: Iterable[Field], *, is_lateral: bool
) -> Selection:
    """Return the selection of a list with these fields, its key, its title and its sort field."""
    resource, sort_field = query.resource, query.sort.field
    shown = (*fields, *resource.key, resource.titles.field, sort_field)
    found = tuple(dict.fromkeys((*shown, *resource.titles.fields)))
    relations = tuple(field for field in dict.fromkeys(shown) if field.relation)
    is_descending = query.sort.is_descending
    return Selection(site, resource, found, relations, sort_field, is_descending, is_lateral)


@statement_cache
def order_of(selection: Selection) -> OrderBy:
    """Return the ORDER BY of a list, with the related records if it is sorted by their titles."""
    resource, field = selection.resource, selection.sort_field
    order = partial(OrderBy, selection.is_descending, selection.is_lateral, resource.table)
    key = tuple(part.exact for part in resource.key)
    if field.relation is not None:
        target = selection.site.target_of(field)
        records = target.table.alias(f"{field.name}_leading")
        link = Link(
            field.exact,
            records,
            target.by_name[field.relation.target_column].exact_in(records),
            is_optional=not field.is_key,
        )
        title = target.titles.field
        value = sorted_as(title, title.exact_in(records))
        return order(key, value, not title.is_key, link)
    is_keyed = field.is_key and len(resource.key) == 1 and not is_collated(field)
    value_or_none = None if is_keyed else sorted_as(field, field.exact)
    # A column may contain NULL although its field is not optional; a key may not.
    return order(key, value_or_none, not field.is_key)


@statement_cache
def select_listing(
    selection: Selection, start: Start, *, is_backward: bool, is_counted: bool
) -> Select[Any]:
    """Return the statement for a page of a list without search, filters and scope.

    is_counted: whether each row ends with the number of all rows, up to `cap`, which saves a second
    statement.
    """
    order = order_of(selection)
    rows = select_page(selection.columns, order, start, is_backward=is_backward).subquery("page")
    segment = [rows.c["_segment"]] if "_segment" in rows.c else []
    is_falling = order.is_descending != is_backward
    statement = with_titles(selection, rows)
    if is_counted:
        counted = select_count(selection.resource).scalar_subquery()
        statement = statement.add_columns(counted.label("_count"))
    return statement.order_by(*segment, *order_by_clauses(rows, order, is_falling))


class CappedCount(FunctionElement[int]):
    """A capped count of rows; each backend compiles the faster of two equivalent clauses."""

    name = "capped_count"
    type = Integer()
    inherit_cache = True


@statement_cache
def select_count(resource: Resource) -> Select[Any]:
    """Return the statement that counts all rows, up to `cap`."""
    cap = bindparam("cap", type_=Integer)
    some = select(resource.key[0].column).limit(cap).subquery("counted")
    counted = select(func.count()).select_from(some).scalar_subquery()
    every = select(func.count()).select_from(resource.table).scalar_subquery()
    has_more = select(literal(1)).select_from(resource.table).limit(1).offset(cap - 1).exists()
    return select(CappedCount(counted, case((has_more, cap), else_=every)))


def select_all_segments(
    selection: Selection, predicates: Sequence[ColumnElement[bool]]
) -> Iterator[Select[Any]]:
    """Return the statements for all rows of a list, one for each segment."""
    order = order_of(selection)
    for segment in segments(order, "end", is_backward=False):
        found = select_segment(selection.columns, order, segment, None, is_backward=False)
        rows = found.subquery("rows")
        statement = with_titles(selection, rows).where(*adapted(predicates, rows))
        yield statement.order_by(*order_by_clauses(rows, order, order.is_descending))


def adapted(predicates: Sequence[ColumnElement[Any]], rows: FromClause) -> list[ColumnElement[Any]]:
    """Return predicates on a table as predicates on a subquery of it."""
    adapter = ClauseAdapter(rows)
    return [adapter.traverse(predicate) for predicate in predicates]


def with_titles(selection: Selection, rows: FromClause) -> Select[Any]:
    """Return the statement that joins the rows of a subquery with the titles of related records."""
    source, titles = rows, list[ColumnElement[Any]]()
    for field in selection.relations:
        other, link, title = _other(selection.site, field)
        source = source.outerjoin(other, rows.c[field.name] == link)
        titles.append(title.label(f"_title_{field.name}"))
    return select(*(rows.c[field.name] for field in selection.fields), *titles).select_from(source)


def _other(site: Site, field: Field) -> tuple[FromClause, ColumnElement[Any], ColumnElement[Any]]:
    assert field.relation is not None
    target = site.target_of(field)
    other = target.table.alias(f"{field.name}_target")
    link = target.by_name[field.relation.target_column].exact_in(other)
    return other, link, target.titles.field.exact_in(other)
