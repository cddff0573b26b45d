"""The doctor: a database has every index that the resources ask for, and no other of its kind."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlmodel import Field, SQLModel

from hero_admin.cli import sqlite_indexes
from hero_admin.cli.index_check import check_indexes, fix_indexes
from hero_admin.database.engines import Database
from hero_admin.database.folding import fold
from hero_admin.listing.search import candidates, plan
from hero_admin.listing.search.connect import connect
from hero_admin.listing.search.postgresql import fetch_has_trigrams
from hero_admin.migrations import migrate
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.commands import run
from tests.factories import a_hero, committed
from tests.gadgets import Gadget, Maker, Slot
from tests.orders import Trade, lines, orders
from tests.postgres import PostgresServer
from tests.serving import serving
from webapp.app import admin
from webapp.heroes import Hero

NARROW = (Resource(Hero, columns=(Hero.name,), search=(Hero.name,)), admin.resources[1])

HERO = "hero (name, secret_name, age, team_id, id)"


async def test_a_migrated_database_lacks_nothing(database: Database) -> None:
    assert await check_indexes(database, admin.resources) == []
    assert await fix_indexes(database, admin.resources) == []


async def test_what_is_missing_is_said_and_made(database: Database, session: AsyncSession) -> None:
    await session.execute(text("DROP INDEX hero_admin_list_hero_age"))
    is_embedded = session.get_bind().dialect.name == "sqlite"
    lost = (
        "DROP TRIGGER hero_admin_search_hero_update"
        if is_embedded
        else "DROP INDEX hero_admin_search_hero"
    )
    await session.execute(text(lost))
    await session.commit()
    sentences = [finding.sentence for finding in await check_indexes(database, admin.resources)]
    assert sentences[0] == "No index for sorting hero by age."
    assert sentences[1].startswith("The search index of heroes is missing")
    assert len(await fix_indexes(database, admin.resources)) == 2
    assert await check_indexes(database, admin.resources) == []


async def test_what_a_resource_no_longer_asks_for_is_dropped(database: Database) -> None:
    await fix_indexes(database, NARROW)
    async with database.reading.connect() as connection:
        indexes = await connection.run_sync(lambda sync: inspect(sync).get_indexes("hero"))
    names = {index["name"] for index in indexes}
    assert {"hero_admin_list_hero_name", "hero_admin_list_hero_team_id"} <= names
    assert "hero_admin_list_hero_age" not in names
    await fix_indexes(database, admin.resources)
    assert await check_indexes(database, admin.resources) == []


async def test_an_index_of_another_order_is_replaced_and_one_of_others_does_not_do(
    database: Database, session: AsyncSession
) -> None:
    is_server = session.get_bind().dialect.name == "postgresql"
    # As earlier versions made it, and as others may have one.
    await session.execute(text("DROP INDEX hero_admin_list_hero_name"))
    await session.execute(text("CREATE INDEX hero_admin_list_hero_name ON hero (name)"))
    await session.execute(text("CREATE UNIQUE INDEX ux_plain ON hero (name, id)"))
    await session.commit()
    assert [finding.sentence for finding in await check_indexes(database, admin.resources)] == [
        "Unused index: hero_admin_list_hero_name.",
        "No index for sorting hero by name.",
    ]
    await fix_indexes(database, admin.resources)
    assert await check_indexes(database, admin.resources) == []
    # Where another one has the same order, it will do.
    await session.execute(text("DROP INDEX hero_admin_list_hero_name"))
    order = "left(hero_admin_fold(name), 500), id" if is_server else "name COLLATE nocase"
    await session.execute(text(f"CREATE INDEX ours ON hero ({order})"))
    await session.commit()
    assert await check_indexes(database, admin.resources) == []


async def test_others_write_while_a_server_makes_an_index(postgres_url: str) -> None:
    database = connect(Settings(database_url=postgres_url))
    async with database.writing.connect() as writer:
        await writer.execute(text("DROP INDEX hero_admin_list_hero_age"))
        await writer.execute(text("DROP INDEX hero_admin_search_hero"))
        await writer.commit()
        await writer.execute(text("INSERT INTO hero (name, secret_name) VALUES ('Nova', 'x')"))
        mending = asyncio.create_task(fix_indexes(database, admin.resources))
        # It has to wait for whoever has written already, and lets others write.
        async with database.writing.connect() as observer:
            await until_waiting(observer)
            insert = "INSERT INTO hero (name, secret_name) VALUES ('Rusty', 'y')"
            await observer.execute(text(insert))
            await observer.commit()
        assert not mending.done()
        await writer.commit()
    assert len(await mending) == 2
    assert await check_indexes(database, admin.resources) == []
    await database.close()


async def test_all_who_mend_and_migrate_at_once_take_turns(postgres_url: str) -> None:
    database = connect(Settings(database_url=postgres_url))
    async with database.writing.begin() as connection:
        await connection.execute(text("DROP INDEX hero_admin_list_hero_age"))
        await connection.execute(text("DROP INDEX hero_admin_search_hero"))
    migrating = [asyncio.create_task(migrate(database, admin.chain)) for _ in range(4)]
    mended = await asyncio.gather(*(fix_indexes(database, admin.resources) for _ in range(4)))
    assert sorted(map(len, mended)) == [0, 0, 0, 2]
    assert not any(await asyncio.gather(*migrating))
    assert await check_indexes(database, admin.resources) == []
    await database.close()


async def test_an_index_that_was_broken_off_is_made_anew(postgres_url: str) -> None:
    database = connect(Settings(database_url=postgres_url))
    async with database.writing.begin() as connection:
        unfinished = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{}'::regclass"
        for name in ("hero_admin_list_hero_age", "hero_admin_search_hero"):
            await connection.execute(text(unfinished.format(name)))
    found = {finding.sentence for finding in await check_indexes(database, admin.resources)}
    assert {
        f"The index {name} is incomplete."
        for name in ("hero_admin_list_hero_age", "hero_admin_search_hero")
    } < found
    # Until then it is not asked.
    async with database.session(is_read_only=True) as session:
        assert not await fetch_has_trigrams(session, admin.resources[0])
    await fix_indexes(database, admin.resources)
    assert await check_indexes(database, admin.resources) == []
    async with database.session(is_read_only=True) as session:
        assert await fetch_has_trigrams(session, admin.resources[0])
    await database.close()


class Order(SQLModel, table=True):
    """Columns whose names SQL has for itself, or that are not in small letters.

    PostgreSQL makes no index of a partitioned table beside its writers.
    """

    __table_args__ = {"postgresql_partition_by": 'RANGE ("group")'}

    group: int = Field(primary_key=True)
    order: str = Field(max_length=20)
    lastName: str = Field(max_length=20)  # noqa: N815 - it is what this is about


async def test_an_index_over_columns_with_any_name_is_known_again(database: Database) -> None:
    orders = Resource(Order)
    async with database.writing.begin() as connection:
        await connection.run_sync(lambda sync: orders.table.create(sync, checkfirst=True))
    assert len(await fix_indexes(database, (*admin.resources, orders))) > 0
    assert await check_indexes(database, (*admin.resources, orders)) == []


async def test_an_index_that_a_model_declares_for_a_table_that_existed_is_missing(
    database: Database,
) -> None:
    shop = (*admin.resources, orders, lines)
    async with database.writing.begin() as connection:
        await connection.run_sync(Trade.metadata.create_all)
        await connection.execute(text("DROP INDEX ix_line_total"))
    said = [finding.sentence for finding in await check_indexes(database, shop)]
    assert said.count("No index for sorting line by total.") == 1
    assert "No index for sorting line by total." in [
        finding.sentence for finding in await fix_indexes(database, shop)
    ]
    assert await check_indexes(database, shop) == []
    # It is that of the model.
    async with database.writing.begin() as connection:
        await connection.execute(text("DROP INDEX ix_line_total"))


async def until_waiting(connection: AsyncConnection) -> None:
    """Return once somebody waits for a lock to make an index."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND datname = current_database()"
    )
    while not (await connection.execute(waiting)).scalar():
        await connection.rollback()
        await asyncio.sleep(0.02)


