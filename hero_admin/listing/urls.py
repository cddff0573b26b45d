"""The URLs of a list: its pages, its other orders and sizes, its filters, its exports."""

from collections.abc import Sequence
from functools import cached_property
from urllib.parse import quote_plus, urlencode

from hero_admin.listing.cursors import END, Cursor, cursor_text
from hero_admin.listing.filters import Filter
from hero_admin.listing.query import DEFAULT_SIZE, PAGE_SIZES, ListQuery
from hero_admin.listing.results import Page
from hero_admin.model.fields import Field
from hero_admin.model.formatting import exact_text

Params = list[tuple[str, str]]


class ListUrls:
    """The URLs that a list links to; each leaves out what is at its default.

    All but `current`, `counted`, `after` and `before` start at an end of the list.
    """

    def __init__(self, query: ListQuery) -> None:
        self._query = query

    @cached_property
    def current(self) -> str:
        """The page that the query asks for."""
        return self._url(self._first, self._position)

    def counted(self, count: str) -> str:
        """Return the same page, its rows counted up to a limit, or `exact`ly."""
        return self._url(self._first, self._position, urlencode({"count": count}))

    @property
    def first(self) -> str:
        return self._url(self._first)

    @property
    def last(self) -> str:
        return self._url(self._first, f"before={END}")

    def after(self, cursor: Cursor) -> str:
        """Return the URL of the page that follows a row."""
        return self._url(self._first, f"after={self._text_of(cursor)}")

    def before(self, cursor: Cursor) -> str:
        """Return the URL of the page that precedes a row."""
        return self._url(self._first, f"before={self._text_of(cursor)}")

    def sorted_by(self, field: Field) -> str:
        """Return the URL of the list sorted by `field`, or the other way if it already is."""
        sort = f"-{field.name}" if self._query.sort == field.name else field.name
        return self._url(self._narrowing, self._order(sort, self._query.size))

    @property
    def cleared(self) -> str:
        """The list without search and filters."""
        return self._url(self._order(self._query.sort, self._query.size))

    @property
    def unfiltered(self) -> str:
        """The list with its search, without filters."""
        return self._narrowed(())

    def without(self, unwanted: Filter) -> str:
        """Return the URL of the list without one filter."""
        return self._narrowed([each for each in self._query.filters if each is not unwanted])

    @property
    def sizes(self) -> dict[int, str]:
        """The URL of the first page with each number of rows on offer, and with as many as now."""
        sizes = sorted({*PAGE_SIZES, self._query.size})
        return {
            each: self._url(self._narrowing, self._order(self._query.sort, each)) for each in sizes
        }

    @property
    def order_params(self) -> Params:
        """The parameters of order and size, for the form of the filters."""
        sort, size = self._query.sort, self._query.size
        order = [] if sort == self._query.resource.default_sort else [("sort", sort)]
        return order if size == DEFAULT_SIZE else [*order, ("size", str(size))]

    @property
    def first_params(self) -> Params:
        """The parameters of the first page, for the form that jumps to a value."""
        return _narrowing(self._query.text, self._query.filters) + self.order_params

    def further(self, page: Page) -> str:
        """Return the URL of a page on which a search that was given up continues."""
        cursor = page.previous_cursor if self._query.is_backward else page.next_cursor
        assert cursor is not None
        return self.before(cursor) if self._query.is_backward else self.after(cursor)

    @cached_property
    def _narrowing(self) -> str:
        return urlencode(_narrowing(self._query.text, self._query.filters))

    @cached_property
    def _first(self) -> str:
        order = self._order(self._query.sort, self._query.size)
        return "&".join(filter(None, (self._narrowing, order)))

    @cached_property
    def _position(self) -> str:
        query = self._query
        if query.is_jump:
            return urlencode({"from": query.jump_text})
        end = "before" if query.is_backward else "after"
        if query.cursor is not None:
            return f"{end}={self._text_of(query.cursor)}"
        return f"{end}={END}" if query.is_backward else ""

    @cached_property
    def exported(self) -> str:
        """The parameters of an export of all rows of the list."""
        query, scope = self._query, ""
        if query.scope:
            field, value = query.scope.field, query.scope.value
            name = query.resource.filter_names[field.name].name
            scope = urlencode({name: exact_text(field, value)})
        params = (self._narrowing, self._order(query.sort, DEFAULT_SIZE), scope)
        return "&".join(filter(None, params))

    def _order(self, sort: str, size: int) -> str:
        order = [] if sort == self._query.resource.default_sort else [f"sort={quote_plus(sort)}"]
        return "&".join(order if size == DEFAULT_SIZE else [*order, f"size={size}"])

    def _narrowed(self, filters: Sequence[Filter]) -> str:
        params = _narrowing(self._query.text, filters) + self.order_params
        return self._url(urlencode(params))

    def _text_of(self, cursor: Cursor) -> str:
        query = self._query
        return cursor_text(cursor, query.order_field, query.resource.key, query.link_field)

    def _url(self, *params: str) -> str:
        text = "&".join(filter(None, params))
        return f"{self._query.path}?{text}" if text else self._query.path


def _narrowing(text: str, filters: Sequence[Filter]) -> Params:
    """Return the parameters of a search and of filters."""
    pairs = [("q", text)] if text else []
    for each in filters:
        pairs += each.params()
    return pairs
