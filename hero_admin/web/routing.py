"""Routing: which of many routes is meant, found by the first segment of a path.

Starlette tries one route after the other, and each resource has some forty.
"""

import re
from collections.abc import Iterable, Iterator

from starlette.routing import BaseRoute, Match, Mount, Route, Router
from starlette.types import Receive, Scope, Send

from hero_admin.web.mount import local_path

# /heroes, /heroes/7 and /heroes.csv alike begin with “heroes”.
SEGMENT = re.compile(r"/([^/.]*)")


class RoutesBySegment(Mount):
    """Routes whose order counts only among those that begin with the same segment."""

    def __init__(self, routes: Iterable[Route]) -> None:
        routes = list(routes)
        super().__init__("", app=Router(routes))
        by_segment: dict[str, list[Route]] = {}
        for route in routes:
            by_segment.setdefault(_segment(route.path), []).append(route)
        self._routers = {
            segment: Router(each, redirect_slashes=False) for segment, each in by_segment.items()
        }

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        router = self._routers.get(_segment(local_path(scope)))
        return (Match.FULL, {"endpoint": router}) if router else (Match.NONE, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        router: Router = scope["endpoint"]
        await router(scope, receive, send)


def each_route(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """Yield all routes, those of `RoutesBySegment` one by one; other mounts stay mounts."""
    for route in routes:
        if isinstance(route, RoutesBySegment):
            yield from route.routes
        else:
            yield route


def _segment(path: str) -> str:
    found = SEGMENT.match(path)
    return found[1] if found else ""