async def test_a_table_that_is_not_there_yet_is_no_finding(database: Database) -> None:
    everything = (*admin.resources, Resource(Gadget), Resource(Maker))
    assert await check_indexes(database, everything) == []


async def test_an_index_finds_what_was_stored_before_it_was_made(
    client: Client, database: Database, session: AsyncSession
) -> None:
    await fix_indexes(database, (Resource(Hero, search=()), admin.resources[1]))
    await a_hero(session, "Zoë Nova")
    await a_hero(session, "Somebody")
    await fix_indexes(database, admin.resources)
    assert await proposed(client, "zoe") == ["Zoë Nova"]


@pytest.mark.parametrize("needle", ["zoe", "oë n", "NOVA", "no"])
async def test_the_index_follows_every_change(
    client: Client, session: AsyncSession, needle: str
) -> None:
    hero = await a_hero(session, "Zoë Nova")
    other = await a_hero(session, "Somebody")
    assert await proposed(client, needle) == ["Zoë Nova"]
    hero.name, other.name = "Rusty", "Zoë Nova II"
    await session.commit()
    assert await proposed(client, needle) == ["Zoë Nova II"]
    await session.delete(other)
    await session.commit()
    assert await proposed(client, needle) == []


# Each has another kind of key: a UUID, a text, two columns.
GADGETS = (Resource(Gadget), Resource(Maker), Resource(Slot))


