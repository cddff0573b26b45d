"""Requests: the site, query, key and record of a request for a resource."""

from starlette.exceptions import HTTPException
from starlette.requests import Request

from hero_admin.audit_log import recorded_changes
from hero_admin.audit_log.changes import Change, Kind, Operation
from hero_admin.history.visibility import without_unseen
from hero_admin.listing.query import ListQuery, Scope
from hero_admin.listing.query_parser import parse_query
from hero_admin.model import records
from hero_admin.model.primary_keys import Key, parse_key
from hero_admin.model.resource import Record, Resource
from hero_admin.model.resource_rights import may
from hero_admin.model.seen_sites import SeenSites
from hero_admin.model.serialization import keyed_digest
from hero_admin.model.site import Site
from hero_admin.web.guards import identity_of
from hero_admin.web.mount import url_path
from hero_admin.web.requests import SAFE_METHODS, secret_of, session_of
from hero_admin.writes.transaction import Transaction


def site_of(request: Request) -> Site:
    """Return the site as the person who asks sees it; before they are known, all of it."""
    site: Site = getattr(request.state, "site", request.app.state.site)
    return site


def seen_sites_of(request: Request) -> SeenSites:
    """Return how different people see the site."""
    found: SeenSites = request.app.state.seen_sites
    return found


def seen_in(request: Request, resource: Resource) -> Resource:
    """Return a resource as the person who asks sees it; raises 404 if they may not read it."""
    seen = site_of(request).seen(resource)
    if seen is None:
        raise HTTPException(404)
    return seen


def may_in(request: Request, resource: Resource, verb: str) -> bool:
    """Whether the person who asks may do something with the records of a resource."""
    return may(resource, identity_of(request), verb)


def query_of(
    request: Request, resource: Resource, path: str = "", scope: Scope | None = None
) -> ListQuery:
    """Return the state of a list that a request asks for; it is at `path`, or where that goes."""
    path = path or url_path(request.scope)
    return parse_query(site_of(request), resource, path, request.query_params, scope)


def key_in(resource: Resource, request: Request) -> Key:
    """Return the key in the path; raises 404 if it is invalid."""
    key = parse_key(resource, request.path_params["id"])
    if key is None:
        raise not_found(resource)
    return key


async def fetch_record(resource: Resource, request: Request) -> Record | None:
    """Fetch the record in the path, None if there is none; an unsafe request locks it."""
    is_unsafe = request.method not in SAFE_METHODS
    return await records.fetch_record(
        session_of(request), resource, key_in(resource, request), is_locked=is_unsafe
    )


async def fetch_or_404(resource: Resource, request: Request) -> Record:
    """Fetch the record in the path, or raise 404."""
    record = await fetch_record(resource, request)
    if record is None:
        raise not_found(resource)
    return record


async def fetch_latest(
    request: Request, resource: Resource, key: str, *kinds: Kind
) -> Change | None:
    """Fetch the latest change of a record, None without one or without a history."""
    site, session = site_of(request), session_of(request)
    if not site.has_history:
        return None
    latest = await recorded_changes.fetch_latest(session, resource.name, key, *kinds)
    return latest if latest and await is_seen(request, latest) else None


async def is_seen(request: Request, change: Change) -> bool:
    """Whether the person who asks may see a change."""
    site, session = site_of(request), session_of(request)
    return bool(await without_unseen(session, site, [change], identity_of(request)))


def not_found(resource: Resource) -> HTTPException:
    return HTTPException(404, f"This {resource.label} doesn't exist. It may have been deleted.")


def operation_of(request: Request, via: str = "page", action: str | None = None) -> Operation:
    """Return the operation of the changes of a request; `action` is the label of one."""
    return Operation(identity_of(request), via, action=action)


def transaction_of(request: Request, via: str = "page", action: str | None = None) -> Transaction:
    """Return the transaction of a request."""
    # What is recorded includes what the person may not read.
    site: Site = request.app.state.site
    return Transaction(session_of(request), site, operation_of(request, via, action))


def record_secret_of(resource: Resource, request: Request) -> str:
    """Return the key for digests of a record: two records with equal values have different ones."""
    return keyed_digest(secret_of(request), resource.name, *key_in(resource, request))
