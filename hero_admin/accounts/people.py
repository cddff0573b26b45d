"""Pages of people, for owners: accounts, their roles and sessions."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from hero_admin.accounts import changes
from hero_admin.accounts.form_fields import parse_role, role_choices, text_in
from hero_admin.accounts.one_time_links import Purpose, make_link
from hero_admin.accounts.one_time_secret import show_link
from hero_admin.accounts.second_factor.factors import fetch_descriptions, fetch_factors
from hero_admin.accounts.session_pages import CONFIRM, fetch_access, fetch_user_of, url_of
from hero_admin.accounts.users import User, fetch_users, id_of, is_last_owner
from hero_admin.pages.empty_state import NO_ACCOUNTS
from hero_admin.pages.requests import operation_of
from hero_admin.person import Role
from hero_admin.web.errors import Invalid
from hero_admin.web.flash import Flash
from hero_admin.web.guards import identity_of
from hero_admin.web.mount import path_to
from hero_admin.web.requests import form_of, session_of
from hero_admin.web.responses import redirect, render


async def people_page(request: Request) -> Response:
    """GET /people: all accounts."""
    session = session_of(request)
    context = {
        "users": await fetch_users(session),
        "factors": await fetch_descriptions(session),
        "empty": NO_ACCOUNTS,
    }
    return render(request, "accounts/people.html", context, fragments=())


async def invite_page(request: Request) -> Response:
    """GET /people/new: the form of an invitation."""
    return _ask_whom(request, "", Role.VIEWER, {})


async def invite(request: Request) -> Response:
    """POST /people: adds an account → its invitation link, shown once; 422 if invalid."""
    form, session = await form_of(request), session_of(request)
    name, role = text_in(form, "name"), text_in(form, "role")
    try:
        operation = operation_of(request)
        user = await changes.add_user(session, operation, name, parse_role(role), None)
    except Invalid as invalid:
        return _ask_whom(request, name, role, invalid.sentences)
    token = await make_link(session, Purpose.INVITE, user.id)
    return show_link(request, user, Purpose.INVITE, token, path_to("people", str(user.id)))


async def person_page(request: Request) -> Response:
    """GET /people/7: one account, its sessions and its tokens."""
    return await _show(request, await fetch_user_of(request), {})


async def change_role(request: Request) -> Response:
    """POST /people/7/role: changes the role → the person; 409 for the last owner."""
    form, user = await form_of(request), await fetch_user_of(request)
    try:
        role = parse_role(text_in(form, "role"))
    except Invalid as invalid:
        return await _show(request, user, invalid.sentences, 422)
    try:
        await changes.change_role(session_of(request), operation_of(request), id_of(user), role)
    except Invalid as invalid:
        return await _show(request, user, invalid.sentences, 409)
    # Someone who is no longer an owner may not see the page.
    is_still_owner = user.id != identity_of(request).user_id or role is Role.OWNER
    url = url_of(request) if is_still_owner else path_to("")
    return redirect(request, url, Flash("Saved", user.name, note=f"Now {role}."))


async def disable_page(request: Request) -> Response:
    """GET /people/7/disable: the confirmation."""
    return _confirm_disabling(request, await fetch_user_of(request))


async def disable(request: Request) -> Response:
    """POST /people/7/disable: ends all sessions → the person; 409 for the last owner."""
    await form_of(request)
    user = await fetch_user_of(request)
    try:
        await changes.disable(session_of(request), operation_of(request), id_of(user))
    except Invalid as invalid:
        return _confirm_disabling(request, user, str(invalid), 409)
    return redirect(request, url_of(request), Flash("Disabled", user.name))


async def enable(request: Request) -> Response:
    """POST /people/7/enable: enables the account → the person."""
    await form_of(request)
    user = await fetch_user_of(request)
    await changes.enable(session_of(request), operation_of(request), id_of(user))
    return redirect(request, url_of(request), Flash("Enabled", user.name))


async def hand_out_link(request: Request) -> Response:
    """POST /people/7/link: a link to set a password, shown once; 409 if disabled."""
    await form_of(request)
    user = await fetch_user_of(request)
    try:
        made = await changes.hand_out_link(session_of(request), operation_of(request), id_of(user))
    except Invalid as invalid:
        return await _show(request, user, invalid.sentences, 409)
    return show_link(request, *made, url_of(request))


def _ask_whom(request: Request, name: str, role: str, errors: Mapping[str, str]) -> Response:
    context = {"name": name, "role": role, "roles": role_choices(Role.OWNER), "errors": errors}
    status = 422 if errors else 200
    return render(request, "accounts/invite.html", context, status, fragments=())


async def _show(
    request: Request, user: User, errors: Mapping[str, str], status: int = 200
) -> Response:
    context = {
        "user": user,
        "is_self": user.id == identity_of(request).user_id,
        "is_last_owner": await is_last_owner(session_of(request), user),
        "last_owner": changes.LAST_OWNER,
        "roles": role_choices(Role.OWNER),
        "errors": errors,
        "factors": await fetch_factors(session_of(request), id_of(user)),
        **await fetch_access(request, user),
    }
    return render(request, "accounts/person.html", context, status, fragments=())


def _confirm_disabling(
    request: Request, user: User, problem: str = "", status: int = 200
) -> Response:
    context = {
        "title": f"Disable {user.name}?",
        "sentences": [
            f"{user.name} is signed out everywhere, and their tokens and links stop working.",
            "Their activity stays in the history. You can enable the account again later.",
        ],
        "problem": problem,
        "verb": "Disable",
        "url": f"{url_of(request)}/disable",
        "cancel_url": url_of(request),
    }
    return render(request, "accounts/confirm.html", context, status, fragments=CONFIRM)
