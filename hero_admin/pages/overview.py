"""The overview, and the choice of theme."""

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hero_admin.listing.counts import fetch_total
from hero_admin.listing.query_parser import parse_query
from hero_admin.model.actions import allowed_actions
from hero_admin.pages.requests import site_of
from hero_admin.web.addresses import is_local
from hero_admin.web.cookies import drop_cookie, set_cookie
from hero_admin.web.guards import identity_of
from hero_admin.web.mount import path_to
from hero_admin.web.requests import form_of, session_of
from hero_admin.web.responses import render
from hero_admin.web.templating import THEME_COOKIE, THEMES

YEAR_SECONDS = 365 * 24 * 60 * 60


async def overview(request: Request) -> Response:
    """GET /: every resource with its number of records."""
    session, site = session_of(request), site_of(request)
    totals = []
    for resource in site.resources:
        query = parse_query(site, resource, path_to(resource.name), QueryParams())
        totals.append((resource, await fetch_total(session, site, query)))
    actions = allowed_actions(site.actions, identity_of(request))
    context = {"totals": totals, "actions": actions}
    return render(request, "overview.html", context, fragments=())


async def choose_theme(request: Request) -> Response:
    """POST /theme: stores the theme in a cookie → back to the page."""
    form = await form_of(request)
    theme, back = form.get("theme"), form.get("back")
    url = back if isinstance(back, str) and is_local(back) else path_to("")
    response = RedirectResponse(url, 303)
    if theme in THEMES:
        set_cookie(request, response, THEME_COOKIE, str(theme), YEAR_SECONDS)
    else:
        drop_cookie(request, response, THEME_COOKIE)
    return response
