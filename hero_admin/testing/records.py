"""Records in tests: how they are called, and what is typed into their forms."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from sqlmodel import SQLModel

from hero_admin.forms.link_texts import link_control
from hero_admin.model.actions import Action
from hero_admin.model.field_names import control_name
from hero_admin.model.fields import Field
from hero_admin.model.formatting import exact_text
from hero_admin.model.links import ManyToMany
from hero_admin.model.primary_keys import key_text
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.testing.page import Form, Value

# A resource: its name in URLs, or its model.
Named = str | type[SQLModel]
# Any: a record is called by itself, by its key of any type, or by its key in URLs.
Record = Any


def named(site: Site, resource: Named) -> Resource:
    """Return the resource that is called so; fails with the names that there are."""
    for each in site.paged:
        if resource in (each.name, each.model):
            return each
    names = [each.name for each in site.paged]
    called = resource if isinstance(resource, str) else resource.__name__
    raise AssertionError(f"There is no resource {called!r}{meant(called, names)}")


def named_action(actions: Sequence[Action], called: str) -> Action:
    """Return the action of this label or name; fails with the labels that there are."""
    found = [each for each in actions if called in (each.label, each.name)]
    there_are = [each.label for each in actions]
    assert found, f"There is no action {called!r}{meant(called, there_are)}"
    return found[0]


def many_of(records: Record | Sequence[Record]) -> Sequence[Record]:
    """Return records, of which only one may be given; a tuple is its key."""
    return [*records] if isinstance(records, list | set) or records == () else [records]


def key_in_url(resource: Resource, record: Record) -> str:
    """Return the key in URLs of a record; a text is one already."""
    if isinstance(record, SQLModel):
        assert isinstance(record, resource.model), f"{record!r} is no {resource.label}."
        return key_text(resource, tuple(getattr(record, field.name) for field in resource.key))
    if isinstance(record, str):
        return record
    if isinstance(record, Mapping):
        return key_text(resource, tuple(record[field.public_name] for field in resource.key))
    return key_text(resource, record if isinstance(record, tuple) else (record,))


def typed(
    site: Site,
    label: str,
    fields: Mapping[str, Field],
    many_to_many: Sequence[ManyToMany],
    form: Form,
    values: Mapping[str, object],
) -> dict[str, Value]:
    """Return what is typed into a form for values by the names of fields and links.

    label: what the form is about, as in “hero”. The options of a picker are those that it finds
    first; others are chosen all the same.
    """
    changes: dict[str, Value] = {}
    links = {link.name: link for link in many_to_many}
    for name, value in values.items():
        if name in links:
            link = links[name]
            linked = value if isinstance(value, list | tuple | set) else [value]
            form.data[link_control(link)] = [
                _text(site.target_field_of(link.far), each) for each in linked
            ]
        elif name in fields:
            field = fields[name]
            control = control_name(name)
            assert control in form, f"The form has no field {name!r}{meant(name, [*form.data])}"
            if field.relation and value is not None:
                form.data[control] = [_text(site.target_field_of(field), value)]
            else:
                changes[control] = value if isinstance(value, bool) else _text(field, value)
        else:
            # A field of the form that belongs to no field of the record, such as a replacement.
            known = [*fields, *links, *form.data]
            assert name in form, f"The form of “{label}” has no field {name!r}{meant(name, known)}"
            form.data[name] = [value if isinstance(value, str) else _key(value)]
    return changes


def _text(field: Field, value: object) -> str:
    if isinstance(value, SQLModel):
        value = getattr(value, field.name)
    return value if isinstance(value, str) else exact_text(field, value)


def _key(value: object) -> str:
    if isinstance(value, SQLModel):
        keys = [column.key for column in value.__table__.primary_key]  # type: ignore[attr-defined] # SQLModel does not declare it
        return str(getattr(value, keys[0]))
    return "" if value is None else str(value)


def meant(name: str, known: Sequence[str]) -> str:
    """Return the end of a sentence about an unknown name: the one that was meant, or all."""
    close = get_close_matches(name, known, n=1)
    all_known = f": there are {', '.join(known)}." if known else "."
    return f"; did you mean {close[0]!r}?" if close else all_known
