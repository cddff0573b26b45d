"""The fold of texts on PostgreSQL, with the answer of `folding.fold`.

The library's migration makes a function, which indexes need. Without it, as where the library has
no tables, statements hold its body.
"""

from weakref import WeakKeyDictionary

from sqlalchemy import Connection, text
from sqlalchemy.engine import Dialect

from hero_admin.database.engines import Database
from hero_admin.database.own_tables import FOLD_FUNCTION

# lower() needs a collation that knows every alphabet, translate() lowers ASCII whatever it is.
BODY = """CASE WHEN octet_length({text}) = length({text})
  THEN translate({text}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
  ELSE replace(replace(replace(replace(translate(
    lower(regexp_replace(normalize({text}, NFKD), '[\u0300-\u036f]', '', 'g') {collation}),
    'łøđħıŧς', 'lodhitσ'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th') END"""
# Not STRICT, as PostgreSQL would then call it for each row instead of reading it as a part of the
# query; what is no text stays none anyway.
FUNCTION = f"""
CREATE FUNCTION {FOLD_FUNCTION}(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT {{body}}
$$
"""
HAS_FUNCTION = text("SELECT to_regprocedure(:name) IS NOT NULL")
# Servers are built with ICU or are new enough for their own; else the database's must do.
COLLATIONS = ("und-x-icu", "pg_c_utf8")

# The body for the server of a dialect without the function.
_bodies: WeakKeyDictionary[Dialect, str] = WeakKeyDictionary()


def has_function(connection: Connection) -> bool:
    found: bool = connection.execute(HAS_FUNCTION, {"name": f"{FOLD_FUNCTION}(text)"}).scalar_one()
    return found


def function_sql(connection: Connection) -> str:
    """Return the statement that creates the function on a server."""
    return FUNCTION.format(body=_body(connection).format(text="$1"))


def folded_sql(dialect: Dialect, written: str) -> str:
    """Return the SQL of the fold of an expression."""
    body = _bodies.get(dialect)
    return f"{FOLD_FUNCTION}({written})" if body is None else f"({body.format(text=written)})"


async def learn_fold(database: Database) -> None:
    """Ask a server whether it has the function, before the first statement that folds.

    Each connection to SQLite brings its own.
    """
    if database.reading.dialect.name == "sqlite":
        return
    async with database.reading.connect() as connection:
        if await connection.run_sync(has_function):
            return
        body = await connection.run_sync(_body)
    engines = [database.reading, database.writing]
    for engine in [*engines, database.replica.engine] if database.replica else engines:
        _bodies[engine.dialect] = body


def _body(connection: Connection) -> str:
    for name in COLLATIONS:
        found = text("SELECT 1 FROM pg_collation WHERE collname = :name")
        if connection.execute(found, {"name": name}).first():
            return BODY.replace("{collation}", f'COLLATE "{name}"')
    return BODY.replace("{collation}", "")
