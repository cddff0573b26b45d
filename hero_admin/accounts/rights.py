"""Rights of a request: its site, and the rows of its session, as the person who asks sees them."""

from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send

from hero_admin.database.row_scopes import set_scopes
from hero_admin.model.resource import Resource
from hero_admin.model.resource_rights import may
from hero_admin.model.seen_sites import SeenSites
from hero_admin.person import Person


class RightsMiddleware:
    """Sets `scope["state"]["site"]` and `["may"]` of each request, and limits its session.

    It runs inside the sign-in. A stranger sees no rows of resources with `rows=`.
    """

    def __init__(self, app: ASGIApp, seen_sites: SeenSites) -> None:
        self.app = app
        self.seen_sites = seen_sites

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            state, seen = scope["state"], self.seen_sites
            person: Person | None = state["identity"]
            state |= {
                "site": seen.site,
                "has_grants": seen.has_grants,
                "may": partial(_may, person),
            }
            if person is not None and seen.has_rights:
                state["site"] = seen.of(person)
                set_scopes(state["session"], seen.row_rights.of(person))
        await self.app(scope, receive, send)


def _may(person: Person | None, resource: Resource, verb: str) -> bool:
    return person is not None and may(resource, person, verb)
