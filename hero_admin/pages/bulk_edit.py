"""Bulk edit: one form that changes the same fields of all selected records."""

from collections.abc import Sequence
from dataclasses import replace

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.forms.form import FormState, fetch_form
from hero_admin.forms.hidden_fields import SET
from hero_admin.forms.link_texts import link_texts, read_deltas
from hero_admin.forms.links import fetch_bulk_links
from hero_admin.forms.submission import previews_of, read_changes, searches_of, typed_texts
from hero_admin.jobs.table import JobKind
from hero_admin.jobs.tasks import as_payload
from hero_admin.model.fields import Field
from hero_admin.model.resource import Resource
from hero_admin.pages.jobs import start_job
from hero_admin.pages.requests import not_found, operation_of, site_of, transaction_of
from hero_admin.pages.selected import (
    Selection,
    fetch_ordered_titles,
    fetch_selection,
    fetch_version,
    lock_selection,
    note_of,
    without_selection,
)
from hero_admin.web.errors import Invalid, Overtaken
from hero_admin.web.flash import Flash
from hero_admin.web.mount import path_to
from hero_admin.web.requests import back_of, back_param, form_of, session_of
from hero_admin.web.responses import redirect, render
from hero_admin.writes import bulk
from hero_admin.writes.links import change_all_links
from hero_admin.writes.rules import checked_together
from hero_admin.writes.transaction import Transaction


async def change_many_page(resource: Resource, request: Request) -> Response:
    """GET /heroes/change?id=1&id=2: an empty form; only ticked fields will be changed."""
    without = without_selection(resource, request)
    if without is not None:
        return without
    selection = await fetch_selection(resource, request, request.query_params)
    return await _bulk_form(resource, request, selection, FormState({}), ())


async def change_many_again(resource: Resource, request: Request) -> Response:
    """POST /heroes/change/again: the form again as typed, its pickers searched."""
    form = await form_of(request)
    selection = await fetch_selection(resource, request, form)
    return await _bulk_form(
        resource, request, selection, _typed(resource, form), _ticked(resource, form)
    )


async def change_many(resource: Resource, request: Request) -> Response:
    """POST /heroes/change: changes the ticked fields of all selected records, or, 422, of none.

    If one of them has changed since the form was opened → 409 with the form.
    """
    form = await form_of(request)
    selection = await fetch_selection(resource, request, form)
    state = _typed(resource, form)
    ticked = _ticked(resource, form)
    if state.searches:
        return await _bulk_form(resource, request, selection, state, ticked)
    transaction = transaction_of(request, "bulk")
    try:
        if not selection.is_whole:
            return await _change_in_background(resource, request, selection, form)
        count = await _change_ticked(resource, transaction, selection, form)
    except Invalid as invalid:
        status = 409 if isinstance(invalid, Overtaken) else 422
        state = replace(state, errors=invalid.sentences)
        return await _bulk_form(resource, request, selection, state, ticked, status)
    undo = transaction.operation.id if count else ""
    note = note_of(selection, form)
    flash = Flash("Changed", resource.counted(count), undo=undo, note=note)
    return redirect(request, back_of(request, path_to(resource.name)), flash)


async def _change_ticked(
    resource: Resource, transaction: Transaction, selection: Selection, form: FormData
) -> int:
    typed = typed_texts(_fields(resource), form)
    texts = {name: typed.get(name, "") for name in _ticked(resource, form)}
    deltas = read_deltas(resource.many_to_many, link_texts(resource.many_to_many, form))
    if not texts and not deltas:
        raise Invalid({"": "Tick at least one field."})
    values, keys = read_changes(resource, texts), selection.keys
    # Referenced records are locked first, as by a deletion.
    await bulk.lock_targets(transaction.session, transaction.site, resource, values)
    await lock_selection(transaction, resource, selection, form, can_be_referenced=True)
    async with checked_together(transaction, resource) as together:
        changed = await bulk.change_many(together, resource, keys, values) if values else set()
        if deltas:
            states = await bulk.fetch_states(together.session, resource, keys)
            changed |= await change_all_links(together, resource, [*states.values()], deltas)
    return len(changed)


async def _change_in_background(
    resource: Resource, request: Request, selection: Selection, form: FormData
) -> Response:
    """Add a job for more records than a request can change → its page; raises Invalid."""
    typed = typed_texts(_fields(resource), form)
    texts = {name: typed.get(name, "") for name in _ticked(resource, form)}
    links = link_texts(resource.many_to_many, form)
    if not texts and not read_deltas(resource.many_to_many, links):
        raise Invalid({"": "Tick at least one field."})
    read_changes(resource, texts)
    operation, payload = operation_of(request, "bulk"), {"texts": texts, "links": as_payload(links)}
    new = selection.job(JobKind.EDIT, "Edit", resource, operation, **payload)
    return await start_job(request, new)


async def _bulk_form(
    resource: Resource,
    request: Request,
    selection: Selection,
    state: FormState,
    ticked: Sequence[str],
    status: int = 200,
) -> Response:
    session, site = session_of(request), site_of(request)
    titles = await fetch_ordered_titles(session, resource, selection.keys)
    if not titles:
        raise not_found(resource)
    # Records that no longer exist are left out of the form.
    names = [key for key, _ in titles]
    count = len(titles) if selection.is_whole else selection.count
    seen = await fetch_version(session, site, resource, names)
    context = {
        "resource": resource,
        "count": count,
        "is_long": not selection.is_whole,
        "counted": resource.counted(count),
        "titles": titles,
        **selection.context(names, seen),
        "fields": await fetch_form(session, site, resource, _fields(resource), state),
        "links": await fetch_bulk_links(session, site, resource, state.links_state),
        "ticked": ticked,
        "errors": state.errors,
        "params": back_param(request),
        "cancel_url": back_of(request, path_to(resource.name)),
    }
    return render(request, "admin/change.html", context, status, fragments=("form",))


def _typed(resource: Resource, form: FormData) -> FormState:
    links = link_texts(resource.many_to_many, form)
    return FormState(
        typed_texts(_fields(resource), form),
        searches=searches_of(form),
        links=links,
        previewed=previews_of(form),
    )


def _fields(resource: Resource) -> tuple[Field, ...]:
    """Return what many records may have in common."""
    unique = {fields[0] for fields in resource.unique_sets if len(fields) == 1}
    fields = {
        field.name: field
        for field in resource.schemas.edit_fields
        if not (field in unique or field.is_masked or field.is_bytes)
    }
    return tuple(fields[name] for name in resource.in_order(fields))


def _ticked(resource: Resource, form: FormData) -> list[str]:
    return [field.name for field in _fields(resource) if SET + field.name in form]
