"""Addresses within this site."""

from urllib.parse import urlencode

from starlette.requests import Request

from hero_admin.web.mount import url_path

MAX_PATH_CHARACTERS = 2_000


def is_secure(request: Request) -> bool:
    """Whether a request came by HTTPS, so that cookies have to be `Secure`."""
    scheme: str = request.scope["scheme"]
    return scheme == "https"


def is_local(url: str) -> bool:
    """Whether a URL is a path of this site; browsers read a backslash as a slash."""
    return (
        len(url) <= MAX_PATH_CHARACTERS
        and url.startswith("/")
        and not url.startswith("//")
        and "\\" not in url
        and url.isprintable()
    )


def with_raw_query(request: Request) -> str:
    """Return the path and query of a request, to come back to."""
    path, query = url_path(request.scope), request.url.query
    return f"{path}?{query}" if query else path


def with_query(path: str, /, **params: str) -> str:
    """Return `path` with those parameters that are not empty."""
    given = {name: value for name, value in params.items() if value}
    joint = "&" if "?" in path else "?"
    return f"{path}{joint}{urlencode(given)}" if given else path
