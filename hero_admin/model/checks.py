"""Checks: the mistakes in a resource, found when its site is made."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Column, Table
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm.attributes import QueryableAttribute

from hero_admin.model.actions import wrong_actions
from hero_admin.model.arguments import ResourceError, name_of
from hero_admin.model.associations import association_of
from hero_admin.model.child_checks import wrong_children
from hero_admin.model.computed_checks import wrong_computed, wrong_reads, wrong_uses
from hero_admin.model.computed_fields import ComputedField
from hero_admin.model.fields import Field
from hero_admin.model.layout_checks import wrong_layout, wrong_layout_types
from hero_admin.model.link_targets import wrong_targets
from hero_admin.model.links import many_to_many, relationship_of
from hero_admin.model.mapped_fields import fields_of
from hero_admin.model.named_columns import hint, is_of, shown, wrong_columns
from hero_admin.model.resource import Resource
from hero_admin.model.rights_checks import wrong_rights
from hero_admin.model.rule_checks import wrong_rules
from hero_admin.web.assets import icon_names, no_symbol

COLUMNS = ("columns", "search", "filters", "masked", "read_only_fields", "hidden")
# The arguments that also take links and computed columns.
LINKS = ("columns", "filters")
TEXTS = ("sort", "name", "label", "label_plural", "icon", "group")
SCHEMAS = ("create", "update", "read")
A_SEGMENT = re.compile(r"\w[\w.-]*")


def check_resources(resources: Sequence[Resource], taken: frozenset[str]) -> None:
    """Raise ResourceError for the first mistake in the resources of a site.

    A resource alone cannot be checked: its relations need all models. `taken`: names of URLs.
    """
    names: list[str] = []
    for resource in resources:
        if not isinstance(resource, Resource):
            raise ResourceError(f"{resource!r} is not a Resource: wrap the model in Resource(…).")
        for mistake in _mistakes(resource):
            end = "" if mistake.endswith("?") else "."
            raise ResourceError(f"Resource({name_of(resource.model)}): {mistake}{end}")
        if resource.name in taken or resource.name in names:
            raise ResourceError(
                f"Resource({name_of(resource.model)}): /{resource.name} is taken, so give it"
                " another name=."
            )
        names.append(resource.name)
    for resource in resources:
        for mistake in (
            *wrong_children(resource, resources),
            *wrong_reads(resource, resources),
            *wrong_targets(resource, resources),
        ):
            raise ResourceError(f"Resource({name_of(resource.model)}): {mistake}.")


def _mistakes(resource: Resource) -> Iterator[str]:
    # Arguments may have any type.
    if not isinstance(getattr(resource, "model"), type):  # noqa: B009 - as it was written
        yield "model= takes a class, such as Hero"
        return
    if not isinstance(getattr(resource.model, "__table__", None), Table):
        yield "the model needs table=True to be administered"
        return
    yield from _wrong_types(resource)
    yield from wrong_layout_types(resource)
    try:
        names = {field.name for field in fields_of(resource.model)}
    # Such as a relationship to an unknown model.
    except SQLAlchemyError as error:
        yield str(error).partition("\n")[0].rstrip(".")
        return
    yield from wrong_computed(resource)
    links = {link.name for link in resource.many_to_many}
    computed = {column.name for column in resource.computed}
    for argument in COLUMNS:
        known = names | links | computed if argument in LINKS else names
        given = getattr(resource, argument) or ()
        yield from wrong_columns(resource, argument, given, known)
    title = resource.title
    if title is not None and not _is_function(title) and not is_of(resource, title, names):
        yield (
            "title= takes a column of the model or a function of a record,"
            f" and {shown(title)} is neither"
        )
    yield from wrong_layout(resource, names | links | computed)
    yield from _wrong_words(resource, names)
    yield from _wrong_links(resource)
    yield from _wrong_fields(resource)
    yield from _wrongly_masked(resource)
    yield from wrong_rules(resource)
    yield from wrong_rights(resource)
    yield from wrong_uses(resource)
    if not resource.by_any_name[resource.default_sort.removeprefix("-")].is_sortable:
        yield f"sort={resource.sort!r} is not a sortable column"


def _wrong_words(resource: Resource, names: set[str]) -> Iterator[str]:
    for argument in ("create", "update"):
        unknown = set(getattr(getattr(resource, argument), "model_fields", ())) - names
        if unknown:
            yield f"{argument}= has the field {min(unknown)}, which the model doesn't have"
    if not A_SEGMENT.fullmatch(resource.name):
        yield f"name={resource.name!r} is not a valid URL segment, such as team-sizes"
    if resource.icon not in icon_names():
        yield no_symbol(resource.icon)


def _wrong_links(resource: Resource) -> Iterator[str]:
    if resource.links and resource.read_only:
        yield "links= can't be changed where read_only=True"
    seen: list[str] = []
    for link in resource.links or ():
        relationship = relationship_of(link)
        if isinstance(link, QueryableAttribute):
            yield f"links= takes links: write Link({link}), not {link}"
        elif relationship is None or not issubclass(resource.model, relationship.parent.class_):
            given = shown(getattr(link, "relationship", link))
            yield (
                "links= takes relationships of the model, such as Link(Playlist.tracks), and"
                f" {given} isn't one"
            )
        elif relationship.secondary is None:
            yield f"links= takes many-to-many relationships, and {relationship.key} isn't one"
        elif association_of(relationship) is None:
            yield (
                f"links= can't follow {relationship.key}, as its association"
                f" {relationship.secondary} is no SQLModel class and no table with a primary key"
            )
        elif many_to_many(relationship, resource.by_name) is None:
            yield (
                f"links= can't follow {relationship.key}, as its association doesn't refer to both"
                " sides by one foreign key each"
            )
        elif relationship.key in seen:
            yield f"links= names {relationship.key} twice"
        else:
            seen.append(relationship.key)


def _wrong_fields(resource: Resource) -> Iterator[str]:
    for field in resource.search_fields:
        if not field.is_text:
            yield f"search= takes text columns, and {field.name} isn't one"
    for field in resource.filter_fields:
        if not field.can_filter and not isinstance(field, ComputedField):
            yield f"filters= can't filter by {field.name}, as it has too many values"
    sorted_by = resource.sort.removeprefix("-")
    if resource.sort and sorted_by not in resource.by_any_name:
        meant = hint(sorted_by, resource.by_any_name)
        yield f"sort={resource.sort!r} is not a column of the model{meant}"


def _wrong_types(resource: Resource) -> Iterator[str]:
    for argument in COLUMNS:
        value = getattr(resource, argument)
        if not isinstance(value, tuple | list | None):
            yield f"{argument}= takes several columns, such as (Model.name,) with a comma"
    if not isinstance(getattr(resource, "links"), tuple | list | None):  # noqa: B009 - as given
        yield "links= takes several links, such as (Link(Playlist.tracks),) with a comma"
    if not isinstance(getattr(resource, "children"), tuple | list):  # noqa: B009 - as given
        yield "children= takes several, such as (Child(InvoiceLine.invoice_id),) with a comma"
    for argument in TEXTS:
        value = getattr(resource, argument)
        if not isinstance(value, str):
            example = f" such as {value.key!r}" if isinstance(value, QueryableAttribute) else ""
            yield f"{argument}= takes a text{example}, not {shown(value)}"
    yield from wrong_actions(resource.actions, read_only=resource.read_only is True)
    if not isinstance(getattr(resource, "read_only"), bool):  # noqa: B009 - as it was written
        yield f"read_only= takes True or False, not {shown(resource.read_only)}"
    for argument in SCHEMAS:
        schema = getattr(resource, argument)
        if schema is not None and not (isinstance(schema, type) and issubclass(schema, BaseModel)):
            yield f"{argument}= takes a schema, not {shown(schema)}"


def _wrongly_masked(resource: Resource) -> Iterator[str]:
    """Yield the mistakes of masked fields: they are disclosed, or cannot be typed."""
    shown: dict[str, tuple[Field, ...]] = {
        "a key": resource.key,
        "the title": (resource.titles.field,),
        "searched": resource.search_fields,
        "filtered": resource.filter_fields,
        "sorted": (resource.by_any_name[resource.default_sort.removeprefix("-")],),
    }
    for use, fields in shown.items():
        for field in fields:
            if field.is_masked:
                yield f"{field.name} is masked and {use}"
    for field in resource.fields:
        if field.is_masked and (field.relation or field.input.kind in {"bool", "choice"}):
            # A choice cannot be left blank, and would show its value.
            yield f"{field.name} is masked and chosen"


def _is_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, QueryableAttribute | Column | type)
