"""The form of an existing record, with what was typed and what others have changed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.audit_log.changes import Change
from hero_admin.forms.form import FormState, fetch_form
from hero_admin.forms.hidden_fields import CLEAR, OPENED
from hero_admin.forms.link_texts import LinkTexts, link_texts
from hero_admin.forms.links import fetch_form_links
from hero_admin.forms.sections import fields_in, form_sections
from hero_admin.forms.submission import typed_texts
from hero_admin.forms.three_way_merge import opened_text
from hero_admin.listing.references import fetch_references
from hero_admin.model.fields import Field
from hero_admin.model.formatting import shown
from hero_admin.model.resource import Record, Resource
from hero_admin.pages.facts import read_only_facts
from hero_admin.pages.requests import (
    fetch_record,
    key_in,
    record_secret_of,
    site_of,
)
from hero_admin.web.mount import path_to
from hero_admin.web.requests import back_of, back_param, session_of
from hero_admin.web.responses import render


@dataclass(frozen=True)
class Typing:
    """A form being edited: the typed and the stored texts, and the hidden field with the base.

    errors: the sentence for each invalid field. searches: the search texts of its pickers. links:
    what is added to and removed from links. previewed: the fields to be seen as they will be shown.
    """

    typed: Mapping[str, str]
    stored: Mapping[str, str]
    opened: str
    errors: Mapping[str, str] = field(default_factory=dict)
    searches: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, LinkTexts] = field(default_factory=dict)
    previewed: Collection[str] = ()

    def state(self, fields: Sequence[Field]) -> FormState:
        """Return what the form shows, without stored masked values."""
        hidden = {each.name for each in fields if each.is_masked}
        shown = {name: text for name, text in self.stored.items() if name not in hidden}
        texts = {**shown, **self.typed}
        return FormState(texts, self.errors, self.searches, self.links, previewed=self.previewed)


@dataclass(frozen=True)
class Conflict:
    """What others have changed meanwhile.

    kept: the sentence about the fields that are merged. their_values: by conflicting field.
    """

    by: str
    kept: str
    their_values: Mapping[str, str]


async def render_form(
    resource: Resource,
    request: Request,
    typing: Typing,
    record: Record | None,
    *,
    conflict: Conflict | None = None,
    deletion: Change | None = None,
) -> Response:
    """Return the page of the form, or only the form.

    record: None if it was deleted meanwhile, by `deletion`. The status is 422 with errors, and 409
    with a conflict or deletion.
    """
    session, site, fields = session_of(request), site_of(request), resource.schemas.edit_fields
    state, title = typing.state(fields), resource.titles.of(record) if record else ""
    if deletion:
        title = deletion.title
    form_fields = await fetch_form(session, site, resource, fields, state, record)
    links = await fetch_form_links(session, site, resource, state.links_state, record)
    facts = await read_only_facts(resource, request, record)
    sections = form_sections(resource, form_fields, links, facts)
    key, listed = request.path_params["id"], path_to(resource.name)
    context = {
        "resource": resource,
        "key": key,
        "title": title,
        "sections": sections,
        "fields": fields_in(sections),
        "links": links,
        "own": await _own_facts(resource, request),
        "errors": typing.errors,
        "token": "",
        "most_bytes": request.app.state.settings.max_body_bytes,
        "opened": typing.opened,
        "conflict": conflict,
        "deletion": deletion,
        "note": "",
        "params": back_param(request),
        "cancel_url": back_of(request, listed if deletion else f"{listed}/{key}"),
    }
    status = 422 if typing.errors else 409 if conflict or deletion else 200
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
    for each in resource.schemas.edit_fields:
        # A blank leaves a masked value as it is.
        is_blank = each.is_masked and not typed.get(each.name, "").strip()
        if is_blank and f"{CLEAR}{each.name}" not in form:
            typed.pop(each.name, None)
    opened = str(form.get(OPENED, "")) or opened_with(request, resource, stored)
    return Typing(typed, stored, opened, links=link_texts(resource.many_to_many, form))


def opened_with(request: Request, resource: Resource, stored: Mapping[str, str]) -> str:
    """Return the hidden field with the texts that a form is opened with."""
    return opened_text(record_secret_of(resource, request), resource.schemas.edit_fields, stored)
