"""Edit pages: the form of an existing record, and saving it."""

from dataclasses import replace

from markupsafe import Markup
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.audit_log.changes import Kind
from hero_admin.forms.control_texts import texts_of
from hero_admin.forms.hidden_fields import OPENED, RESTORE
from hero_admin.forms.link_texts import read_deltas
from hero_admin.forms.submission import previews_of, read_changes, searches_of
from hero_admin.forms.three_way_merge import Merge, merge
from hero_admin.history.undo import recreate
from hero_admin.listing.references import fetch_references
from hero_admin.model.formatting import shown
from hero_admin.model.primary_keys import key_of
from hero_admin.model.resource import Record, Resource
from hero_admin.model.serialization import read_again
from hero_admin.pages.create import new_instead
from hero_admin.pages.edit_form import Conflict, Typing, opened_with, render_form, typing_in
from hero_admin.pages.messages import done
from hero_admin.pages.requests import (
    fetch_latest,
    fetch_or_404,
    fetch_record,
    not_found,
    record_secret_of,
    site_of,
    transaction_of,
)
from hero_admin.pages.show import deleted_page
from hero_admin.web.errors import Invalid
from hero_admin.web.mount import path_to
from hero_admin.web.requests import back_of, form_of, session_of
from hero_admin.web.responses import redirect
from hero_admin.web.texts import listed, ngettext
from hero_admin.writes import single
from hero_admin.writes.link_locks import lock_links
from hero_admin.writes.links import change_all_links
from hero_admin.writes.rules import checked_together


async def edit_page(resource: Resource, request: Request) -> Response:
    """GET /heroes/7/edit: the form of an existing record."""
    record = await fetch_record(resource, request)
    if record is None:
        return await deleted_page(resource, request)
    stored = texts_of(resource.schemas.edit_fields, record)
    typing = Typing({}, stored, opened_with(request, resource, stored))
    return await render_form(resource, request, typing, record)


async def edit_again(resource: Resource, request: Request) -> Response:
    """POST /heroes/7/edit: the form again as typed, its pickers searched; nothing is saved."""
    form = await form_of(request)
    record = await fetch_or_404(resource, request)
    typing = typing_in(resource, request, form, texts_of(resource.schemas.edit_fields, record))
    typing = replace(typing, searches=searches_of(form), previewed=previews_of(form))
    return await render_form(resource, request, typing, record)


async def update(resource: Resource, request: Request) -> Response:
    """POST /heroes/7: saves what was sent → back to the list; invalid → 422 with the form.

    If another has changed the same field since the form was opened, or deleted the record → 409
    with the form and both values; nothing is saved. A deletion that no history knows → 422 with
    the form of a new record.
    """
    form = await form_of(request)
    record = await fetch_record(resource, request)
    if record is None:
        return await _update_deleted(resource, request, form)
    stored = texts_of(resource.schemas.edit_fields, record)
    typing = typing_in(resource, request, form, stored)
    if searches_of(form):
        typing = replace(typing, searches=searches_of(form))
        return await render_form(resource, request, typing, record)
    merged = _merged(resource, request, form, typing)
    if merged.conflicts:
        return await _conflict_form(resource, request, record, merged, typing)
    transaction = transaction_of(request)
    try:
        deltas = read_deltas(resource.many_to_many, typing.links)
        values = read_changes(resource, merged.mine, stored)
        await lock_links(transaction.session, [record], deltas)
        # The form shows the record as it is, whatever is refused.
        saved = dict(record)
        async with checked_together(transaction, resource) as together:
            is_changed = await single.change(together, resource, saved, values)
            linked = await change_all_links(together, resource, [saved], deltas)
    except Invalid as invalid:
        typing = replace(typing, errors=invalid.sentences)
        return await render_form(resource, request, typing, record)
    undoable = transaction.operation if is_changed or linked else None
    flash = done("Saved", resource, saved, undoable, note=_merged_note(merged))
    return redirect(request, back_of(request, path_to(resource.name)), flash)


async def _update_deleted(resource: Resource, request: Request, form: FormData) -> Response:
    """Answer a form whose record was deleted meanwhile; restore it only if that is asked for."""
    session = session_of(request)
    key = request.path_params["id"]
    deletion = await fetch_latest(request, resource, key, Kind.DELETED)
    if deletion is None and OPENED in form:
        return await new_instead(resource, request, form)
    if deletion is None:
        raise not_found(resource)
    dialect, fields = session.get_bind().dialect, resource.by_name
    was = {
        name: read_again(fields[name], old, dialect)
        for name, (old, _) in deletion.values.items()
        if name in fields
    }
    stored = texts_of(resource.schemas.edit_fields, was)
    typing = typing_in(resource, request, form, stored)
    if form.get(RESTORE) != "1":
        merged = _merged(resource, request, form, typing)
        settled = _settled(resource, request, typing, merged)
        return await render_form(resource, request, settled, None, deletion=deletion)
    transaction = transaction_of(request, "restore")
    try:
        deltas = read_deltas(resource.many_to_many, typing.links)
        values = read_changes(resource, typing.typed, stored)
        async with checked_together(transaction, resource) as together:
            record = await recreate(together, resource, deletion, values)
            await change_all_links(together, resource, [record], deltas)
    except Invalid as invalid:
        typing = replace(typing, errors=invalid.sentences)
        return await render_form(resource, request, typing, None, deletion=deletion)
    flash = done("Restored", resource, record, transaction.operation)
    return redirect(request, back_of(request, path_to(resource.name)), flash)


def _merged(resource: Resource, request: Request, form: FormData, typing: Typing) -> Merge:
    secret, fields = record_secret_of(resource, request), resource.schemas.edit_fields
    return merge(secret, fields, form, typing.typed, typing.stored)


async def _conflict_form(
    resource: Resource, request: Request, record: Record, merged: Merge, typing: Typing
) -> Response:
    """Return the form with the values of both sides; saving it again resolves the conflict."""
    session, site = session_of(request), site_of(request)
    latest = await fetch_latest(request, resource, key_of(resource, record))
    references = await fetch_references(session, site, resource, record)
    conflict = Conflict(
        by=latest.by_name if latest else "",
        kept=_kept_sentence(merged),
        their_values={
            field.name: references[field.name].title
            if field.name in references
            else shown(field, record[field.name])
            for field in merged.conflicts
        },
    )
    settled = _settled(resource, request, typing, merged)
    return await render_form(resource, request, settled, record, conflict=conflict)


def _settled(resource: Resource, request: Request, typing: Typing, merged: Merge) -> Typing:
    """Return the form on the basis of what is stored now, with which the next save compares."""
    theirs = {field.name for field in merged.theirs}
    mine = {name: text for name, text in typing.typed.items() if name not in theirs}
    opened = opened_with(request, resource, typing.stored)
    return Typing(mine, typing.stored, opened, links=typing.links)


def _kept_sentence(merged: Merge) -> str:
    if not merged.theirs:
        return ""
    count = len(merged.theirs)
    sentence = ngettext("Their new {labels} was kept.", "Their new {labels} were kept.", count)
    labels = Markup("<strong>{}</strong>").format(listed([each.label for each in merged.theirs]))
    return Markup(sentence).format(labels=labels)  # noqa: S704 - ours


def _merged_note(merged: Merge) -> str:
    if not merged.theirs:
        return ""
    labels = listed([field.label for field in merged.theirs])
    return f"Someone else changed {labels}; both changes were saved."
