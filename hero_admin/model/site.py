"""The site: all resources of an Admin, and how their models refer to each other."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Column
from sqlmodel import SQLModel

from hero_admin.model.action_forms import ActionForm, action_form
from hero_admin.model.actions import Action, wrong_actions
from hero_admin.model.arguments import ResourceError
from hero_admin.model.checks import check_resources
from hero_admin.model.fields import Field
from hero_admin.model.labels import in_sentence
from hero_admin.model.link_targets import with_links_within
from hero_admin.model.links import ManyToMany
from hero_admin.model.resource import TAKEN_NAMES, Resource
from hero_admin.web.texts import capitalised

# URL segments after the key of a record: /teams/3/history.
TAKEN_RELATIONS = frozenset({"edit", "clone", "delete", "history", "reveal", "restore", "undo"})


@dataclass(frozen=True)
class Referrer:
    """A field of a resource that refers to another one: `Hero.team_id`, as the heroes of a team.

    link: for records that are linked with it, the link; `field` is then one of its association.
    is_child: whether the records are edited on its page.
    """

    resource: Resource
    field: Field
    name: str

    is_alone: bool
    link: ManyToMany | None = None
    is_child: bool = False

    @property
    def label(self) -> str:
        """The label of the records: “Heroes”, or “Heroes (mentor)” beside other heroes."""
        if self.link is not None:
            return self.link.label
        label = capitalised(self.resource.label_plural)
        return label if self.is_alone else f"{label} ({in_sentence(self.field.label)})"


class Site:
    """The resources of an Admin, in menu order.

    associations: the resources whose records link those of others, and that are in no menu; those
        with columns of their own have pages.
    has_history: whether changes are recorded, and so can be undone.
    """

    def __init__(
        self,
        resources: Sequence[Resource],
        others: Sequence[str] = (),
        *,
        has_history: bool = True,
        actions: Sequence[Action] = (),
        unseen: Collection[type[SQLModel]] = (),
        forms: Mapping[Action, ActionForm | None] | None = None,
    ) -> None:
        """`others`: names of other subjects in the history, which have no masked fields.

        actions: those on no records in particular.
        unseen: the models of those resources that the person who sees the site may not read.
        forms: those of the actions, if it is made of a site, whose resources are checked.
        Raises ResourceError for a mistake in a resource.
        """
        self.has_history = has_history
        # Whether somebody sees it who may not read everything.
        self.is_narrowed = forms is not None
        if forms is None:
            check_resources(tuple(resources), TAKEN_NAMES)
        self.resources = with_links_within([each for each in resources if each.model not in unseen])
        self.others = tuple(others)
        self._by_model = {each.model: each for each in (*resources, *self.resources)}
        self.actions = tuple(actions)
        self._action_forms = self._forms_of_actions() if forms is None else forms
        self._opposites: dict[ManyToMany, ManyToMany] = {}
        links = [link for each in self.resources for link in each.many_to_many]
        self._linking_columns = {
            column for link in links if not link.other_names for column in link.columns
        }
        for link in links:
            if link.association not in self._by_model:
                self._by_model[link.association] = self._association(link.association)
        linking = dict.fromkeys(self.of(link.association) for link in links)
        self.associations = tuple(each for each in linking if each not in self.resources)
        paged = {self.of(link.association) for link in links if link.other_names}
        self.paged = (*self.resources, *(each for each in self.associations if each in paged))

    def narrowed(self, resources: Sequence[Resource], unseen: Collection[type[SQLModel]]) -> "Site":
        """Return the site as somebody sees it who may not read everything."""
        return Site(
            resources,
            self.others,
            has_history=self.has_history,
            actions=self.actions,
            unseen=unseen,
            # They may refer to records of a resource that is not seen, and then offer none.
            forms=self._action_forms,
        )

    def __contains__(self, resource: Resource | None) -> bool:
        """Whether a resource has pages."""
        return resource in self.paged

    def administers(self, model: type[SQLModel]) -> bool:
        """Whether the Admin has a resource of a model."""
        return any(each.model is model for each in self.resources)

    def form_of(self, action: Action) -> ActionForm | None:
        """Return the form of an action, None without one."""
        return self._action_forms[action]

    def _forms_of_actions(self) -> dict[Action, ActionForm | None]:
        for mistake in wrong_actions(self.actions):
            raise ResourceError(f"Admin(): {mistake}.")
        owned = [(each, f"actions/{each.name}") for each in self.actions]
        for resource in self.resources:
            at = f"{resource.name}/actions"
            owned += [(each, f"{at}/{each.name}") for each in resource.actions]
        return {each: action_form(each, path, self.resources) for each, path in owned}

    def _association(self, model: type[SQLModel]) -> Resource:
        """Return the resource of an association, under a name that no other one has."""
        sides = [
            side
            for each in self.resources
            for link in each.many_to_many
            if link.association is model
            for side in (each, self.of(link.target))
        ]
        # Records that nobody changes are not linked and unlinked, either.
        made = Resource(model, links=(), read_only=all(side.read_only for side in sides))
        taken = TAKEN_NAMES | {each.name for each in self._by_model.values()}
        while made.name in taken:
            made = replace(made, name=f"{made.name}-links")
        return made

    @property
    def recorded(self) -> tuple[Resource, ...]:
        """All resources whose records are written and have a history, with pages or without."""
        return (*self.resources, *self.associations)

    def of(self, model: type[SQLModel]) -> Resource:
        """Return the resource of a model; also of one without pages."""
        if model not in self._by_model:
            self._by_model[model] = Resource(model)
        return self._by_model[model]

    def named(self, name: str) -> Resource | None:
        return next((each for each in self.paged if each.name == name), None)

    def recorded_named(self, name: str) -> Resource | None:
        """Return the resource of this name, also one without pages."""
        return next((each for each in self.recorded if each.name == name), None)

    def seen(self, resource: Resource) -> Resource | None:
        """Return a resource of a wider site as it is in this one, None if it has no pages here."""
        return resource if resource in self.paged else self.named(resource.name)

    def links_by(self, column: Column[Any]) -> bool:
        """Whether a column is one of the two of an association that has no others."""
        return column in self._linking_columns

    def target_of(self, field: Field) -> Resource:
        assert field.relation is not None
        return self.of(field.relation.target)

    def target_field_of(self, field: Field) -> Field:
        """Return the field whose values a relation has, mostly the key of another resource."""
        assert field.relation is not None
        return self.target_of(field).by_name[field.relation.target_column]

    def changeable_links(self, resource: Resource) -> tuple[ManyToMany, ...]:
        """Return the links of a resource whose associations are not read-only."""
        links = resource.many_to_many
        return tuple(link for link in links if not self.of(link.association).read_only)

    def opposite(self, link: ManyToMany) -> ManyToMany:
        """Return a link as it is seen from the records on the other side, which may not name it."""
        if link not in self._opposites:
            other = self.of(link.target)
            named = (each for each in other.many_to_many if each.columns == link.columns[::-1])
            self._opposites[link] = next(named, None) or ManyToMany(
                link.association, self.target_field_of(link.far), link.far, link.near
            )
        return self._opposites[link]

    def referrers(self, resource: Resource) -> tuple[Referrer, ...]:
        """Return the fields that refer to records of `resource`, each under a unique name."""
        return tuple(each for each in self._related(resource) if each.link is None)

    def related(self, resource: Resource) -> tuple[Referrer, ...]:
        """Return what the page of a record lists: its children first, then what is linked."""
        shown = (
            each
            for each in self._related(resource)
            if each.link is not None or each.resource in self.resources
        )
        return tuple(sorted(shown, key=lambda each: not each.is_child))

    def path_of(self, resource: Resource, link: ManyToMany) -> str:
        """Return the last segment of the page that lists the records linked with one."""
        return next(each.name for each in self._related(resource) if each.link is link)

    def _related(self, resource: Resource) -> list[Referrer]:
        found: dict[str, Referrer] = {}
        for link in resource.many_to_many:
            name = f"linked-{link.name}" if link.name in TAKEN_RELATIONS else link.name
            field = self.opposite(link).far
            found[name] = Referrer(self.of(link.target), field, name, is_alone=True, link=link)
        children = {child.column for child in resource.children}
        for other in self.recorded:
            fields = [
                (field, field.relation.back_name or other.name)
                for field in other.fields
                if field.relation and field.relation.target is resource.model
            ]
            for field, back_name in fields:
                is_taken = back_name in found or back_name in TAKEN_RELATIONS
                name = f"{back_name}-{field.name}" if is_taken else back_name
                found[name] = Referrer(
                    other,
                    field,
                    name,
                    is_alone=len(fields) == 1,
                    is_child=field.column in children,
                )
        return list(found.values())