async def test_rows_of_any_key_are_found_by_the_index(
    gadgets: Client, database: Database, session: AsyncSession
) -> None:
    lamp = await committed(session, Gadget(title="Old Lamp"))
    other = await committed(session, Gadget(title="Something else"))
    await fix_indexes(database, (*admin.resources, *GADGETS))
    assert await check_indexes(database, (*admin.resources, *GADGETS)) == []
    maker = await committed(session, Maker(code="acme", motto="Better lamps"))
    await committed(session, Maker(code="other", motto="Nothing"))
    slot = await committed(session, Slot(shelf="lamp shelf", number=1, gadget_id=lamp.id))
    await committed(session, Slot(shelf="shelf", number=2, gadget_id=other.id))

    async def found() -> list[list[str]]:
        pages = [await gadgets.get(f"/{noun}?q=lamp") for noun in ("gadgets", "makers", "slots")]
        return [[next(iter(row.values())) for row in page.rows] for page in pages]

    assert await found() == [["Old Lamp"], ["acme"], ["lamp shelf"]]
    lamp.title, maker.motto, slot.shelf = "Lampion", "Better Lämps", "shelf of lamps"
    await session.commit()
    assert await found() == [["Lampion"], ["acme"], ["shelf of lamps"]]
    exported = (await gadgets.get("/slots.csv?q=lamp")).text
    assert "shelf of lamps" in exported
    assert exported.count("\n") == 2
    for gone in (slot, lamp, maker):
        await session.delete(gone)
        await session.commit()
    assert await found() == [[], [], []]
    # A key that was there before is no other row's.
    await committed(session, Maker(code="acme", motto="Worse lamps"))
    assert await found() == [[], ["acme"], []]
    if session.get_bind().dialect.name == "sqlite":
        # SQLite calls no trigger for what it replaces.
        await session.execute(text("INSERT OR REPLACE INTO maker VALUES ('acme', 'No lamps')"))
        await session.commit()
        assert await found() == [[], ["acme"], []]
    await fix_indexes(database, admin.resources)
    assert await check_indexes(database, admin.resources) == []


async def test_trigrams_in_another_order_are_no_hit(client: Client, session: AsyncSession) -> None:
    await a_hero(session, "oean zoe", "nova")
    await a_hero(session, "Somebody")
    assert await proposed(client, "zoean") == []


