"""Sort indexes: the indexes that keep lists from reading whole tables to sort them."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Column, String, Table
from sqlalchemy.types import Enum

from hero_admin.database.identifiers import shortened
from hero_admin.database.own_tables import PREFIX as OWN_PREFIX
from hero_admin.listing.collation import is_collated
from hero_admin.model.column_types import LONG_TEXT_CHARACTERS
from hero_admin.model.computed_fields import ComputedField
from hero_admin.model.fields import Field
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.model.storable import unwrapped_type

PREFIX = f"{OWN_PREFIX}list_"


@dataclass(frozen=True)
class SortIndex:
    """An index of a table by one column and the primary key.

    is_collated: whether it has the sort key of the column, and not its value.
    """

    table: Table
    column: Column[object]
    key: tuple[Column[object], ...]
    is_collated: bool

    @property
    def name(self) -> str:
        return shortened(f"{PREFIX}{self.table.name}_{self.column.name}")


def sort_indexes(site: Site) -> list[SortIndex]:
    """Return an index for each column that a list shows, filters or sorts by."""
    found = {}
    for resource in site.resources:
        if resource.read_only:
            continue
        for field in _sorted_fields(resource):
            index = _index(resource, field)
            found[index.table, index.name] = index
            if field.relation:
                target = site.target_of(field)
                if is_indexable(target.titles.field) and not target.read_only:
                    index = _index(target, target.titles.field)
                    found[index.table, index.name] = index
    for association in site.associations:
        for field in association.fields:
            # The first column of a key has an index: that of the key.
            if field.relation and field is not association.key[0] and is_indexable(field):
                index = _index(association, field)
                found[index.table, index.name] = index
    return [index for index in found.values() if index.key or index.column.primary_key is False]


def is_indexable(field: Field) -> bool:
    """Whether every value fits into an index entry; PostgreSQL rejects rows with longer values."""
    kind = unwrapped_type(field.column.type)
    if not isinstance(kind, String) or isinstance(kind, Enum):
        return field.is_sortable
    return field.is_sortable and kind.length is not None and kind.length <= LONG_TEXT_CHARACTERS


def is_indexed(resource: Resource, field: Field) -> bool:
    """Whether `sort_indexes` has an index for a field, or the model one for a computed column."""
    if isinstance(field, ComputedField):
        ordered = field.ordered
        return is_indexed(resource, ordered) if isinstance(ordered, Field) else ordered is not None
    return not resource.read_only and field in _sorted_fields(resource)


def finds_values(resource: Resource, field: Field) -> bool:
    """Whether the index of a field has its values, so that it finds the rows with a given one."""
    return is_indexed(resource, field) and not is_collated(field)


def _sorted_fields(resource: Resource) -> Iterator[Field]:
    computed = (each.ordered for each in resource.computed)
    stored = (each for each in computed if isinstance(each, Field))
    shown = (*resource.list_fields, *stored)
    default = resource.by_name.get(resource.default_sort.removeprefix("-"))
    shown = (*shown, default) if default else shown
    related = (field for field in resource.fields if field.relation)
    for field in dict.fromkeys((*shown, *related)):
        if is_indexable(field):
            yield field


def _index(resource: Resource, field: Field) -> SortIndex:
    has_sort_key = is_collated(field)
    key = tuple(part.column for part in resource.key if has_sort_key or part is not field)
    return SortIndex(resource.table, field.column, key, has_sort_key)
