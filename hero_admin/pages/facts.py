"""Facts: the values of a record as its page shows them, in sections."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from markupsafe import Markup
from starlette.requests import Request

from hero_admin.forms.sections import Fact
from hero_admin.listing.cells import Reference, detail_html, masked
from hero_admin.listing.computed_values import computed_renderer, fetch_computed
from hero_admin.listing.references import fetch_references
from hero_admin.model.fields import Field
from hero_admin.model.primary_keys import key_of
from hero_admin.model.resource import Record, Resource
from hero_admin.model.total import COUNT_CAP
from hero_admin.pages.requests import may_in, site_of
from hero_admin.web.requests import session_of


class FactSection(NamedTuple):
    """The facts that stand together, below a heading or, "", none."""

    id: str
    title: str
    facts: tuple[Fact, ...]


async def read_only_facts(
    resource: Resource, request: Request, record: Record | None
) -> tuple[Fact, ...]:
    """Return what the form of a record shows and nobody changes."""
    fields = [field for field in resource.fields if field.is_read_only and not field.is_hidden]
    if record is None or not fields:
        return ()
    references = await fetch_references(session_of(request), site_of(request), resource, record)
    return facts_of(resource, request, record, references, fields)


def facts_of(
    resource: Resource,
    request: Request,
    record: Record,
    references: Mapping[str, Reference],
    fields: Iterable[Field],
) -> tuple[Fact, ...]:
    """Return the values of fields as HTML; masked ones are not in it."""
    key, can_reveal = key_of(resource, record), may_in(request, resource, "reveal")
    return tuple(
        Fact(
            field,
            masked(resource, field, key, record[field.name], can_reveal=can_reveal)
            if field.is_masked
            else detail_html(resource, field, key, record[field.name], references.get(field.name)),
        )
        for field in fields
    )


async def computed_facts(resource: Resource, request: Request, record: Record) -> tuple[Fact, ...]:
    """Return the computed columns of a record as HTML."""
    session, site, columns = session_of(request), site_of(request), resource.computed
    key, facts = key_of(resource, record), list[Fact]()
    for values in await fetch_computed(session, resource, columns, [record], cap=COUNT_CAP):
        for column, value in zip(columns, values, strict=True):
            (html,) = computed_renderer(site, resource, column)([key], [value], [value])
            facts.append(Fact(column, Markup(html)))  # noqa: S704 - renderers escape values
    return tuple(facts)


def sections_of_facts(resource: Resource, facts: Iterable[Fact]) -> tuple[FactSection, ...]:
    """Return the sections of the page of a record."""
    by_name = {fact.field.name: fact for fact in facts}
    return tuple(
        FactSection(f"section-{number}", title, tuple(by_name[name] for name in names))
        for number, (title, names) in enumerate(resource.sections_of(by_name))
    )