def program(url: str) -> sqlite3.Connection:
    """A connection to a file as any other program has it."""
    return sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)


async def test_any_program_may_write_and_is_found(sqlite_url: str) -> None:
    settings = Settings(database_url=sqlite_url, request_timeout_seconds=60)
    async with serving(admin.application(settings), role=Role.EDITOR) as client:
        with closing(program(sqlite_url)) as other:
            made = "".join(sql for (sql,) in other.execute("SELECT sql FROM sqlite_master") if sql)
            assert "fold(" not in made
            other.execute("INSERT INTO team (id, name) VALUES (1, 'Zoë’s')")
            other.execute(f"INSERT INTO {HERO} VALUES ('Zoë Nova', 'x', NULL, 1, 1)")
            other.execute(f"INSERT INTO {HERO} VALUES ('Somebody', 'x', NULL, 1, 2)")
            assert await proposed(client, "zoe") == ["Zoë Nova"]
            assert len((await client.get("/teams?q=zoe")).rows) == 1
            assert len((await client.get("/teams/1/heroes?q=zoe")).rows) == 1
            assert (await client.get("/heroes.csv?q=zoe")).text.count("\n") == 2
            # The next change of ours brings it into the index.
            sent = {"name": "Zoe II", "secret_name": "x"}
            assert (await client.post("/api/heroes/", json=sent)).status_code == 201
            assert await proposed(client, "zoe") == ["Zoe II", "Zoë Nova"]
            assert other.execute("SELECT count(*) FROM hero_admin_unsearched_hero").fetchone() == (
                0,
            )
            other.execute("UPDATE hero SET name = 'Rusty' WHERE id = 1")
            other.execute(f"REPLACE INTO {HERO} VALUES ('Zoë III', 'x', NULL, 1, 2)")
            other.execute("DELETE FROM hero WHERE id = 3")
            assert await proposed(client, "zoe") == ["Zoë III"]
            # What is no text, and none in UTF-8.
            other.execute(
                f"INSERT INTO {HERO} VALUES (CAST(x'fffe7a6f65' AS TEXT), 'x', NULL, 1, 4)"
            )
            other.execute("DELETE FROM hero WHERE id = 4")
            assert await proposed(client, "zoe") == ["Zoë III"]


async def test_an_index_that_only_we_could_keep_is_taken_over(sqlite_url: str) -> None:
    with closing(program(sqlite_url)) as other:
        other.create_function("fold", 1, fold)
        other.execute(f"INSERT INTO {HERO} VALUES ('Zoë', 'x', NULL, NULL, 1)")
        index, events = (
            "hero_admin_search_hero",
            {"insert": "new", "update": "new", "delete": "old"},
        )
        other.execute("DROP TABLE hero_admin_unsearched_hero")
        for event, row in events.items():
            other.execute(f"DROP TRIGGER {index}_{event}")
            body = f"INSERT INTO {index} (rowid, name) VALUES ({row}.id, ' ' || fold({row}.name))"
            other.execute(f"CREATE TRIGGER {index}_{event} AFTER {event} ON hero BEGIN {body}; END")
        other.execute(f"INSERT INTO {index} (rowid, name) VALUES (1, ' zoe')")
    settings = Settings(database_url=sqlite_url, request_timeout_seconds=60)
    database = connect(settings)
    (finding,) = await fix_indexes(database, admin.resources)
    assert finding.sentence == "Old triggers keep other programs from writing to heroes."
    # What is there was not read again, which takes long.
    assert not [each for each in finding.fixes if each.startswith("INSERT")]
    assert await fix_indexes(database, admin.resources) == []
    await database.close()
    async with serving(admin.application(settings), role=Role.EDITOR) as client:
        with closing(program(sqlite_url)) as other:
            other.execute(f"INSERT INTO {HERO} VALUES ('Zoë II', 'x', NULL, NULL, 2)")
        assert await proposed(client, "zoe") == ["Zoë", "Zoë II"]


