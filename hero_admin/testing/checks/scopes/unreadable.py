"""Records within the rows of a person some of whose fields they may not read."""

from dataclasses import replace

from hero_admin.model.primary_keys import Key, key_text
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.person import Person
from hero_admin.testing.admin_browser import AdminBrowser
from hero_admin.testing.checks.scopes.markers import new_word
from hero_admin.testing.checks.scopes.references import first_inside
from hero_admin.testing.checks.scopes.subjects import Subject, Target, set_marker, store_marker

# A resource, the key of a record, and the names of what somebody may not read of it.
Unreadable = tuple[Resource, Key, tuple[str, ...]]


async def find_unreadable(past: AdminBrowser, person: Person, seen: Site) -> list[Unreadable]:
    """Return the first record that somebody sees of each resource of which they don't see all.

    seen: the site as they see it. Fails for a resource of which they see no record.
    """
    found: list[Unreadable] = []
    for resource in past.site.resources:
        names = _unreadable_names(resource, seen)
        if names:
            key = await first_inside(past, person, resource)
            assert key, f"There is no {resource.label} within the rows of {person.name}: add one."
            found.append((resource, key, names))
    return found


async def mark_unreadable(seer: AdminBrowser, person: Person, unreadable: Unreadable) -> Subject:
    """Set the fields that a person may not read to markers, as far as possible; return the record.

    What whoever sees them may not change is stored as another program would.
    """
    resource, key, names = unreadable
    at, word = key_text(resource, key), new_word()
    markers: dict[str, str] = {}
    texts: dict[str, str] = {}
    for own in resource.fields:
        if own.name not in names or own.relation:
            continue
        marker = await set_marker(seer, person, resource, key, own, word)
        marker = marker or await store_marker(seer, person, resource, key, own, word)
        if marker is not None:
            markers |= dict.fromkeys(marker.texts, f"{own.name} of {resource.label} {at}")
            texts[own.name] = marker.typed
    target = Target(resource, at, word, texts=texts)
    return Subject(target, replace(target, word=new_word()), markers, names)


def _unreadable_names(resource: Resource, site: Site) -> tuple[str, ...]:
    """Return the names of the fields, computed columns and links that are not there in a site.

    None if the resource is not there, either: then its records are outside.
    """
    seen = site.named(resource.name)
    if seen is None:
        return ()
    links = {link.name for link in seen.many_to_many}
    names = [name for name in resource.by_any_name if name not in seen.by_any_name]
    return (*names, *(each.name for each in resource.many_to_many if each.name not in links))
