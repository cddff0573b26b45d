"""Connects a database, with its search backend."""

from collections.abc import Sequence
from dataclasses import replace

from hero_admin.database.engines import Database
from hero_admin.database.engines import connect as connect_engines
from hero_admin.listing.search import postgresql, sqlite
from hero_admin.listing.search.backend import SearchBackend
from hero_admin.listing.search.sqlite_refresh import Refresher
from hero_admin.model.resource import Resource
from hero_admin.model.row_rights import scoped_tables
from hero_admin.settings import Settings


def connect(settings: Settings, resources: Sequence[Resource] = ()) -> Database:
    """Return the database of the settings, which keeps the search indexes of `resources`."""
    backend: SearchBackend = sqlite if settings.is_embedded else postgresql
    database = connect_engines(settings, backend, Refresher(resources))
    return replace(database, scoped_tables=scoped_tables(resources))
