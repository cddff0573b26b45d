"""The form of an existing record, with what was typed and what others have changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.audit_log.changes import Change
from hero_admin.forms.form import fetch_form
from hero_admin.forms.hidden_fields import CLEAR, OPENED
from hero_admin.forms.submission import typed_texts
from hero_admin.forms.three_way_merge import opened_text
from hero_admin.listing.references import fetch_references
from hero_admin.model.fields import Field
from hero_admin.model.formatting import shown
from hero_admin.model.resource import Record, Resource
from hero_admin.pages.requests import (
    fetch_record,
    key_in,
    record_secret_of,
    site_of,
)
from hero_admin.web.requests import back_of, back_param, session_of
from hero_admin.web.responses import render


@dataclass(frozen=True)
class Typing:
    """A form being edited: the typed and the stored texts, and the hidden field with the base."""

    typed: Mapping[str, str]
    stored: Mapping[str, str]
    opened: str

    def texts(self, fields: Sequence[Field]) -> dict[str, str]:
        """Return the texts of the form, without stored masked values."""
        hidden = {field.name for field in fields if field.is_masked}
        shown = {name: text for name, text in self.stored.items() if name not in hidden}
        return {**shown, **self.typed}


@dataclass(frozen=True)
class Conflict:
    """What others have changed meanwhile.

    their_labels: the fields that are merged. their_values: by conflicting field.
    """

    by: str
    their_labels: tuple[str, ...]
    their_values: Mapping[str, str]


async def render_form(
    resource: Resource,
    request: Request,
    title: str,
    typing: Typing,
    record: Record | None = None,
    *,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
    searches: Mapping[str, str] | None = None,
    conflict: Conflict | None = None,
    deletion: Change | None = None,
) -> Response:
    """Return the page of the form, or only the form; 422 with errors, else `status`."""
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
    """Return the labels and values of the key that people gave, which never changes."""
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


def typing_in(
    resource: Resource, request: Request, form: FormData, stored: Mapping[str, str]
) -> Typing:
    """Return the texts of a submitted form."""
    typed = typed_texts(resource.schemas.edit_fields, form)
    for field in resource.schemas.edit_fields:
        # A blank leaves a masked value as it is.
        is_blank = field.is_masked and not typed.get(field.name, "").strip()
        if is_blank and f"{CLEAR}{field.name}" not in form:
            typed.pop(field.name, None)
    opened = str(form.get(OPENED, "")) or opened_with(request, resource, stored)
    return Typing(typed, stored, opened)


def opened_with(request: Request, resource: Resource, stored: Mapping[str, str]) -> str:
    """Return the hidden field with the texts that a form is opened with."""
    return opened_text(record_secret_of(resource, request), resource.schemas.edit_fields, stored)
