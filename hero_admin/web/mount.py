"""Mount: the prefix below which an application is mounted, with which all its URLs begin."""

from contextvars import ContextVar

from starlette.types import ASGIApp, Receive, Scope, Send

# The key under which a scope has that of the application outside.
OUTSIDE = "hero_admin.outside"
# As browsers see it: with the prefix that a proxy has removed, "" for none.
_prefix: ContextVar[str] = ContextVar("prefix", default="")


class MountMiddleware:
    """Notes the prefix of each request, whose path has it from here on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        prefix = scope.get("root_path", "").rstrip("/")
        path = _whole_path(scope, prefix)
        token = _prefix.set(prefix)
        try:
            own = {"root_path": prefix, "path": path, "path_params": {}}
            await self.app({**scope, **own}, receive, send)
        finally:
            _prefix.reset(token)


def prefix() -> str:
    """Return the prefix of the request that is being answered."""
    return _prefix.get()


def path_to(*segments: str) -> str:
    """Return the path of a page as browsers see it: /heroes/7, or /admin/heroes/7."""
    return "/".join((_prefix.get(), *segments))


def local_path(scope: Scope) -> str:
    """Return the path of a request without the prefix: /heroes/7."""
    path: str = scope["path"]
    return path.removeprefix(_prefix.get())


def _whole_path(scope: Scope, prefix: str) -> str:
    """Return the path of a request with the prefix, of which a proxy may have removed a part."""
    path: str = scope["path"]
    if not prefix or path == prefix or path.startswith(f"{prefix}/"):
        return path
    # What Starlette calls the prefix of the application that this one is mounted in.
    outer: str = scope.get("app_root_path", "")
    whole = f"{outer}{path}"
    return whole if whole.startswith(f"{prefix}/") else f"{prefix}{path}"
