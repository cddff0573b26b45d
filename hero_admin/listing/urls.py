"""The URLs of a list, from its query: pages, sorts, page sizes, filters, exports."""

from collections.abc import Sequence
from functools import cached_property
from urllib.parse import quote_plus, urlencode

from hero_admin.listing.cursors import END, Cursor, cursor_text
from hero_admin.listing.filters import Filter
from hero_admin.listing.query import DEFAULT_SIZE, PAGE_SIZES, ListQuery
from hero_admin.listing.results import Page
from hero_admin.model.fields import Field
from hero_admin.model.formatting import exact_text

# Names and values, for the hidden fields of a form.
Pairs = list[tuple[str, str]]


class ListParameters:
    """The parameters of a query in URLs and forms, without those at their defaults."""

    def __init__(self, query: ListQuery) -> None:
        self._query = query

    @cached_property
    def narrowing(self) -> str:
        """The search and the filters."""
        return urlencode(_narrowing(self._query.text, self._query.filters))

    @cached_property
    def first(self) -> str:
        """The whole query but for its cursor."""
        query = self._query
        return _joined(self.narrowing, self.sorted_by(query.sort.text, query.size))

    @cached_property
    def position(self) -> str:
        """The cursor, or the end of the list."""
        query = self._query
        if query.is_jump:
            return urlencode({"from": query.jump_text})
        end = "before" if query.is_backward else "after"
        if query.cursor is not None:
            return f"{end}={self.cursor(query.cursor)}"
        return f"{end}={END}" if query.is_backward else ""

    @cached_property
    def exported(self) -> str:
        """The parameters of an export of all rows of the list."""
        query, scope = self._query, ""
        if query.scope:
            field, value = query.scope.field, query.scope.value
            name = query.resource.filter_names[field.name].name
            scope = urlencode({name: exact_text(field, value)})
        return _joined(self.narrowing, self.sorted_by(query.sort.text, DEFAULT_SIZE), scope)

    @property
    def sort_and_size(self) -> Pairs:
        """The sort and the page size, for the form of the filters."""
        sort, size = self._query.sort.text, self._query.size
        pairs = [] if sort == self._query.resource.default_sort else [("sort", sort)]
        return pairs if size == DEFAULT_SIZE else [*pairs, ("size", str(size))]

    @property
    def first_page(self) -> Pairs:
        """The whole query but for its cursor, for the form that jumps to a value."""
        return _narrowing(self._query.text, self._query.filters) + self.sort_and_size

    def sorted_by(self, sort: str, size: int) -> str:
        """Return the parameters of another sort and page size."""
        pairs = [] if sort == self._query.resource.default_sort else [f"sort={quote_plus(sort)}"]
        return "&".join(pairs if size == DEFAULT_SIZE else [*pairs, f"size={size}"])

    def filtered(self, filters: Sequence[Filter]) -> str:
        """Return the whole query with other filters, without its cursor."""
        return urlencode(_narrowing(self._query.text, filters) + self.sort_and_size)

    def cursor(self, cursor: Cursor) -> str:
        sort = self._query.sort
        return cursor_text(cursor, sort.value_field, self._query.resource.key, sort.relation)


class ListUrls:
    """The URLs of the links on a list page.

    All but `current`, `counted`, `after`, `before` and `further` start at an end of the list.
    """

    def __init__(self, query: ListQuery) -> None:
        self._query = query
        self.parameters = ListParameters(query)

    @cached_property
    def current(self) -> str:
        """The page of the query."""
        return self._url(self.parameters.first, self.parameters.position)

    def counted(self, count: str) -> str:
        """Return the same page with a count: `exact`, or anything else for one up to a limit."""
        parameters = self.parameters
        return self._url(parameters.first, parameters.position, urlencode({"count": count}))

    @property
    def first(self) -> str:
        return self._url(self.parameters.first)

    @property
    def last(self) -> str:
        return self._url(self.parameters.first, f"before={END}")

    def after(self, cursor: Cursor) -> str:
        """Return the URL of the page after a row."""
        return self._url(self.parameters.first, f"after={self.parameters.cursor(cursor)}")

    def before(self, cursor: Cursor) -> str:
        """Return the URL of the page before a row."""
        return self._url(self.parameters.first, f"before={self.parameters.cursor(cursor)}")

    def further(self, page: Page) -> str:
        """Return the URL of the page on which an unfinished search continues."""
        cursor = page.previous_cursor if self._query.is_backward else page.next_cursor
        assert cursor is not None
        return self.before(cursor) if self._query.is_backward else self.after(cursor)

    def sorted_by(self, field: Field) -> str:
        """Return the URL of the list sorted by `field`, descending if it is already ascending."""
        sort = f"-{field.name}" if self._query.sort.text == field.name else field.name
        return self._sorted(sort, self._query.size)

    @property
    def sizes(self) -> dict[int, str]:
        """The URL of the first page for each page size on offer, and for the current one."""
        sizes = sorted({*PAGE_SIZES, self._query.size})
        return {size: self._sorted(self._query.sort.text, size) for size in sizes}

    @property
    def cleared(self) -> str:
        """The list without search and filters."""
        return self._url(self.parameters.sorted_by(self._query.sort.text, self._query.size))

    @property
    def unfiltered(self) -> str:
        """The list with its search, without filters."""
        return self._url(self.parameters.filtered(()))

    def without(self, unwanted: Filter) -> str:
        """Return the URL of the list without one filter."""
        others = [each for each in self._query.filters if each is not unwanted]
        return self._url(self.parameters.filtered(others))

    def _sorted(self, sort: str, size: int) -> str:
        return self._url(self.parameters.narrowing, self.parameters.sorted_by(sort, size))

    def _url(self, *parameters: str) -> str:
        text = _joined(*parameters)
        return f"{self._query.path}?{text}" if text else self._query.path


def _joined(*parameters: str) -> str:
    return "&".join(filter(None, parameters))


def _narrowing(text: str, filters: Sequence[Filter]) -> Pairs:
    """Return the parameters of a search and of filters."""
    pairs = [("q", text)] if text else []
    for each in filters:
        pairs += each.params()
    return pairs
