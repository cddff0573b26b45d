"""Choices: the options of a picker, and how many rows each would leave in a list."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.listing.choices import fetch_options, relation_to
from hero_admin.listing.facets import fetch_facets
from hero_admin.listing.query_parser import search_in
from hero_admin.model.resource import Resource
from hero_admin.pages.requests import query_of, site_of
from hero_admin.web.requests import session_of
from hero_admin.web.responses import render


async def options(resource: Resource, request: Request) -> Response:
    """GET /heroes/options/team_id?q=…&without=3: the options of a field or link, for its picker.

    With `itself=1` the heroes themselves by that field, for records that refer to them.
    """
    name = request.path_params["field"]
    links = {link.name: link.far for link in resource.many_to_many}
    field = resource.by_name.get(name) or links.get(name)
    if field and request.query_params.get("itself") == "1" and not field.is_masked:
        field = relation_to(resource, field)
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
