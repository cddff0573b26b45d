"""Delete pages: the confirmation with the effects, and the deletion."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.forms.form import FormField
from hero_admin.jobs.table import JobKind
from hero_admin.listing.choices import fetch_options, relation_to
from hero_admin.listing.query_parser import search_in
from hero_admin.listing.references import fetch_titles
from hero_admin.model.field_names import control_name
from hero_admin.model.labels import in_sentence
from hero_admin.model.resource import Resource
from hero_admin.pages.deletion_sentences import consequence_sentence
from hero_admin.pages.jobs import start_job
from hero_admin.pages.requests import (
    key_in,
    not_found,
    operation_of,
    site_of,
    transaction_of,
)
from hero_admin.pages.selected import (
    Selection,
    fetch_ordered_titles,
    fetch_selection,
    fetch_version,
    lock_selection,
    note_of,
    without_selection,
)
from hero_admin.pages.show import deleted_page
from hero_admin.web.errors import Invalid
from hero_admin.web.flash import Flash
from hero_admin.web.mount import path_to
from hero_admin.web.requests import back_of, back_param, form_of, session_of
from hero_admin.web.responses import is_htmx, redirect, render
from hero_admin.writes import deletion
from hero_admin.writes.cascade import Consequence, Question, fetch_question
from hero_admin.writes.catalog import fetch_catalog
from hero_admin.writes.replacements import Choice, Replacement, choices_of, replacements_of


async def delete_page(resource: Resource, request: Request) -> Response:
    """GET /heroes/7/delete: the effects of deleting this record, and the choices."""
    return await _confirmation(resource, request, _record(resource, request))


async def delete(resource: Resource, request: Request) -> Response:
    """POST /heroes/7/delete: deletes it → the list; if others need it → 409."""
    form = await form_of(request)
    return await _delete(resource, request, _record(resource, request), form)


async def delete_row(resource: Resource, request: Request) -> Response:
    """DELETE /heroes/7?heroes=3: deletes it; htmx reloads the list; 409 as above."""
    return await _delete(resource, request, _record(resource, request), request.query_params)


async def delete_many_page(resource: Resource, request: Request) -> Response:
    """GET /heroes/delete?id=1&id=2: the effects of deleting the selected records."""
    without = without_selection(resource, request)
    if without is not None:
        return without
    selection = await fetch_selection(resource, request, request.query_params)
    return await _confirmation(resource, request, selection)


async def delete_many(resource: Resource, request: Request) -> Response:
    """POST /heroes/delete: deletes all the selected records or, 409, none of them."""
    form = await form_of(request)
    return await _delete(resource, request, await fetch_selection(resource, request, form), form)


def _record(resource: Resource, request: Request) -> Selection:
    """Return the record in the path."""
    return Selection([key_in(resource, request)], 1)


async def _delete(
    resource: Resource,
    request: Request,
    selection: Selection,
    params: FormData | QueryParams,
) -> Response:
    if not selection.is_whole:
        operation = operation_of(request, "bulk")
        new = selection.job(JobKind.DELETE, "Delete", resource, operation)
        return await start_job(request, new)
    session, keys = session_of(request), selection.keys
    transaction = transaction_of(request, "page" if len(keys) == 1 else "bulk")
    try:
        # All that is deleted is recorded with what its reader may not see.
        catalog = await fetch_catalog(session, transaction.site, [resource])
        replacements = _replacements(
            choices_of(catalog, transaction.site, resource.entire), resource, params
        )
        await lock_selection(transaction, resource, selection, params, replacements)
        titles = await fetch_titles(session, resource, keys)
        await deletion.remove(transaction, resource, keys, replacements, catalog)
    except Invalid as invalid:
        return await _confirmation(resource, request, selection, str(invalid))
    one = titles[0][1] if len(keys) == 1 else resource.counted(len(keys))
    note = note_of(selection, params)
    flash = Flash("Deleted", one, undo=transaction.operation.id, note=note)
    if request.method == "DELETE" and is_htmx(request):
        context = {"done": flash, "back": back_of(request, path_to(resource.name))}
        response = render(request, "admin/deleted.html", context, fragments=())
        response.headers["HX-Trigger"] = "listchanged"
        return response
    return redirect(request, back_of(request, path_to(resource.name)), flash)


async def _confirmation(
    resource: Resource, request: Request, selection: Selection, problem: str = ""
) -> Response:
    session, keys = session_of(request), selection.keys
    # In their order in the list.
    titles = await fetch_ordered_titles(session, resource, keys)
    if not titles and "id" in request.path_params:
        return await deleted_page(resource, request)
    if not titles:
        raise not_found(resource)
    question = Question()
    if selection.is_whole:
        question = await fetch_question(transaction_of(request), resource, keys)
    deleted_keys = {key for key, _ in titles}
    consequences = [
        (
            consequence_sentence(resource, each, titles),
            each.choice and await _picker(resource, request, each, each.choice, deleted_keys),
        )
        for each in question.consequences
    ]
    count = len(titles) if selection.is_whole else selection.count
    counted = resource.counted(count)
    seen = await fetch_version(session, site_of(request), resource, deleted_keys)
    is_row = request.query_params.get("in") == "list"
    is_on_its_own = "id" in request.path_params and not is_row
    came_from = path_to(resource.name, titles[0][0]) if is_on_its_own else path_to(resource.name)
    context: dict[str, Any] = {
        "resource": resource,
        "titles": titles,
        "count": count,
        "is_long": not selection.is_whole,
        "what": titles[0][1] if len(titles) == 1 else counted,
        "noun": resource.label if len(titles) == 1 else counted,
        "is_many": "id" not in request.path_params,
        "consequences": consequences,
        "limits": question.limits,
        "problem": problem or question.refusal,
        **selection.context(deleted_keys, seen),
        "is_row": is_row,
        **back_param(request),
        "cancel_url": back_of(request, came_from),
    }
    return render(
        request, "admin/delete.html", context, 409 if problem else 200, fragments=("confirm",)
    )


async def _picker(
    resource: Resource,
    request: Request,
    consequence: Consequence,
    choice: Choice,
    deleted_keys: set[str],
) -> FormField:
    """Return the picker of a replacement."""
    field = choice.referrer.field if choice.referrer else relation_to(resource, choice.field)
    text = search_in(request.query_params, f"{control_name(choice.name)}.q")
    found = await fetch_options(session_of(request), site_of(request), field, text)
    params = [("without", key) for key in sorted(deleted_keys)]
    options_url = path_to(resource.name, "options", field.name)
    if choice.referrer:
        options_url = path_to(choice.referrer.resource.name, "options", field.name)
    else:
        params.append(("itself", "1"))
    is_required = consequence.effect in ("restricted", "default")
    whose = choice.referrer.resource.label_plural if choice.referrer else choice.label
    is_own = choice.referrer and consequence.noun == resource.label
    label = f"Move {whose} to" if is_own else f"New {consequence.noun} for {whose}"
    return FormField(
        name=choice.name,
        label=label,
        noun=consequence.noun,
        kind="relation",
        text="",
        error="",
        is_required=is_required,
        is_optional=not is_required,
        attributes={},
        options=found.without(deleted_keys),
        target=resource,
        search_text=text,
        options_url=f"{options_url}?{urlencode(params)}",
    )


def _replacements(
    choices: Mapping[str, Choice], resource: Resource, params: FormData | QueryParams
) -> dict[str, Replacement]:
    """Return the chosen replacements, by the name of the choice."""
    try:
        return replacements_of(choices, params)
    except ValueError as error:
        label = in_sentence(choices[str(error)].label)
        raise Invalid({"": f"Choose another {resource.label} for the {label}."}) from None
