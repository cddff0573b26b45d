"""Resource rights: what a person may do with a resource, with its records and fields."""

from collections.abc import Sequence
from functools import lru_cache

from hero_admin.model.actions import Action
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.person import Person, Role
from hero_admin.rights import ACTION, DEFAULT_GRANTS, Grant, Permission, Rights, is_granted

# What a verb means in “You don't have permission to edit heroes.”
PHRASES = {
    "read": "view {nouns}",
    "export": "export {nouns}",
    "create": "create {nouns}",
    "change": "edit {nouns}",
    "delete": "delete {nouns}",
    "reveal": "view masked values of {nouns}",
}
DOING = "{name} {nouns}"
# The verbs that change records, which nobody may where a resource is read-only.
WRITING = frozenset({"create", "change", "delete"})


# Each page asks for some ten of them; an Admin has as many as its resources have verbs.
@lru_cache(maxsize=2_048)
def permission(resource: Resource, verb: str) -> Permission:
    """Return the right to do something with the records of a resource.

    verb: of `DEFAULT_GRANTS`, or `action:retire`.
    """
    grant = _grant(resource, verb)
    reading = resource.may.get("read")
    if reading is not None and verb != "read":
        # Nobody changes what they may not read.
        grant = _both(reading, grant)
    phrase = PHRASES.get(verb, DOING)
    name = verb.removeprefix(ACTION).replace("-", " ")
    return Permission(grant, phrase.format(name=name, nouns=resource.label_plural))


@lru_cache(maxsize=256)
def masked_export_permission(resource: Resource) -> Permission:
    """Return the right of owners who may export and reveal to do both for all records at once."""
    grant = _both(_grant(resource, "export"), _grant(resource, "reveal"))
    reading = resource.may.get("read", Role.VIEWER)
    whole = _both(_both(reading, grant), Role.OWNER)
    return Permission(whole, f"export masked values of {resource.label_plural}")


def undo_permission(resources: Sequence[Resource]) -> Permission:
    """Return the right of whoever may change any of these records to undo changes.

    What an undo does is refused by `writes`, as if it were done anew.
    """
    grants = [_grant(each, verb) for each in resources for verb in sorted(WRITING)]
    return Permission(_any(grants), "undo changes")


def allowed_actions(resource: Resource, person: Person, place: str = "") -> tuple[Action, ...]:
    """Return the actions that a person may do, of those that are offered in a place."""
    return tuple(
        each
        for each in resource.actions
        if may(resource, person, f"{ACTION}{each.name}") and (not place or each.is_on(place))
    )


def _grant(resource: Resource, verb: str) -> Grant:
    roles = {f"{ACTION}{each.name}": each.role for each in resource.actions}
    return resource.may.get(verb) or {**DEFAULT_GRANTS, **roles}[verb]


def _both(first: Grant, second: Grant) -> Grant:
    if isinstance(first, Role) and isinstance(second, Role):
        return first if first.includes(second) else second
    return lambda person: is_granted(first, person) and is_granted(second, person)


def _any(grants: Sequence[Grant]) -> Grant:
    roles = [each for each in grants if isinstance(each, Role)]
    if len(roles) == len(grants):
        return min(roles, key=lambda role: role.rank, default=Role.EDITOR)
    return lambda person: any(is_granted(each, person) for each in grants)


def field_rights(site: Site, resource: Resource) -> list[tuple[str, Rights]]:
    """Return the rights to fields and links by name; those to a link are given on either side."""
    given = [(each.key, rights) for each, rights in resource.rights.items()]
    for link in resource.many_to_many:
        other, opposite = site.of(link.target), site.opposite(link)
        named = other.rights.items() if opposite in other.many_to_many else ()
        given += [(link.name, rights) for each, rights in named if each.key == opposite.name]
    return given


def may(resource: Resource, person: Person, verb: str) -> bool:
    """Whether a person may do something with the records of a resource."""
    if resource.read_only and verb in WRITING:
        return False
    return permission(resource, verb).allows(person)


def restricted_names(
    site: Site, resource: Resource, person: Person
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of the fields that a person may not read, and may not change.

    A link is restricted from both sides if it is from one.
    """
    given = field_rights(site, resource)
    unseen = {name for name, rights in given if not is_granted(rights.read, person)}
    fixed = {name for name, rights in given if not is_granted(rights.change, person)}
    return frozenset(unseen), frozenset(unseen | fixed)
