"""The second step of signing in: a code, after the password."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hero_admin.accounts import audit
from hero_admin.accounts.auth import auth_of, visitor_of
from hero_admin.accounts.cookies import device_in
from hero_admin.accounts.entering import enter
from hero_admin.accounts.form_fields import text_in
from hero_admin.accounts.login_attempts import claim, is_still
from hero_admin.accounts.pending_form import OWN, PendingForm, pending_in
from hero_admin.accounts.second_factor import authenticator
from hero_admin.accounts.second_factor.changes import use_recovery_code
from hero_admin.accounts.second_factor.factors import Factors, fetch_factors
from hero_admin.accounts.second_factor.passkey_proof import Ceremony, ask_passkey, prove_passkey
from hero_admin.accounts.second_factor.passkeys import fetch_passkeys, has_passkeys, host_of
from hero_admin.accounts.second_factor.pending_step import drop_step, fetch_step, set_step
from hero_admin.accounts.second_factor.recovery_codes import DIGITS
from hero_admin.accounts.throttle import forgive, second_subjects_of, subjects_of
from hero_admin.accounts.users import User, id_of
from hero_admin.audit_log.events import EventKind
from hero_admin.web.addresses import is_local
from hero_admin.web.flash import Flash
from hero_admin.web.mount import path_to
from hero_admin.web.requests import form_of, session_of
from hero_admin.web.responses import is_partial, redirect, render

WRONG = "Wrong code."
WRONG_PASSKEY = "This passkey doesn't work here."
EXPIRED = "This took too long. Sign in again."
# What people put between the digits of a code.
SEPARATORS = str.maketrans("", "", " -\u00a0\u2009")


async def go_on(
    request: Request, user: User, url: str, pending: PendingForm | None = None
) -> Response:
    """Return the second step of a user who has one, else start the session."""
    if not user.has_second_factor:
        return await enter(request, answer_to(request, url, pending), user)
    # The dialog of a page goes on as soon as the answer is a success.
    status = 401 if is_partial(request) else 200
    response = await _ask(request, user, {"url": url, "pending": pending}, status)
    set_step(request, response, user)
    return response


def answer_to(
    request: Request, url: str, pending: PendingForm | None, flash: Flash | None = None
) -> Response:
    """Return the redirect after signing in: the browser sends a pending form to its own URL."""
    return RedirectResponse(url, 307) if pending else redirect(request, url, flash)


async def prove_code(request: Request) -> Response:
    """POST /sign-in/code: a new session → the page asked for; 422 or 429 if refused."""
    form = await form_of(request)
    url = _local(_text(form, "next"))
    pending = pending_in(form, url) if _text(form, "again") else None
    user = await fetch_step(request)
    if user is None:
        return await _start_again(request, url, pending)
    outcome = await _attempt(request, user, form)
    if outcome.problem:
        session, address = session_of(request), visitor_of(request).address
        event, is_counted = EventKind.SECOND_FACTOR_FAILED, outcome.is_counted
        audit.note_failed_sign_in(session, user.name, address, event, is_counted=is_counted)
        return await _ask_again(request, user, outcome, {"url": url, "pending": pending})
    response = await enter(request, answer_to(request, url, pending, outcome.flash), user)
    drop_step(request, response)
    return response


async def ask_for_passkey(request: Request) -> Response:
    """GET /sign-in/code/passkey: what the browser is asked, as JSON; 401 before the password."""
    user = await fetch_step(request)
    if user is None:
        raise HTTPException(401, EXPIRED)
    async with auth_of(request).database.session(is_read_only=True) as session:
        passkeys = await fetch_passkeys(session, id_of(user))
    return ask_passkey(request, Ceremony.SECOND_STEP, user.id, passkeys)


@dataclass(frozen=True)
class _Outcome:
    """Why an attempt has failed, "" if it has not, and how long to wait for the next one.

    is_counted: whether it was an attempt, and not refused before.
    """

    problem: str = ""
    wait_seconds: int = 0
    is_counted: bool = True
    flash: Flash | None = None


async def _attempt(request: Request, user: User, form: FormData) -> _Outcome:
    """Count an attempt, check its code or passkey, and uncount it if that is right."""
    auth, session, address = auth_of(request), session_of(request), visitor_of(request).address
    device = device_in(request, auth.secret_key, user.name)
    subjects = second_subjects_of(auth.secret_key, id_of(user), device)
    allowance = await claim(auth, subjects)
    if allowance.is_allowed and await is_still(session, user):
        outcome = await _check(request, user, form)
    else:
        outcome = _Outcome(WRONG)
    if outcome.problem:
        problem = allowance.wait_sentence or outcome.problem
        return _Outcome(problem, allowance.wait_seconds, allowance.is_allowed)
    await forgive(session, subjects)
    # The attempt with the password has succeeded only now.
    await forgive(session, subjects_of(auth.secret_key, user.name, address, device))
    return outcome


async def _check(request: Request, user: User, form: FormData) -> _Outcome:
    session, passkey = session_of(request), _text(form, "passkey")
    if passkey:
        proved = await prove_passkey(request, passkey, Ceremony.SECOND_STEP, user.id)
        return _Outcome("" if proved else WRONG_PASSKEY)
    code = _text(form, "code").translate(SEPARATORS)
    if len(code) == DIGITS:
        left = await use_recovery_code(session, user, code)
        if left is None:
            return _Outcome(WRONG)
        return _Outcome(flash=Flash("Signed in", note=f"You used a recovery code; {left} left."))
    key = auth_of(request).secret_key
    is_right = await authenticator.use_code(session, key, id_of(user), code)
    return _Outcome("" if is_right else WRONG)


async def _ask_again(
    request: Request, user: User, outcome: _Outcome, context: Mapping[str, Any]
) -> Response:
    status = 429 if outcome.wait_seconds else 422
    response = await _ask(request, user, {**context, "problem": outcome.problem}, status)
    if outcome.wait_seconds:
        response.headers["Retry-After"] = str(outcome.wait_seconds)
    return response


async def _ask(request: Request, user: User, context: Mapping[str, Any], status: int) -> Response:
    async with auth_of(request).database.session(is_read_only=True) as session:
        factors = await fetch_factors(session, id_of(user))
    shown = {"problem": "", "own": OWN, **_methods(request, user, factors), **context}
    template = "accounts/second_step.html"
    return render(request, template, shown, status, fragments=("sign_in",))


def _methods(request: Request, user: User, factors: Factors) -> dict[str, Any]:
    """Return what a user can prove here; codes of an app need the secret key of then."""
    key, app = auth_of(request).secret_key, factors.app
    is_readable = bool(app and authenticator.unsealed_for(key, id_of(user), app.sealed_secret))
    return {
        "has_app": is_readable,
        "is_app_lost": app is not None and not is_readable,
        "has_passkey": factors.works_at(host_of(request)),
        "other_hosts": sorted({each.host for each in factors.passkeys} - {host_of(request)}),
    }


async def _start_again(request: Request, url: str, pending: PendingForm | None) -> Response:
    context = {"url": url, "problem": EXPIRED, "pending": pending}
    return await ask_password(request, context, 422)


async def ask_password(
    request: Request, context: Mapping[str, Any], status: int = 200, fragment: str = ""
) -> Response:
    """Return the first step, which asks for name and password, or for a passkey."""
    async with auth_of(request).database.session(is_read_only=True) as session:
        has_passkey = await has_passkeys(session, host_of(request))
    shown = {
        "url": path_to(""),
        "name": "",
        "problem": "",
        "pending": None,
        "is_new": False,
        "has_passkey": has_passkey,
        "own": OWN,
        **context,
    }
    fragments = ("sign_in",)
    return render(request, "sign-in.html", shown, status, fragments=fragments, fragment=fragment)


def _text(form: FormData, name: str) -> str:
    return text_in(form, OWN + name)


def _local(url: str) -> str:
    return url if is_local(url) else path_to("")
