"""Record pages: a record, and the records that refer to it."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.audit_log.changes import Kind
from hero_admin.listing.query import Problem, Scope
from hero_admin.listing.references import fetch_references
from hero_admin.model.field_names import control_name
from hero_admin.model.formatting import exact_text
from hero_admin.model.primary_keys import key_of, key_text
from hero_admin.model.resource import Record, Resource
from hero_admin.model.resource_rights import allowed_actions
from hero_admin.model.site import Referrer, Site
from hero_admin.pages.facts import computed_facts, facts_of, sections_of_facts
from hero_admin.pages.list import LIST_FRAGMENTS, fetch_list
from hero_admin.pages.requests import (
    fetch_latest,
    fetch_record,
    key_in,
    not_found,
    query_of,
    site_of,
)
from hero_admin.web.addresses import with_query
from hero_admin.web.guards import identity_of
from hero_admin.web.mount import path_to
from hero_admin.web.requests import session_of
from hero_admin.web.responses import render


async def show_page(resource: Resource, request: Request) -> Response:
    """GET /heroes/7: one record, and the first list of records that refer to it."""
    record = await fetch_record(resource, request)
    if record is None:
        return await deleted_page(resource, request)
    related = site_of(request).related(resource)
    return await _show(resource, request, record, related[0] if related else None)


async def related_page(resource: Resource, request: Request) -> Response:
    """GET /teams/3/heroes: one record, and the list of records that refer to it, or are linked."""
    name = request.path_params["relation"]
    related = site_of(request).related(resource)
    chosen = next((referrer for referrer in related if referrer.name == name), None)
    if chosen is None:
        raise HTTPException(404)
    record = await fetch_record(resource, request)
    if record is None:
        return await deleted_page(resource, request)
    return await _show(resource, request, record, chosen)


async def deleted_page(resource: Resource, request: Request) -> Response:
    """GET /heroes/7: 404 for a record that no longer exists, with who deleted it, if known."""
    key = key_text(resource, key_in(resource, request))
    latest = await fetch_latest(request, resource, key)
    if latest is None or latest.kind != Kind.DELETED:
        raise not_found(resource)
    context = {"resource": resource, "deletion": latest}
    return render(request, "admin/gone.html", context, 404, fragments=())


async def _show(
    resource: Resource, request: Request, record: Record, referrer: Referrer | None
) -> Response:
    session, site = session_of(request), site_of(request)
    references = await fetch_references(session, site, resource, record)
    key = key_of(resource, record)
    shown = (field for field in resource.fields if not field.is_hidden)
    # A generated number says the least.
    fields = sorted(shown, key=lambda field: field.is_generated)
    facts = facts_of(resource, request, record, references, fields)
    facts += await computed_facts(resource, request, record)
    context: dict[str, Any] = {
        "subject": resource,
        "row_actions": allowed_actions(resource, identity_of(request), "row"),
        "key": key,
        "sections": sections_of_facts(resource, facts),
        "referrers": site.related(resource),
        "referrer": referrer,
        "page": None,
    }
    problems: tuple[Problem, ...] = ()
    if referrer is not None and referrer.field.relation is not None:
        value = record[referrer.field.relation.target_column]
        path = path_to(resource.name, key, referrer.name)
        link = site.opposite(referrer.link) if referrer.link else None
        scope = Scope(referrer.field, value, link, has_forms=referrer.is_child)
        query = query_of(request, referrer.resource, path, scope)
        context["add_url"] = _add_url(site, resource, record, referrer, path)
        context |= await fetch_list(request, query)
        problems = context["query"].problems
    titles = {name: reference.title for name, reference in references.items()}
    context["title"] = resource.titles.of(record, titles)
    return render(
        request,
        "admin/show.html",
        context,
        400 if problems else 200,
        fragments=LIST_FRAGMENTS if referrer else (),
    )


def _add_url(site: Site, resource: Resource, record: Record, referrer: Referrer, path: str) -> str:
    """Return where records are linked: the form of this one or, for more than a link, its own."""
    link = referrer.link
    if link is None:
        return ""
    if link.is_complete:
        edit = path_to(resource.name, key_of(resource, record), "edit")
        return f"{with_query(edit, back=path)}#field-{link.name}"
    association = site.of(link.association)
    near = association.by_name[association.name_of(link.near.column)]
    given = {control_name(near.name): exact_text(near, record[link.own.name])}
    return with_query(path_to(association.name, "new"), **given, back=path)
