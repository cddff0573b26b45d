"""The tables of an Admin in an empty database: those of its models, and those of the library."""

from collections.abc import Sequence

from sqlalchemy import MetaData

from hero_admin.admin import Admin
from hero_admin.cli.index_check import fix_indexes
from hero_admin.listing.search.connect import connect
from hero_admin.migrations import migrate
from hero_admin.settings import Settings


def settings_of(admin: Admin, url: str) -> Settings:
    """Return the settings of an Admin in tests, whatever the environment says."""
    return admin.settings(database_url=url, **SETTINGS)


# A slow machine is no busy database.
SETTINGS = {
    "auth": "on",
    "allowed_hosts": "",
    "database_read_url": "",
    "database_pooler": "none",
    "request_timeout_seconds": 60,
    "secret_key": "the key of all tests, which guards nothing",
}


def metadata_of(admin: Admin) -> Sequence[MetaData]:
    """Return what the tables of an application are declared in, also those not administered."""
    return tuple(dict.fromkeys(each.table.metadata for each in admin.chain.recorded))


async def make_tables(admin: Admin, url: str) -> None:
    """Migrate an empty database as `migrate` does; without migrations, create the tables first."""
    database = connect(settings_of(admin, url), admin.resources)
    try:
        if admin.chain.versions is None:
            async with database.writing.begin() as connection:
                for metadata in metadata_of(admin):
                    await connection.run_sync(metadata.create_all)
        await migrate(database, admin.chain)
        if admin.indexes:
            await fix_indexes(database, admin.resources)
    finally:
        await database.close()
