"""The list query: the whole state of a list, which is its URL and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException

from hero_admin.listing.cursors import Cursor, cursor_text, parse_cursor
from hero_admin.listing.filters import Filter, parse_filter
from hero_admin.model.fields import Field
from hero_admin.model.formatting import exact_text
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.model.spelling import trimmed

PAGE_SIZES = (25, 50, 100, 200)
DEFAULT_SIZE = PAGE_SIZES[0]
END = "end"
NO_SUCH_PAGE = "That page no longer exists. This is the first one."
# More than anybody searches for; to fold and look for more costs without end.
MAX_SEARCH_CHARACTERS = 200
LONG_SEARCH = f"Search for at most {MAX_SEARCH_CHARACTERS} characters."
# Any: each attribute has a type of its own.
BEGINNING: dict[str, Any] = {"after": None, "before": None, "start": None, "is_end": False}


@dataclass(frozen=True)
class Scope:
    """The part of a resource that a list is about: the heroes of one team."""

    field: Field
    value: Any


@dataclass(frozen=True)
class ListQuery:
    """What a list shows: which rows, in what order, from where on, and how many."""

    resource: Resource
    path: str
    text: str = ""
    filters: tuple[Filter, ...] = ()
    sort: str = ""
    # What the cursors hold: for a relation, sorted by the title of its records, that title.
    order_field: Field | None = None
    size: int = DEFAULT_SIZE
    after: Cursor | None = None
    before: Cursor | None = None
    # Where “jump to” begins: a cursor without a key.
    start: Cursor | None = None
    is_end: bool = False
    scope: Scope | None = None
    problems: tuple[str, ...] = ()

    @property
    def sort_field(self) -> Field:
        return self.resource.by_name[self.sort.removeprefix("-")]

    @property
    def is_descending(self) -> bool:
        return self.sort.startswith("-")

    @property
    def is_default_size(self) -> bool:
        return self.size == DEFAULT_SIZE

    @property
    def cursor(self) -> Cursor | None:
        """Where the page begins, if not at an end of the list."""
        return self.before or self.after or self.start

    @property
    def link_field(self) -> Field | None:
        """The relation by the titles of whose records the list is sorted."""
        return self.sort_field if self.sort_field.relation else None

    @property
    def start_text(self) -> str:
        """What was jumped to, as it was typed."""
        if self.start is None or self.order_field is None:
            return ""
        return self.order_field.input.format(self.start.value)

    @property
    def has_start(self) -> bool:
        """Whether there is anything to jump to: a text, a number or a date."""
        field = self.order_field
        return field is not None and (field.is_text or field.input.is_range)

    @property
    def is_backward(self) -> bool:
        return self.before is not None or self.is_end

    @property
    def is_narrowed(self) -> bool:
        """Whether a search or a filter leaves rows out."""
        return bool(self.text) or any(filter.is_active for filter in self.filters)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns shown; a column that is the same in every row is left out."""
        return tuple(
            field
            for field in self.resource.list_fields
            if not (self.scope and self.scope.field is field)
        )

    @property
    def is_falling(self) -> bool:
        """Whether a page is read from greater values to smaller ones."""
        return self.is_descending != self.is_backward

    @property
    def filtered_fields(self) -> tuple[Field, ...]:
        """The fields that leave rows out, but for the search."""
        filtered = tuple(each.field for each in self.filters if each.is_active)
        return (*filtered, self.scope.field) if self.scope else filtered

    @property
    def predicate_fields(self) -> tuple[Field, ...]:
        """The fields that the conditions are about."""
        return self.filtered_fields + (self.resource.search_fields if self.text else ())

    def params(self) -> list[tuple[str, str]]:
        """Return the URL parameters of this state, defaults left out."""
        return self.first_params() + self._place_params()

    def first_params(self) -> list[tuple[str, str]]:
        """Return the URL parameters of the first page of this state."""
        pairs = self._narrowing_params()
        if self.sort != self.resource.default_sort:
            pairs.append(("sort", self.sort))
        if not self.is_default_size:
            pairs.append(("size", str(self.size)))
        return pairs

    def _narrowing_params(self) -> list[tuple[str, str]]:
        pairs = [("q", self.text)] if self.text else []
        for filter in self.filters:
            pairs += filter.params()
        return pairs

    def _place_params(self) -> list[tuple[str, str]]:
        pairs = []
        for name, cursor in (("after", self.after), ("before", self.before)):
            if cursor is not None and self.order_field is not None:
                key = self.resource.key
                pairs.append((name, cursor_text(cursor, self.order_field, key, self.link_field)))
        if self.start is not None:
            pairs.append(("from", self.start_text))
        if self.is_end:
            pairs.append(("before", END))
        return pairs

    @cached_property
    def url(self) -> str:
        """The address of this very state."""
        return self._address(self.sort, self.size, urlencode(self._place_params()))

    @cached_property
    def _narrowing(self) -> str:
        """Search and filters as they stand in a URL: a page has a dozen links that keep them."""
        return urlencode(self._narrowing_params())

    def _address(self, sort: str, size: int, place: str = "") -> str:
        parts = [self._narrowing] if self._narrowing else []
        if sort != self.resource.default_sort:
            parts.append(urlencode((("sort", sort),)))
        if size != DEFAULT_SIZE:
            parts.append(f"size={size}")
        if place:
            parts.append(place)
        return f"{self.path}?{'&'.join(parts)}" if parts else self.path

    @property
    def first_url(self) -> str:
        """The address of the first page."""
        return self._address(self.sort, self.size)

    @property
    def last_url(self) -> str:
        """The address of the last page."""
        return self._address(self.sort, self.size, f"before={END}")

    def sized_url(self, size: int) -> str:
        """Return the address of the first page with so many rows."""
        return self._address(self.sort, size)

    def sorted_url(self, field: Field) -> str:
        """Return the address of the first page sorted by `field`; a second time turns it round."""
        is_turned = self.sort == field.name
        return self._address(f"-{field.name}" if is_turned else field.name, self.size)

    def first(self, **changes: Any) -> "ListQuery":
        """Return the first page of this state, but for the `changes`."""
        return replace(self, **{**BEGINNING, **changes})

    def cleared(self) -> "ListQuery":
        """Return the first page without search and filters."""
        return self.unfiltered().first(text="")

    def unfiltered(self) -> "ListQuery":
        """Return the first page without filters."""
        return self.first(filters=tuple(filter.cleared() for filter in self.filters))

    def without(self, unwanted: Filter) -> "ListQuery":
        """Return the first page without one filter."""
        return self.first(
            filters=tuple(
                filter.cleared() if filter is unwanted else filter for filter in self.filters
            )
        )

    def order_of(self, field: Field) -> str:
        """Return how the list is sorted by `field`: "ascending", "descending" or ""."""
        if field is not self.sort_field:
            return ""
        return "descending" if self.is_descending else "ascending"

    def counted_url(self, count: str) -> str:
        """Return this very state, its rows counted up to a limit, or `exact`ly."""
        return f"{self.path}?{urlencode([*self.params(), ('count', count)])}"

    def export_url(self, extension: str, options: str = "") -> str:
        """Return the address of all rows of this list as a file, written as the options say."""
        parts = filter(None, (self._exported, options))
        return f"/{self.resource.name}.{extension}?{'&'.join(parts)}".rstrip("?")

    @cached_property
    def _exported(self) -> str:
        """All rows of this list as they stand in a URL."""
        params = self._narrowing_params()
        if self.sort != self.resource.default_sort:
            params.append(("sort", self.sort))
        if self.scope:
            field, value = self.scope.field, self.scope.value
            name = self.resource.filter_names[field.name].name
            params.append((name, exact_text(field, value)))
        return urlencode(params)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The page sizes on offer, and this one."""
        return tuple(sorted({*PAGE_SIZES, self.size}))


def parse_query(
    site: Site, resource: Resource, path: str, params: QueryParams, scope: Scope | None = None
) -> ListQuery:
    """Read the state of a list from its URL.

    What cannot be read is left out and named, in a sentence, in `problems`.
    """
    problems: list[str] = []
    filters = []
    for field in resource.filter_fields:
        if scope and scope.field is field:
            continue
        filter, found = parse_filter(field, resource.filter_names[field.name], params)
        filters.append(filter)
        problems += found

    sort = params.get("sort", "") or resource.default_sort
    if sort.removeprefix("-") not in {field.name for field in sortable_fields(resource)}:
        problems.append("This list can't be sorted that way.")
        sort = resource.default_sort
    size = _size(params.get("size", ""))
    if size is None:
        problems.append(f"Choose between 1 and {PAGE_SIZES[-1]} rows per page.")
    sort_field = resource.by_name[sort.removeprefix("-")]
    order_field = site.target_of(sort_field).titles.field if sort_field.relation else sort_field
    query = ListQuery(
        resource,
        path,
        text=_search(params, problems),
        filters=tuple(filters),
        sort=sort,
        order_field=order_field,
        size=size or DEFAULT_SIZE,
        scope=scope,
    )
    after, before = params.get("after", ""), params.get("before", "")
    if before == END:
        query = replace(query, is_end=True)
    elif after or before:
        text = after or before
        cursor = parse_cursor(text, sort, order_field, resource.key, query.link_field)
        if cursor is None:
            problems.append(NO_SUCH_PAGE)
        query = replace(query, after=cursor) if after else replace(query, before=cursor)
    elif params.get("from", "").strip():
        try:
            query = replace(query, start=_start(query, params["from"].strip()))
        except ValueError as error:
            problems.append(f"{sort_field.label}: {error}")
    return replace(query, problems=tuple(problems))


def _search(params: QueryParams, problems: list[str]) -> str:
    text = trimmed(params.get("q", ""))
    if len(text) > MAX_SEARCH_CHARACTERS:
        problems.append(f"{LONG_SEARCH} This is what the first ones find.")
    return text[:MAX_SEARCH_CHARACTERS].strip()


def search_in(params: Mapping[str, object], name: str) -> str:
    """Return what a picker or a filter is searched for; 400 if it is longer than any title."""
    text = params.get(name, "")
    text = trimmed(text) if isinstance(text, str) else ""
    if len(text) > MAX_SEARCH_CHARACTERS:
        raise HTTPException(400, LONG_SEARCH)
    return text


def _start(query: ListQuery, text: str) -> Cursor:
    """Return where a list begins that jumps to `text`; raises ValueError with a sentence."""
    field = query.order_field
    if field is None or not query.has_start:
        raise ValueError("This list can't jump to a value in this order.")
    return Cursor(query.sort, field.clean(field.input(text)), ())


def sortable_fields(resource: Resource) -> Sequence[Field]:
    """Return the fields that a list can be sorted by."""
    return [field for field in resource.fields if field.is_sortable]


def _size(text: str) -> int | None:
    if not text:
        return DEFAULT_SIZE
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        return None
    return int(text) if 1 <= int(text) <= PAGE_SIZES[-1] else None
