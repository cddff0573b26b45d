"""Pages for owners: resetting somebody's second factor."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.accounts.second_factor import changes
from hero_admin.accounts.session_pages import CONFIRM, fetch_user_of, url_of
from hero_admin.accounts.users import id_of
from hero_admin.pages.requests import operation_of
from hero_admin.web.flash import Flash
from hero_admin.web.guards import identity_of
from hero_admin.web.requests import form_of, session_of
from hero_admin.web.responses import redirect, render

OWN = "You can't reset your own second factor. Change it on your account page."


async def reset_page(request: Request) -> Response:
    """GET /people/7/second-factor/reset: the confirmation."""
    user = await fetch_user_of(request)
    context = {
        "title": f"Reset the second factor of {user.name}?",
        "sentences": [
            "Their authenticator app, passkeys and recovery codes stop working.",
            "They are signed out everywhere, and their password is then enough to sign in.",
            "Make sure that it's really them who asks.",
        ],
        "problem": "",
        "verb": "Reset",
        "url": f"{url_of(request)}/second-factor/reset",
        "cancel_url": url_of(request),
    }
    return render(request, "accounts/confirm.html", context, fragments=CONFIRM)


async def reset(request: Request) -> Response:
    """POST /people/7/second-factor/reset: removes all their factors → person; 409 for one's own."""
    await form_of(request)
    user = await fetch_user_of(request)
    if user.id == identity_of(request).user_id:
        raise HTTPException(409, OWN)
    await changes.reset(session_of(request), operation_of(request), id_of(user))
    flash = Flash("Reset", f"the second factor of {user.name}")
    return redirect(request, url_of(request), flash)
