"""Heirs: the records that others shall point at when the one they point at is deleted."""

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

# What stands before the table and the column, where no resource has a name for them.
PREFIX = "form.heir."


@dataclass(frozen=True)
class Choice:
    """That rows which point at a record by a foreign key may get an heir.

    table: how theirs is called; field: what they point at; referrer: the field of a resource that
    does.
    """

    name: str
    label: str
    table: str
    key: ForeignKey
    field: Field
    referrer: Referrer | None


@dataclass(frozen=True)
class Heir:
    """A record, by the value of the field at which others point."""

    field: Field
    # Any: what a field holds.
    value: Any


def choices_of(catalog: Catalog, site: Site, resource: Resource) -> dict[str, Choice]:
    """Return the choices there are when records of a resource are deleted, by name."""
    stored = catalog.table_of(resource)
    if stored is None:
        return {}
    referrers = {
        (referrer.resource.table, referrer.field.column.name): referrer
        for referrer in site.referrers(resource)
    }
    found = []
    for key in catalog.pointing_at(stored):
        field = catalog.field_of(stored.name, key.target_columns[0])
        if len(key.columns) != 1 or field is None or not catalog.tables[key.table].is_usable:
            continue
        other, pointing = catalog.resources.get(key.table), catalog.tables[key.table]
        if other is not None and other.read_only:
            continue
        referrer = referrers.get((other.table, key.columns[0])) if other else None
        name = referrer.name if referrer else f"{PREFIX}{pointing.label}.{key.columns[0]}"
        label = referrer.label if referrer else f"rows of {pointing.label}"
        found.append(Choice(name, label, pointing.label, key, field, referrer))
    order = {referrer.name: place for place, referrer in enumerate(referrers.values())}
    found.sort(key=lambda choice: order.get(choice.name, len(order)))
    return {choice.name: choice for choice in found}


def heirs_of(choices: Mapping[str, Choice], params: FormData | QueryParams) -> dict[str, Heir]:
    """Return the heirs that were chosen, by name; raises ValueError with the name of a bad one."""
    found = {}
    for name, choice in choices.items():
        text = "".join(sent_to(name, params)[-1:]).strip()
        if text:
            try:
                value = choice.field.clean(choice.field.input(text))
            except ValueError:
                raise ValueError(name) from None
            found[name] = Heir(choice.field, value)
    return found
