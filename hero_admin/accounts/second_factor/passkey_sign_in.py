"""Signing in with a passkey alone: it is both factors, as its device makes sure who uses it."""

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.accounts import audit
from hero_admin.accounts.auth import visitor_of
from hero_admin.accounts.entering import enter
from hero_admin.accounts.form_fields import text_in
from hero_admin.accounts.pending_form import OWN, PendingForm
from hero_admin.accounts.second_factor.passkey_proof import Ceremony, ask_passkey, prove_passkey
from hero_admin.accounts.second_factor.step import answer_to, ask_password
from hero_admin.web.requests import session_of

WRONG = "This passkey doesn't work here. Sign in with your password."


async def ask_for_passkey(request: Request) -> Response:
    """GET /sign-in/passkey: what the browser is asked, as JSON; of nobody in particular."""
    return ask_passkey(request, Ceremony.SIGN_IN, None, ())


async def sign_in_with_passkey(
    request: Request, form: FormData, url: str, pending: PendingForm | None
) -> Response:
    """Start the session of whoever the passkey in a form is of; 422 if it is nobody's."""
    user = await prove_passkey(request, text_in(form, f"{OWN}passkey"), Ceremony.SIGN_IN)
    if user is None:
        # Nobody knows whose it was, and a stranger may send many.
        session, address = session_of(request), visitor_of(request).address
        audit.note_failed_sign_in(session, "", address, is_counted=False)
        context = {"url": url, "pending": pending, "problem": WRONG}
        return await ask_password(request, context, 422)
    return await enter(request, answer_to(request, url, pending), user)
