"""The cookie that holds the token of a session."""

from starlette.requests import Request
from starlette.responses import Response

from webapp.accounts.sessions import Limits, digest_of
from webapp.templating import is_secure

PLAIN = "session"
# Browsers take a cookie of this name from this very host only, and over https.
SECURE = "__Host-session"
# A token has 43 characters.
MOST_CHARACTERS = 100


def digest_in(request: Request) -> str:
    """Return the digest of the token in the request's cookie, "" if there is none."""
    token = request.cookies.get(_name(request), "")
    return digest_of(token) if 0 < len(token) <= MOST_CHARACTERS and token.isascii() else ""


def set_token(request: Request, response: Response, token: str, limits: Limits) -> None:
    response.set_cookie(
        _name(request),
        token,
        max_age=int(limits.absolute.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=is_secure(request),
    )


def drop_token(request: Request, response: Response) -> None:
    response.delete_cookie(_name(request), httponly=True, samesite="lax", secure=is_secure(request))


def _name(request: Request) -> str:
    return SECURE if is_secure(request) else PLAIN
