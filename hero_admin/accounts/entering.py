"""Entering: a new session for whoever has proved who they are."""

from starlette.requests import Request
from starlette.responses import Response

from hero_admin.accounts import audit
from hero_admin.accounts.auth import auth_of, visitor_of
from hero_admin.accounts.cookies import digest_in, set_device, set_token
from hero_admin.accounts.sessions import end_session, start_session
from hero_admin.accounts.users import User, id_of
from hero_admin.audit_log.events import EventKind
from hero_admin.web.requests import session_of


async def enter(request: Request, response: Response, user: User) -> Response:
    """Start a session with a new token; the token that the browser had before is invalid."""
    auth, session, visitor = auth_of(request), session_of(request), visitor_of(request)
    if request.state.identity is not None:
        await end_session(session, digest_in(request))
    token = await start_session(session, id_of(user), auth.limits, visitor)
    set_token(request, response, token, auth.limits)
    set_device(request, response, auth.secret_key, user.name)
    audit.note_sign_in(session, EventKind.SIGNED_IN, user.identity, visitor.address)
    return response
