"""Pages to edit on: the form of an existing record, and what becomes of it when saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.audit_log.changes import Change, Kind, fetch_latest
from hero_admin.forms.form import fetch_form, read_changes, searches_of, texts_of, typed_texts
from hero_admin.forms.hidden_fields import CLEAR, OPENED, RESTORE
from hero_admin.forms.three_way_merge import Merge, merge, opened_text
from hero_admin.history.undo import recreate
from hero_admin.listing.references import fetch_references
from hero_admin.model.fields import Field
from hero_admin.model.formatting import shown
from hero_admin.model.primary_keys import key_of
from hero_admin.model.resource import Record, Resource
from hero_admin.model.serialization import read_again
from hero_admin.pages.messages import done
from hero_admin.pages.requests import (
    fetch_or_404,
    fetch_record,
    key_in,
    not_found,
    record_secret_of,
    site_of,
    transaction_of,
)
from hero_admin.pages.show import deleted_page
from hero_admin.web.errors import Invalid
from hero_admin.web.requests import back_of, back_param, form_of, session_of
from hero_admin.web.responses import redirect, render
from hero_admin.writes import single


async def edit_page(resource: Resource, request: Request) -> Response:
    """GET /heroes/7/edit: the form of an existing record."""
    record = await fetch_record(resource, request)
    if record is None:
        return await deleted_page(resource, request)
    stored = texts_of(resource.schemas.edit_fields, record)
    title = resource.titles.of(record)
    return await _edit_form(
        resource, request, title, _Typing({}, stored, _opened(request, resource, stored)), record
    )


async def edit_again(resource: Resource, request: Request) -> Response:
    """POST /heroes/7/edit: the form again as typed, its pickers searched; nothing is saved."""
    form = await form_of(request)
    record = await fetch_or_404(resource, request)
    typing = _typing(resource, request, form, texts_of(resource.schemas.edit_fields, record))
    title = resource.titles.of(record)
    return await _edit_form(resource, request, title, typing, record, searches=searches_of(form))


async def update(resource: Resource, request: Request) -> Response:
    """POST /heroes/7: saves what was sent → back to the list; invalid → 422 with the form.

    If another has changed the same field since the form was opened, or deleted the record → 409
    with the form and both values; nothing is saved.
    """
    form = await form_of(request)
    record = await fetch_record(resource, request)
    if record is None:
        return await _update_deleted(resource, request, form)
    # Read now: after a failed write the record can no longer be asked.
    title, stored = resource.titles.of(record), texts_of(resource.schemas.edit_fields, record)
    typing = _typing(resource, request, form, stored)
    if searches_of(form):
        return await _edit_form(
            resource, request, title, typing, record, searches=searches_of(form)
        )
    merged = merge(
        record_secret_of(resource, request),
        resource.schemas.edit_fields,
        form,
        typing.typed,
        stored,
    )
    if merged.conflicts:
        return await _conflict_form(resource, request, record, merged, typing)
    transaction = transaction_of(request)
    try:
        values = read_changes(resource, merged.mine, stored)
        is_changed = await single.change(transaction, resource, record, values)
    except Invalid as invalid:
        return await _edit_form(resource, request, title, typing, record, errors=invalid.sentences)
    undoable = transaction.operation if is_changed else None
    flash = done("Saved", resource, record, undoable, note=_kept_note(merged))
    return redirect(request, back_of(request, f"/{resource.name}"), flash)


async def _update_deleted(resource: Resource, request: Request, form: FormData) -> Response:
    """Answer a form whose record is gone; bring it back only if that is what was asked for."""
    session = session_of(request)
    key = request.path_params["id"]
    deletion = await fetch_latest(session, resource.name, key, Kind.DELETED)
    if deletion is None:
        raise not_found(resource)
    dialect, fields = session.get_bind().dialect, resource.by_name
    was = {
        name: read_again(fields[name], old, dialect)
        for name, (old, _) in deletion.values.items()
        if name in fields
    }
    stored = texts_of(resource.schemas.edit_fields, was)
    typing = _typing(resource, request, form, stored)
    if form.get(RESTORE) != "1":
        merged = merge(
            record_secret_of(resource, request),
            resource.schemas.edit_fields,
            form,
            typing.typed,
            stored,
        )
        settled = _settled(resource, request, typing, merged)
        return await _edit_form(
            resource, request, deletion.title, settled, status=409, deletion=deletion
        )
    transaction = transaction_of(request, "restore")
    try:
        values = read_changes(resource, typing.typed, stored)
        record = await recreate(transaction, resource, deletion, values)
    except Invalid as invalid:
        return await _edit_form(
            resource,
            request,
            deletion.title,
            typing,
            errors=invalid.sentences,
            deletion=deletion,
        )
    flash = done("Restored", resource, record, transaction.operation)
    return redirect(request, back_of(request, f"/{resource.name}"), flash)


async def _conflict_form(
    resource: Resource, request: Request, record: Record, merged: Merge, typing: "_Typing"
) -> Response:
    """Return the form with what both sides made of it; saving it once more settles it."""
    session, site = session_of(request), site_of(request)
    latest = await fetch_latest(session, resource.name, key_of(resource, record))
    references = await fetch_references(session, site, resource, record)
    conflict = _Conflict(
        by=latest.by_name if latest else "",
        kept=tuple(field.label for field in merged.kept),
        theirs={
            field.name: references[field.name].title
            if field.name in references
            else shown(field, record[field.name])
            for field in merged.conflicts
        },
    )
    settled = _settled(resource, request, typing, merged)
    return await _edit_form(
        resource,
        request,
        resource.titles.of(record),
        settled,
        record,
        status=409,
        conflict=conflict,
    )


async def _edit_form(
    resource: Resource,
    request: Request,
    title: str,
    typing: "_Typing",
    record: Record | None = None,
    *,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
    searches: Mapping[str, str] | None = None,
    conflict: "_Conflict | None" = None,
    deletion: Change | None = None,
) -> Response:
    fields = await fetch_form(
        session_of(request),
        site_of(request),
        resource,
        resource.schemas.edit_fields,
        typing.texts(resource.schemas.edit_fields),
        errors,
        searches,
        record,
        is_new=False,
    )
    key, listed = request.path_params["id"], f"/{resource.name}"
    context = {
        "resource": resource,
        "key": key,
        "title": title,
        "fields": fields,
        "own": await _own_facts(resource, request),
        "errors": errors or {},
        "token": "",
        "most_bytes": request.app.state.settings.max_body_bytes,
        "opened": typing.opened,
        "conflict": conflict,
        "deletion": deletion,
        "params": back_param(request),
        "cancel_url": back_of(request, listed if deletion else f"{listed}/{key}"),
    }
    status = 422 if errors else status
    return render(request, "admin/edit.html", context, status, fragments=("form",))


async def _own_facts(resource: Resource, request: Request) -> list[tuple[str, str]]:
    """Return the parts of the key, which people gave and which stay, as they read."""
    key = dict(zip(resource.key, key_in(resource, request), strict=True))
    given = {field: value for field, value in key.items() if not field.is_generated}
    titles: dict[str, str] = {}
    record = None
    if any(field.relation for field in given):
        record = await fetch_record(resource, request)
    if record is not None:
        session, site = session_of(request), site_of(request)
        references = await fetch_references(session, site, resource, record)
        titles = {name: reference.title for name, reference in references.items()}
    return [
        (field.label, titles.get(field.name) or shown(field, value))
        for field, value in given.items()
    ]


@dataclass(frozen=True)
class _Typing:
    """A form being edited: what was typed, what is stored, and what it was opened with."""

    typed: Mapping[str, str]
    stored: Mapping[str, str]
    opened: str

    def texts(self, fields: Sequence[Field]) -> dict[str, str]:
        """Return what stands in the form; a masked value is not sent out again."""
        hidden = {field.name for field in fields if field.is_masked}
        shown = {name: text for name, text in self.stored.items() if name not in hidden}
        return {**shown, **self.typed}


@dataclass(frozen=True)
class _Conflict:
    """What another person made of the record meanwhile: labels kept, and values by field."""

    by: str
    kept: tuple[str, ...]
    theirs: Mapping[str, str]


def _typing(
    resource: Resource, request: Request, form: FormData, stored: Mapping[str, str]
) -> _Typing:
    typed = typed_texts(resource.schemas.edit_fields, form)
    for field in resource.schemas.edit_fields:
        # Nothing typed over the dots leaves what is behind them.
        is_blank = field.is_masked and not typed.get(field.name, "").strip()
        if is_blank and f"{CLEAR}{field.name}" not in form:
            typed.pop(field.name, None)
    opened = str(form.get(OPENED, "")) or _opened(request, resource, stored)
    return _Typing(typed, stored, opened)


def _settled(resource: Resource, request: Request, typing: _Typing, merged: Merge) -> _Typing:
    """Return the form after what others did: the next save compares with what is stored now."""
    kept = {field.name for field in merged.kept}
    mine = {name: text for name, text in typing.typed.items() if name not in kept}
    return _Typing(mine, typing.stored, _opened(request, resource, typing.stored))


def _opened(request: Request, resource: Resource, stored: Mapping[str, str]) -> str:
    return opened_text(record_secret_of(resource, request), resource.schemas.edit_fields, stored)


def _kept_note(merged: Merge) -> str:
    if not merged.kept:
        return ""
    labels = " and ".join(field.label for field in merged.kept)
    return f"Someone else changed {labels}; both changes were saved."
