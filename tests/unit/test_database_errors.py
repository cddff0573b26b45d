"""What a database cannot do now, as real servers say it."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hero_admin.database.errors import Trouble, is_away, is_unavailable, trouble_of
from hero_admin.listing.search.connect import connect
from hero_admin.settings import Settings
from tests.postgres import PostgresServer


async def error_of(url: str, *statements: str) -> Exception:
    """What the last of some statements fails with."""
    database = connect(Settings(database_url=url))
    try:
        async with database.session(is_read_only=False) as session:
            for statement in statements:
                await session.execute(text(statement))
    except (DBAPIError, OSError) as error:
        return error
    finally:
        await database.close()
    raise AssertionError("nothing failed")


async def test_what_takes_too_long_would_take_as_long_elsewhere(postgres_url: str) -> None:
    error = await error_of(
        postgres_url, "SET LOCAL statement_timeout = '10ms'", "SELECT pg_sleep(60)"
    )
    assert (trouble_of(error), is_away(error)) == (Trouble.BUSY, False)


async def test_a_server_that_ends_the_session_is_away(postgres_url: str) -> None:
    error = await error_of(postgres_url, "SELECT pg_terminate_backend(pg_backend_pid())")
    assert (trouble_of(error), is_away(error)) == (Trouble.BUSY, True)


async def test_a_server_out_of_reach_is_away() -> None:
    error = await error_of("postgresql://nobody@127.0.0.1:9/nothing", "SELECT 1")
    assert (trouble_of(error), is_away(error)) == (Trouble.BUSY, True)


async def test_a_database_that_does_not_exist_is_away(postgres: PostgresServer) -> None:
    error = await error_of(postgres.url("nowhere"), "SELECT 1")
    assert (trouble_of(error), is_away(error)) == (Trouble.BUSY, True)


async def test_a_transaction_that_may_only_read_is_told_apart(postgres_url: str) -> None:
    error = await error_of(
        postgres_url, "SET TRANSACTION READ ONLY", "INSERT INTO team (name) VALUES ('Avengers')"
    )
    assert trouble_of(error) is Trouble.READ_ONLY


async def test_a_file_that_may_only_be_read_is_told_apart(sqlite_url: str) -> None:
    error = await error_of(
        sqlite_url, "PRAGMA query_only = ON", "INSERT INTO team (name) VALUES ('Avengers')"
    )
    assert trouble_of(error) is Trouble.READ_ONLY


@pytest.mark.parametrize("statement", ["SELECT nothing", "INSERT INTO team (name) VALUES (NULL)"])
async def test_a_mistake_of_ours_is_no_trouble_of_the_database(
    database_url: str, statement: str
) -> None:
    assert not is_unavailable(await error_of(database_url, statement))
