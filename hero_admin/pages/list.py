"""Pages to look at: the list of a resource, a record, and the records that point at it."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from markupsafe import Markup
from sqlalchemy.exc import StatementError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.audit_log.changes import Kind, fetch_latest
from hero_admin.database.errors import is_no_value
from hero_admin.listing.cells import fact, masked
from hero_admin.listing.choices import choosing, fetch_options
from hero_admin.listing.counts import fetch_total
from hero_admin.listing.facets import fetch_facets
from hero_admin.listing.filter_menus import fetch_chips, fetch_controls
from hero_admin.listing.query import NO_SUCH_PAGE, ListQuery, Scope, search_in
from hero_admin.listing.results import fetch_listing, fetch_references
from hero_admin.listing.rows import Manner, written
from hero_admin.model.field_names import control_name
from hero_admin.model.formatting import exact_text
from hero_admin.model.primary_keys import key_of, key_text
from hero_admin.model.resource import Record, Resource
from hero_admin.model.site import Referrer
from hero_admin.pages.requests import fetch_record, key_in, not_found, query_of, site_of
from hero_admin.web.guards import identity_of
from hero_admin.web.requests import as_back, session_of
from hero_admin.web.templating import flash_of, fragment_of, render, render_around, with_query

LIST_FRAGMENTS = ("list", "total")


async def list_page(resource: Resource, request: Request) -> Response:
    """GET /heroes: the list, or only its rows, or only how many there are."""
    query = query_of(request, resource)
    context, rows = await _fetch_list(request, query)
    status = 400 if context["query"].problems else 200
    return render_around(
        request, "admin/list.html", context, status, fragments=LIST_FRAGMENTS, rows=rows
    )


async def show_page(resource: Resource, request: Request) -> Response:
    """GET /heroes/7: one record, and the first kind of records that point at it."""
    record = await fetch_record(resource, request)
    if record is None:
        return await deleted_page(resource, request)
    referrers = site_of(request).referrers(resource)
    return await _show(resource, request, record, referrers[0] if referrers else None)


async def related_page(resource: Resource, request: Request) -> Response:
    """GET /teams/3/heroes: one record, and a list of the records that point at it."""
    name = request.path_params["relation"]
    referrers = site_of(request).referrers(resource)
    chosen = next((referrer for referrer in referrers if referrer.name == name), None)
    if chosen is None:
        raise HTTPException(404)
    record = await fetch_record(resource, request)
    if record is None:
        return await deleted_page(resource, request)
    return await _show(resource, request, record, chosen)


async def options(resource: Resource, request: Request) -> Response:
    """GET /heroes/options/team_id?q=…&without=3: what a field may point at, for its picker.

    With `itself=1` the heroes, by that field, for what points at them.
    """
    field = resource.by_name.get(request.path_params["field"])
    if field and request.query_params.get("itself") == "1" and not field.is_masked:
        field = choosing(resource, field)
    if field is None or field.relation is None:
        raise HTTPException(404)
    text = search_in(request.query_params, "q")
    found = await fetch_options(session_of(request), site_of(request), field, text)
    found = found.without(request.query_params.getlist("without"))
    target = site_of(request).target_of(field)
    context = {"options": found, "target": target, "text": text}
    return render(request, "admin/options.html", context, fragments=())


async def facets(resource: Resource, request: Request) -> Response:
    """GET /heroes/options/team_id/counts?age_min=18: how many rows each option would leave."""
    field = resource.by_name.get(request.path_params["field"])
    if field is None or field not in resource.filter_fields:
        raise HTTPException(404)
    site = site_of(request)
    query = query_of(request, resource)
    totals = await fetch_facets(session_of(request), site, query, field)
    return render(request, "admin/facets.html", {"totals": totals}, fragments=())


async def deleted_page(resource: Resource, request: Request) -> Response:
    """GET /heroes/7: 404 for a record that is gone, with who deleted it, if anybody has."""
    key = key_text(resource, key_in(resource, request))
    latest = await fetch_latest(session_of(request), resource.name, key)
    if latest is None or latest.kind != Kind.DELETED:
        raise not_found(resource)
    context = {"resource": resource, "deletion": latest}
    return render(request, "admin/gone.html", context, 404, fragments=())


async def _fetch_list(request: Request, query: ListQuery) -> tuple[dict[str, Any], Markup]:
    """Fetch what stands around the rows, and the rows as HTML."""
    session, site = session_of(request), site_of(request)
    count = request.query_params.get("count", "")
    fragment = fragment_of(request, LIST_FRAGMENTS)
    # A list as it is by default needs no way back: it is where people go anyway.
    back = as_back(query.url) if query.params() or query.scope else ""
    context: dict[str, Any] = {
        "resource": query.resource,
        "query": query,
        "fragment": fragment,
        "back": f"back={quote(back, safe='/')}" if back else "",
        "new_url": _new_url(query),
        "title": "",
        "total": None,
        "page": None,
        "chips": (),
    }
    if count or fragment == "total":
        context["total"] = await fetch_total(session, site, query, is_exact=count == "exact")
    if fragment == "total":
        return context, Markup()
    try:
        listing = await fetch_listing(session, site, query)
    except StatementError as error:
        # A place that was made up holds what no column does.
        if query.cursor is None or not is_no_value(error):
            raise
        await session.rollback()
        query = replace(query.first(), problems=(*query.problems, NO_SUCH_PAGE))
        context["query"] = query
        listing = await fetch_listing(session, site, query)
    params = request.query_params
    controls = () if fragment else await fetch_controls(session, site, query, params)
    flash = flash_of(request)
    manner = Manner(
        listing.selection,
        query.fields,
        can_edit=identity_of(request).can_edit,
        back=context["back"],
        marked=flash.marked.removeprefix(f"{query.resource.name}/") if flash else "",
    )
    rows = written(listing.rows, manner)
    context |= {
        "page": listing.page,
        "total": context["total"] or listing.page.total,
        "controls": controls,
        "chips": await fetch_chips(session, site, query, controls),
    }
    return context, rows


def _new_url(query: ListQuery) -> str:
    """Return the address of the form for a record that would stand in this list."""
    url = f"/{query.resource.name}/new"
    if query.scope is None:
        return with_query(url, back=as_back(query.url) if query.params() else "")
    field = query.scope.field
    given = {control_name(field.name): exact_text(field, query.scope.value)}
    return with_query(url, **given, back=as_back(query.url))


async def _show(
    resource: Resource, request: Request, record: Record, referrer: Referrer | None
) -> Response:
    session, site = session_of(request), site_of(request)
    references = await fetch_references(session, site, resource, record)
    key, facts = key_of(resource, record), []
    can_edit = identity_of(request).can_edit
    # A number that a database has given says the least.
    for field in sorted(resource.fields, key=lambda field: field.is_generated):
        value = record[field.name]
        if field.is_masked:
            facts.append((field, masked(resource, field, key, value, can_reveal=can_edit)))
        else:
            facts.append((field, fact(resource, field, key, value, references.get(field.name))))
    context: dict[str, Any] = {
        "subject": resource,
        "key": key,
        "facts": facts,
        "referrers": site.referrers(resource),
        "referrer": referrer,
        "page": None,
    }
    problems: tuple[str, ...] = ()
    if referrer is not None and referrer.field.relation is not None:
        value = record[referrer.field.relation.target_column]
        path = f"/{resource.name}/{key}/{referrer.name}"
        scope = Scope(referrer.field, value)
        query = query_of(request, referrer.resource, path, scope)
        around, context["rows"] = await _fetch_list(request, query)
        context |= around
        problems = context["query"].problems
    titles = {name: reference.title for name, reference in references.items()}
    context["title"] = resource.title_among(record, titles)
    return render(
        request,
        "admin/show.html",
        context,
        400 if problems else 200,
        fragments=LIST_FRAGMENTS if referrer else (),
    )
