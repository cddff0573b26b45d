"""CSRF: distinguishes cross-site requests from those of pages of this site."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from hero_admin.web.requests import SAFE_METHODS

DEFAULT_PORTS = {"http": 80, "https": 443}
BEARER = "bearer "


def bearer_token_of(headers: Headers) -> str | None:
    """Return the token of `Authorization: Bearer …`, None if the request has no such header.

    Such a request passes without a check of its origin, because browsers add that header for no
    other site. In return, authentication must use the token alone and ignore cookies, even if the
    token is "" or unknown.
    """
    given = headers.get("authorization", "")
    if not given.lower().startswith(BEARER):
        return None
    return given[len(BEARER) :].strip()


def is_cross_site(scope: Scope, *, ignores_cookies: bool) -> bool:
    """Whether an unsafe request lacks proof that a page of this site sent it.

    Browsers show it in `Sec-Fetch-Site`; where they do not (older ones, and over plain http), in
    an `Origin` of the scheme, host and port that the request has. A request with neither is
    refused. `OPTIONS` is safe: its response never allows another site anything.

    ignores_cookies: whether a token alone authenticates a request that has one.
    """
    if scope["method"] in SAFE_METHODS:
        return False
    headers = Headers(scope=scope)
    if bearer_token_of(headers) is not None and (ignores_cookies or "cookie" not in headers):
        return False
    sites, origins = headers.getlist("sec-fetch-site"), headers.getlist("origin")
    if sites:
        return sites != ["same-origin"]
    if len(origins) != 1:
        return True
    own = _origin(f"{scope['scheme']}://{headers.get('host', '')}")
    return own is None or _origin(origins[0]) != own


def _origin(text: str) -> tuple[str, str, int | None] | None:
    """Return scheme, host and port of an origin; None for anything else."""
    try:
        parts = urlsplit(text)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    is_bare = f"{parts.scheme}://{parts.netloc}".lower() == text.lower() and "@" not in text
    return (parts.scheme, parts.hostname, port) if is_bare and parts.hostname else None
