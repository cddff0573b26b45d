"""Sections of a form: which fields and links stand together, below which heading."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hero_admin.forms.form import FormField
from hero_admin.forms.links import FormLink
from hero_admin.model.fields import Field
from hero_admin.model.resource import Resource


class Fact(NamedTuple):
    """A field that is shown and not edited, with the HTML of its value."""

    field: Field
    html: str


class FormSection(NamedTuple):
    """A part of a form: for each field, fact and link its kind and itself."""

    id: str
    title: str
    items: tuple[tuple[str, FormField | Fact | FormLink], ...]


def fields_in(sections: Sequence[FormSection]) -> tuple[FormField, ...]:
    """Return the fields of a form in the order in which they are seen."""
    items = (item for section in sections for _, item in section.items)
    return tuple(item for item in items if isinstance(item, FormField))


def form_sections(
    resource: Resource,
    fields: Sequence[FormField],
    links: Sequence[FormLink],
    facts: Sequence[Fact] = (),
) -> tuple[FormSection, ...]:
    """Return the sections of a form; without any, there is one without a heading."""
    items: Mapping[str, tuple[str, FormField | Fact | FormLink]] = {
        **{each.name: ("field", each) for each in fields},
        **{each.field.name: ("fact", each) for each in facts},
        **{each.link.name: ("link", each) for each in links},
    }
    names = [field.name for field in resource.fields if field.name in items]
    names += [each.link.name for each in links]
    found = resource.sections_of(names)
    return tuple(
        FormSection(f"section-{number}", title, tuple(items[name] for name in own))
        for number, (title, own) in enumerate(found or [("", ())])
    )
