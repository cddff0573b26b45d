"""Routes of accounts: one's own, and for owners everybody's."""

from functools import partial

from starlette.routing import Route

from hero_admin.accounts import (
    host_sign_in,
    own_account,
    people,
    proof,
    rights_page,
    session_pages,
    sign_in,
    token_pages,
)
from hero_admin.accounts.recheck import about_accounts
from hero_admin.accounts.second_factor import (
    own_pages,
    owner_pages,
    passkey_pages,
    passkey_sign_in,
    step,
)
from hero_admin.person import Role
from hero_admin.web.guards import Handler, needs, proved
from hero_admin.web.requests import SAFE_METHODS


def host_routes() -> list[Route]:
    """Return the routes beside the sign-in of the application outside."""
    name = "sign-in"
    return [
        Route("/sign-in", needs(Role.VIEWER, host_sign_in.signed_in), methods=["POST"], name=name)
    ]


def account_routes() -> list[Route]:
    """Return the routes of accounts and of signing in."""
    own, owner = partial(_route, Role.VIEWER), partial(_route, Role.OWNER)
    return [
        Route("/sign-in", sign_in.sign_in_page, name="sign-in"),
        Route("/sign-in", sign_in.sign_in, methods=["POST"]),
        Route("/sign-in/passkey", passkey_sign_in.ask_for_passkey, name="sign-in:passkey"),
        Route("/sign-in/code/passkey", step.ask_for_passkey, name="sign-in:code-passkey"),
        Route("/sign-in/code", step.prove_code, methods=["POST"], name="sign-in:code"),
        Route("/sign-out", sign_in.sign_out, methods=["POST"], name="sign-out"),
        Route("/welcome", sign_in.welcome_page, name="welcome"),
        Route("/welcome", sign_in.welcome, methods=["POST"]),
        own("/account", own_account.account_page, name="account"),
        own("/account/password", own_account.password_page, name="account:password"),
        own("/account/password", own_account.change_password, method="POST"),
        own("/account/confirm", proof.confirm_page, name="account:confirm"),
        own("/account/confirm", proof.confirm, method="POST"),
        own("/account/confirm/passkey", proof.ask_for_passkey, name="account:confirm-passkey"),
        own("/account/tokens/new", token_pages.token_page, name="account:token"),
        own("/account/tokens", proved(token_pages.add_token), method="POST", name="account:tokens"),
        own("/account/tokens/{token}/revoke", token_pages.revoke_page),
        own("/account/tokens/{token}/revoke", proved(token_pages.revoke), method="POST"),
        own("/account/sessions/end", session_pages.end_sessions_page),
        own("/account/sessions/end", session_pages.end_sessions, method="POST"),
        *_second_factor_routes(),
        owner("/people", people.people_page, name="people"),
        owner("/people", proved(people.invite), method="POST"),
        owner("/people/new", people.invite_page, name="people:new"),
        owner("/people/tokens", token_pages.tokens_page, name="people:tokens"),
        owner("/people/{id}", people.person_page, name="people:show"),
        owner("/people/{id}/rights", rights_page.rights_page, name="people:rights"),
        owner("/people/{id}/role", proved(people.change_role), method="POST"),
        owner("/people/{id}/disable", people.disable_page),
        owner("/people/{id}/disable", proved(people.disable), method="POST"),
        owner("/people/{id}/enable", proved(people.enable), method="POST"),
        owner("/people/{id}/link", proved(people.hand_out_link), method="POST"),
        owner("/people/{id}/sessions/end", session_pages.end_sessions_page),
        owner("/people/{id}/second-factor/reset", owner_pages.reset_page),
        owner("/people/{id}/second-factor/reset", proved(owner_pages.reset), method="POST"),
        owner("/people/{id}/sessions/end", proved(session_pages.end_sessions), method="POST"),
        owner("/people/{id}/tokens/{token}/revoke", token_pages.revoke_page),
        owner("/people/{id}/tokens/{token}/revoke", proved(token_pages.revoke), method="POST"),
    ]


def _second_factor_routes() -> list[Route]:
    own, at = partial(_route, Role.VIEWER), "/account/second-factor"
    return [
        own(at, own_pages.choose_page, name="second-factor"),
        own(f"{at}/app", proved(own_pages.app_page), name="second-factor:app"),
        own(f"{at}/app", proved(own_pages.add_app), method="POST"),
        own(f"{at}/app/remove", own_pages.remove_app_page, name="second-factor:remove-app"),
        own(f"{at}/app/remove", proved(own_pages.remove_app), method="POST"),
        own(f"{at}/passkeys/new", proved(passkey_pages.new_page), name="second-factor:passkey"),
        own(f"{at}/passkeys/options", proved(passkey_pages.options)),
        own(f"{at}/passkeys", proved(passkey_pages.add), method="POST"),
        own(f"{at}/passkeys/{{passkey}}/name", passkey_pages.name_page, name="passkey:name"),
        own(f"{at}/passkeys/{{passkey}}/name", proved(passkey_pages.rename), method="POST"),
        own(f"{at}/passkeys/{{passkey}}/remove", passkey_pages.remove_page, name="passkey:remove"),
        own(f"{at}/passkeys/{{passkey}}/remove", proved(passkey_pages.remove), method="POST"),
        own(f"{at}/codes", own_pages.codes_page, name="second-factor:codes"),
        own(f"{at}/codes", proved(own_pages.make_codes), method="POST"),
    ]


def _route(
    role: Role, path: str, handler: Handler, *, method: str = "GET", name: str | None = None
) -> Route:
    if method not in SAFE_METHODS:
        handler = about_accounts(handler)
    return Route(path, needs(role, handler), methods=[method], name=name)
