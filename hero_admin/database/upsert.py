"""Upsert: an INSERT with ON CONFLICT."""

from sqlalchemy.dialects import postgresql
from sqlmodel import SQLModel


def upsert(model: type[SQLModel]) -> postgresql.Insert:
    """Return an INSERT that may have ON CONFLICT, which both databases write the same way."""
    return postgresql.insert(model)
