"""Row rights: the conditions of `rows=` for a person, as the row scopes of their session."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, false, select
from sqlalchemy.sql.visitors import replacement_traverse
from sqlalchemy.util import immutabledict

from hero_admin.database.row_scopes import RowScopes
from hero_admin.model.arguments import ResourceError, name_of
from hero_admin.model.links import ManyToMany
from hero_admin.model.resource import Resource
from hero_admin.model.resource_rights import permission
from hero_admin.model.restrictions import has_row_rights
from hero_admin.model.site import Site
from hero_admin.person import COMMAND_LINE, Person

MAX_PEOPLE = 256


def scoped_tables(resources: Sequence[Resource]) -> frozenset[Table]:
    """Return the tables of whose rows not everybody may see all."""
    return frozenset(each.table for each in resources if has_row_rights(each))


class RowRights:
    """The row scopes of people, those of the last ones cached: each takes a few kB a statement."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.is_needed = bool(scoped_tables(site.resources))
        self._scopes = lru_cache(MAX_PEOPLE)(_Cached)

    def of(self, person: Person) -> RowScopes:
        """Return what a person may see now, by the functions of the resources."""
        conditions = {
            each.table: condition
            for each in self.site.resources
            if (condition := rows_of(each, person)) is not None
        }
        try:
            cached = self._scopes(person)
        # An application's own Person may have attributes that have no hash.
        except TypeError:
            cached = _Cached(person)
        if cached.scopes is None or not _are_same(cached.scopes.conditions, conditions, self.site):
            cached.scopes = RowScopes(conditions | _of_links(self.site, conditions))
        return cached.scopes


class _Cached:
    """The row scopes of a person at their last request."""

    def __init__(self, _: Person) -> None:
        self.scopes: RowScopes | None = None


def _are_same(
    known: Mapping[Table, ColumnElement[bool]],
    found: Mapping[Table, ColumnElement[bool]],
    site: Site,
) -> bool:
    own = {table for table in known if table in {each.table for each in site.resources}}
    return own == found.keys() and all(known[table].compare(found[table]) for table in own)


def _of_links(
    site: Site, conditions: Mapping[Table, ColumnElement[bool]]
) -> dict[Table, ColumnElement[bool]]:
    """Return the conditions for associations: a link is seen with the records on both sides."""
    found: dict[Table, list[ColumnElement[bool]]] = {}
    for resource in site.resources:
        for link in resource.many_to_many:
            table = site.of(link.association).table
            if table not in conditions and table not in found:
                sides = (
                    _side(site, link, conditions),
                    _side(site, site.opposite(link), conditions),
                )
                found[table] = [each for each in sides if each is not None]
    return {table: and_(*sides) for table, sides in found.items() if sides}


def _side(
    site: Site, link: ManyToMany, conditions: Mapping[Table, ColumnElement[bool]]
) -> ColumnElement[bool] | None:
    """Return the condition that the record on the far side is seen."""
    target = site.of(link.target)
    condition = conditions.get(target.table)
    if condition is None:
        return None
    own = site.target_field_of(link.far).column
    return link.far.column.in_(select(own).where(condition))


def rows_of(resource: Resource, person: Person) -> ColumnElement[bool] | None:
    """Return the condition of the rows that a person may see, None for all.

    Raises ResourceError where `rows=` returns anything else.
    """
    if person is COMMAND_LINE:
        return None
    if not permission(resource, "read").allows(person):
        return false()
    found = resource.rows(person) if resource.rows else None
    if found is None or found is True:
        return None
    if found is False:
        return false()
    if not isinstance(found, ColumnElement):
        raise ResourceError(
            f"Resource({name_of(resource.model)}): rows= must return a condition, such as"
            f" {resource.model.__name__}.id == person.id, or None, not {found!r}."
        )
    return _plain(found)


def _plain(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return a condition on columns of tables instead of attributes of models."""

    # Any: what SQLAlchemy calls elements.
    def column_of(element: Any, **_: Any) -> Any:
        if isinstance(element, Column) and isinstance(element.table, Table):
            return element.table.c[element.key]
        return None

    found: ColumnElement[bool] = replacement_traverse(condition, {}, column_of)
    # Otherwise the statements that it is added to would be compiled by the ORM.
    found._propagate_attrs = immutabledict()  # noqa: SLF001 - it has no other setter
    return found
