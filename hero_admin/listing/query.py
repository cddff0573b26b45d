"""The state of a list: its filters, search, sort, cursor and page size."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hero_admin.listing.cursors import Cursor
from hero_admin.listing.filters import Filter
from hero_admin.model.computed_fields import ComputedField
from hero_admin.model.fields import Field
from hero_admin.model.links import ManyToMany
from hero_admin.model.resource import Resource

PAGE_SIZES = (25, 50, 100, 200)
DEFAULT_SIZE = PAGE_SIZES[0]


@dataclass(frozen=True)
class Scope:
    """A value that all rows of a list have in one field: the team of a list of its heroes.

    link: for the records linked with another one, the link by which they have that value.
    has_forms: whether they are added and changed on the page of the list.
    """

    field: Field
    # Any: a value of the field.
    value: Any
    link: ManyToMany | None = None
    has_forms: bool = False

    @property
    def read_field(self) -> Field:
        """The field of the rows that the predicate is about."""
        return self.link.own if self.link else self.field


@dataclass(frozen=True)
class Sort:
    """What a list is sorted by: the values of a field, then the primary key.

    value_field: the field of the values that are compared, which cursors hold. For a relation it is
    the title of the records that it refers to.
    """

    field: Field
    value_field: Field
    is_descending: bool = False

    @property
    def text(self) -> str:
        """The value of `sort=` in a URL."""
        return f"-{self.field.name}" if self.is_descending else self.field.name

    @property
    def relation(self) -> Field | None:
        """The field if it is a relation, so that titles of related records are compared."""
        return self.field if self.field.relation else None

    @property
    def can_jump(self) -> bool:
        """Whether a page can start at a value: the values are texts, numbers or dates."""
        return self.value_field.is_text or self.value_field.input.is_range

    def direction_of(self, field: Field) -> str:
        """Return "ascending" or "descending" for the sorted field, "" for every other one."""
        if field is not self.field:
            return ""
        return "descending" if self.is_descending else "ascending"


@dataclass(frozen=True)
class Problem:
    """An invalid parameter of a URL: its name, what is wrong, and what a page shows instead."""

    parameter: str
    sentence: str
    instead: str = ""

    def __str__(self) -> str:
        return f"{self.sentence} {self.instead}".rstrip()


@dataclass(frozen=True)
class ListQuery:
    """The state of a list, all of it in its URL: `parse_query` reads it, `ListUrls` writes it.

    is_exact: whether a search takes as many pages as it needs to find all rows. A page for people
        has those with words that begin with a short text, and says so.
    """

    resource: Resource
    path: str
    sort: Sort
    text: str = ""
    filters: tuple[Filter, ...] = ()
    size: int = DEFAULT_SIZE
    # The row or value at which the page starts; None is an end of the list.
    cursor: Cursor | None = None
    is_backward: bool = False
    scope: Scope | None = None
    problems: tuple[Problem, ...] = ()
    is_exact: bool = False

    @property
    def is_falling(self) -> bool:
        """Whether a page is read from greater values to smaller ones."""
        return self.sort.is_descending != self.is_backward

    @property
    def is_jump(self) -> bool:
        """Whether the page starts at a value instead of a row."""
        return self.cursor is not None and not self.cursor.key

    @property
    def jump_text(self) -> str:
        """The value that the page starts at, as text for its input; "" for none."""
        if self.cursor is None or self.cursor.key:
            return ""
        return self.sort.value_field.input.format(self.cursor.value)

    @cached_property
    def is_narrowed(self) -> bool:
        """Whether there is a search or an active filter."""
        return bool(self.text) or any(filter.is_active for filter in self.filters)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The fields of the model shown as columns: all list fields but that of the scope."""
        return tuple(
            field
            for field in self.resource.list_fields
            if not (self.scope and self.scope.field is field)
        )

    @cached_property
    def columns(self) -> tuple[Field, ...]:
        """The fields, and the computed columns in their places."""
        if not self.resource.computed:
            return self.fields
        shown = self.resource.list_columns
        return tuple(
            each for each in shown if isinstance(each, ComputedField) or each in self.fields
        )

    @property
    def links(self) -> tuple[ManyToMany, ...]:
        """The links shown as columns: all list links but that of the scope."""
        own = self.scope.link if self.scope else None
        return tuple(link for link in self.resource.list_links if link is not own)

    @property
    def filtered_fields(self) -> tuple[Field, ...]:
        """The fields of the active filters and of the scope."""
        filtered = tuple(each.read_field for each in self.filters if each.is_active)
        return (*filtered, self.scope.read_field) if self.scope else filtered

    @property
    def predicate_fields(self) -> tuple[Field, ...]:
        """The fields in the predicates: those of filters, scope and search."""
        return self.filtered_fields + (self.resource.search_fields if self.text else ())
