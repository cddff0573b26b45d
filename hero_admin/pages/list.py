"""The list of a resource, whole or in fragments."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from sqlalchemy.exc import StatementError
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.database.errors import is_no_value
from hero_admin.listing.counts import fetch_total
from hero_admin.listing.filter_menus import fetch_chips, fetch_controls
from hero_admin.listing.query import ListQuery
from hero_admin.listing.query_parser import NO_SUCH_PAGE
from hero_admin.listing.results import fetch_listing
from hero_admin.listing.rows import Manner, written
from hero_admin.listing.urls import ListUrls
from hero_admin.model.field_names import control_name
from hero_admin.model.formatting import exact_text
from hero_admin.model.resource import Resource
from hero_admin.pages.empty_state import empty_list
from hero_admin.pages.requests import query_of, site_of
from hero_admin.web.addresses import with_query
from hero_admin.web.flash import flash_of
from hero_admin.web.guards import identity_of
from hero_admin.web.requests import as_back, session_of
from hero_admin.web.responses import fragment_of, render, template_of

LIST_FRAGMENTS = ("list", "total")


async def list_page(resource: Resource, request: Request) -> Response:
    """GET /heroes: the list, or only its rows, or only how many there are."""
    query = query_of(request, resource)
    context = await fetch_list(request, query)
    status = 400 if context["query"].problems else 200
    return render(request, "admin/list.html", context, status, fragments=LIST_FRAGMENTS)


async def fetch_list(request: Request, query: ListQuery) -> dict[str, Any]:
    """Fetch what the templates of a list show."""
    session, site = session_of(request), site_of(request)
    count = request.query_params.get("count", "")
    fragment = fragment_of(request, LIST_FRAGMENTS)
    # A list as it is by default needs no way back: it is where people go anyway.
    urls = ListUrls(query)
    back = as_back(urls.current) if urls.current != query.path or query.scope else ""
    context: dict[str, Any] = {
        "resource": query.resource,
        "query": query,
        "urls": urls,
        "fragment": fragment,
        "back": f"back={quote(back, safe='/')}" if back else "",
        "new_url": _new_url(query, back),
        "title": "",
        "total": None,
        "page": None,
        "chips": (),
    }
    if count or fragment == "total":
        context["total"] = await fetch_total(session, site, query, is_exact=count == "exact")
    if fragment == "total":
        return context
    try:
        listing = await fetch_listing(session, site, query)
    except StatementError as error:
        # A place that was made up holds what no column does.
        if query.cursor is None or not is_no_value(error):
            raise
        await session.rollback()
        problems = (*query.problems, NO_SUCH_PAGE)
        query = replace(query, cursor=None, is_backward=False, problems=problems)
        urls = ListUrls(query)
        context |= {"query": query, "urls": urls}
        listing = await fetch_listing(session, site, query)
    params = request.query_params
    controls = () if fragment else await fetch_controls(session, site, query, params)
    flash = flash_of(request)
    can_edit = identity_of(request).can_edit
    can_add = can_edit and not query.resource.read_only
    manner = Manner(
        template_of(request, "admin/row.html"),
        listing.selection,
        query.fields,
        can_edit=can_edit,
        back=context["back"],
        marked=flash.marked.removeprefix(f"{query.resource.name}/") if flash else "",
    )
    context |= {
        "rows": written(listing.rows, manner),
        "page": listing.page,
        "empty": None if listing.rows else empty_list(query, urls, listing.page, can_add=can_add),
        "total": context["total"] or listing.page.total,
        "controls": controls,
        "chips": await fetch_chips(session, site, query, controls),
    }
    return context


def _new_url(query: ListQuery, back: str) -> str:
    """Return the address of the form for a record that would stand in this list."""
    url = f"/{query.resource.name}/new"
    if query.scope is None:
        return with_query(url, back=back)
    field = query.scope.field
    given = {control_name(field.name): exact_text(field, query.scope.value)}
    return with_query(url, **given, back=back)
