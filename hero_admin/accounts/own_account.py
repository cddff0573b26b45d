"""Pages of one's own account: who one is, one's sessions and tokens, and the password."""

import asyncio
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from hero_admin.accounts import audit, changes
from hero_admin.accounts.auth import auth_of, visitor_of
from hero_admin.accounts.cookies import digest_in
from hero_admin.accounts.entering import enter
from hero_admin.accounts.form_fields import text_in
from hero_admin.accounts.login_attempts import accept, attempt_login
from hero_admin.accounts.passwords import SAME_AS_BEFORE, check_password, is_same
from hero_admin.accounts.second_factor.factors import fetch_factors
from hero_admin.accounts.session_pages import fetch_access, fetch_user_of
from hero_admin.accounts.users import id_of
from hero_admin.audit_log.events import EventKind
from hero_admin.pages.requests import operation_of
from hero_admin.web.errors import Invalid
from hero_admin.web.flash import Flash
from hero_admin.web.guards import identity_of
from hero_admin.web.mount import path_to
from hero_admin.web.requests import form_of, session_of
from hero_admin.web.responses import redirect, render

WRONG = "Wrong password."


async def account_page(request: Request) -> Response:
    """GET /account: one's account, sessions and tokens."""
    user = await fetch_user_of(request)
    context = {
        "user": user,
        "factors": await fetch_factors(session_of(request), id_of(user)),
        **await fetch_access(request, user),
    }
    return render(request, "accounts/account.html", context, fragments=())


async def password_page(request: Request) -> Response:
    """GET /account/password: the form with the old and the new password."""
    await fetch_user_of(request)
    return _ask_password(request, {})


async def change_password(request: Request) -> Response:
    """POST /account/password: a new password and session, all others end → account; 422, 429."""
    auth, form = auth_of(request), await form_of(request)
    name, user_id = identity_of(request).name, identity_of(request).user_id
    current, password = text_in(form, "current"), text_in(form, "new")
    try:
        await asyncio.to_thread(check_password, password, (name, request.app.state.title))
    except Invalid as invalid:
        return _ask_password(request, {"new": str(invalid)})
    if is_same(password, current):
        return _ask_password(request, {"new": SAME_AS_BEFORE})
    address, device = visitor_of(request).address, digest_in(request)
    attempt = await attempt_login(auth, name, current, address, device)
    password_hash = await auth.passwords.hash(password) if attempt.user else ""
    session = session_of(request)
    user = await accept(session, attempt)
    if user is None or user.id != user_id:
        event, is_counted = EventKind.NOT_CONFIRMED, attempt.allowance.is_allowed
        audit.note_failed_sign_in(session, name, address, event, is_counted=is_counted)
        return _ask_password(
            request, {"current": attempt.wait_sentence or WRONG}, attempt.wait_seconds
        )
    await changes.set_password(session, operation_of(request), id_of(user), password_hash)
    flash = Flash("Changed", "your password", note="You were signed out on all other devices.")
    return await enter(request, redirect(request, path_to("account"), flash), user)


def _ask_password(request: Request, errors: Mapping[str, str], wait_seconds: int = 0) -> Response:
    status = 429 if wait_seconds else 422 if errors else 200
    context = {"errors": errors, "name": identity_of(request).name}
    response = render(request, "accounts/password.html", context, status, fragments=())
    if wait_seconds:
        response.headers["Retry-After"] = str(wait_seconds)
    return response
