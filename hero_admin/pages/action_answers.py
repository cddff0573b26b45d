"""Answers of actions: the page, the file or the message for what one has done."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from hero_admin.model.actions import Action
from hero_admin.web.flash import Flash
from hero_admin.web.mount import path_to
from hero_admin.web.requests import back_of
from hero_admin.web.responses import attachment, redirect
from hero_admin.writes.run import Answer, Download, Redirect, Run


# Any: the model is known at run time only.
def answered(
    request: Request,
    action: Action,
    run: Run[Any],
    answer: Answer,
    default: str,
    what: str = "",
    note: str = "",
) -> Response:
    """Return the response for what an action has answered; `default` is where people go back to."""
    if isinstance(answer, Download):
        headers = {"Content-Disposition": attachment(answer.name)}
        return Response(answer.content, media_type=answer.media_type, headers=headers)
    undo = transaction_id(run)
    if isinstance(answer, Redirect):
        url = path_to() + answer.path
        flash = Flash(answer.message, undo=undo, note=note) if answer.message or undo else None
        return redirect(request, url, flash)
    text = answer if isinstance(answer, str) else f"{action.label}: {what or 'done'}"
    return redirect(request, back_of(request, default), Flash(text, undo=undo, note=note))


# Any: the model is known at run time only.
def transaction_id(run: Run[Any]) -> str:
    """Return the id of the operation of a run, "" if it has changed nothing."""
    return run.operation_id if run.is_change else ""
