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
from hero_admin.listing.query import DEFAULT_SIZE, PAGE_SIZES, ListQuery, Scope
from hero_admin.model import inputs, moments
from hero_admin.model.field_names import FilterName
from hero_admin.model.fields import Field
from hero_admin.model.resource import Resource
from hero_admin.model.sentences import CHOOSE
from hero_admin.model.site import Site
from hero_admin.model.stored_values import Stored
from hero_admin.model.texts import trimmed

NO_SUCH_PAGE = "That page no longer exists. This is the first one."
# More than anybody searches for; to fold and look for more costs without end.
MAX_SEARCH_CHARACTERS = 200
LONG_SEARCH = f"Search for at most {MAX_SEARCH_CHARACTERS} characters."
MAX_VALUES = 100
# Kinds of which a database has values that nobody can type: “1 mon”, or before Christ.
DATABASE_KINDS = frozenset({"date", "datetime", "time", "duration"})


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

    sort = _sort(resource, params, problems)
    sort_field = resource.by_name[sort.removeprefix("-")]
    query = ListQuery(
        resource,
        path,
        text=_search(params, problems),
        filters=tuple(filters),
        sort=sort,
        order_field=site.target_of(sort_field).titles.field if sort_field.relation else sort_field,
        size=_size(params, problems),
        scope=scope,
    )
    cursor, is_backward = _position(query, params, problems)
    return replace(query, cursor=cursor, is_backward=is_backward, problems=tuple(problems))


def search_in(params: Mapping[str, object], name: str) -> str:
    """Return what a picker or a filter is searched for; 400 if it is longer than any title."""
    text = params.get(name, "")
    text = trimmed(text) if isinstance(text, str) else ""
    if len(text) > MAX_SEARCH_CHARACTERS:
        raise HTTPException(400, LONG_SEARCH)
    return text


def parse_filter(field: Field, name: FilterName, params: QueryParams) -> tuple[Filter, list[str]]:
    """Read the filter of `field` from a URL, and a sentence for each part that is no value."""
    none, is_range, problems = none_of(field), field.is_range, list[str]()

    def parse(text: str) -> Any:
        text = text.strip()
        if not text:
            return None
        if field.is_bytes:
            problems.append(f"{field.label}: {CHOOSE}")
            return None
        try:
            return _parse_choice(field, text) if field.relation else field.clean(field.input(text))
        except ValueError as error:
            problems.append(f"{field.label}: {error}")
            return None

    def bound(part: str) -> Any:
        sent = name.sent_in(params, part) if is_range else []
        return parse(sent[-1]) if sent else None

    def last(part: str) -> Any:
        value = bound(part)
        if not isinstance(value, datetime | time):
            return value
        return moments.last_of(value, name.sent_in(params, part)[-1].strip())

    # Nothing is asked for under the bare name of a range that always has a value.
    texts = name.sent_in(params) if field.is_optional or not is_range else []
    if len(texts) > MAX_VALUES:
        problems.append(f"{field.label}: choose at most {MAX_VALUES} values.")
    has_any = field.is_bytes and ANY in texts
    named = {none, ANY} if has_any else {none}
    chosen = [parse(text) for text in texts[:MAX_VALUES] if text not in named]
    values = () if is_range else tuple(dict.fromkeys(v for v in chosen if v is not None))
    return (
        Filter(
            field,
            name.name,
            values,
            has_none=none in texts and field.is_optional,
            has_any=has_any,
            minimum=bound("_min"),
            maximum=last("_max"),
        ),
        problems,
    )


def _parse_choice(field: Field, text: str) -> Any:
    """Return the value of an option, also of one that cannot be typed; raises ValueError."""
    try:
        return field.clean(field.input(text))
    except ValueError:
        if field.input.kind in DATABASE_KINDS:
            # The database says whether it is one.
            return Stored(text)
        number = _parse_infinite(field, text)
        if number is None:
            raise
        return number


def _parse_infinite(field: Field, text: str) -> Stored | None:
    """Return a number that is infinite or none, as both drivers have it."""
    if field.input.kind != "number" or text.lstrip("+-").lower() not in {"nan", "inf", "infinity"}:
        return None
    number = float(text)
    return Stored(number, Decimal(text) if field.input is inputs.DECIMAL else number)


def _search(params: QueryParams, problems: list[str]) -> str:
    text = trimmed(params.get("q", ""))
    if len(text) > MAX_SEARCH_CHARACTERS:
        problems.append(f"{LONG_SEARCH} This is what the first ones find.")
    return text[:MAX_SEARCH_CHARACTERS].strip()


def _sort(resource: Resource, params: QueryParams, problems: list[str]) -> str:
    sort = params.get("sort", "") or resource.default_sort
    field = resource.by_name.get(sort.removeprefix("-"))
    if field is not None and field.is_sortable:
        return sort
    problems.append("This list can't be sorted that way.")
    return resource.default_sort


def _size(params: QueryParams, problems: list[str]) -> int:
    text = params.get("size", "")
    if not text:
        return DEFAULT_SIZE
    if text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= PAGE_SIZES[-1]:
        return int(text)
    problems.append(f"Choose between 1 and {PAGE_SIZES[-1]} rows per page.")
    return DEFAULT_SIZE


def _position(
    query: ListQuery, params: QueryParams, problems: list[str]
) -> tuple[Cursor | None, bool]:
    """Return where the page starts, and whether it ends there."""
    after, before, start = (params.get(name, "") for name in ("after", "before", "from"))
    if before == END:
        return None, True
    if after or before:
        key, link = query.resource.key, query.link_field
        cursor = parse_cursor(after or before, query.sort, query.order_field, key, link)
        if cursor is None:
            problems.append(NO_SUCH_PAGE)
        return cursor, cursor is not None and not after
    if start.strip():
        try:
            return _start(query, start.strip()), False
        except ValueError as error:
            problems.append(f"{query.sort_field.label}: {error}")
    return None, False


def _start(query: ListQuery, text: str) -> Cursor:
    """Return where a list begins that jumps to `text`; raises ValueError with a sentence."""
    if not query.can_jump:
        raise ValueError("This list can't jump to a value in this order.")
    field = query.order_field
    return Cursor(query.sort, field.clean(field.input(text)), ())


def sortable_fields(resource: Resource) -> Sequence[Field]:
    """Return the fields that a list can be sorted by."""
    return [field for field in resource.fields if field.is_sortable]
