"""Inserting what was there before, under its own key."""

from typing import Any

from sqlalchemy import Insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


class InsertAgain(Insert):
    """Inserts what was there before, under its own key, even if that is always generated."""

    inherit_cache = True


@compiles(InsertAgain, "postgresql")
def _compile_insert_again(element: InsertAgain, compiler: SQLCompiler, **options: Any) -> str:
    # SQLAlchemy leaves its compilers without types.
    statement: str = compiler.visit_insert(element, **options)  # type: ignore[no-untyped-call]
    return statement.replace(") VALUES (", ") OVERRIDING SYSTEM VALUE VALUES (", 1)
