"""History pages: of all records and of one; undo, restore, and revealing masked values."""

from dataclasses import replace

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.audit_log.changes import Change, Entry, Kind
from hero_admin.audit_log.events import EventKind
from hero_admin.audit_log.request_events import note
from hero_admin.history import undo
from hero_admin.history.restore import restore
from hero_admin.history.timeline import fetch_people, fetch_timeline
from hero_admin.history.timeline_query import parse_timeline
from hero_admin.jobs.queue import fetch_job_of
from hero_admin.model.blobs import Blob
from hero_admin.model.formatting import revealed
from hero_admin.model.primary_keys import key_of, key_text, key_values
from hero_admin.model.resource import Resource
from hero_admin.pages.empty_state import empty_timeline
from hero_admin.pages.files import answer, fetch_bytes
from hero_admin.pages.jobs import NOTHING, undo_job
from hero_admin.pages.requests import (
    fetch_latest,
    fetch_or_404,
    fetch_record,
    is_seen,
    key_in,
    not_found,
    site_of,
    transaction_of,
)
from hero_admin.web.addresses import is_local
from hero_admin.web.errors import Invalid
from hero_admin.web.flash import Flash
from hero_admin.web.guards import identity_of
from hero_admin.web.mount import path_to, url_path
from hero_admin.web.requests import form_of, session_of
from hero_admin.web.responses import redirect, render
from hero_admin.web.texts import ngettext

OPERATION_CHARACTERS = 32


async def history_page(request: Request) -> Response:
    """GET /history?by=Ann&kind=deleted: the changes, newest first."""
    session, site = session_of(request), site_of(request)
    # Changes of accounts are for those who manage them.
    hidden = () if identity_of(request).is_owner else site.others
    query = parse_timeline(url_path(request.scope), request.query_params, hidden=hidden)
    timeline = await fetch_timeline(session, site, query, identity_of(request))
    context = {
        "timeline": timeline,
        "people": await fetch_people(session, site, timeline, hidden),
        "kinds": list(Kind),
        "query": query,
        "empty": empty_timeline(query),
    }
    status = 400 if query.problems else 200
    return render(request, "admin/history.html", context, status, fragments=("timeline",))


async def record_history_page(resource: Resource, request: Request) -> Response:
    """GET /heroes/7/history: the changes of one record, whether or not it still exists."""
    session, site = session_of(request), site_of(request)
    key = key_text(resource, key_in(resource, request))
    query = parse_timeline(url_path(request.scope), request.query_params, resource.name, key)
    timeline = await fetch_timeline(session, site, query, identity_of(request))
    found = await fetch_record(resource, request)
    latest = None if found else await fetch_latest(request, resource, key)
    if found is None and latest is None:
        raise not_found(resource)
    title = resource.titles.of(found) if found else latest.title if latest else ""
    context = {
        "resource": resource,
        "key": key,
        "title": title,
        "is_there": found is not None,
        "timeline": timeline,
        "query": query,
        "empty": empty_timeline(query),
    }
    status = 400 if query.problems else 200
    return render(request, "admin/record_history.html", context, status, fragments=("timeline",))


async def undo_operation(request: Request) -> Response:
    """POST /undo/0af…: undoes an operation → the page it came from, or 409."""
    form = await form_of(request)
    operation_id = request.path_params["operation"]
    if len(operation_id) > OPERATION_CHARACTERS or "\0" in operation_id:
        raise HTTPException(404)
    made_by = await fetch_job_of(session_of(request), operation_id)
    if made_by is not None:
        return await undo_job(request, made_by)
    transaction = transaction_of(request, "undo")
    try:
        undone = await undo.undo(transaction, operation_id)
    except Invalid as invalid:
        return _refused(request, "Nothing was undone", invalid, _local(form.get("back")))
    if undone is None:
        raise HTTPException(404, NOTHING)
    # A record whose creation was undone has no page.
    url = (undone.key and _local(form.get("back"))) or path_to(undone.resource.name)
    return redirect(request, url, _undone(undone, transaction.operation.id))


