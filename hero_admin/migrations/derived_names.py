"""Derived names: the indexes and tables that the doctor creates, outside of migrations."""

from collections.abc import Sequence

from hero_admin.listing.search.sqlite_index import changes_name, numbers_name
from hero_admin.listing.search.trigram_index import index_name
from hero_admin.listing.sort_indexes import sort_indexes
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site

# The suffixes of the tables that FTS5 creates for an index.
FTS_TABLES = ("config", "content", "data", "docsize", "idx")


def derived_names(resources: Sequence[Resource]) -> frozenset[str]:
    """Return the names of sort and search indexes and, on SQLite, of the tables of the latter."""
    names = {index.name for index in sort_indexes(Site(resources))}
    for resource in resources:
        if resource.search_fields and not resource.read_only:
            index = index_name(resource)
            names |= {
                index,
                numbers_name(resource),
                changes_name(resource),
                *(f"{index}_{part}" for part in FTS_TABLES),
            }
    return frozenset(names)
