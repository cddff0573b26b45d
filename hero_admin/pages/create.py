"""Create pages: the form for a new record."""

import secrets
from dataclasses import replace

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.forms.control_texts import default_texts
from hero_admin.forms.form import FormState, fetch_form
from hero_admin.forms.hidden_fields import ONCE
from hero_admin.forms.link_texts import link_texts, read_deltas
from hero_admin.forms.links import fetch_form_links
from hero_admin.forms.sections import fields_in, form_sections
from hero_admin.forms.submission import previews_of, read_new, searches_of, typed_texts
from hero_admin.model import records
from hero_admin.model.field_names import control_name, sent_to
from hero_admin.model.formatting import exact_text
from hero_admin.model.primary_keys import key_of, parse_key
from hero_admin.model.resource import Resource
from hero_admin.pages.messages import done
from hero_admin.pages.new_links import link_new, linking_params
from hero_admin.pages.requests import key_in, site_of, transaction_of
from hero_admin.web.addresses import with_query
from hero_admin.web.errors import Invalid
from hero_admin.web.flash import Flash
from hero_admin.web.mount import path_to
from hero_admin.web.requests import back_of, back_param, form_of, session_of
from hero_admin.web.responses import redirect, render
from hero_admin.writes import idempotency, single
from hero_admin.writes.links import change_all_links
from hero_admin.writes.rules import checked_together

GONE = (
    "This {} has been deleted meanwhile. Nothing was saved, but your input is kept below: create it"
    " again, or leave it deleted."
)


async def new_page(resource: Resource, request: Request) -> Response:
    """GET /heroes/new?team_id=3: an empty form, prefilled from its URL."""
    texts = {**default_texts(resource.schemas.create_fields), **_given(resource, request)}
    links = link_texts(resource.many_to_many, request.query_params)
    state = FormState(texts, links=links)
    return await new_form(resource, request, state)


async def new_again(resource: Resource, request: Request) -> Response:
    """POST /heroes/new: the form again as it was typed, its pickers searched; nothing is saved."""
    form = await form_of(request)
    texts = typed_texts(resource.schemas.create_fields, form)
    links = link_texts(resource.many_to_many, form)
    state = FormState(texts, searches=searches_of(form), links=links, previewed=previews_of(form))
    return await new_form(resource, request, state, _token(form))


async def create(resource: Resource, request: Request) -> Response:
    """POST /heroes: creates a hero → back to the list; invalid → 422 with the form."""
    session = session_of(request)
    form = await form_of(request)
    texts = typed_texts(resource.schemas.create_fields, form)
    state = FormState(texts, links=link_texts(resource.many_to_many, form))
    # Without a history there is no table of what was sent.
    token = _token(form) if site_of(request).has_history else ""
    if searches_of(form):
        state = replace(state, searches=searches_of(form))
        return await new_form(resource, request, state, token)
    back = back_of(request, path_to(resource.name))
    url = back if request.query_params.get("then") != "new" else _new_url(resource, request)
    sent = texts | {name: repr(each) for name, each in state.links.items()}
    digest = idempotency.submission_digest(token, sent)
    if token and not await idempotency.claim(session, digest, resource.name):
        return await _created_before(resource, request, state, digest, url)
    transaction = transaction_of(request)
    try:
        deltas = read_deltas(resource.many_to_many, state.links)
        values = read_new(resource, texts)
        async with checked_together(transaction, resource) as together:
            record = await single.create(together, resource, values)
            await change_all_links(together, resource, [record], deltas)
            await link_new(together, resource, record, request)
    except Invalid as invalid:
        state = replace(state, errors=invalid.sentences)
        return await new_form(resource, request, state, token)
    key = key_of(resource, record)
    if token:
        await idempotency.record_key(session, digest, key)
    return redirect(request, url, done("Created", resource, record, transaction.operation))


async def new_instead(resource: Resource, request: Request, form: FormData) -> Response:
    """Answer the form of a record that is gone, such as by plain SQL: 422 with one for a new one.

    It holds what was typed, and the key where people give it.
    """
    fields = resource.schemas.create_fields
    key = zip(resource.key, key_in(resource, request), strict=True)
    given = {field.name: exact_text(field, value) for field, value in key if field in fields}
    texts = {**default_texts(fields), **given, **typed_texts(fields, form)}
    links = {
        name: replace(each, removed=())
        for name, each in link_texts(resource.many_to_many, form).items()
    }
    gone = {"": GONE.format(resource.label)}
    return await new_form(resource, request, FormState(texts, gone, links=links), "")


async def _created_before(
    resource: Resource, request: Request, state: FormState, digest: str, url: str
) -> Response:
    """Answer a form that was sent twice like the first time.

    If the record has been deleted since, offer a new form.
    """
    session = session_of(request)
    created = await idempotency.fetch_key(session, digest)
    key = parse_key(resource, created)
    if key is None or await records.fetch_record(session, resource, key) is None:
        gone = {
            "": f"This {resource.label} was created, but has been deleted since. Create it again?"
        }
        return await new_form(resource, request, replace(state, errors=gone), "")
    text = "Already created; not created twice."
    return redirect(request, url, Flash(text, marked=f"{resource.name}/{created}"))


async def new_form(
    resource: Resource,
    request: Request,
    state: FormState,
    token: str = "",
    *,
    note: str = "",
) -> Response:
    """Return the form for a new record; 422 with errors.

    note: a sentence above it, as HTML.
    """
    state = replace(state, is_new=True)
    session, site, fields = session_of(request), site_of(request), resource.schemas.create_fields
    form_fields = await fetch_form(session, site, resource, fields, state)
    links = await fetch_form_links(session, site, resource, state.links_state)
    sections = form_sections(resource, form_fields, links)
    context = {
        "resource": resource,
        "key": "",
        "title": f"New {resource.label}",
        "sections": sections,
        "fields": fields_in(sections),
        "links": links,
        "own": (),
        "errors": state.errors,
        "token": token or secrets.token_urlsafe(),
        "most_bytes": request.app.state.settings.max_body_bytes,
        "opened": "",
        "conflict": None,
        "deletion": None,
        "params": _params(resource, request),
        "cancel_url": back_of(request, path_to(resource.name)),
        "note": note,
    }
    status = 422 if state.errors else 200
    return render(request, "admin/edit.html", context, status, fragments=("form",))


def _token(form: FormData) -> str:
    token = form.get(ONCE, "")
    return token if isinstance(token, str) else ""


def _given(resource: Resource, request: Request) -> dict[str, str]:
    """Return the values in the URL of a form, which fill in the next form, too."""
    given = {
        field.name: sent_to(field.name, request.query_params)
        for field in resource.schemas.create_fields
    }
    return {name: texts[-1] for name, texts in given.items() if texts}


def _new_url(resource: Resource, request: Request) -> str:
    return with_query(path_to(resource.name, "new"), **_params(resource, request))


def _params(resource: Resource, request: Request) -> dict[str, str]:
    """Return the parameters of the URL of a form: its values, and the way back."""
    given = _given(resource, request)
    values = {control_name(name): text for name, text in given.items()}
    return values | linking_params(resource, request) | back_param(request)
