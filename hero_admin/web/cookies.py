"""Cookies: seen by no script and sent by no other site, under names of their own below a prefix."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from hero_admin.web.addresses import is_secure
from hero_admin.web.mount import is_mounted, prefix


def cookie_name(scope: Scope, name: str) -> str:
    """Return the whole name of a cookie: `session` is `__Host-session` over HTTPS.

    It differs from the cookies of an application outside.
    """
    own = f"hero_admin_{name}" if prefix() or is_mounted() else name
    if scope["scheme"] != "https":
        return own
    # Browsers accept these only over HTTPS, and `__Host-` from this host for all its paths.
    return f"__Secure-{own}" if prefix() else f"__Host-{own}"


def cookie_path() -> str:
    return prefix() or "/"


def cookie_in(request: Request, name: str) -> str:
    """Return the value of a cookie, "" if there is none."""
    return request.cookies.get(cookie_name(request.scope, name), "")


def set_cookie(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    """Set a cookie for a number of seconds, 0 to drop it."""
    response.set_cookie(
        cookie_name(request.scope, name),
        value,
        seconds,
        path=cookie_path(),
        httponly=True,
        samesite="lax",
        secure=is_secure(request),
    )


def drop_cookie(request: Request, response: Response, name: str) -> None:
    set_cookie(request, response, name, "", 0)
