"""Sign-in pages: signing in and out, and one-time links."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hero_admin.accounts import audit, changes
from hero_admin.accounts.auth import auth_of, visitor_of
from hero_admin.accounts.cookies import device_in, digest_in, drop_token
from hero_admin.accounts.form_fields import text_in
from hero_admin.accounts.login_attempts import LoginAttempt, accept, attempt_login, renew_hash
from hero_admin.accounts.one_time_links import OneTimeLink, Purpose, claim_link, fetch_link
from hero_admin.accounts.pending_form import OWN, pending_in, read_signed_out
from hero_admin.accounts.recheck import SignedOut, take_turn
from hero_admin.accounts.second_factor.passkey_sign_in import sign_in_with_passkey
from hero_admin.accounts.second_factor.step import ask_password, go_on
from hero_admin.accounts.sessions import end_session
from hero_admin.accounts.users import User, has_users, parse_name
from hero_admin.audit_log.changes import Operation
from hero_admin.audit_log.events import EventKind
from hero_admin.person import Role
from hero_admin.web.addresses import is_local, with_query, with_raw_query
from hero_admin.web.errors import Invalid
from hero_admin.web.guards import NOT_SIGNED_IN
from hero_admin.web.mount import local_path, path_to
from hero_admin.web.requests import SAFE_METHODS, form_of, session_of
from hero_admin.web.responses import is_partial, redirect, render

WRONG = "Invalid name or password."
WORTHLESS = "Invalid token: it is unknown, revoked or expired."
EXPIRED = "This token expired on {day}. Create a new one on your account page."
NOT_FOR_PAGES = "Tokens only work for the API at /api/. Remove the token and sign in."
UNAUTHENTICATED = {"WWW-Authenticate": "Bearer"}
INVALID_TOKEN = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
CONTINUE = "You were signed out. Sign in to continue where you left off."
USED_UP = (
    "This link has expired or has already been used. Ask an owner for a new one;"
    " for the first account, restart the server to get a new link."
)


async def sign_in_page(request: Request) -> Response:
    """GET /sign-in: asks for name and password; a signed-in person is redirected."""
    url = _local(request.query_params.get("next", ""))
    if request.state.identity is not None:
        return redirect(request, url)
    is_new = not await has_users(session_of(request))
    return await ask_password(request, {"url": url, "is_new": is_new})


async def sign_in(request: Request) -> Response:
    """POST /sign-in: a new session → the page asked for, or the second step; 422 or 429."""
    auth, form = auth_of(request), await form_of(request)
    name, password, url = (_text(form, field) for field in ("name", "password", "next"))
    pending = pending_in(form, url) if _text(form, "again") else None
    if _text(form, "passkey"):
        return await sign_in_with_passkey(request, form, _local(url), pending)
    address = visitor_of(request).address
    device = device_in(request, auth.secret_key, name)
    attempt = await attempt_login(auth, name, password, address, device)
    if attempt.user is not None:
        await renew_hash(auth, attempt.user, password)
    user = await accept(session_of(request), attempt, needs_second=True)
    if user is None:
        is_counted = attempt.allowance.is_allowed
        session = session_of(request)
        audit.note_failed_sign_in(session, attempt.account, address, is_counted=is_counted)
        return await _ask_again(
            request, attempt, {"url": _local(url), "name": name, "pending": pending}
        )
    return await go_on(request, user, _local(url), pending)


async def sign_out(request: Request) -> Response:
    """POST /sign-out: ends the session, so that copies of its cookie are invalid → sign-in."""
    identity = request.state.identity
    if identity is not None:
        await end_session(session_of(request), digest_in(request))
        address = visitor_of(request).address
        audit.note_sign_in(session_of(request), EventKind.SIGNED_OUT, identity, address)
    response = redirect(request, path_to("sign-in"))
    drop_token(request, response)
    return response


async def welcome_page(request: Request) -> Response:
    """GET /welcome?token=…: asks for a password, and for the first account also a name."""
    return await _welcome(request, await _fetch_link(request), {}, "")


async def welcome(request: Request) -> Response:
    """POST /welcome?token=…: sets the password → overview, or the second step; 422, 410."""
    auth, link, form = auth_of(request), await _fetch_link(request), await form_of(request)
    name, password = _text(form, "name"), _text(form, "password")
    known = await _fetch_account(request, link)
    names = (known.name if known else name, request.app.state.title)
    old_hash = known.password_hash if known else None
    try:
        if link.user_id is None:
            parse_name(name)
        password_hash = await auth.passwords.hash_new(password, names, old_hash)
        user = await _take_up(request, link, name, password_hash)
    except Invalid as invalid:
        return await _welcome(request, link, invalid.sentences, name)
    return await go_on(request, user, path_to(""))


async def refuse(request: Request) -> Response:
    """GET or POST /…: 401 for a program, and the sign-in page for a person."""
    if is_for_programs(request):
        return JSONResponse({"detail": NOT_SIGNED_IN}, 401, UNAUTHENTICATED)
    if is_partial(request):
        response = await ask_password(request, {"problem": CONTINUE}, 401, fragment="sign_in")
        response.headers["Vary"] = "HX-Request-Type"
        return response
    here = with_raw_query(request)
    if request.method in SAFE_METHODS:
        return redirect(
            request, with_query(path_to("sign-in"), next="" if here == path_to("") else here)
        )
    pending = await read_signed_out(request)
    if pending is None:
        problem = "You were signed out. Sign in, then try again."
        return await ask_password(request, {"problem": problem}, 401)
    return await ask_password(
        request, {"pending": pending, "url": pending.url, "problem": CONTINUE}, 401
    )


async def answer_signed_out(request: Request, _: Exception) -> Response:
    """Answer a request whose sender was signed out before it could write; its form is pending."""
    return await refuse(request)


def refuse_token(request: Request, expired_at: datetime | None) -> Response:
    """Return 401 for a token that is invalid, or invalid here, or has expired."""
    detail = WORTHLESS if is_for_programs(request) else NOT_FOR_PAGES
    if expired_at is not None:
        detail = EXPIRED.format(day=f"{expired_at:%Y-%m-%d}")
    return JSONResponse({"detail": detail}, 401, INVALID_TOKEN)


def signed_out(*, is_token: bool) -> SignedOut:
    """Return the error for a session or token that has ended."""
    if is_token:
        return SignedOut(401, WORTHLESS, INVALID_TOKEN)
    return SignedOut(401, NOT_SIGNED_IN, UNAUTHENTICATED)


def is_for_programs(request: Request) -> bool:
    """Whether a request is one to the API, whose documentation is a page."""
    path = local_path(request.scope)
    return path.startswith("/api/") and path != "/api/docs"


async def _take_up(request: Request, link: OneTimeLink, name: str, password_hash: str) -> User:
    """Use up a link: add the first account, or set the password of its account."""
    session = session_of(request)
    await take_turn(session)
    is_claimed = await claim_link(session, request.query_params["token"])
    if is_claimed and link.user_id is not None:
        user = await session.get(User, link.user_id)
        if user is not None and not user.is_disabled:
            by = Operation(user.identity, "page")
            await changes.set_password(session, by, link.user_id, password_hash)
            return user
    elif is_claimed and not await has_users(session):
        return await changes.add_user(session, None, name, Role.OWNER, password_hash)
    raise HTTPException(410, USED_UP)


async def _ask_again(
    request: Request, attempt: LoginAttempt, context: Mapping[str, Any]
) -> Response:
    if not attempt.wait_seconds:
        return await ask_password(request, {**context, "problem": WRONG}, 422)
    response = await ask_password(request, {**context, "problem": attempt.wait_sentence}, 429)
    response.headers["Retry-After"] = str(attempt.wait_seconds)
    return response


async def _fetch_link(request: Request) -> OneTimeLink:
    token = request.query_params.get("token", "")
    async with auth_of(request).database.session(is_read_only=True) as session:
        link = await fetch_link(session, token)
    if link is None:
        raise HTTPException(410, USED_UP)
    return link


async def _fetch_account(request: Request, link: OneTimeLink) -> User | None:
    """Return the account of a link, None for the first one."""
    if link.user_id is None:
        return None
    async with auth_of(request).database.session(is_read_only=True) as session:
        return await session.get(User, link.user_id)


async def _welcome(
    request: Request, link: OneTimeLink, errors: Mapping[str, str], name: str
) -> Response:
    if link.user_id is not None:
        user = await _fetch_account(request, link)
        name = user.name if user else ""
    context = {
        "token": request.query_params["token"],
        "purpose": Purpose(link.purpose),
        "name": name,
        "errors": errors,
        "own": OWN,
    }
    return render(request, "welcome.html", context, 422 if errors else 200, fragments=())


def _text(form: FormData, name: str) -> str:
    return text_in(form, OWN + name)


def _local(url: str) -> str:
    """Return a path of this site; “/” for any other URL."""
    return url if is_local(url) else path_to("")
