"""Mount: the prefix below which an application is mounted, with which all its URLs begin."""

from contextvars import ContextVar
from typing import NamedTuple
from urllib.parse import quote

from starlette.types import ASGIApp, Receive, Scope, Send

# The key under which a scope has that of the application outside.
OUTSIDE = "hero_admin.outside"
# What would end a path, or begin another host.
ESCAPED = str.maketrans({"?": "%3F", "#": "%23", "\\": "%5C"})


class _Prefix(NamedTuple):
    """As browsers see it, with what a proxy has removed: decoded, and as a part of a URL."""

    path: str = ""
    url: str = ""
    # Whether there is another application outside, whatever the prefix.
    is_mounted: bool = False


NOWHERE = _Prefix()
_prefix: ContextVar[_Prefix] = ContextVar("prefix", default=NOWHERE)


class MountMiddleware:
    """Notes the prefix of each request, whose path has it from here on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        prefix = scope.get("root_path", "").rstrip("/")
        own = {"root_path": prefix, "path": _whole_path(scope, prefix), "path_params": {}}
        # A parameter of the application outside may begin it: browsers read \ as another slash.
        token = _prefix.set(_Prefix(prefix, quote(prefix), OUTSIDE in scope))
        try:
            await self.app({**scope, **own}, receive, send)
        finally:
            _prefix.reset(token)


def prefix() -> str:
    """Return the prefix of the request that is being answered, as a part of a URL."""
    return _prefix.get().url


def is_mounted() -> bool:
    """Whether the request that is being answered came through another application."""
    return _prefix.get().is_mounted


def path_to(*segments: str) -> str:
    """Return the path of a page as browsers see it: /heroes/7, or /admin/heroes/7."""
    return "/".join((_prefix.get().url, *segments))


def local_path(scope: Scope) -> str:
    """Return the path of a request without the prefix: /heroes/7."""
    path: str = scope["path"]
    return path.removeprefix(_prefix.get().path)


def url_path(scope: Scope) -> str:
    """Return the path of a request as browsers see it, for URLs that lead back."""
    path = f"{prefix()}{local_path(scope).translate(ESCAPED)}"
    # Two slashes would begin another host.
    return f"/%2F{path[2:]}" if path.startswith("//") else path


def _whole_path(scope: Scope, prefix: str) -> str:
    """Return the path of a request with the prefix, of which a proxy may have removed a part."""
    path: str = scope["path"]
    if prefix and path == prefix:
        return f"{prefix}/"
    if not prefix or path.startswith(f"{prefix}/"):
        return path
    # What Starlette calls the prefix of the application that this one is mounted in.
    outer: str = scope.get("app_root_path", "")
    whole = f"{outer}{path}"
    return whole if whole.startswith(f"{prefix}/") else f"{prefix}{path}"
