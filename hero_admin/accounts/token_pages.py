"""Pages of tokens for programs: one's own, and for owners those of everybody."""

from collections.abc import Mapping

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.accounts import token_changes
from hero_admin.accounts.form_fields import Choice, id_in, parse_role, role_choices, text_in
from hero_admin.accounts.one_time_secret import show_once
from hero_admin.accounts.session_pages import CONFIRM, fetch_user_of, url_of
from hero_admin.accounts.tokens import LIFETIMES_DAYS, NewToken, fetch_all_tokens, fetch_token
from hero_admin.accounts.users import id_of
from hero_admin.pages.empty_state import NO_TOKENS
from hero_admin.pages.requests import operation_of, site_of
from hero_admin.person import Role
from hero_admin.web.addresses import with_query
from hero_admin.web.errors import Invalid
from hero_admin.web.flash import Flash
from hero_admin.web.guards import identity_of
from hero_admin.web.mount import path_to
from hero_admin.web.requests import back_of, back_param, form_of, session_of
from hero_admin.web.responses import redirect, render
from hero_admin.web.texts import listed, ngettext

NO_TOKEN = "Unknown token. It may have been revoked."  # noqa: S105 - no secret
DAYS = {str(days): days for days in LIFETIMES_DAYS}
DEFAULT_DAYS = "30"
MEANINGS = {
    Role.VIEWER: "Can read everything except masked values.",
    Role.EDITOR: "Can also read masked values, and create, edit and delete records.",
}
ALL, SOME = "all", "some"
SCOPES = (
    Choice(ALL, "All records", "Also kinds that are added later."),
    Choice(SOME, "Only these"),
)


async def token_page(request: Request) -> Response:
    """GET /account/tokens/new: the form of a new token."""
    await fetch_user_of(request)
    return _ask(request, FormData(), {})


async def add_token(request: Request) -> Response:
    """POST /account/tokens: a new token, shown once; 422 if invalid."""
    form, user = await form_of(request), await fetch_user_of(request)
    session, operation = session_of(request), operation_of(request)
    try:
        new = _parse(form)
        names = [resource.name for resource in site_of(request).resources]
        token = await token_changes.add_token(session, operation, id_of(user), new, names)
    except Invalid as invalid:
        return _ask(request, form, invalid.sentences)
    sentences = ("Copy it now. You won't see it again.", _promise(request, new))
    return show_once(request, "New token", "Token", token, sentences, path_to("account"))


async def tokens_page(request: Request) -> Response:
    """GET /people/tokens?after=7: the tokens of everybody, newest first, a page at a time."""
    tokens, after = await fetch_all_tokens(session_of(request), _after(request))
    context = {
        "tokens": tokens,
        "older_url": with_query(path_to("people", "tokens"), after=str(after)) if after else "",
        "is_first": "after" not in request.query_params,
        "empty": NO_TOKENS,
    }
    return render(request, "accounts/tokens.html", context, fragments=())


async def revoke_page(request: Request) -> Response:
    """GET /account/tokens/3/revoke?back=: the confirmation."""
    user = await fetch_user_of(request)
    token = await fetch_token(session_of(request), id_of(user), id_in(request, "token"))
    if token is None:
        raise HTTPException(404, NO_TOKEN)
    context = {
        "title": f"Revoke {token.name}?",
        "sentences": ["Anything that uses this token loses access at once. You can't undo this."],
        "problem": "",
        "verb": "Revoke",
        "url": with_query(f"{url_of(request)}/tokens/{token.id}/revoke", **back_param(request)),
        "cancel_url": back_of(request, url_of(request)),
    }
    return render(request, "accounts/confirm.html", context, fragments=CONFIRM)


async def revoke(request: Request) -> Response:
    """POST /account/tokens/3/revoke?back=: revokes the token → the page it came from."""
    await form_of(request)
    user, token_id = await fetch_user_of(request), id_in(request, "token")
    session, operation = session_of(request), operation_of(request)
    token = await token_changes.revoke_token(session, operation, id_of(user), token_id)
    if token is None:
        raise HTTPException(404, NO_TOKEN)
    return redirect(request, back_of(request, url_of(request)), Flash("Revoked", token.name))


def _parse(form: FormData) -> NewToken:
    """Return what a form asks for; raises Invalid for what was not offered."""
    role = parse_role(text_in(form, "role"))
    names = tuple(name for name in form.getlist("resource") if isinstance(name, str))
    scope = text_in(form, "scope") or ALL
    if scope not in (ALL, SOME):
        raise Invalid({"resources": "Choose which records."})
    if scope == ALL and names:
        raise Invalid({"resources": "Choose “Only these” for the records that you ticked."})
    return NewToken(
        text_in(form, "name"),
        role,
        DAYS.get(text_in(form, "days"), 0),
        is_read_only=text_in(form, "read_only") == "1",
        resources=names if scope == SOME else None,
    )


def _promise(request: Request, new: NewToken) -> str:
    """Return the sentence that says what programs with a token may do."""
    site, days = site_of(request), new.days
    found = [site.named(name) for name in new.resources or ()]
    labels = listed([each.label_plural for each in found if each]) if found else "all records"
    verb = "read" if new.is_read_only or new.role is Role.VIEWER else "read and change"
    masked = "" if new.role is Role.VIEWER else ", masked values too,"
    time = ngettext("{n} day", "{n} days", days).format(n=days)
    return f"Programs that send it to the API can {verb} {labels}{masked} for {time}."


def _after(request: Request) -> int | None:
    text = request.query_params.get("after", "")
    is_id = text.isascii() and text.isdigit() and len(text) < 10
    return int(text) if is_id else None


def _ask(request: Request, form: FormData, errors: Mapping[str, str]) -> Response:
    names = ("name", "role", "days", "read_only", "scope")
    given = {name: text_in(form, name) for name in names}
    defaults = {"role": Role.VIEWER.value, "days": DEFAULT_DAYS, "scope": ALL}
    given = {name: given[name] if form else defaults.get(name, "") for name in names}
    # Nothing in the API is for owners only.
    highest = Role.EDITOR if identity_of(request).can_edit else Role.VIEWER
    context = {
        "given": given,
        "errors": errors,
        "roles": role_choices(highest, MEANINGS),
        "lifetimes": [
            Choice(text, ngettext("{n} day", "{n} days", days).format(n=days))
            for text, days in DAYS.items()
        ],
        "scopes": SCOPES,
        "chosen": form.getlist("resource"),
    }
    status = 422 if errors else 200
    return render(request, "accounts/new_token.html", context, status, fragments=())
