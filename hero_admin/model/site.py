"""The site: all resources of an Admin, and how their models refer to each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import SQLModel

from hero_admin.model.checks import check_resources
from hero_admin.model.fields import Field
from hero_admin.model.labels import in_sentence
from hero_admin.model.resource import TAKEN_NAMES, Resource
from hero_admin.web.texts import capitalised

# URL segments after the key of a record: /teams/3/history.
TAKEN_RELATIONS = frozenset({"edit", "delete", "history", "reveal", "restore", "undo"})


@dataclass(frozen=True)
class Referrer:
    """A field of a resource that refers to another one: `Hero.team_id`, as the heroes of a team."""

    resource: Resource
    field: Field
    name: str

    is_alone: bool

    @property
    def label(self) -> str:
        """The label of the records: “Heroes”, or “Heroes (mentor)” beside other heroes."""
        label = capitalised(self.resource.label_plural)
        return label if self.is_alone else f"{label} ({in_sentence(self.field.label)})"


class Site:
    """The resources of an Admin, in menu order."""

    def __init__(self, resources: Sequence[Resource], others: Sequence[str] = ()) -> None:
        """`others`: names of other subjects in the audit log, which have no masked fields.

        Raises ResourceError for a mistake in a resource.
        """
        self.resources = tuple(resources)
        self.others = tuple(others)
        check_resources(self.resources, TAKEN_NAMES)
        self._by_model = {resource.model: resource for resource in self.resources}

    def __contains__(self, resource: Resource) -> bool:
        return resource in self.resources

    def of(self, model: type[SQLModel]) -> Resource:
        """Return the resource of a model; also of one without pages."""
        if model not in self._by_model:
            self._by_model[model] = Resource(model)
        return self._by_model[model]

    def named(self, name: str) -> Resource | None:
        return next((each for each in self.resources if each.name == name), None)

    def target_of(self, field: Field) -> Resource:
        assert field.relation is not None
        return self.of(field.relation.target)

    def target_field_of(self, field: Field) -> Field:
        """Return the field whose values a relation has, mostly the key of another resource."""
        assert field.relation is not None
        return self.target_of(field).by_name[field.relation.target_column]

    def referrers(self, resource: Resource) -> tuple[Referrer, ...]:
        """Return the fields that refer to records of `resource`, each under a unique name."""
        found: dict[str, Referrer] = {}
        for other in self.resources:
            fields = [
                (field, field.relation.back_name or other.name)
                for field in other.fields
                if field.relation and field.relation.target is resource.model
            ]
            for field, back_name in fields:
                is_taken = back_name in found or back_name in TAKEN_RELATIONS
                name = f"{back_name}-{field.name}" if is_taken else back_name
                found[name] = Referrer(other, field, name, is_alone=len(fields) == 1)
        return tuple(found.values())
