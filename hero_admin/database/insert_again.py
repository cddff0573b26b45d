"""Inserts a row again under its former key."""

from typing import Any

from sqlalchemy import Insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


class InsertAgain(Insert):
    """Inserts a row with its former key, even if that is GENERATED ALWAYS."""

    inherit_cache = True


@compiles(InsertAgain, "postgresql")
def _compile_insert_again(element: InsertAgain, compiler: SQLCompiler, **options: Any) -> str:
    # SQLAlchemy's compilers are untyped.
    statement: str = compiler.visit_insert(element, **options)  # type: ignore[no-untyped-call]
    return statement.replace(") VALUES (", ") OVERRIDING SYSTEM VALUE VALUES (", 1)
