"""Sort indexes: those a site needs so that no list reads a whole table to sort it."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Column, String, Table
from sqlalchemy.types import Enum

from hero_admin.database.identifiers import shortened
from hero_admin.listing.collation import is_collated
from hero_admin.model.column_types import LONG_TEXT_CHARACTERS
from hero_admin.model.fields import Field
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.model.storable import unwrapped_type

PREFIX = "list_"


@dataclass(frozen=True)
class SortIndex:
    """An index that holds the rows of a table by one column, and the equal ones by their key.

    `is_collated`: by the sort key of its text instead.
    """

    table: Table
    column: Column[object]
    key: tuple[Column[object], ...]
    is_collated: bool

    @property
    def name(self) -> str:
        return shortened(f"{PREFIX}{self.table.name}_{self.column.name}")


def sort_indexes(site: Site) -> list[SortIndex]:
    """Return the index of every column that a list shows, filters or is sorted by."""
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
    return [index for index in found.values() if index.key or index.column.primary_key is False]


def is_indexable(field: Field) -> bool:
    """Whether every value fits into an index: PostgreSQL refuses to store a longer one."""
    kind = unwrapped_type(field.column.type)
    if not isinstance(kind, String) or isinstance(kind, Enum):
        return field.is_sortable
    return field.is_sortable and kind.length is not None and kind.length <= LONG_TEXT_CHARACTERS


def is_indexed(resource: Resource, field: Field) -> bool:
    """Whether `sort_indexes` has an index for a field."""
    return not resource.read_only and field in _sorted_fields(resource)


def finds_values(resource: Resource, field: Field) -> bool:
    """Whether that index finds the rows with a given value in a field."""
    return is_indexed(resource, field) and not is_collated(field)


def _sorted_fields(resource: Resource) -> Iterator[Field]:
    shown = (*resource.list_fields, resource.by_name[resource.default_sort.removeprefix("-")])
    related = (field for field in resource.fields if field.relation)
    for field in dict.fromkeys((*shown, *related)):
        if is_indexable(field):
            yield field


def _index(resource: Resource, field: Field) -> SortIndex:
    has_sort_key = is_collated(field)
    key = tuple(part.column for part in resource.key if has_sort_key or part is not field)
    return SortIndex(resource.table, field.column, key, has_sort_key)
