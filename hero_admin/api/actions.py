"""Actions of the API: on the records with some keys, or on all that match the filters of a list."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hero_admin.api.reading import Handler
from hero_admin.jobs.table import JobKind
from hero_admin.model.actions import Action
from hero_admin.model.annotations import alias_of
from hero_admin.model.primary_keys import parse_key
from hero_admin.model.resource import Resource
from hero_admin.pages.actions import check_form_can_wait
from hero_admin.pages.export_events import note_download
from hero_admin.pages.jobs import add_job, noticed
from hero_admin.pages.requests import not_found, operation_of, seen_in, site_of, transaction_of
from hero_admin.pages.selected import (
    MAX_SELECTED,
    Selection,
    fetch_matching,
    lock_selection,
    matching_query,
)
from hero_admin.web.errors import Invalid, Overtaken
from hero_admin.web.mount import path_to
from hero_admin.web.responses import attachment
from hero_admin.writes.rules import checked_together
from hero_admin.writes.run import Answer, Download, Redirect, Run

ON_WHICH = (
    "Either ids, the keys of records as in their URLs, or all_matching, the search and filters of"
    ' a list: {"q": "nova", "team": [3], "age_min": 18}; {} is all records.'
)


class ActionDone(BaseModel):
    """What an action has done; `operation` is what Undo takes back, null if nothing changed.

    job: the id of the job that does it, for many records: 202, with its URL as the Location.
    """

    message: str | None
    count: int
    operation: str | None
    job: str | None = None


class _Request(BaseModel):
    """What every action takes."""

    model_config = ConfigDict(extra="forbid")


def acts(whole: Resource, action: Action) -> Handler:
    """Return the handler of `POST /heroes/actions/retire`."""

    # Any: the schema of the body is made at run time.
    async def run_action(request: Request, body: Any) -> Response:
        resource = seen_in(request, whole)
        selection = await _fetch_selected(resource, request, body)
        if not selection.is_whole:
            return await _act_in_background(resource, action, request, selection, body)
        transaction = transaction_of(request, "action", action.label)
        run: Run[Any]
        try:
            await lock_selection(transaction, resource, selection, QueryParams())
        except Overtaken as overtaken:
            raise HTTPException(409, str(overtaken)) from None
        with _naming_the_form(action):
            async with checked_together(transaction) as together:
                run = Run(together, resource, selection.keys)
                answer = await action.function(run, *((body.form,) if action.form else ()))
        note_download(request, resource.name, action, answer, run.count)
        return _answered(run, answer, len(selection.keys))

    run_action.__annotations__["body"] = _schema(whole, action)
    return run_action


# Any: the schema is made at run time.
def _schema(resource: Resource, action: Action) -> Any:
    definitions: dict[str, Any] = {
        "ids": (list[int | str] | None, Field(default=None, min_length=1, max_length=MAX_SELECTED)),
        "all_matching": (dict[str, Any] | None, Field(default=None)),
    }
    if action.form is not None:
        definitions["form"] = (action.form, ...)
    words = "".join(part.title() for part in action.name.split("-"))
    return create_model(f"{resource.model.__name__}{words}", __base__=_Request, **definitions)


# Any: the body, and JSON.
async def _fetch_selected(resource: Resource, request: Request, body: Any) -> Selection:
    if (body.ids is None) == (body.all_matching is None):
        raise Invalid({"": "Send either ids or all_matching."})
    if body.ids is not None:
        keys = [parse_key(resource, str(each)) for each in dict.fromkeys(body.ids)]
        if None in keys:
            raise not_found(resource)
        return Selection([key for key in keys if key is not None], len(keys))
    try:
        query, text = matching_query(request, resource, list(_pairs(body.all_matching)))
    except HTTPException as error:
        raise Invalid({"all_matching": error.detail}) from None
    return await fetch_matching(resource, request, query, text)


def _pairs(filters: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the names and values of filters as they are in the URL of a list."""
    for name, values in filters.items():
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, dict | list):
                raise Invalid({"all_matching": f"{name} takes texts and numbers."})
            yield name, str(value).lower() if isinstance(value, bool) else str(value)


# Any: the body.
async def _act_in_background(
    resource: Resource, action: Action, request: Request, selection: Selection, body: Any
) -> Response:
    """Add a job for an action on more records than a request can change; return its id."""
    operation = operation_of(request, "action", action.label)
    check_form_can_wait(site_of(request).form_of(action))
    data = {"data": body.form.model_dump(mode="json", by_alias=True)} if action.form else {}
    payload = {"action": action.name, **data}
    new = selection.job(JobKind.ACTION, action.label, resource, operation, **payload)
    await add_job(request, new)
    answer = {"message": None, "count": selection.count, "operation": operation.id, "job": new.id}
    headers = {"Location": path_to("api", "jobs", new.id)}
    return noticed(request, JSONResponse(answer, 202, headers))


@contextmanager
def _naming_the_form(action: Action) -> Iterator[None]:
    """Name the fields of `Invalid` as the client has sent them."""
    try:
        yield
    except Invalid as invalid:
        infos = action.form.model_fields if action.form else {}
        names = {name: f"form.{alias_of(name, info)}" for name, info in infos.items()}
        invalid.sentences = {names.get(at, at): text for at, text in invalid.sentences.items()}
        raise


# Any: the model is known at run time only.
def _answered(run: Run[Any], answer: Answer, count: int) -> Response:
    if isinstance(answer, Download):
        headers = {"Content-Disposition": attachment(answer.name)}
        return Response(answer.content, media_type=answer.media_type, headers=headers)
    message = answer.message if isinstance(answer, Redirect) else answer
    operation = run.operation_id if run.is_change else None
    answered = {"message": message or None, "count": count, "operation": operation, "job": None}
    return JSONResponse(answered)
