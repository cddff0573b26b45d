"""Proof of identity: the password, asked again before what an open session alone must not do."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hero_admin.accounts import audit
from hero_admin.accounts.auth import auth_of, visitor_of
from hero_admin.accounts.cookies import digest_in, set_token
from hero_admin.accounts.form_fields import text_in
from hero_admin.accounts.login_attempts import LoginAttempt, accept, attempt_login
from hero_admin.accounts.pending_form import OWN, PendingForm, pending_in
from hero_admin.accounts.second_factor.passkey_proof import Ceremony, ask_passkey, prove_passkey
from hero_admin.accounts.second_factor.passkeys import fetch_passkeys, host_of
from hero_admin.accounts.sessions import fetch_proved_at, renew_session
from hero_admin.audit_log.events import EventKind
from hero_admin.web.addresses import is_local, with_query, with_raw_query
from hero_admin.web.guards import identity_of
from hero_admin.web.mount import path_to
from hero_admin.web.requests import SAFE_METHODS, form_of, session_of
from hero_admin.web.responses import is_partial, redirect, render

MAX_AGE = timedelta(minutes=15)
WRONG = "Wrong password."
WRONG_PASSKEY = "This passkey doesn't work here."
LOST = "Your input couldn't be kept on this page. Confirm it's you, then go back and send it again."


async def ask_proof(request: Request) -> Response | None:
    """Return the page that asks for the password, None if that was given lately."""
    async with auth_of(request).database.session(is_read_only=True) as session:
        proved_at = await fetch_proved_at(session, digest_in(request))
    if proved_at is not None and datetime.now(UTC) - proved_at < MAX_AGE:
        return None
    if is_partial(request):
        # The dialog of the page asks, and sends the request again.
        return await _ask(request, {}, 401, fragment="sign_in")
    here = with_raw_query(request)
    if request.method in SAFE_METHODS:
        return redirect(request, with_query(path_to("account", "confirm"), next=here))
    pending = pending_in(await form_of(request), here)
    return await _ask(request, {"pending": pending, "problem": "" if pending else LOST}, 401)


async def confirm_page(request: Request) -> Response:
    """GET /account/confirm?next=…: asks for the password."""
    return await _ask(request, {"url": _local(request.query_params.get("next", ""))})


async def confirm(request: Request) -> Response:
    """POST /account/confirm: a proof of identity → what was asked for; 422 or 429 if refused."""
    auth, form, identity = auth_of(request), await form_of(request), identity_of(request)
    url = _local(_text(form, "next"))
    pending = pending_in(form, url) if _text(form, "again") else None
    address, digest = visitor_of(request).address, digest_in(request)
    passkey, session = _text(form, "passkey"), session_of(request)
    if passkey:
        proved = await prove_passkey(request, passkey, Ceremony.CONFIRM, identity.user_id)
        if proved is None:
            audit.note_failed_sign_in(session, identity.name, address, EventKind.NOT_CONFIRMED)
            context = {"url": url, "pending": pending, "problem": WRONG_PASSKEY}
            return await _ask(request, context, 422)
        return await _go_on(request, url, pending)
    attempt = await attempt_login(auth, identity.name, _text(form, "password"), address, digest)
    user = await accept(session, attempt)
    if user is None or user.id != identity.user_id:
        is_counted, event = attempt.allowance.is_allowed, EventKind.NOT_CONFIRMED
        audit.note_failed_sign_in(session, identity.name, address, event, is_counted=is_counted)
        return await _ask_again(request, attempt, {"url": url, "pending": pending})
    return await _go_on(request, url, pending)


async def ask_for_passkey(request: Request) -> Response:
    """GET /account/confirm/passkey: what the browser is asked, as JSON."""
    user_id = identity_of(request).user_id
    if user_id is None:
        raise HTTPException(404)
    passkeys = await fetch_passkeys(session_of(request), user_id)
    return ask_passkey(request, Ceremony.CONFIRM, user_id, passkeys)


async def _go_on(request: Request, url: str, pending: PendingForm | None) -> Response:
    """Record the proof, with a new token, and go on with what was asked for."""
    auth, address, session = auth_of(request), visitor_of(request).address, session_of(request)
    audit.note_sign_in(session, EventKind.CONFIRMED, identity_of(request), address)
    # The browser sends the pending form again to its own URL.
    response = RedirectResponse(url, 307) if pending else redirect(request, url)
    token = await renew_session(session, digest_in(request))
    set_token(request, response, token, auth.limits)
    return response


async def _ask_again(
    request: Request, attempt: LoginAttempt, context: Mapping[str, Any]
) -> Response:
    wait_seconds = attempt.wait_seconds
    problem = attempt.wait_sentence or WRONG
    response = await _ask(request, {**context, "problem": problem}, 429 if wait_seconds else 422)
    if wait_seconds:
        response.headers["Retry-After"] = str(wait_seconds)
    return response


async def _ask(
    request: Request, context: Mapping[str, Any], status: int = 200, fragment: str = ""
) -> Response:
    pending: PendingForm | None = context.get("pending")
    user_id = identity_of(request).user_id
    async with auth_of(request).database.session(is_read_only=True) as session:
        passkeys = await fetch_passkeys(session, user_id) if user_id is not None else ()
    shown = {
        "url": pending.url if pending else path_to(""),
        "problem": "",
        "pending": None,
        "name": identity_of(request).name,
        "has_passkey": any(each.host == host_of(request) for each in passkeys),
        "own": OWN,
        **context,
    }
    template = "accounts/confirm_identity.html"
    return render(request, template, shown, status, fragments=("sign_in",), fragment=fragment)


def _text(form: FormData, name: str) -> str:
    return text_in(form, OWN + name)


def _local(url: str) -> str:
    return url if is_local(url) else path_to("")
