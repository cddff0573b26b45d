"""References: records inside somebody's rows that refer to one outside, whose title is near."""

from collections.abc import Iterator

from sqlalchemy import select

from hero_admin.model.fields import Field
from hero_admin.model.links import ManyToMany
from hero_admin.model.primary_keys import Key, key_text
from hero_admin.model.resource import Resource
from hero_admin.model.row_rights import rows_of
from hero_admin.person import Person
from hero_admin.testing.admin_browser import AdminBrowser
from hero_admin.testing.checks.scopes.subjects import Target


async def refer(seer: AdminBrowser, watched: AdminBrowser, person: Person, target: Target) -> int:
    """Let records that somebody sees refer to one outside, as far as they go on seeing them.

    Return how many do.
    """
    referring = 0
    for resource, name, sent, was in await _references(seer, person, target):
        url = f"{seer.start}api/{resource.name}/{name}"
        if (await seer.browser.patch(url, json=sent)).status_code != 200:
            continue
        if (await watched.browser.get(url)).status_code == 200:
            referring += 1
        else:
            await seer.browser.patch(url, json=was)
    return referring


# A resource, the key of a record inside, and what is sent to let it refer, and to undo that.
Reference = tuple[Resource, str, dict[str, object], dict[str, object]]


async def _references(seer: AdminBrowser, person: Person, target: Target) -> list[Reference]:
    record = (await seer.browser.get(f"{seer.start}api/{target.resource.name}/{target.key}")).json()
    found: list[Reference] = []
    for resource in seer.site.resources:
        inside = await first_inside(seer, person, resource)
        if inside is None:
            continue
        key = key_text(resource, inside)
        values = (await seer.browser.get(f"{seer.start}api/{resource.name}/{key}")).json()
        for field in _fields_to(resource, target.resource):
            own = seer.site.target_field_of(field).public_name
            sent = {field.public_name: record[own]}
            found.append((resource, key, sent, {field.public_name: values.get(field.public_name)}))
        for link in _links_to(resource, target.resource):
            value = record[seer.site.target_field_of(link.far).public_name]
            change = {link.name: {"add": [value]}}
            found.append((resource, key, {**change}, {link.name: {"remove": [value]}}))
    return found


async def first_inside(past: AdminBrowser, person: Person, resource: Resource) -> Key | None:
    """Return the key of the first record that somebody may see, if any."""
    condition = rows_of(resource, person)
    columns = [field.exact for field in resource.key]
    asked = select(*columns).order_by(*columns).limit(1)
    async with past.session() as session:
        row = (
            await session.execute(asked if condition is None else asked.where(condition))
        ).first()
    return None if row is None else tuple(row)


def _fields_to(resource: Resource, target: Resource) -> Iterator[Field]:
    for field in resource.schemas.edit_fields:
        if field.relation and field.relation.target is target.model:
            yield field


def _links_to(resource: Resource, target: Resource) -> Iterator[ManyToMany]:
    for link in resource.many_to_many:
        if link.target is target.model:
            yield link
