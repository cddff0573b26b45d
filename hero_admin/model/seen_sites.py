"""Seen sites: a site as a person sees it, without the resources and fields they may not read."""

from collections.abc import Collection
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Column
from sqlalchemy.engine import Dialect

from hero_admin.database.row_scopes import EVERYTHING
from hero_admin.model.resource import Resource
from hero_admin.model.resource_rights import may, restricted_names
from hero_admin.model.row_rights import RowRights
from hero_admin.model.site import Site
from hero_admin.person import Person

# Different sets of rights, each of which has statements of its own in the caches of statements.
MAX_SITES = 32


class SeenSites:
    """A site, and how different people see it.

    site: with everything, for what is written and recorded.
    row_rights: the rows that they may see.
    has_rights: whether there is anything that not everybody may read or change.
    has_grants: whether there is anything that not everybody of a role may do.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.row_rights = RowRights(site)
        self._has_narrowing = any(each.rights or "read" in each.may for each in site.resources)
        self.has_rights = self._has_narrowing or self.row_rights.is_needed
        # Whether somebody with other rights may do something else to the same records.
        self.has_grants = self.has_rights or any(each.may for each in site.resources)
        self._seen = lru_cache(MAX_SITES)(self._narrow)

    def of(self, person: Person) -> Site:
        """Return the site as a person sees it; the same one for people of the same rights."""
        if not self._has_narrowing:
            return self.site
        return self._seen(
            tuple(_narrowing(self.site, each, person) for each in self.site.resources)
        )

    def view_of(self, person: Person, dialect: Dialect) -> str:
        """Return a digest of what a person may read now: of the fields, and of the rows.

        Of the rows it is the conditions, so it stays the same when records change.
        """
        narrowings = [_narrowing(self.site, each, person) for each in self.site.resources]
        parts: list[object] = [
            each and (each.is_unseen, sorted(each.unseen)) for each in narrowings
        ]
        scopes = self.row_rights.of(person) if self.row_rights.is_needed else EVERYTHING
        for table in sorted(scopes.conditions, key=str):
            compiled = scopes.conditions[table].compile(dialect=dialect)
            parts.append((str(table), str(compiled), sorted(compiled.params.items())))
        return sha256(repr(parts).encode()).hexdigest()

    def _narrow(self, narrowings: tuple["_Narrowing", ...]) -> Site:
        if not any(narrowings):
            return self.site
        resources = [
            replace(each, unseen=narrowing.unseen, fixed=narrowing.fixed, whole=each)
            if narrowing
            else each
            for each, narrowing in zip(self.site.resources, narrowings, strict=True)
        ]
        pairs = zip(resources, narrowings, strict=True)
        unseen = {each.model for each, narrowing in pairs if narrowing and narrowing.is_unseen}
        gone = {
            field.column
            for each, narrowing in zip(self.site.resources, narrowings, strict=True)
            for field in each.fields
            if narrowing and (narrowing.is_unseen or field.name in narrowing.unseen)
        }
        gone |= {
            column
            for each, narrowing in zip(self.site.resources, narrowings, strict=True)
            for link in each.many_to_many
            if narrowing and link.name in narrowing.unseen
            for column in link.columns
        }
        return self.site.narrowed([_without_computed(each, gone) for each in resources], unseen)


def _without_computed(resource: Resource, gone: Collection[Column[Any]]) -> Resource:
    """Return a resource without those computed columns that read columns that are not seen."""
    computed = resource.entire.computed
    names = {each.name for each in computed if not each.columns_read.isdisjoint(gone)}
    if not names:
        return resource
    return replace(resource, unseen=resource.unseen | names, whole=resource.entire)


class _Rights(NamedTuple):
    """What somebody may not read and not change of a resource."""

    is_unseen: bool
    unseen: frozenset[str]
    fixed: frozenset[str]


# None for a resource of which they may read and change everything.
_Narrowing = _Rights | None


def _narrowing(site: Site, resource: Resource, person: Person) -> _Narrowing:
    unseen, fixed = restricted_names(site, resource, person)
    is_seen = may(resource, person, "read")
    return None if is_seen and not fixed else _Rights(not is_seen, unseen, fixed)
