"""Routes: Starlette's, but quick to say that a path is not theirs."""

from typing import Any

from starlette import routing
from starlette.routing import Match
from starlette.types import Scope


class Route(routing.Route):
    """A route that looks for its beginning in a path before it asks its regular expression.

    There are dozens, and each request asks all those before its own.
    """

    # Any: the arguments are Starlette's, passed on unread.
    def __init__(self, path: str, *arguments: Any, **options: Any) -> None:
        super().__init__(path, *arguments, **options)
        self._beginning = path.partition("{")[0]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if self._beginning not in scope["path"]:
            return Match.NONE, {}
        return super().matches(scope)
