"""Action pages: the confirmation of an action with its form, and its run."""

from dataclasses import replace
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.forms.control_texts import default_texts
from hero_admin.forms.form import FormState, fetch_form
from hero_admin.forms.submission import read_answers, searches_of, typed_texts
from hero_admin.jobs.table import JobKind
from hero_admin.listing.choices import fetch_options
from hero_admin.listing.query_parser import search_in
from hero_admin.model.action_forms import ActionForm
from hero_admin.model.actions import Action
from hero_admin.model.resource import Resource
from hero_admin.pages.action_answers import answered, transaction_id
from hero_admin.pages.done_once import (
    JOB,
    OPERATION,
    answer_if_done,
    digest_of,
    once_token,
    record_done,
)
from hero_admin.pages.export_events import note_download
from hero_admin.pages.jobs import start_job
from hero_admin.pages.requests import not_found, operation_of, site_of, transaction_of
from hero_admin.pages.selected import (
    MAX_SELECTED,
    Selection,
    fetch_ordered_titles,
    fetch_selection,
    fetch_version,
    lock_selection,
    note_of,
    without_selection,
)
from hero_admin.web.errors import Invalid, Overtaken
from hero_admin.web.mount import path_to
from hero_admin.web.requests import back_of, back_param, form_of, session_of
from hero_admin.web.responses import render
from hero_admin.web.texts import capitalised
from hero_admin.writes.rules import checked_together
from hero_admin.writes.run import Run


async def action_page(resource: Resource, action: Action, request: Request) -> Response:
    """GET /heroes/actions/retire?id=1&id=2: the question before an action, and its form."""
    without = without_selection(resource, request)
    if without is not None:
        return without
    selection = await fetch_selection(resource, request, request.query_params)
    _check_place(resource, action, selection)
    form = site_of(request).form_of(action)
    state = FormState(default_texts(form.fields) if form else {})
    return await _question(resource, action, request, selection, state)


async def action_again(resource: Resource, action: Action, request: Request) -> Response:
    """POST /heroes/actions/transfer/again: the form again as typed, its pickers searched."""
    form = await form_of(request)
    selection = await fetch_selection(resource, request, form)
    return await _question(resource, action, request, selection, typed(action, request, form))


async def act(resource: Resource, action: Action, request: Request) -> Response:
    """POST /heroes/actions/retire: does it → what it answers with; invalid → 422 with the form.

    If one of the records has changed since the question was asked → 409 with the question.
    """
    form = await form_of(request)
    selection = await fetch_selection(resource, request, form)
    _check_place(resource, action, selection)
    state = typed(action, request, form)
    if state.searches:
        return await _question(resource, action, request, selection, state)
    digest, listed = digest_of(action, form, state), path_to(resource.name)
    before = await answer_if_done(request, digest, resource.name, listed)
    if before is not None:
        return before
    transaction = transaction_of(request, "action", action.label)
    # Any: the model is known at run time only.
    run: Run[Any]
    try:
        data = read_action(request, action, state)
        if not selection.is_whole:
            return await _act_in_background(resource, action, request, selection, state, digest)
        await lock_selection(transaction, resource, selection, form)
        async with checked_together(transaction) as together:
            run = Run(together, resource, selection.keys)
            answer = await action.function(run, *data)
    except Invalid as invalid:
        status = 409 if isinstance(invalid, Overtaken) else 422
        await session_of(request).rollback()
        state = replace(state, errors=labelled(resource, site_of(request).form_of(action), invalid))
        return await _question(resource, action, request, selection, state, status)
    await record_done(request, digest, OPERATION, transaction_id(run))
    note_download(request, resource.name, action, answer, run.count)
    note = note_of(selection, form)
    counted = resource.counted(len(selection.keys))
    return answered(request, action, run, answer, listed, counted, note)


async def _act_in_background(
    resource: Resource,
    action: Action,
    request: Request,
    selection: Selection,
    state: FormState,
    digest: str,
) -> Response:
    """Add a job for an action on more records than a request can change → its page."""
    check_form_can_wait(site_of(request).form_of(action))
    operation = operation_of(request, "action", action.label)
    payload = {"action": action.name, "texts": dict(state.texts)}
    new = selection.job(JobKind.ACTION, action.label, resource, operation, **payload)
    response = await start_job(request, new)
    await record_done(request, digest, JOB, new.id)
    return response


