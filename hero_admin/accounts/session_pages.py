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
from hero_admin.accounts.token_changes import revoke_tokens
from hero_admin.accounts.tokens import fetch_tokens
from hero_admin.accounts.users import User, id_of
from hero_admin.pages.requests import operation_of
from hero_admin.web.flash import Flash
from hero_admin.web.guards import identity_of, proved
from hero_admin.web.mount import path_to
from hero_admin.web.requests import form_of, session_of
from hero_admin.web.responses import redirect, render
from hero_admin.web.texts import ngettext

NO_ACCOUNT = "There are no accounts while WEBAPP_AUTH is off."
ENDED_BEFORE = "This session has already ended."
CONFIRM = ("confirm",)


async def end_sessions_page(request: Request) -> Response:
    """GET /account/sessions/end: the confirmation, which offers to revoke the tokens, too."""
    user = await fetch_user_of(request)
    is_own = user.id == identity_of(request).user_id
    count = len(await fetch_tokens(session_of(request), id_of(user)))
    tokens = ngettext("{n} API token", "{n} API tokens", count).format(n=count)
    whose = "your other devices" if is_own else f"all devices of {user.name}"
    context = {
        "title": "Sign out everywhere else?" if is_own else f"Sign out {user.name} everywhere?",
        "sentences": [f"This ends the sessions on {whose}. Programs don't use sessions."],
        "problem": "",
        "option": ("tokens", f"Also revoke {tokens}, which keep working otherwise"),
        "verb": "Sign out",
        "url": f"{url_of(request)}/sessions/end",
        "cancel_url": url_of(request),
    }
    if not count:
        del context["option"]
    return render(request, "accounts/confirm.html", context, fragments=CONFIRM)


async def end_sessions(request: Request) -> Response:
    """POST /account/sessions/end: ends one session, or all others → the account's page.

    Tokens are revoked by those only who have proved lately who they are.
    """
    has_tokens = text_in(await form_of(request), "tokens") == "1"
    return await (proved(_end_sessions) if has_tokens else _end_sessions)(request)


async def _end_sessions(request: Request) -> Response:
    form, user = await form_of(request), await fetch_user_of(request)
    only = text_in(form, "session")
    # All but the present one, which has its own button.
    but = "" if only else digest_in(request)
    session, operation = session_of(request), operation_of(request)
    count = await changes.sign_out(session, operation, id_of(user), but=but, only=only)
    has_tokens = not only and text_in(form, "tokens") == "1"
    revoked = await revoke_tokens(session, operation, id_of(user)) if has_tokens else 0
    note = ngettext("Revoked {n} token.", "Revoked {n} tokens.", revoked).format(n=revoked)
    ended = ngettext("{n} session", "{n} sessions", count).format(n=count)
    flash = Flash("Signed out", ended, note=note if revoked else "")
    is_done = count or revoked
    return redirect(request, url_of(request), flash if is_done else Flash(ENDED_BEFORE))


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
