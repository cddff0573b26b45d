"""Pages of the actions on no records in particular, which the overview offers."""

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from hero_admin.forms.control_texts import default_texts
from hero_admin.forms.form import FormState
from hero_admin.model.actions import Action
from hero_admin.pages.action_answers import answered, transaction_id
from hero_admin.pages.actions import options_of, read_action, render_question, typed
from hero_admin.pages.done_once import OPERATION, answer_if_done, digest_of, record_done
from hero_admin.pages.export_events import note_download
from hero_admin.pages.requests import site_of, transaction_of
from hero_admin.web.errors import Invalid
from hero_admin.web.mount import path_to
from hero_admin.web.requests import form_of, session_of
from hero_admin.writes.rules import checked_together
from hero_admin.writes.run import Run


async def global_action_page(action: Action, request: Request) -> Response:
    """GET /actions/reindex: the question before an action, and its form."""
    form = site_of(request).form_of(action)
    state = FormState(default_texts(form.fields) if form else {})
    return await _question(action, request, state)


async def global_action_again(action: Action, request: Request) -> Response:
    """POST /actions/reindex/again: the form again as it was typed, its pickers searched."""
    return await _question(action, request, typed(action, request, await form_of(request)))


async def global_act(action: Action, request: Request) -> Response:
    """POST /actions/reindex: does it → what it answers with; invalid → 422 with the form."""
    form = await form_of(request)
    state = typed(action, request, form)
    if state.searches:
        return await _question(action, request, state)
    digest = digest_of(action, form, state)
    before = await answer_if_done(request, digest, action.name, path_to(""))
    if before is not None:
        return before
    # Any: it has no records.
    run: Run[Any]
    try:
        data = read_action(request, action, state)
        transaction = transaction_of(request, "action", action.label)
        async with checked_together(transaction) as together:
            run = Run(together)
            answer = await action.function(run, *data)
    except Invalid as invalid:
        await session_of(request).rollback()
        return await _question(action, request, replace(state, errors=invalid.sentences), 422)
    await record_done(request, digest, OPERATION, transaction_id(run))
    note_download(request, "", action, answer, 0)
    return answered(request, action, run, answer, path_to(""))


async def global_action_options(action: Action, request: Request) -> Response:
    """GET /actions/reindex/options/team_id?q=…: the options of a picker of its form."""
    return await options_of(action, request)


async def _question(
    action: Action, request: Request, state: FormState, status: int = 200
) -> Response:
    context = {
        "question": action.question("", 0),
        "titles": (),
        "count": 0,
        "counted": "",
        "is_long": False,
        "crumbs": [("Overview", path_to(""))],
        "keys": (),
        "matching": None,
        "seen": "",
    }
    url = path_to("actions", action.name)
    return await render_question(request, action, state, url, context, path_to(""), status)