async def restore_record(resource: Resource, request: Request) -> Response:
    """POST /heroes/7/restore: reverts it to its state after or before a change → it, or 409."""
    form = await form_of(request)
    change = await _fetch_change(resource, request, form)
    key = change.key
    transaction = transaction_of(request, "restore")
    try:
        is_before = form.get("before") == "1"
        restored = await restore(transaction, resource, change, is_before=is_before)
    except Invalid as invalid:
        url = path_to(resource.name, key, "history")
        return _refused(request, "Nothing was restored", invalid, url)
    undo_id = transaction.operation.id if restored.is_change else ""
    flash = replace(_undone(restored, undo_id), undo_label="Undo")
    return redirect(request, path_to(resource.name, key), flash)


async def undo_change(resource: Resource, request: Request) -> Response:
    """POST /heroes/7/undo: undoes one change, but no later one → its history, or 409."""
    form = await form_of(request)
    change = await _fetch_change(resource, request, form)
    if change.kind != Kind.CHANGED:
        raise HTTPException(404, "This change doesn't exist.")
    transaction, url = (
        transaction_of(request, "undo"),
        path_to(resource.name, change.key, "history"),
    )
    try:
        undone = await undo.undo_change(transaction, resource, change)
    except Invalid as invalid:
        return _refused(request, "Nothing was undone", invalid, url)
    return redirect(request, url, _undone(undone, transaction.operation.id))


async def reveal(resource: Resource, request: Request) -> Response:
    """POST /heroes/7/reveal/secret_name: one masked value, and a line in the history."""
    await form_of(request)
    field = resource.by_name.get(request.path_params["field"])
    if field is None or not field.is_masked:
        raise HTTPException(404)
    found = await fetch_or_404(resource, request)
    entry = Entry(
        resource.name,
        key_of(resource, found),
        resource.titles.of(found),
        Kind.REVEALED,
        {field.name: (None, None)},
    )
    await transaction_of(request).record([entry])
    note(
        session_of(request),
        EventKind.REVEALED,
        resource=entry.resource,
        key=entry.key,
        title=entry.title,
        count=1,
        details={"fields": [field.name]},
    )
    value = found[field.name]
    if isinstance(value, Blob):
        key = key_values(resource, found)
        data = await fetch_bytes(session_of(request), resource, field, key)
        return answer(resource, field, key_text(resource, key), value, data)
    context = {
        "resource": resource,
        "key": key_of(resource, found),
        "title": resource.titles.of(found),
        "label": field.label,
        "text": "" if value is None else revealed(field, value),
    }
    return render(request, "admin/revealed.html", context, fragments=("revealed",))


async def _fetch_change(resource: Resource, request: Request, form: FormData) -> Change:
    """Fetch the change that a form names, of the record in the path; raises 404."""
    key = key_text(resource, key_in(resource, request))
    id_text = str(form.get("change", ""))
    is_id = id_text.isascii() and id_text.isdigit() and len(id_text) < 19
    change = await session_of(request).get(Change, int(id_text)) if is_id else None
    is_of_it = change and (change.resource, change.key) == (resource.name, key)
    if change is None or not is_of_it or not await is_seen(request, change):
        raise HTTPException(404, "This version doesn't exist.")
    return change


def _local(back: object) -> str:
    return back if isinstance(back, str) and is_local(back) else ""


def _refused(request: Request, title: str, invalid: Invalid, back: str) -> Response:
    detail = " ".join(dict.fromkeys(invalid.sentences.values()))
    context = {"status": 409, "title": title, "detail": detail, "back": back}
    return render(request, "error.html", context, 409, fragments=())


def _undone(undone: undo.Undone, operation_id: str) -> Flash:
    verb = "Deleted" if undone.effect is Kind.CREATED else "Restored"
    if undone.is_redo and undone.effect is Kind.CHANGED:
        verb = "Changed"
    resource, count, left = undone.resource, undone.count, undone.left_count
    counted = f"{count:,} records" if undone.is_mixed else resource.counted(count)
    title = undone.title if count == 1 else counted
    url = path_to(resource.name, undone.key) if undone.key and count == 1 else ""
    notes = [*undone.notes]
    if left:
        note = ngettext(
            "{count:,} related record was changed since, and kept as is.",
            "{count:,} related records were changed since, and kept as is.",
            left,
        )
        notes.append(note.format(count=left))
    if undone.rewritten:
        notes.append(f"Set by a trigger, so not as before: {', '.join(undone.rewritten)}.")
    marked = f"{resource.name}/{undone.key}" if undone.key else ""
    return Flash(
        verb,
        title,
        url,
        marked=marked,
        note=" ".join(notes),
        undo=operation_id,
        undo_label="Undo" if undone.is_redo else "Redo",
    )
