"""Link targets: only records of resources of the same Admin are linked."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hero_admin.model.links import Link, ManyToMany
from hero_admin.model.resource import Resource


def with_links_within(resources: Sequence[Resource]) -> tuple[Resource, ...]:
    """Return the resources without the links that lead to models of no other one."""
    return tuple(_with_links(each, _links_within(each, resources)) for each in resources)


def wrong_targets(resource: Resource, resources: Sequence[Resource]) -> Iterator[str]:
    """Yield the mistakes of links that are named, but lead to models of no resource."""
    within = _links_within(resource, resources)
    outside = {each.name: each.target for each in resource.many_to_many if each not in within}
    named: dict[str, Sequence[str]] = {
        "links": tuple(outside) if resource.links is not None else (),
        "columns": [each.key for each in resource.columns],
        "filters": [each.key for each in resource.filters or ()],
    }
    for argument, names in named.items():
        for name in names:
            if name in outside:
                yield (
                    f"{argument}= names {name}, whose records are of {outside[name].__name__},"
                    " and no resource of this Admin has that model"
                )


def _links_within(resource: Resource, resources: Sequence[Resource]) -> list[ManyToMany]:
    models = {each.model for each in resources}
    return [link for link in resource.many_to_many if link.target in models]


def _with_links(resource: Resource, links: Sequence[ManyToMany]) -> Resource:
    # A resource is compared by identity, so it is replaced only where it has to be.
    if len(links) == len(resource.many_to_many):
        return resource
    return replace(
        resource, links=tuple(Link(getattr(resource.model, link.name)) for link in links)
    )
