"""Replacements: the records that others refer to once the one they refer to is deleted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData, QueryParams

from hero_admin.model.field_names import sent_to
from hero_admin.model.fields import Field
from hero_admin.model.resource import Resource
from hero_admin.model.site import Referrer, Site
from hero_admin.writes.catalog import Catalog
from hero_admin.writes.tables import ForeignKey

# The prefix of the table and the column, where no resource has a name for them.
PREFIX = "form.replacement."


@dataclass(frozen=True)
class Choice:
    """The choice of a replacement, for rows that refer to a deleted record by a foreign key.

    table: the label of their table; field: the one they refer to; referrer: theirs, if they are
    records of a resource.
    """

    name: str
    label: str
    table: str
    key: ForeignKey
    field: Field
    referrer: Referrer | None


@dataclass(frozen=True)
class Replacement:
    """A record, by the value of the field that others refer to."""

    field: Field
    # Any: what a field holds.
    value: Any


def choices_of(catalog: Catalog, site: Site, resource: Resource) -> dict[str, Choice]:
    """Return the choices of a replacement when records of a resource are deleted, by name."""
    stored = catalog.table_of(resource)
    if stored is None:
        return {}
    referrers = {
        (referrer.resource.table, referrer.field.column.name): referrer
        for referrer in site.referrers(resource)
        if referrer.resource in site.resources
    }
    found = []
    for key in catalog.references_to(stored):
        field = catalog.field_of(stored.name, key.target_columns[0])
        if len(key.columns) != 1 or field is None or not catalog.tables[key.table].is_usable:
            continue
        other, referencing = catalog.resources.get(key.table), catalog.tables[key.table]
        if other is not None and other.read_only:
            continue
        referrer = referrers.get((other.table, key.columns[0])) if other else None
        name = referrer.name if referrer else f"{PREFIX}{referencing.label}.{key.columns[0]}"
        rows = other.label_plural if other else f"rows of {referencing.label}"
        label = referrer.label if referrer else rows
        found.append(Choice(name, label, referencing.label, key, field, referrer))
    order = {referrer.name: position for position, referrer in enumerate(referrers.values())}
    found.sort(key=lambda choice: order.get(choice.name, len(order)))
    return {choice.name: choice for choice in found}


def replacements_of(
    choices: Mapping[str, Choice], params: FormData | QueryParams
) -> dict[str, Replacement]:
    """Return the chosen replacements by name; raises ValueError with the name of an invalid one."""
    found = {}
    for name, choice in choices.items():
        text = "".join(sent_to(name, params)[-1:]).strip()
        if text:
            try:
                value = choice.field.clean(choice.field.input(text))
            except ValueError:
                raise ValueError(name) from None
            found[name] = Replacement(choice.field, value)
    return found
