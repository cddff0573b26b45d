"""Done once: the form of an action that is sent twice is carried out once."""

import secrets

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.forms.form import FormState
from hero_admin.forms.hidden_fields import ALL, KEYS, ONCE
from hero_admin.model.actions import Action
from hero_admin.pages.requests import site_of
from hero_admin.web.flash import Flash
from hero_admin.web.mount import path_to
from hero_admin.web.requests import back_of, session_of
from hero_admin.web.responses import redirect
from hero_admin.writes import idempotency

DONE = "Already done; not done twice."
JOB, OPERATION = "job", "operation"


def once_token(request: Request, action: Action) -> str:
    """Return a new token for the form of an action, "" where it may be sent again.

    A file may be downloaded again, and without a history there is no table of what was sent.
    """
    is_once = site_of(request).has_history and not action.sends_file
    return secrets.token_urlsafe() if is_once else ""


def digest_of(action: Action, form: FormData, state: FormState) -> str:
    """Return the digest of a form, "" for one without a token."""
    token, records = form.get(ONCE), [*form.getlist(KEYS), *form.getlist("id"), form.get(ALL)]
    if not isinstance(token, str) or not token:
        return ""
    return idempotency.submission_digest(f"{action.name} {token} {records}", state.texts)


async def answer_if_done(request: Request, digest: str, name: str, default: str) -> Response | None:
    """Claim a form for this request; if another one has carried it out, return where that led.

    name: of the resource, or of the action without one; default: the page to go back to.
    """
    session = session_of(request)
    is_once = bool(digest) and site_of(request).has_history
    if not is_once or await idempotency.claim(session, digest, name):
        return None
    kind, _, found = (await idempotency.fetch_key(session, digest)).partition("/")
    if kind == JOB:
        return redirect(request, path_to("jobs", found), Flash(DONE))
    return redirect(request, back_of(request, default), Flash(DONE, undo=found))


async def record_done(request: Request, digest: str, kind: str, id: str) -> None:
    """Record what a claimed form has led to: the id of a job, or of an operation to undo."""
    if digest and id and site_of(request).has_history:
        await idempotency.record_key(session_of(request), digest, f"{kind}/{id}")
