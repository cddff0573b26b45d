"""The list page of a resource, whole or a fragment of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.database.errors import is_no_value
from hero_admin.listing.association_columns import AssociationRows, fetch_association_rows
from hero_admin.listing.computed_values import MAX_COUNTED, fetch_row_values
from hero_admin.listing.counts import fetch_total
from hero_admin.listing.filter_menus import Control, fetch_chips, fetch_controls
from hero_admin.listing.link_cells import fetch_link_cells
from hero_admin.listing.query import ListQuery, Problem
from hero_admin.listing.query_parser import FIRST_PAGE, NO_SUCH_PAGE
from hero_admin.listing.results import Listing, fetch_listing
from hero_admin.listing.rows import Allowed, LinkCells, RowContext, render_rows
from hero_admin.listing.urls import ListUrls
from hero_admin.model.computed_fields import ComputedField
from hero_admin.model.field_names import control_name
from hero_admin.model.formatting import exact_text
from hero_admin.model.resource import Resource
from hero_admin.model.resource_rights import allowed_actions, masked_export_permission, may
from hero_admin.model.site import Site
from hero_admin.pages.empty_state import empty_list
from hero_admin.pages.new_links import linking_param
from hero_admin.pages.requests import may_in, query_of, site_of
from hero_admin.person import Person
from hero_admin.web.addresses import with_query
from hero_admin.web.flash import flash_of
from hero_admin.web.guards import identity_of
from hero_admin.web.mount import path_to
from hero_admin.web.requests import as_back, session_of
from hero_admin.web.responses import fragment_of, render, template_of

LIST_FRAGMENTS = ("list", "total")


async def list_page(resource: Resource, request: Request) -> Response:
    """GET /heroes: the list page, or its fragment `list` or `total`."""
    query = query_of(request, resource)
    context = await fetch_list(request, query)
    status = 400 if context["query"].problems else 200
    return render(request, "admin/list.html", context, status, fragments=LIST_FRAGMENTS)


async def fetch_list(request: Request, query: ListQuery) -> dict[str, Any]:
    """Fetch the context of `admin/list.html`, or of its fragment "total"."""
    session, site = session_of(request), site_of(request)
    count = request.query_params.get("count", "")
    fragment = fragment_of(request, LIST_FRAGMENTS)
    urls = ListUrls(query)
    # Without `back`, forms return to the list in its default state.
    back = as_back(urls.current) if urls.current != query.path or query.scope else ""
    person = identity_of(request)
    actions = allowed_actions(query.resource, person)
    actions = tuple(each for each in actions if each.is_on("selected") or each.is_on("all"))
    allowed = _allowed(query.resource, person)
    context: dict[str, Any] = {
        "resource": query.resource,
        "actions": actions,
        "allowed": allowed,
        "can_export_masked": bool(query.resource.masked_names)
        and masked_export_permission(query.resource).allows(person),
        "has_boxes": allowed.has_tools or bool(actions),
        "query": query,
        "urls": urls,
        "fragment": fragment,
        "back": f"back={quote(back, safe='/')}" if back else "",
        "new_url": _new_url(site, query, back),
        "has_forms": bool(query.scope and query.scope.has_forms),
        "unlink_url": _unlink_url(request, query, back),
        "title": "",
        "total": None,
        "page": None,
        "chips": (),
        "computed": (),
    }
    if count or fragment == "total":
        context["total"] = await fetch_total(session, site, query, is_exact=count == "exact")
    if fragment == "total":
        return context
    listed, listing = await _fetch_listing(session, site, query)
    if listed is not query:
        context |= {"query": listed, "urls": ListUrls(listed)}
    context |= await _fetch_filters(request, listed, has_controls=not fragment)
    links = await fetch_link_cells(session, site, listed, listing)
    rows = await fetch_association_rows(
        session, site, listed.scope, listing, can_reveal=allowed.reveal
    )
    columns = [each for each in listed.columns if isinstance(each, ComputedField)]
    if columns:
        computed = await fetch_row_values(
            session, listing.selection, columns, listing.rows, cap=MAX_COUNTED
        )
        context["computed"] = tuple(zip(*computed, strict=True))
    context |= _results(request, context, listing, links, rows)
    context["total"] = context["total"] or listing.page.total
    return context


async def _fetch_listing(
    session: AsyncSession, site: Site, query: ListQuery
) -> tuple[ListQuery, Listing]:
    """Fetch a page, or the first page if the database rejects the cursor; return its query, too."""
    try:
        return query, await fetch_listing(session, site, query)
    except StatementError as error:
        # A forged cursor may hold a value that its column cannot hold.
        if query.cursor is None or not is_no_value(error):
            raise
    await session.rollback()
    problems = (*query.problems, Problem("after", NO_SUCH_PAGE, FIRST_PAGE))
    query = replace(query, cursor=None, is_backward=False, problems=problems)
    return query, await fetch_listing(session, site, query)


async def _fetch_filters(
    request: Request, query: ListQuery, *, has_controls: bool
) -> dict[str, Any]:
    """Fetch the controls of all filters, unless only the list is rendered, and their chips."""
    session, site = session_of(request), site_of(request)
    controls: Sequence[Control] = ()
    if has_controls:
        controls = await fetch_controls(session, site, query, request.query_params)
    return {"controls": controls, "chips": await fetch_chips(session, site, query, controls)}


def _results(
    request: Request,
    context: Mapping[str, Any],
    listing: Listing,
    links: tuple[LinkCells, ...],
    link_rows: AssociationRows | None,
) -> dict[str, Any]:
    """Return the rows as HTML, the page, and the empty state of a list without rows."""
    query, urls, resource = context["query"], context["urls"], context["resource"]
    flash = flash_of(request)
    rows = RowContext(
        template_of(request, "admin/row.html"),
        listing.selection,
        query.columns,
        allowed=context["allowed"],
        has_forms=context["has_forms"],
        is_linked=bool(context["unlink_url"]),
        computed=context["computed"],
        links=(*(link_rows.columns if link_rows else ()), *links),
        edited_name=link_rows.name if link_rows else "",
        edited_keys=link_rows.keys if link_rows else (),
        back=context["back"],
        can_select=context["has_boxes"],
        marked=flash.marked.removeprefix(f"{resource.name}/") if flash else "",
    )
    empty = None
    if not listing.rows:
        can_add = may_in(request, resource, "create")
        empty = empty_list(query, urls, listing.page, can_add=can_add)
    return {
        "rows": render_rows(listing.rows, rows),
        "page": listing.page,
        "empty": empty,
        "link_labels": [link.label for link in rows.links],
    }


def _allowed(resource: Resource, person: Person) -> Allowed:
    return Allowed(*(may(resource, person, verb) for verb in ("change", "delete", "reveal")))


def _unlink_url(request: Request, query: ListQuery, back: str) -> str:
    """Return where rows of a list of linked records are removed from it, "" if they are not."""
    link = query.scope.link if query.scope else None
    site = site_of(request)
    if link is None or not may_in(request, site.of(link.target), "change"):
        return ""
    is_fixed = site.of(link.target).read_only or site.of(link.association).read_only
    return "" if is_fixed else with_query(query.path, back=back)


def _new_url(site: Site, query: ListQuery, back: str) -> str:
    """Return the URL of the form for a new record within the scope of the list; "" if none is."""
    url = path_to(query.resource.name, "new")
    if query.scope is None:
        return with_query(url, back=back)
    if query.scope.link is not None:
        linking = linking_param(site, query.resource, query.scope)
        return with_query(url, **linking, back=back) if linking else ""
    field = query.scope.field
    given = {control_name(field.name): exact_text(field, query.scope.value)}
    return with_query(url, **given, back=back)
