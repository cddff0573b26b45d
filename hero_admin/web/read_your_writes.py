"""Read-your-writes: a browser reads from a replica only what includes its own changes.

A save returns a cookie with the position in the write-ahead log that a replica must have replayed:
https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-RECOVERY-CONTROL
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.responses import Response
from starlette.types import Message, Scope

from hero_admin.database.replica import NEVER, Replica
from hero_admin.web.cookies import cookie_name, set_cookie

COOKIE = "written"
# By then the replica has the changes, or is not used because it lags.
COOKIE_SECONDS = 3600
MAX_DIGITS = 20


def required_position(scope: Scope) -> int:
    """Return the position that a replica must have reached to answer a request."""
    headers = Headers(scope=scope)
    # A program keeps no cookies.
    if "authorization" in headers:
        return NEVER
    saved = cookie_parser(headers.get("cookie", "")).get(cookie_name(scope, COOKIE), "0")
    return int(saved) if saved.isdecimal() and len(saved) <= MAX_DIGITS else NEVER


async def add_position(scope: Scope, message: Message, replica: Replica) -> None:
    """Add the cookie to the start of a response that tells of a save."""
    position = await replica.fetch_written()
    response = Response()
    set_cookie(Request(scope), response, COOKIE, str(position), COOKIE_SECONDS)
    MutableHeaders(scope=message).append("Set-Cookie", response.headers["set-cookie"])
