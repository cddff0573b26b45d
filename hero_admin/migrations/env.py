"""The environment of Alembic, which it runs for every command on the given connection."""

from functools import partial

from alembic import context
from sqlalchemy import inspect
from sqlmodel import SQLModel

from hero_admin.database.own_tables import OwnTable
from hero_admin.migrations.autogenerate import edit_revision
from hero_admin.migrations.chain import Chain
from hero_admin.migrations.comparison import Comparison
from hero_admin.migrations.rendering import render_item

connection = context.config.attributes["connection"]
chain: Chain = context.config.attributes["chain"]
# A model may have a registry of its own.
TABLES = [each.table for each in chain.recorded]
OTHERS = [table.metadata for table in TABLES if table.key not in SQLModel.metadata.tables]
# The library migrates its own tables, also where a resource shows one of them.
METADATA = [
    each for each in dict.fromkeys([SQLModel.metadata, *OTHERS]) if each is not OwnTable.metadata
]
READ_ONLY = [each.table for each in chain.resources if each.read_only]

comparison = Comparison(METADATA, READ_ONLY, inspect(connection), chain.created_tables())
context.configure(
    connection=connection,
    target_metadata=METADATA,
    version_table=chain.version_table(inspect(connection).get_table_names()),
    # SQLite changes a table by rebuilding it.
    render_as_batch=True,
    compare_type=comparison.has_other_type,
    include_schemas=comparison.has_schemas,
    include_name=comparison.has_name,
    include_object=comparison.has_object,
    process_revision_directives=partial(edit_revision, comparison),
    render_item=render_item,
)
if connection.dialect.name == "postgresql":
    # Alembic would create a type again for each table that uses it.
    for kind, listed in (
        ("pg_enum", inspect(connection).get_enums("*")),
        ("pg_ENUM", inspect(connection).get_enums("*")),
        ("pg_DOMAIN", inspect(connection).get_domains("*")),
    ):
        context.get_context().impl.memo[kind] = {
            (schema, each["name"])
            for each in listed
            for schema in ((each["schema"], None) if each["visible"] else (each["schema"],))
        }
with context.begin_transaction():
    context.run_migrations()
