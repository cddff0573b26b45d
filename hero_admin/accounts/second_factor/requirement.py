"""The requirement of a second factor: whoever lacks one sets it up before anything else."""

from starlette.requests import Request
from starlette.responses import Response

from hero_admin.accounts.pending_form import fetch_pending
from hero_admin.accounts.second_factor.changes import is_required
from hero_admin.person import Role
from hero_admin.web.addresses import with_query, with_raw_query
from hero_admin.web.errors import error_response
from hero_admin.web.guards import identity_of
from hero_admin.web.mount import local_path, path_to
from hero_admin.web.requests import SAFE_METHODS
from hero_admin.web.responses import is_partial, redirect

TITLE = "Second factor required"
SENTENCE = (
    "Your role requires a second factor, and you have none yet. Set one up in another tab,"
    " then try again."
)
# A page without a menu, of which nothing may be opened yet.
BARE = {"identity": None, "can_edit": False}
# What is needed to set one up, or to go.
ALLOWED = ("/account/second-factor", "/account/confirm", "/sign-in", "/sign-out", "/theme")


def has_to_set_up(request: Request, least: Role | None) -> bool:
    """Whether somebody without a second factor has to set one up before this request."""
    if not is_required(identity_of(request).role, least):
        return False
    path = local_path(request.scope)
    return not any(path == each or path.startswith(f"{each}/") for each in ALLOWED)


async def ask_to_set_up(request: Request) -> Response:
    """GET or POST /…: leads a page to the set-up; 403 for all else, with its form still there."""
    is_program = local_path(request.scope).startswith("/api/")
    if request.method in SAFE_METHODS and not is_partial(request) and not is_program:
        here = with_raw_query(request)
        url = path_to("account", "second-factor")
        return redirect(request, with_query(url, next="" if here == path_to("") else here))
    pending = await fetch_pending(request.scope)
    return error_response(request, 403, SENTENCE, title=TITLE, pending=pending, frame=BARE)
