"""Sessions and tokens of an account, one's own or, for owners, anybody's."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.accounts import changes
from hero_admin.accounts.auth import auth_of
from hero_admin.accounts.cookies import digest_in
from hero_admin.accounts.form_fields import id_in, text_in
from hero_admin.accounts.sessions import fetch_sessions
from hero_admin.accounts.tokens import fetch_token, fetch_tokens
from hero_admin.accounts.users import User, id_of
from hero_admin.pages.requests import operation_of
from hero_admin.web.flash import Flash
from hero_admin.web.guards import identity_of
from hero_admin.web.mount import path_to
from hero_admin.web.requests import form_of, session_of
from hero_admin.web.responses import redirect, render
from hero_admin.web.texts import ngettext

NO_ACCOUNT = "There are no accounts while WEBAPP_AUTH is off."
NO_TOKEN = "Unknown token. It may have been revoked."  # noqa: S105 - no secret
ENDED_BEFORE = "This session has already ended."
CONFIRM = ("confirm",)


async def end_sessions(request: Request) -> Response:
    """POST /account/sessions/end: ends one session or all the others → the account's page."""
    form, user = await form_of(request), await fetch_user_of(request)
    only = text_in(form, "session")
    # All but the present one, which has its own button.
    but = "" if only else digest_in(request)
    session, operation = session_of(request), operation_of(request)
    count = await changes.sign_out(session, operation, id_of(user), but=but, only=only)
    flash = Flash("Signed out", ngettext("{n} session", "{n} sessions", count).format(n=count))
    return redirect(request, url_of(request), flash if count else Flash(ENDED_BEFORE))


async def revoke_page(request: Request) -> Response:
    """GET /account/tokens/3/revoke: the confirmation."""
    user = await fetch_user_of(request)
    token = await fetch_token(session_of(request), id_of(user), id_in(request, "token"))
    if token is None:
        raise HTTPException(404, NO_TOKEN)
    context = {
        "title": f"Revoke {token.name}?",
        "sentences": ["Anything that uses this token loses access at once. You can't undo this."],
        "problem": "",
        "verb": "Revoke",
        "url": f"{url_of(request)}/tokens/{token.id}/revoke",
        "cancel_url": url_of(request),
    }
    return render(request, "accounts/confirm.html", context, fragments=CONFIRM)


async def revoke(request: Request) -> Response:
    """POST /account/tokens/3/revoke: revokes the token → the account's page."""
    await form_of(request)
    user, token_id = await fetch_user_of(request), id_in(request, "token")
    session, operation = session_of(request), operation_of(request)
    token = await changes.revoke_token(session, operation, id_of(user), token_id)
    if token is None:
        raise HTTPException(404, NO_TOKEN)
    return redirect(request, url_of(request), Flash("Revoked", token.name))


async def fetch_user_of(request: Request) -> User:
    """Fetch the account in the path, or one's own without an id; raises 404."""
    user_id = identity_of(request).user_id
    if "id" in request.path_params:
        user_id = id_in(request, "id")
    elif user_id is None:
        raise HTTPException(404, NO_ACCOUNT)
    user = await session_of(request).get(User, user_id)
    if user is None:
        raise HTTPException(404, changes.NOBODY)
    return user


def url_of(request: Request) -> str:
    """Return the page of the account that a request is about."""
    if "id" in request.path_params:
        return path_to("people", str(id_in(request, "id")))
    return path_to("account")


# Any: the context of a template.
async def fetch_access(request: Request, user: User) -> dict[str, Any]:
    """Fetch the context of sessions and tokens for a page."""
    session = session_of(request)
    return {
        "sessions": await fetch_sessions(session, id_of(user), auth_of(request).limits),
        "tokens": await fetch_tokens(session, id_of(user)),
        "this": digest_in(request),
        "at": url_of(request),
    }
