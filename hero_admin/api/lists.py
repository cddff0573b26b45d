"""Lists in the API: the list of the pages as JSON, or all records in the order of their keys."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, TypeVar
from urllib.parse import quote, urlencode

from fastapi import Query
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hero_admin.api.reading import Handler, Limit, Skip
from hero_admin.api.records import as_json_all
from hero_admin.database.errors import is_no_value
from hero_admin.listing.key_order import fetch_by_key, key_cursor_text, parse_key_cursor
from hero_admin.listing.query import ListQuery
from hero_admin.listing.query_parser import NO_SUCH_PAGE, cursor_in, parse_query
from hero_admin.listing.results import fetch_whole_rows
from hero_admin.listing.urls import ListParameters
from hero_admin.model.resource import Record, Resource
from hero_admin.model.site import Site
from hero_admin.pages.requests import seen_in, site_of
from hero_admin.web.mount import path_to
from hero_admin.web.requests import session_of

# Parameters of pages that have another meaning, or none, in the API.
OF_PAGES = frozenset({"size", "after", "before", "from"})
SKIPPED = (
    "skip doesn't go with q, sort, filters or after. Follow the URL in the Link header instead."
)
After = Annotated[
    str, Query(description="Where the page before ended: follow the URL in its Link header.")
]
# The records of a page, and the parameters of the next one, "" if there is none.
Found = tuple[Sequence[Record], str]
# A position in the order of the list, or of the keys.
Position = TypeVar("Position")


def reads_many(whole: Resource) -> Handler:
    """Return the handler of `GET /heroes/`."""

    async def list_records(
        request: Request, skip: Skip = 0, limit: Limit = 100, after: After = ""
    ) -> Response:
        site, resource = site_of(request), seen_in(request, whole)
        query = _query_of(site, resource, request.query_params)
        is_sorted = query.is_narrowed or bool(request.query_params.get("sort"))
        if skip and (is_sorted or after):
            raise _refused({"skip": SKIPPED})
        session = session_of(request)
        try:
            if is_sorted:
                found, following = await _fetch_sorted(session, site, query, after, limit)
            else:
                found, following = await _fetch_unsorted(session, resource, after, skip, limit)
        except StatementError as error:
            # A forged cursor may hold a value that its column cannot hold.
            if not after or not is_no_value(error):
                raise
            raise _refused({"after": NO_SUCH_PAGE}) from None
        records = await as_json_all(resource, request, found, is_one_of_many=True)
        return JSONResponse(records, headers=_link(resource, following))

    return list_records


def _query_of(site: Site, resource: Resource, params: QueryParams) -> ListQuery:
    """Return the query of the list, without its cursor; 422 if a parameter is invalid."""
    given = [(name, text) for name, text in params.multi_items() if name not in OF_PAGES]
    query = parse_query(site, resource, "", QueryParams(given))
    sentences = {problem.parameter: problem.sentence for problem in query.problems}
    sentences |= _single_values(query, params)
    if sentences:
        raise _refused(sentences)
    return replace(query, is_exact=True)


def _single_values(query: ListQuery, params: QueryParams) -> dict[str, str]:
    """Return a sentence for each value that is given where there are only bounds: `age=7`."""
    names = {each.name for each in query.filters if not each.is_range}
    return {
        each.name: f"{each.field.label}: give {each.name}_min and {each.name}_max instead."
        for each in query.filters
        if each.is_range and each.name not in names
        for text in params.getlist(each.name)
        if text.strip() not in ("", *((each.none,) if each.is_optional else ()))
    }


async def _fetch_sorted(
    session: AsyncSession, site: Site, query: ListQuery, after: str, limit: int
) -> Found:
    """Fetch a page of the list as its own page filters and sorts it."""
    cursor = _position(after, partial(cursor_in, query))
    if not limit:
        return (), ""
    query = replace(query, size=limit, cursor=cursor)
    listing = await fetch_whole_rows(session, site, query)
    names = [field.name for field in query.resource.fields]
    records = [dict(zip(names, row, strict=False)) for row in listing.rows]
    if listing.page.next_cursor is None:
        return records, ""
    parameters = ListParameters(query)
    position = parameters.cursor(listing.page.next_cursor)
    rest = urlencode({"sort": query.sort.text, "limit": limit, "after": position})
    return records, "&".join(filter(None, (parameters.narrowing, rest)))


async def _fetch_unsorted(
    session: AsyncSession, resource: Resource, after: str, skip: int, limit: int
) -> Found:
    """Fetch a page of all records in the order of their keys."""
    cursor = _position(after, partial(parse_key_cursor, resource))
    found, following = await fetch_by_key(session, resource, cursor, skip=skip, limit=limit)
    if following is None:
        return found, ""
    return found, urlencode({"limit": limit, "after": key_cursor_text(resource, following)})


def _position(after: str, parse: Callable[[str], Position | None]) -> Position | None:
    """Return the cursor in a parameter, None without one; 422 if it is invalid."""
    cursor = parse(after) if after else None
    if after and cursor is None:
        raise _refused({"after": NO_SUCH_PAGE})
    return cursor


def _link(resource: Resource, following: str) -> dict[str, str]:
    """Return the header that leads to the next page, if there is one."""
    if not following:
        return {}
    # A header holds no more than ASCII; what is escaped already stays as it is.
    path = quote(path_to("api", resource.name, ""), safe="/%")
    return {"Link": f'<{path}?{following}>; rel="next"'}


def _refused(sentences: Mapping[str, str]) -> RequestValidationError:
    """Return the error for parameters, with a sentence for each."""
    return RequestValidationError(
        [
            {"type": "invalid", "loc": ("query", name), "msg": sentence}
            for name, sentence in sentences.items()
        ]
    )
