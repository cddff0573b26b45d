"""Own tables: those of the library in the database of an application."""

from sqlalchemy.orm import registry
from sqlmodel import SQLModel

# The prefix of every table, function and version table of the library.
PREFIX = "hero_admin_"
# Folds texts on PostgreSQL as `fold` does; connections to SQLite bring their own.
FOLD_FUNCTION = f"{PREFIX}fold"


class OwnTable(SQLModel, registry=registry()):
    """The base of the library's tables.

    They have a registry and a MetaData of their own, so that an application may call its own
    models and tables as it likes, and its migrations know nothing of these.
    """
