"""The parser of a list's URL: search, filters, sort, size and cursor."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException

from hero_admin.listing.cursors import END, Cursor, parse_cursor
from hero_admin.listing.filters import ANY, Filter, none_of
from hero_admin.listing.query import DEFAULT_SIZE, PAGE_SIZES, ListQuery, Problem, Scope, Sort
from hero_admin.model import inputs, moments
from hero_admin.model.field_names import FilterName
from hero_admin.model.fields import Field
from hero_admin.model.links import ManyToMany
from hero_admin.model.resource import Resource
from hero_admin.model.sentences import CHOOSE
from hero_admin.model.site import Site
from hero_admin.model.stored_values import Stored
from hero_admin.model.texts import trimmed

NO_SUCH_PAGE = "That page no longer exists."
FIRST_PAGE = "This is the first one."
# Folding and matching take time proportional to the length of a search.
MAX_SEARCH_CHARACTERS = 200
LONG_SEARCH = f"Search for at most {MAX_SEARCH_CHARACTERS} characters."
MAX_VALUES = 100
# Kinds of input that reject some values of the database, such as “1 mon” or a date BC.
DATABASE_KINDS = frozenset({"date", "datetime", "time", "duration"})


def parse_query(
    site: Site, resource: Resource, path: str, params: QueryParams, scope: Scope | None = None
) -> ListQuery:
    """Read the query of a list from its URL.

    Invalid parameters are ignored, with a sentence for each in `problems`.
    """
    problems: list[Problem] = []
    filters = []
    for field in resource.filter_fields:
        if scope and scope.field is field:
            continue
        filter, found = parse_filter(field, resource.filter_names[field.name], params)
        filters.append(filter)
        problems += found
    for link in resource.filter_links:
        if scope and scope.link is link:
            continue
        filter, found = parse_filter(link.far, resource.filter_names[link.name], params, link)
        filters.append(filter)
        problems += found

    sort = _sort(site, resource, params, problems)
    query = ListQuery(
        resource,
        path,
        sort,
        text=_search(params, problems),
        filters=tuple(filters),
        size=_size(params, problems),
        scope=scope,
    )
    cursor, is_backward = _position(query, params, problems)
    return replace(query, cursor=cursor, is_backward=is_backward, problems=tuple(problems))


def search_in(params: Mapping[str, object], name: str) -> str:
    """Return the search text of a picker or a filter; 400 if it is too long."""
    text = params.get(name, "")
    text = trimmed(text) if isinstance(text, str) else ""
    if len(text) > MAX_SEARCH_CHARACTERS:
        raise HTTPException(400, LONG_SEARCH)
    return text


def parse_filter(
    field: Field, name: FilterName, params: QueryParams, link: ManyToMany | None = None
) -> tuple[Filter, list[Problem]]:
    """Read the filter of `field` from a URL, and a problem for each invalid part of it.

    link: that whose records are chosen.
    """
    parser = _FilterParser(field, name, params, link)
    return parser.filter(), parser.problems


class _FilterParser:
    """The parameters of one filter; `problems` gets one for each invalid value."""

    def __init__(
        self, field: Field, name: FilterName, params: QueryParams, link: ManyToMany | None
    ) -> None:
        self._field, self._name, self._params, self._link = field, name, params, link
        self.problems: list[Problem] = []

    def filter(self) -> Filter:
        field = self._field
        texts = self._texts()
        has_any = field.is_bytes and ANY in texts
        values = self._values(texts, has_any=has_any)
        can_be_none = field.is_optional or self._link is not None
        return Filter(
            field,
            self._name.name,
            () if field.is_range else values,
            has_none=none_of(field) in texts and can_be_none,
            has_any=has_any,
            minimum=self._bound("_min"),
            maximum=self._maximum(),
            link=self._link,
        )

    def _texts(self) -> list[str]:
        # The bare name of a range is only for “no value”.
        if self._field.is_range and not self._field.is_optional:
            return []
        texts = self._name.sent_in(self._params)
        if len(texts) > MAX_VALUES:
            self._note(f"choose at most {MAX_VALUES} values.")
        return texts

    def _values(self, texts: Sequence[str], *, has_any: bool) -> tuple[Any, ...]:
        named = {none_of(self._field), *((ANY,) if has_any else ())}
        values = [self._value(text) for text in texts[:MAX_VALUES] if text not in named]
        return tuple(dict.fromkeys(value for value in values if value is not None))

    def _bound(self, part: str) -> Any:
        sent = self._name.sent_in(self._params, part) if self._field.is_range else []
        return self._value(sent[-1], part) if sent else None

    def _maximum(self) -> Any:
        """Return the upper bound; that of a minute is its last moment."""
        value = self._bound("_max")
        if not isinstance(value, datetime | time):
            return value
        return moments.last_of(value, self._name.sent_in(self._params, "_max")[-1].strip())

    # Any: the value of any field.
    def _value(self, text: str, part: str = "") -> Any:
        field, text = self._field, text.strip()
        if not text:
            return None
        if field.is_bytes:
            self._note(CHOOSE)
            return None
        try:
            return _parse_choice(field, text) if field.relation else field.clean(field.input(text))
        except ValueError as error:
            self._note(str(error), part)
            return None

    def _note(self, sentence: str, part: str = "") -> None:
        sentence = f"{self._field.label}: {sentence}"
        self.problems.append(Problem(self._name.name + part, sentence))


def _parse_choice(field: Field, text: str) -> Any:
    """Return the value of a relation, even one that its input rejects; raises ValueError."""
    try:
        return field.clean(field.input(text))
    except ValueError:
        if field.input.kind in DATABASE_KINDS:
            # The database rejects invalid ones.
            return Stored(text)
        number = _parse_infinite(field, text)
        if number is None:
            raise
        return number


def _parse_infinite(field: Field, text: str) -> Stored | None:
    """Return an infinite number or NaN, as both drivers return it."""
    if field.input.kind != "number" or text.lstrip("+-").lower() not in {"nan", "inf", "infinity"}:
        return None
    number = float(text)
    return Stored(number, Decimal(text) if field.input is inputs.DECIMAL else number)


def _search(params: QueryParams, problems: list[Problem]) -> str:
    text = trimmed(params.get("q", ""))
    if len(text) > MAX_SEARCH_CHARACTERS:
        problems.append(Problem("q", LONG_SEARCH, "This is what the first ones find."))
    return text[:MAX_SEARCH_CHARACTERS].strip()


def _sort(site: Site, resource: Resource, params: QueryParams, problems: list[Problem]) -> Sort:
    text = params.get("sort", "") or resource.default_sort
    field = resource.by_any_name.get(text.removeprefix("-"))
    if field is None or not field.is_sortable:
        problems.append(Problem("sort", "This list can't be sorted that way."))
        text = resource.default_sort
        field = resource.by_any_name[text.removeprefix("-")]
    value_field = site.target_of(field).titles.field if field.relation else field
    return Sort(field, value_field, text.startswith("-"))


def _size(params: QueryParams, problems: list[Problem]) -> int:
    text = params.get("size", "")
    if not text:
        return DEFAULT_SIZE
    if text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= PAGE_SIZES[-1]:
        return int(text)
    problems.append(Problem("size", f"Choose between 1 and {PAGE_SIZES[-1]} rows per page."))
    return DEFAULT_SIZE


def _position(
    query: ListQuery, params: QueryParams, problems: list[Problem]
) -> tuple[Cursor | None, bool]:
    """Return the cursor of the page, and whether the page lies before it."""
    after, before, start = (params.get(name, "") for name in ("after", "before", "from"))
    if before == END:
        return None, True
    if after or before:
        cursor = cursor_in(query, after or before)
        if cursor is None:
            problems.append(Problem("after" if after else "before", NO_SUCH_PAGE, FIRST_PAGE))
        return cursor, cursor is not None and not after
    if start.strip():
        try:
            return _start(query, start.strip()), False
        except ValueError as error:
            problems.append(Problem("from", f"{query.sort.field.label}: {error}"))
    return None, False


def cursor_in(query: ListQuery, text: str) -> Cursor | None:
    """Return the cursor of a URL parameter, None if it is invalid or of another sort."""
    sort = query.sort
    return parse_cursor(text, sort.text, sort.value_field, query.resource.key, sort.relation)


def _start(query: ListQuery, text: str) -> Cursor:
    """Return the cursor of a page that starts at a value; raises ValueError with a sentence."""
    if not query.sort.can_jump:
        raise ValueError("This list can't jump to a value in this order.")
    field = query.sort.value_field
    return Cursor(query.sort.text, field.clean(field.input(text)), ())


def sortable_fields(resource: Resource) -> Sequence[Field]:
    """Return the fields that a list can be sorted by."""
    return [field for field in resource.by_any_name.values() if field.is_sortable]
