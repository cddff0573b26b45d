"""Pages of the door: signing in and out, and the links that work once."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from webapp.accounts import changes, trail
from webapp.accounts.cookies import digest_in, drop_token, set_token
from webapp.accounts.door import Door, door_of
from webapp.accounts.kept import OWN, keep, kept_in
from webapp.accounts.links import OneTimeLink, Purpose, claim_link, fetch_link
from webapp.accounts.passwords import check_password, is_too_long
from webapp.accounts.sessions import Visitor, end_session, start_session
from webapp.accounts.throttle import Attempt, claim_attempt, forgive, subjects_of
from webapp.accounts.users import User, fetch_user, has_users, parse_name
from webapp.admin.requests import form_of, session_of
from webapp.database import SAFE_METHODS
from webapp.errors import Invalid
from webapp.history import Operation
from webapp.identity import NOT_SIGNED_IN, Role
from webapp.templating import (
    is_local,
    is_partial,
    redirect,
    render,
    with_query,
    with_raw_query,
)

WRONG = "This name and this password do not belong together."
LONGEST_URL_CHARACTERS = 2_000
FRAGMENTS = ("sign_in",)
USED_UP = (
    "This link has been used already, or its time is up. Ask an owner for another one;"
    " whoever starts the server for the first time gets one by starting it again."
)


async def sign_in_page(request: Request) -> Response:
    """GET /sign-in: asks for name and password; who is signed in goes on."""
    url = _local(request.query_params.get("next", ""))
    if request.state.identity is not None:
        return redirect(request, url)
    is_new = not await has_users(session_of(request))
    return _ask(request, {"url": url, "is_new": is_new})


async def sign_in(request: Request) -> Response:
    """POST /sign-in: a new session → on to where it was meant to go; 422 or 429 if it is none."""
    door, form = door_of(request), await form_of(request)
    name, password, url = (_text(form, field) for field in ("name", "password", "next"))
    kept = kept_in(form, url) if _text(form, "again") else None
    visitor = _visitor(request)
    subjects = subjects_of(door.secret_key, name, visitor.address)
    # In a transaction of its own: what is counted stays counted, whatever becomes of the request.
    async with door.turns, door.database.session(is_read_only=False) as session:
        attempt = await claim_attempt(session, subjects)
        await session.commit()
    user = await _verify(door, name, password) if attempt.is_allowed else None
    fresh_hash = await door.passwords.rehash(user.password_hash, password) if user else None
    if user is None or not await _is_still(session_of(request), user):
        trail.note("sign_in_failed", user=name[:80], address=visitor.address)
        return _ask_again(request, attempt, {"url": _local(url), "name": name, "kept": kept})
    await forgive(session_of(request), subjects)
    if fresh_hash:
        renewed = update(User).where(col(User.id) == user.id).values(password_hash=fresh_hash)
        await session_of(request).execute(renewed)
    # The browser sends the form again to where it was meant to go.
    response = RedirectResponse(_local(url), 307) if kept else redirect(request, _local(url))
    return await _enter(request, response, user)


async def sign_out(request: Request) -> Response:
    """POST /sign-out: the session ends, here and wherever its cookie was copied to → sign-in."""
    identity = request.state.identity
    if identity is not None:
        await end_session(session_of(request), digest_in(request))
        trail.note("signed_out", user=identity.name, address=_visitor(request).address)
    response = redirect(request, "/sign-in")
    drop_token(request, response)
    return response


async def welcome_page(request: Request) -> Response:
    """GET /welcome?token=…: asks for a password, and whoever is first for a name."""
    link = await _fetch_link(request)
    return await _welcome(request, link, {}, "")


async def welcome(request: Request) -> Response:
    """POST /welcome?token=…: the account has this password, its owner is in → overview."""
    door, link, form = door_of(request), await _fetch_link(request), await form_of(request)
    name, password = _text(form, "name"), _text(form, "password")
    try:
        check_password(password)
        if link.user_id is None:
            parse_name(name)
        password_hash = await door.passwords.hash(password)
        user = await _take_up(request, link, name, password_hash)
    except Invalid as invalid:
        return await _welcome(request, link, invalid.sentences, name)
    return await _enter(request, redirect(request, "/"), user)


async def refuse(request: Request) -> Response:
    """GET or POST /…: 401 for a program, and the way in for a person."""
    path = request.url.path
    if path.startswith("/api/") and path != "/api/docs":
        return JSONResponse({"detail": NOT_SIGNED_IN}, 401, headers={"WWW-Authenticate": "Bearer"})
    if is_partial(request):
        response = _ask(request, {"problem": NOT_SIGNED_IN}, 401, fragment="sign_in")
        response.headers["Vary"] = "HX-Request-Type"
        return response
    here = with_raw_query(request)
    if request.method in SAFE_METHODS:
        return redirect(request, with_query("/sign-in", next="" if here == "/" else here))
    kept = await keep(request)
    problem = "You have been signed out. Sign in, and what you sent is saved."
    if kept is None:
        problem = "You have been signed out. Sign in, and do it again."
    return _ask(request, {"kept": kept, "url": kept.url if kept else "/", "problem": problem}, 401)


async def _take_up(request: Request, link: OneTimeLink, name: str, password_hash: str) -> User:
    """Use the link up: make the first account, or give its account the password."""
    session = session_of(request)
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


async def _verify(door: Door, name: str, password: str) -> User | None:
    """Return whose password it is; nobody's takes as long as anybody's."""
    if is_too_long(password):
        return None
    async with door.database.session(is_read_only=True) as session:
        user = await fetch_user(session, name)
    password_hash = user.password_hash if user and not user.is_disabled else None
    return user if await door.passwords.verify(password_hash, password) else None


async def _is_still(session: AsyncSession, user: User) -> bool:
    """Whether nobody has disabled the account or changed its password meanwhile; locks it."""
    found = select(col(User.password_hash)).where(
        col(User.id) == user.id, col(User.is_disabled).is_(False)
    )
    return await session.scalar(found.with_for_update()) == user.password_hash


async def _enter(request: Request, response: Response, user: User) -> Response:
    """Let the user in, with a new token: what the browser had before is worth nothing."""
    door, session, visitor = door_of(request), session_of(request), _visitor(request)
    if request.state.identity is not None:
        await end_session(session, digest_in(request))
    assert user.id is not None
    token = await start_session(session, user.id, door.limits, visitor)
    set_token(request, response, token, door.limits)
    trail.note("signed_in", user=user.name, address=visitor.address)
    return response


def _ask_again(request: Request, attempt: Attempt, context: Mapping[str, Any]) -> Response:
    if not attempt.wait_seconds:
        return _ask(request, {**context, "problem": WRONG}, 422)
    seconds = attempt.wait_seconds
    wait = "a second" if seconds == 1 else f"{seconds} seconds"
    problem = f"That was wrong too often. Wait {wait}, then try again."
    response = _ask(request, {**context, "problem": problem}, 429)
    response.headers["Retry-After"] = str(seconds)
    return response


def _ask(
    request: Request, context: Mapping[str, Any], status: int = 200, fragment: str = ""
) -> Response:
    defaults: dict[str, Any] = {
        "url": "/",
        "name": "",
        "problem": "",
        "kept": None,
        "is_new": False,
    }
    return render(
        request,
        "sign-in.html",
        {**defaults, **context, "own": OWN},
        status,
        fragments=FRAGMENTS,
        fragment=fragment,
    )


async def _fetch_link(request: Request) -> OneTimeLink:
    token = request.query_params.get("token", "")
    async with door_of(request).database.session(is_read_only=True) as session:
        link = await fetch_link(session, token)
    if link is None:
        raise HTTPException(410, USED_UP)
    return link


async def _welcome(
    request: Request, link: OneTimeLink, errors: Mapping[str, str], name: str
) -> Response:
    if link.user_id is not None:
        async with door_of(request).database.session(is_read_only=True) as session:
            user = await session.get(User, link.user_id)
        name = user.name if user else ""
    context = {
        "token": request.query_params["token"],
        "purpose": Purpose(link.purpose),
        "name": name,
        "errors": errors,
        "own": OWN,
    }
    return render(request, "welcome.html", context, 422 if errors else 200, fragments=())


def _visitor(request: Request) -> Visitor:
    address = request.client.host if request.client else ""
    return Visitor(address, request.headers.get("user-agent", ""))


def _text(form: FormData, name: str) -> str:
    value = form.get(OWN + name)
    return value if isinstance(value, str) else ""


def _local(url: str) -> str:
    """Return a path of this site, whatever was asked for."""
    return url if is_local(url) and len(url) <= LONGEST_URL_CHARACTERS else "/"
