"""Alembic runs this file for every command, on the connection that it was handed."""

from alembic import context
from sqlmodel import SQLModel

from webapp import resources
from webapp.admin import submissions

# Their models are in the metadata once they are imported.
MODELS = (resources, submissions)

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    # SQLite changes a table by making it anew.
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