async def test_many_changes_of_others_are_a_finding(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_indexes, "MAX_PENDING", 1)
    with closing(program(sqlite_url)) as other:
        other.execute("INSERT INTO team (name) VALUES ('Zoë'), ('Nova')")
    database = connect(Settings(database_url=sqlite_url))
    (finding,) = await fix_indexes(database, admin.resources)
    assert finding.sentence == "2 changed teams are not indexed yet."
    assert await fix_indexes(database, admin.resources) == []
    await database.close()


async def test_what_others_call_so_is_left_alone(database: Database) -> None:
    others = (
        "CREATE TABLE search_terms (id INTEGER, name VARCHAR(9))",
        "CREATE INDEX search_terms_name ON search_terms (name)",
        "CREATE INDEX list_of_heroes ON hero (age, name)",
        "CREATE INDEX list_hero_name_and_age ON hero (name, age)",
    )
    async with database.writing.begin() as connection:
        for statement in others:
            await connection.execute(text(statement))
    assert await fix_indexes(database, admin.resources) == []
    async with database.writing.begin() as connection:
        await connection.execute(text("DROP TABLE search_terms"))
        for name in ("list_of_heroes", "list_hero_name_and_age"):
            await connection.execute(text(f"DROP INDEX {name}"))


@pytest.fixture(autouse=True)
def no_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found is found by the index."""
    monkeypatch.setattr(candidates, "MAX_FIRST_CANDIDATES", -1)
    monkeypatch.setattr(plan, "FIRST_SEARCH", 1)
    monkeypatch.setattr(plan, "SHORT_SCAN", 1)
    monkeypatch.setattr(plan, "LONG_SEARCH", 1)


async def proposed(client: Client, needle: str) -> list[str]:
    page = await client.get("/heroes", params={"q": needle})
    return page.column("Name")


async def test_a_server_finds_what_any_role_has_written_and_after_a_restore(
    postgres: PostgresServer, postgres_url: str
) -> None:
    async with postgres.connected("hero_admin") as connection:
        await connection.execute("DROP ROLE IF EXISTS clerk")
        await connection.execute("CREATE ROLE clerk")
        await connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO clerk")
        await connection.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO clerk")
        await connection.execute("SET ROLE clerk; SET search_path = ''")
        insert = "INSERT INTO public.hero (name, secret_name) VALUES ($1, 'x')"
        await connection.execute(insert, "Zoë Nova")
        await connection.execute("UPDATE public.hero SET name = 'Zoé Nova'")
        await connection.execute("RESET ROLE; DROP OWNED BY clerk; DROP ROLE clerk")
    await postgres.drop_database("restored")
    await postgres.create_database("restored")
    try:
        await asyncio.to_thread(postgres.copy_database, "hero_admin", "restored")
        for url in (postgres_url, postgres.url("restored")):
            settings = Settings(database_url=url, request_timeout_seconds=60)
            database = connect(settings)
            assert await check_indexes(database, admin.resources) == []
            await database.close()
            async with serving(admin.application(settings), role=Role.EDITOR) as client:
                assert await proposed(client, "zoe") == ["Zoé Nova"]
    finally:
        await postgres.drop_database("restored")


async def test_the_doctor_says_what_is_missing_and_makes_it_when_told_to(
    database_url: str, session: AsyncSession
) -> None:
    assert (await asyncio.to_thread(run, "doctor", url=database_url)).stdout == (
        "All indexes are in place.\n"
    )
    await session.execute(text("DROP INDEX hero_admin_list_hero_age"))
    await session.commit()
    done = await asyncio.to_thread(run, "doctor", url=database_url)
    said = "No index for sorting hero by age."
    assert done.returncode == 1
    assert done.stdout == f"{said}\nRun `python -m webapp doctor --fix` to fix this.\n"
    done = await asyncio.to_thread(run, "doctor", "--fix", url=database_url)
    assert (done.returncode, done.stdout) == (0, f"{said} Fixed.\n")
    assert (await asyncio.to_thread(run, "doctor", url=database_url)).returncode == 0
