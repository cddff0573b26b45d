"""The site: all resources together, and how their models point at each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import SQLModel

from webapp.admin.fields import Field
from webapp.admin.resource import Resource


@dataclass(frozen=True)
class Referrer:
    """A field of a resource that points at another one: `Hero.team_id`, as the heroes of a team."""

    resource: Resource
    field: Field
    name: str

    @property
    def label(self) -> str:
        words = self.name.replace("_", " ").replace("-", " ")
        return words[:1].upper() + words[1:]


class Site:
    """What is administered together, in menu order."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        self.resources = tuple(resources)
        self._by_model = {resource.model: resource for resource in self.resources}

    def __contains__(self, resource: Resource) -> bool:
        return resource in self.resources

    def of(self, model: type[SQLModel]) -> Resource:
        """Return the resource of a model; one that has no pages still has a title and a key."""
        if model not in self._by_model:
            self._by_model[model] = Resource(model)
        return self._by_model[model]

    def target_of(self, field: Field) -> Resource:
        """Return the resource that a relation field points at."""
        assert field.relation is not None
        return self.of(field.relation.target)

    def referrers(self, resource: Resource) -> tuple[Referrer, ...]:
        """Return the fields that point at records of `resource`, each under a name of its own."""
        found: dict[str, Referrer] = {}
        for other in self.resources:
            for field in other.fields:
                if field.relation is None or field.relation.target is not resource.model:
                    continue
                name = field.relation.back_name or other.name
                if name in found:
                    name = f"{name}-{field.name}"
                found[name] = Referrer(other, field, name)
        return tuple(found.values())
