"""Plans: no list reads the whole table of heroes, whatever its order, page, search or filter."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from hero_admin.application import create_app
from hero_admin.cli.index_check import fix_indexes
from hero_admin.database import sqlite_files
from hero_admin.database.engines import Database
from hero_admin.database.folding import fold
from hero_admin.listing import counts
from hero_admin.listing.search import candidates, postgresql, skip_scan
from hero_admin.listing.search import plan as search_plan
from hero_admin.listing.search.backend import backend_of
from hero_admin.model import total
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.cases import each
from tests.factories import some_teams
from tests.gadgets import Gadget, Maker
from tests.orders import Line, Order, Trade, lines, orders
from tests.plans import assert_is_read_by_index, queries
from tests.serving import serving
from webapp.app import admin
from webapp.heroes import Hero, heroes
from webapp.teams import Team

HEROES = 2_400
# The orders that pages offer; others have no index.
ORDERS = [
    sign + field.name
    for field in (*heroes.list_fields, *heroes.key)
    if field.is_sortable
    for sign in ("", "-")
]
CLEAN_GIN = (
    "SELECT gin_clean_pending_list(pg_class.oid::regclass) FROM pg_class"
    " JOIN pg_am ON pg_am.oid = pg_class.relam WHERE pg_am.amname = 'gin'"
)

# The values of a gadget by its number, rising with it.
RISING: dict[str, Callable[[int], Any]] = {
    "count": int,
    "weight": float,
    "price": Decimal,
    "made_on": lambda number: date(2020, 1, 1) + timedelta(number),
    "seen_at": lambda number: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(number),
    "checked_at": lambda number: datetime.combine(date(2020, 1, 1) + timedelta(number), time.min),
    "opens_at": lambda number: time(number // 60, number % 60) if number < 24 * 60 else None,
    "lasts": timedelta,
}
makers = Resource(Maker)
gadgets = Resource(Gadget, columns=tuple(getattr(Gadget, name) for name in ("title", *RISING)))


@pytest.fixture
async def many(session: AsyncSession, database: Database) -> AsyncIterator[None]:
    """So many heroes that reading all of them is worth no plan; those without a team are last."""
    teams = await some_teams(session, 40)
    rows = [
        {
            "name": f"Hero {number * 7919 % 500:03}",
            "secret_name": f"Person {number:05}",
            "age": None if number % 10 == 0 else number % 90,
            "team_id": None if number > HEROES - 60 else teams[number % 40].id,
        }
        for number in range(HEROES)
    ]
    await session.execute(insert(Hero), rows)
    await session.commit()
    await fix_indexes(database, admin.resources)
    is_embedded = session.get_bind().dialect.name == "sqlite"
    if not is_embedded:
        # As a vacuum does: where an earlier test has made the index, the rows wait beside it.
        await session.execute(text(CLEAN_GIN))
    await session.execute(text("ANALYZE"))
    await session.commit()
    yield
    await session.execute(text("DELETE FROM sqlite_stat1" if is_embedded else "SELECT 1"))
    await session.commit()


@pytest.fixture
async def many_gadgets(session: AsyncSession, database: Database) -> None:
    connection = await session.connection()
    tables = [each.table for each in (gadgets, makers)]
    await connection.run_sync(lambda sync: SQLModel.metadata.create_all(sync, tables))
    session.add_all(
        Gadget(title="Plain", **{name: value(number) for name, value in RISING.items()})
        for number in range(HEROES)
    )
    await session.commit()
    await fix_indexes(database, [gadgets])
    await session.execute(text("ANALYZE"))
    await session.commit()


@pytest.fixture(autouse=True)
def short_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the few heroes of a test are as many as millions are."""
    for module, name, length in [
        (search_plan, "FIRST_SCAN", 40),
        (search_plan, "FIRST_SEARCH", 40),
        (search_plan, "SHORT_SCAN", 40),
        (search_plan, "LONG_SCAN", 100),
        (search_plan, "LONG_SEARCH", 100),
        (candidates, "MAX_CANDIDATES", 300),
        (candidates, "MAX_RARE_CANDIDATES", 50),
        (candidates, "MAX_FIRST_CANDIDATES", 20),
        (postgresql, "SAMPLE_HITS", 0),
        (skip_scan, "MAX_SKIPS", 100),
    ]:
        monkeypatch.setattr(module, name, length)
    for module in (search_plan, total, counts):
        monkeypatch.setattr(module, "COUNT_CAP", 100)


@each("order", ORDERS)
async def test_every_order_is_read_from_an_index_at_both_ends_and_in_between(
    client: Client, database: Database, many: None, order: str
) -> None:
    with queries() as executed:
        for address in (f"/heroes?sort={order}", f"/heroes?sort={order}&before=end"):
            page = await client.get(address)
            assert len(page.rows) == 25
            for step in ("Next page", "Next page", "Previous page", "Previous page"):
                if step in page.link_names:
                    page = await client.get(page.link(step))
    await assert_is_read_by_index(database, executed, most=26 * 6)