def check_form_can_wait(form: ActionForm | None) -> None:
    """Raise Invalid for a form that is not to be kept until a job is done."""
    if form and any(field.is_bytes or field.is_masked for field in form.fields):
        raise Invalid({"": f"With a file or a secret, at most {MAX_SELECTED:,} are possible."})


async def action_options(_: Resource, action: Action, request: Request) -> Response:
    """GET /heroes/actions/transfer/options/team_id?q=…: the options of a picker of its form."""
    return await options_of(action, request)


async def options_of(action: Action, request: Request) -> Response:
    """Return the options of a field in the form of an action."""
    form = site_of(request).form_of(action)
    field = form.by_name.get(request.path_params["field"]) if form else None
    if field is None or field.relation is None:
        raise HTTPException(404)
    text = search_in(request.query_params, "q")
    found = await fetch_options(session_of(request), site_of(request), field, text)
    context = {"options": found, "target": site_of(request).target_of(field), "text": text}
    return render(request, "admin/options.html", context, fragments=())


def typed(action: Action, request: Request, form: FormData) -> FormState:
    """Return what was typed in the form of an action."""
    fields = asked.fields if (asked := site_of(request).form_of(action)) else ()
    return FormState(typed_texts(fields, form), searches=searches_of(form))


# Any: the form of an action.
def read_action(request: Request, action: Action, state: FormState) -> tuple[Any, ...]:
    """Return the arguments of an action after its run; raises Invalid."""
    form = site_of(request).form_of(action)
    return () if form is None else (read_answers(form, state.texts),)


def labelled(resource: Resource, form: ActionForm | None, invalid: Invalid) -> dict[str, str]:
    """Return the sentences of an error; those about fields that are not asked for name them."""
    asked = form.by_name if form else {}
    return {
        name: sentence
        if name in asked or name not in resource.by_name
        else f"{resource.by_name[name].label}: {sentence}"
        for name, sentence in invalid.sentences.items()
    }


async def _question(
    resource: Resource,
    action: Action,
    request: Request,
    selection: Selection,
    state: FormState,
    status: int = 200,
) -> Response:
    session, site = session_of(request), site_of(request)
    titles = await fetch_ordered_titles(session, resource, selection.keys)
    if not titles:
        raise not_found(resource)
    count = len(titles) if selection.is_whole else selection.count
    counted = resource.counted(count)
    # Records that no longer exist are left out.
    names = [key for key, _ in titles]
    seen = await fetch_version(session, site, resource, names)
    url = path_to(resource.name, "actions", action.name)
    one = titles[0] if count == 1 else None
    came_from = path_to(resource.name, one[0]) if one else path_to(resource.name)
    crumbs = [(capitalised(resource.label_plural), path_to(resource.name))]
    context = {
        "question": action.question(one[1] if one else counted, count),
        "titles": titles,
        "count": count,
        "counted": counted,
        "is_long": not selection.is_whole,
        "crumbs": [*crumbs, (one[1], came_from)] if one else crumbs,
        **selection.context(names, seen),
    }
    return await render_question(request, action, state, url, context, came_from, status)


# Any: the context of a template.
async def render_question(
    request: Request,
    action: Action,
    state: FormState,
    url: str,
    context: dict[str, Any],
    came_from: str,
    status: int,
) -> Response:
    """Return the page of the question before an action."""
    site, form = site_of(request), site_of(request).form_of(action)
    asked = form or ActionForm("", type(None), ())  # type: ignore[arg-type]
    shown = replace(state, is_new=True)
    fields = await fetch_form(session_of(request), site, asked, asked.fields, shown)
    names = asked.by_name.keys()
    context |= {
        "action": action,
        "token": once_token(request, action),
        "action_url": url,
        "again": f"{url}/again",
        "fields": fields,
        "has_files": asked.has_files,
        "most_bytes": request.app.state.settings.max_body_bytes if asked.has_files else 0,
        "errors": {name: text for name, text in state.errors.items() if name in names},
        "problem": " ".join(text for name, text in state.errors.items() if name not in names),
        "params": back_param(request),
        "cancel_url": back_of(request, came_from),
    }
    return render(request, "admin/action.html", context, status, fragments=("confirm",))


def _check_place(resource: Resource, action: Action, selection: Selection) -> None:
    """Raise 400 where an action is not offered for so many records."""
    places = {"all"} if selection.query is not None else {"selected"}
    if selection.count == 1 and selection.query is None:
        places.add("row")
    if not places & set(action.on):
        raise HTTPException(400, f"“{action.label}” isn't for these {resource.label_plural}.")
