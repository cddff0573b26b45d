"""Derived names: what the doctor makes in a database, for which no migration is written."""

from collections.abc import Sequence

from hero_admin.listing.search.sqlite_index import changes_name, numbers_name
from hero_admin.listing.search.trigram_index import index_name
from hero_admin.listing.sort_indexes import sort_indexes
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site

# What FTS5 makes beside an index of SQLite.
FTS_TABLES = ("config", "content", "data", "docsize", "idx")


def derived_names(resources: Sequence[Resource]) -> frozenset[str]:
    """Return the names of indexes for resources and, on SQLite, of tables for their searches."""
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
