"""Rights checks: the mistakes in `rows=`, `rights=` and `may=` of a resource."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Column
from sqlalchemy.orm.attributes import QueryableAttribute

from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.rights import ACTION, DEFAULT_GRANTS, Rights

A_GRANT = "a role, such as Role.OWNER, or a function of the person"


def wrong_rights(resource: Resource) -> Iterator[str]:
    """Yield the mistakes, a sentence each without its end."""
    # Arguments may have any type.
    rows: Any = resource.rows
    if rows is not None and not callable(rows):
        yield "rows= takes a function of the person, such as lambda person: Model.by == person.id"
    yield from _wrong_fields(resource)
    may: Any = resource.may
    if not isinstance(may, Mapping):
        yield 'may= takes a mapping, such as {"delete": Role.OWNER}'
        return
    actions = [f"{ACTION}{getattr(each, 'name', each)}" for each in resource.actions]
    verbs = [*DEFAULT_GRANTS, *actions]
    for verb, grant in may.items():
        if verb not in verbs:
            meant = get_close_matches(str(verb), verbs, n=1)
            hint = f"; did you mean {meant[0]!r}?" if meant else ""
            yield f"may= has {verb!r}, which nobody does with records{hint}"
        elif not _is_grant(grant):
            yield f"may= takes for {verb!r} {A_GRANT}, not {grant!r}"


def _wrong_fields(resource: Resource) -> Iterator[str]:
    rights: Any = resource.rights
    if not isinstance(rights, Mapping):
        yield "rights= takes a mapping, such as {Model.salary: Rights(read=Role.OWNER)}"
        return
    known = {*resource.by_name, *(link.name for link in resource.many_to_many)}
    for attribute, given in rights.items():
        name = getattr(attribute, "key", None)
        if not isinstance(attribute, QueryableAttribute | Column) or name not in known:
            yield f"rights= takes columns and links of the model, and {attribute} isn't one"
        elif not isinstance(given, Rights):
            yield f"rights= takes for {name} Rights(read=…, change=…), not {given!r}"
        elif not (_is_grant(given.read) and _is_grant(given.change)):
            yield f"rights= takes for {name} {A_GRANT}"
        elif name in resource.by_name and given.read is not Role.VIEWER:
            field = resource.by_name[name]
            if field.is_key:
                yield f"rights= hides {name}, which is the key"
            elif field is resource.titles.field:
                yield f"rights= hides {name}, which names the {resource.label_plural}"


def _is_grant(given: object) -> bool:
    return isinstance(given, Role) or callable(given)
