"""Masked values in the API: who gets them, and that it is told."""

from collections.abc import Collection, Sequence

from starlette.requests import Request

from hero_admin.audit_log.events import EventKind
from hero_admin.audit_log.request_events import note
from hero_admin.model.primary_keys import key_of
from hero_admin.model.resource import Record, Resource
from hero_admin.model.resource_rights import may
from hero_admin.web.guards import identity_of
from hero_admin.web.requests import session_of

MAX_QUERY_CHARACTERS = 1_000
SENT_BY_BROWSERS = frozenset({"cookie", "sec-fetch-site", "sec-fetch-mode"})


def masked_names(
    resource: Resource, request: Request, *, is_one_of_many: bool = False
) -> frozenset[str]:
    """Return the masked fields whose values this reader may not reveal.

    Whoever borrows a browser gets none of many records at once, however it is signed in.
    """
    identity = identity_of(request)
    # An application outside may know people by something else, such as HTTP Basic.
    is_browser = identity.token is None and not SENT_BY_BROWSERS.isdisjoint(request.headers.keys())
    is_allowed = may(resource, identity, "reveal") and not (is_one_of_many and is_browser)
    return frozenset() if is_allowed else resource.masked_names


def note_masked(
    resource: Resource,
    request: Request,
    found: Sequence[Record],
    *,
    sent: Collection[str] = (),
    is_one_of_many: bool = False,
) -> None:
    """Tell of masked values in an answer, but not of those that were sent."""
    hidden = masked_names(resource, request, is_one_of_many=is_one_of_many)
    names = resource.masked_names - hidden - set(sent)
    count = sum(any(record[name] is not None for name in names) for record in found)
    if not count or request.method == "HEAD":
        return
    one = None if is_one_of_many else found[0]
    note(
        session_of(request),
        EventKind.MASKED_READ,
        resource=resource.name,
        key=key_of(resource, one) if one else "",
        title=resource.titles.of(one) if one else "",
        count=count,
        details={"fields": sorted(names), "query": request.url.query[:MAX_QUERY_CHARACTERS]},
        is_needed=True,
        has_masked=True,
    )