@each(
    "query",
    [
        "q=hero",
        "q=hero+123",
        "q=ro+4",
        "q=ro+4&sort=-name",
        "q=nobody",
        "q=39",
        "q=xq",
        "q=o",
        "team=3",
        "team=none",
        "team=3&team=none&sort=age",
        "age_min=89",
        "age_min=5&age_max=6&sort=-team_id",
        "age=none&sort=-name",
        "age_min=40&age_max=80&sort=age",
        "age_min=5&age_max=40&sort=-age",
        "q=person+039&team=7",
        "q=hero&team=9&age_min=80&sort=team_id",
    ],
)
async def test_a_search_or_filter_looks_at_a_part_of_the_table_only(
    client: Client,
    database: Database,
    many: None,
    query: str,
) -> None:
    with queries() as executed:
        for end in ("", "&before=end"):
            page = await client.get(f"/heroes?{query}{end}")
            assert page.status_code == 200
            if "Next page" in page.link_names:
                await client.get(page.link("Next page"))
        await client.get(f"/heroes?{query}&count=1", headers={"HX-Target": "span#total"})
    await assert_is_read_by_index(database, executed, most=1_000)


@each("name", RISING)
async def test_a_range_of_the_sorted_column_bounds_what_is_read(
    settings: Settings, database: Database, many_gadgets: None, name: str
) -> None:
    shown = gadgets.by_name[name].input.format
    low, high = (shown(RISING[name](number)) for number in (1_200, 1_210))
    async with serving(create_app(settings, (gadgets, makers)), role=Role.VIEWER) as client:
        with queries("gadget") as executed:
            for order in (name, f"-{name}"):
                page = await client.get(
                    "/gadgets", params={"sort": order, f"{name}_min": low, f"{name}_max": high}
                )
                assert len(page.rows) == 11
    await assert_is_read_by_index(database, executed, most=100, table="gadget")


async def test_no_order_and_no_count_reads_a_whole_table(
    settings: Settings, session: AsyncSession, database: Database
) -> None:
    await (await session.connection()).run_sync(Trade.metadata.create_all)
    session.add_all(Order(customer=f"Customer {number:03}") for number in range(300))
    await session.flush()
    session.add_all(
        Line(product=f"Tea {at}", quantity=at * 7919 % 1_000, price=3, order_id=1 + at % 300)
        for at in range(3_000)
    )
    await session.commit()
    await fix_indexes(database, (orders, lines))
    await session.execute(text("ANALYZE"))
    await session.commit()
    async with serving(create_app(settings, (orders, lines)), role=Role.VIEWER) as client:
        with queries("line") as executed:
            assert len((await client.get("/orders?q=customer")).rows) == 25
            for name, factor in (("total", 1), ("gross_amount", 2)):
                for address in (f"/lines?sort=-{name}", f"/lines?sort={name}&before=end"):
                    page = await client.get(address)
                    await client.get(page.link("Next page" if "-" in address else "Previous page"))
                bounds = f"{name}_min={1_500 * factor}&{name}_max={1_520 * factor}"
                assert len((await client.get(f"/lines?sort={name}&{bounds}")).rows) == 21
    await assert_is_read_by_index(database, executed, most=30 * 26, table="line")


async def test_a_text_that_most_rows_lack_is_read_from_an_index_in_either_order(
    client: Client, session: AsyncSession, database: Database, many: None
) -> None:
    for number in range(2_000):
        seat = None if number % 20 else f"{'tT'[number % 40 // 20]}ower {number}"
        session.add(Team(name=f"Home {number}", headquarters=seat))
    await session.commit()
    await session.execute(text("ANALYZE"))
    await session.commit()
    with queries("team") as executed:
        for sign in ("", "-"):
            page = await client.get(f"/teams?sort={sign}headquarters")
            page = await client.get(page.link("Next page"))
            await client.get(page.link("Last page"))
    await assert_is_read_by_index(database, executed, most=26 * 6, table="team")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_picker_looks_at_a_part_of_the_records_that_it_offers(
    client: Client, session: AsyncSession, database: Database, many: None
) -> None:
    session.add_all([Team(name=f"Home {number}") for number in range(2_000)])
    await session.commit()
    # What waits for its place in the index is proposed, too.
    while await session.scalar(text("SELECT count(*) FROM hero_admin_unsearched_team")):
        await session.commit()
        await client.patch("/api/teams/1", json={"headquarters": "Elsewhere"})
        await client.patch("/api/teams/1", json={"headquarters": None})
    await session.execute(text("ANALYZE"))
    await session.commit()
    with queries("team") as executed:
        for query, found in {"q=me+1234": "Home 1234", "q=home+xyz": "", "q=xyz": ""}.items():
            page = await client.get(f"/heroes/options/team_id?{query}")
            assert ("Home " in page.text) == bool(found)
            assert found in page.text
    await assert_is_read_by_index(database, executed, most=100)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_text_is_compared_with_the_candidates_of_the_index_only(
    client: Client, database: Database, many: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.writing.begin() as connection:
        # For a smaller table SQLite thinks of a Bloom filter.
        await connection.execute(text("DELETE FROM hero WHERE id % 3 > 0"))
        await backend_of(database).refresh(connection, heroes)
        await connection.execute(text("ANALYZE"))
    compared = set()

    def compare(text: str) -> str:
        compared.add(text)
        return fold(text)

    monkeypatch.setattr(sqlite_files, "fold", compare)
    page = await client.get("/heroes?q=ero+419")
    assert {row["Name"] for row in page.rows} == compared == {"Hero 419"}
