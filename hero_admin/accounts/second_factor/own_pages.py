"""Pages of one's own second factor: an authenticator app, and recovery codes."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from hero_admin.accounts.auth import auth_of
from hero_admin.accounts.form_fields import text_in
from hero_admin.accounts.second_factor import authenticator, changes
from hero_admin.accounts.second_factor.factors import fetch_factors
from hero_admin.accounts.second_factor.requirement import BARE
from hero_admin.accounts.session_pages import CONFIRM, fetch_user_of
from hero_admin.accounts.users import User, id_of
from hero_admin.pages.requests import operation_of
from hero_admin.web.addresses import is_local, with_query
from hero_admin.web.errors import Invalid
from hero_admin.web.flash import Flash
from hero_admin.web.mount import path_to
from hero_admin.web.requests import form_of, session_of
from hero_admin.web.responses import redirect, render

WRONG = "Wrong code. Check that the clock of your phone is right, and enter the code shown now."
APP_REMOVED = (
    "Its codes stop working. Without another second factor, your password is enough to sign in,"
    " and your recovery codes stop working, too."
)
TOO_OLD = "This took too long. Scan the new code."


async def choose_page(request: Request) -> Response:
    """GET /account/second-factor?next=…: what can be set up."""
    user = await fetch_user_of(request)
    context = {
        "factors": await fetch_factors(session_of(request), id_of(user)),
        "next": next_of(request),
        **frame_of(request, user),
    }
    return render(request, "accounts/second_factor.html", context, fragments=())


async def app_page(request: Request) -> Response:
    """GET /account/second-factor/app: a new secret for an authenticator app."""
    user = await fetch_user_of(request)
    return await _show_secret(request, user, authenticator.make_secret(), {})


async def add_app(request: Request) -> Response:
    """POST /account/second-factor/app: adds the app → recovery codes or the account; 422."""
    form, user, key = await form_of(request), await fetch_user_of(request), _key(request)
    sealed, seconds = text_in(form, "secret"), authenticator.SETUP_SECONDS
    secret = authenticator.unsealed_for(key, id_of(user), sealed, seconds)
    if not secret:
        return await _show_secret(request, user, authenticator.make_secret(), {"code": TOO_OLD})
    code = "".join(text_in(form, "code").split())
    step = authenticator.step_of(secret, code)
    if step is None:
        return await _show_secret(request, user, secret, {"code": WRONG})
    session, operation = session_of(request), operation_of(request)
    sealed = authenticator.sealed_for(key, id_of(user), secret)
    try:
        codes = await changes.add_app(session, operation, id_of(user), sealed, step)
    except Invalid as invalid:
        return await _show_secret(request, user, secret, {"code": str(invalid)})
    return show_codes(request, codes) if codes else added(request, "Authenticator app")


async def remove_app_page(request: Request) -> Response:
    """GET /account/second-factor/app/remove: the confirmation."""
    await fetch_user_of(request)
    return _confirm_app(request)


async def remove_app(request: Request) -> Response:
    """POST /account/second-factor/app/remove: removes it → account; 409 if it is required."""
    await form_of(request)
    user, least = await fetch_user_of(request), auth_of(request).second_factor
    try:
        await changes.remove_app(session_of(request), operation_of(request), id_of(user), least)
    except Invalid as invalid:
        return _confirm_app(request, str(invalid), 409)
    return redirect(request, path_to("account"), Flash("Removed", "your authenticator app"))


async def codes_page(request: Request) -> Response:
    """GET /account/second-factor/codes: the confirmation."""
    await fetch_user_of(request)
    return _confirm_codes(request)


async def make_codes(request: Request) -> Response:
    """POST /account/second-factor/codes: new recovery codes, shown once; 409 without a factor."""
    await form_of(request)
    user = await fetch_user_of(request)
    try:
        codes = await changes.make_codes(session_of(request), operation_of(request), id_of(user))
    except Invalid as invalid:
        return _confirm_codes(request, str(invalid), 409)
    return show_codes(request, codes)


def show_codes(request: Request, codes: Sequence[str]) -> Response:
    """Return the page with recovery codes, which browsers do not cache."""
    context = {"codes": codes, "done_url": next_of(request) or path_to("account")}
    response = render(request, "accounts/recovery_codes.html", context, fragments=())
    response.headers["Cache-Control"] = "no-store"
    return response


def added(request: Request, factor: str) -> Response:
    """Return to where the set-up began."""
    return redirect(request, next_of(request) or path_to("account"), Flash("Added", factor))


async def _show_secret(
    request: Request, user: User, secret: str, errors: dict[str, str]
) -> Response:
    # Only here: it is a sixth of a start.
    from hero_admin.accounts.second_factor.qr_code import qr_code  # noqa: PLC0415

    title: str = request.app.state.title
    context = {
        "sealed": authenticator.sealed_for(_key(request), id_of(user), secret),
        "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        "picture": qr_code(authenticator.uri_of(secret, user.name, title)),
        "errors": errors,
        "url": with_query(path_to("account", "second-factor", "app"), next=next_of(request)),
        "cancel_url": path_to("account"),
        **frame_of(request, user),
    }
    status = 422 if errors else 200
    response = render(request, "accounts/authenticator.html", context, status, fragments=())
    response.headers["Cache-Control"] = "no-store"
    return response


def _confirm_app(request: Request, problem: str = "", status: int = 200) -> Response:
    context = {
        "title": "Remove your authenticator app?",
        "sentences": [APP_REMOVED],
        "problem": problem,
        "verb": "Remove",
        "url": path_to("account", "second-factor", "app", "remove"),
        "cancel_url": path_to("account"),
    }
    return render(request, "accounts/confirm.html", context, status, fragments=CONFIRM)


def _confirm_codes(request: Request, problem: str = "", status: int = 200) -> Response:
    context = {
        "title": "Make new recovery codes?",
        "sentences": ["The codes you have now stop working."],
        "problem": problem,
        "verb": "Make new codes",
        "url": path_to("account", "second-factor", "codes"),
        "cancel_url": path_to("account"),
    }
    return render(request, "accounts/confirm.html", context, status, fragments=CONFIRM)


def frame_of(request: Request, user: User) -> dict[str, object]:
    """Return what is around a page: nothing where nothing else may be opened yet."""
    least = auth_of(request).second_factor
    if user.has_second_factor or not changes.is_required(user.identity.role, least):
        return {"is_required": False}
    return {"is_required": True, **BARE}


def next_of(request: Request) -> str:
    url = request.query_params.get("next", "")
    return url if is_local(url) else ""


def _key(request: Request) -> str:
    return auth_of(request).secret_key
