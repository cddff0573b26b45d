"""Pages of one's own passkeys: made, renamed and removed."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.accounts.auth import auth_of, visitor_of
from hero_admin.accounts.form_fields import id_in, text_in
from hero_admin.accounts.second_factor import passkey_changes
from hero_admin.accounts.second_factor.challenges import (
    challenge_in,
    claim_challenge,
    make_challenge,
)
from hero_admin.accounts.second_factor.own_pages import added, frame_of, next_of, show_codes
from hero_admin.accounts.second_factor.passkey_proof import answer_options
from hero_admin.accounts.second_factor.passkeys import (
    Passkey,
    fetch_passkey,
    fetch_passkeys,
    handle_of,
    host_of,
    origin_of,
    parse_passkey_name,
)
from hero_admin.accounts.session_pages import CONFIRM, fetch_user_of
from hero_admin.accounts.users import User, id_of
from hero_admin.pages.requests import operation_of
from hero_admin.web.addresses import with_query
from hero_admin.web.errors import Invalid
from hero_admin.web.flash import Flash
from hero_admin.web.mount import path_to
from hero_admin.web.requests import form_of, session_of
from hero_admin.web.responses import redirect, render
from hero_admin.web.user_agents import device_of

REGISTER = "register"
NOT_MADE = "The passkey couldn't be created. Try again."
REMOVED = (
    "You can't sign in with this passkey any more. Without another second factor, your password"
    " is enough, and your recovery codes stop working, too."
)
UNKNOWN = "Unknown passkey. It may have been removed."


async def new_page(request: Request) -> Response:
    """GET /account/second-factor/passkeys/new: the form of a new passkey."""
    user = await fetch_user_of(request)
    return _ask(request, user, device_of(visitor_of(request).user_agent), {})


async def options(request: Request) -> Response:
    """GET /account/second-factor/passkeys/options: what the browser is asked for, as JSON."""
    # Only here: WebAuthn is a tenth of a start.
    from hero_admin.accounts.second_factor import ceremonies  # noqa: PLC0415

    user, host = await fetch_user_of(request), host_of(request)
    challenge = make_challenge(request, REGISTER, id_of(user))
    place = ceremonies.Place(host, origin_of(request), challenge.signed)
    existing = [
        each.credential_id
        for each in await fetch_passkeys(session_of(request), id_of(user))
        if each.host == host
    ]
    title: str = request.app.state.title
    asked = ceremonies.registration_options(place, title, user.name, handle_of(user), existing)
    return answer_options(request, asked, challenge)


async def add(request: Request) -> Response:
    """POST /account/second-factor/passkeys: a new passkey → recovery codes or account; 422."""
    form, user, session = await form_of(request), await fetch_user_of(request), session_of(request)
    name = text_in(form, "name")
    try:
        parsed = parse_passkey_name(name)
        made = await _register(request, user, text_in(form, "passkey"))
        operation, host = operation_of(request), host_of(request)
        codes = await passkey_changes.add_passkey(
            session, operation, id_of(user), parsed, host, made
        )
    except Invalid as invalid:
        return _ask(request, user, name, invalid.sentences)
    return show_codes(request, codes) if codes else added(request, f"passkey {parsed}")


async def name_page(request: Request) -> Response:
    """GET /account/second-factor/passkeys/3/name: the form with its name."""
    passkey = await _fetch(request)
    return _ask_name(request, passkey.name, {})


async def rename(request: Request) -> Response:
    """POST /account/second-factor/passkeys/3/name: renames it → account; 422 if invalid."""
    form, user = await form_of(request), await fetch_user_of(request)
    name, session, passkey_id = (
        text_in(form, "name"),
        session_of(request),
        id_in(request, "passkey"),
    )
    try:
        passkey = await passkey_changes.rename_passkey(
            session, operation_of(request), id_of(user), passkey_id, name
        )
    except Invalid as invalid:
        return _ask_name(request, name, invalid.sentences)
    if passkey is None:
        raise HTTPException(404, UNKNOWN)
    return redirect(request, path_to("account"), Flash("Saved", passkey.name))


async def remove_page(request: Request) -> Response:
    """GET /account/second-factor/passkeys/3/remove: the confirmation."""
    return _confirm(request, await _fetch(request))


async def remove(request: Request) -> Response:
    """POST /account/second-factor/passkeys/3/remove: removes it → account; 409 if required."""
    await form_of(request)
    passkey, user = await _fetch(request), await fetch_user_of(request)
    least, passkey_id = auth_of(request).second_factor, id_in(request, "passkey")
    try:
        await passkey_changes.remove_passkey(
            session_of(request), operation_of(request), id_of(user), passkey_id, least
        )
    except Invalid as invalid:
        return _confirm(request, passkey, str(invalid), 409)
    return redirect(request, path_to("account"), Flash("Removed", passkey.name))


async def _register(request: Request, user: User, answer: str) -> tuple[str, bytes, int]:
    """Return id, key and count of the credential in a browser's answer; raises Invalid for ""."""
    # As above.
    from hero_admin.accounts.second_factor import ceremonies  # noqa: PLC0415

    challenge, made = challenge_in(request, REGISTER, id_of(user)), None
    if challenge is not None:
        place = ceremonies.Place(host_of(request), origin_of(request), challenge.signed)
        made = ceremonies.verified_registration(answer, place)
    if challenge is None or made is None:
        raise Invalid({"": NOT_MADE})
    if not await claim_challenge(session_of(request), challenge):
        raise Invalid({"": NOT_MADE})
    return made.credential_id, made.public_key, made.sign_count


async def _fetch(request: Request) -> Passkey:
    user = await fetch_user_of(request)
    passkey = await fetch_passkey(session_of(request), id_of(user), id_in(request, "passkey"))
    if passkey is None:
        raise HTTPException(404, UNKNOWN)
    return passkey


def _ask(request: Request, user: User, name: str, errors: Mapping[str, str]) -> Response:
    at = path_to("account", "second-factor", "passkeys")
    context = {
        "name": name,
        "errors": errors,
        "url": with_query(at, next=next_of(request)),
        "options_url": f"{at}/options",
        "cancel_url": path_to("account"),
        **frame_of(request, user),
    }
    status = 422 if errors else 200
    return render(request, "accounts/new_passkey.html", context, status, fragments=())


def _ask_name(request: Request, name: str, errors: Mapping[str, str]) -> Response:
    url = _url(request, "name")
    context = {"name": name, "errors": errors, "url": url, "cancel_url": path_to("account")}
    status = 422 if errors else 200
    return render(request, "accounts/passkey_name.html", context, status, fragments=("form",))


def _confirm(request: Request, passkey: Passkey, problem: str = "", status: int = 200) -> Response:
    context = {
        "title": f"Remove {passkey.name}?",
        "sentences": [REMOVED],
        "problem": problem,
        "verb": "Remove",
        "url": _url(request, "remove"),
        "cancel_url": path_to("account"),
    }
    return render(request, "accounts/confirm.html", context, status, fragments=CONFIRM)


def _url(request: Request, verb: str) -> str:
    passkey_id = str(id_in(request, "passkey"))
    return path_to("account", "second-factor", "passkeys", passkey_id, verb)
