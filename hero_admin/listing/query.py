"""The state of a list: which rows, in what order, from where on, and how many."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hero_admin.listing.cursors import Cursor
from hero_admin.listing.filters import Filter
from hero_admin.model.fields import Field
from hero_admin.model.resource import Resource

PAGE_SIZES = (25, 50, 100, 200)
DEFAULT_SIZE = PAGE_SIZES[0]


@dataclass(frozen=True)
class Scope:
    """The part of a resource that a list is about: the heroes of one team."""

    field: Field
    value: Any


@dataclass(frozen=True)
class ListQuery:
    """What a list shows; all of it is in its URL: `parse_query` reads it, `ListUrls` writes it."""

    resource: Resource
    path: str
    sort: str
    # What the cursors hold: for a relation, sorted by the title of its records, that title.
    order_field: Field
    text: str = ""
    filters: tuple[Filter, ...] = ()
    size: int = DEFAULT_SIZE
    # The page starts behind the cursor, or at an end of the list without one.
    cursor: Cursor | None = None
    is_backward: bool = False
    scope: Scope | None = None
    problems: tuple[str, ...] = ()

    @cached_property
    def sort_field(self) -> Field:
        return self.resource.by_name[self.sort.removeprefix("-")]

    @property
    def link_field(self) -> Field | None:
        """The relation by the titles of whose records the list is sorted."""
        return self.sort_field if self.sort_field.relation else None

    @property
    def is_descending(self) -> bool:
        return self.sort.startswith("-")

    @property
    def is_falling(self) -> bool:
        """Whether a page is read from greater values to smaller ones."""
        return self.is_descending != self.is_backward

    @property
    def can_jump(self) -> bool:
        """Whether the list is sorted by a text, a number or a date, from which it can start."""
        return self.order_field.is_text or self.order_field.input.is_range

    @property
    def is_jump(self) -> bool:
        """Whether the page starts at a value, not at a row."""
        return self.cursor is not None and not self.cursor.key

    @property
    def jump_text(self) -> str:
        """The value that was jumped to, as a form shows it."""
        if self.cursor is None or self.cursor.key:
            return ""
        return self.order_field.input.format(self.cursor.value)

    def direction_of(self, field: Field) -> str:
        """Return how the list is sorted by `field`: "ascending", "descending" or ""."""
        if field is not self.sort_field:
            return ""
        return "descending" if self.is_descending else "ascending"

    @cached_property
    def is_narrowed(self) -> bool:
        """Whether a search or a filter leaves rows out."""
        return bool(self.text) or any(filter.is_active for filter in self.filters)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The columns shown; a column that is the same in every row is left out."""
        return tuple(
            field
            for field in self.resource.list_fields
            if not (self.scope and self.scope.field is field)
        )

    @property
    def filtered_fields(self) -> tuple[Field, ...]:
        """The fields that leave rows out, but for the search."""
        filtered = tuple(each.field for each in self.filters if each.is_active)
        return (*filtered, self.scope.field) if self.scope else filtered

    @property
    def predicate_fields(self) -> tuple[Field, ...]:
        """The fields that the predicates are about."""
        return self.filtered_fields + (self.resource.search_fields if self.text else ())
