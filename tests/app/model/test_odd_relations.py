"""Relations between columns of two types, and of values that Python has no name or no hash for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, CHAR, JSON, Column, ForeignKey, Integer, MetaData, Numeric, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from hero_admin.application import create_app
from hero_admin.database.engines import is_postgresql
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client, Page
from tests.serving import serving


class Odd(SQLModel):
    metadata = MetaData()


LISTS = ARRAY(Text).with_variant(JSON(), "sqlite")
OBJECTS = JSONB().with_variant(JSON(), "sqlite")


class Day(Odd, table=True):
    day: date = Field(primary_key=True)
    name: str


class Price(Odd, table=True):
    amount: Decimal = Field(sa_column=Column(Numeric(10, 2), primary_key=True))
    name: str


class Account(Odd, table=True):
    number: Decimal = Field(sa_column=Column(Numeric(10, 0), primary_key=True))
    name: str


class Code(Odd, table=True):
    code: str = Field(sa_column=Column(CHAR(5), primary_key=True))
    name: str


class Shape(Odd, table=True):
    """Its key is a list or an object, and so is what points at another one."""

    sides: list[str] = Field(sa_column=Column(LISTS, primary_key=True))
    name: str
    within: list[str] | None = Field(
        default=None, sa_column=Column(LISTS, ForeignKey("shape.sides", ondelete="CASCADE"))
    )


class Part(Odd, table=True):
    # Any: JSON, here and below.
    data: Any = Field(sa_column=Column(OBJECTS, primary_key=True))
    name: str
    within: Any = Field(
        default=None, sa_column=Column(OBJECTS, ForeignKey("part.data", ondelete="CASCADE"))
    )


class Span(Odd, table=True):
    span: timedelta = Field(primary_key=True)
    name: str
    within: timedelta | None = Field(default=None, foreign_key="span.span")


class Ratio(Odd, table=True):
    ratio: Decimal = Field(sa_column=Column(Numeric, primary_key=True))
    name: str
    within: Decimal | None = Field(
        default=None, sa_column=Column(Numeric, ForeignKey("ratio.ratio"))
    )


class Sale(Odd, table=True):
    id: int | None = Field(default=None, primary_key=True)
    account_number: int | None = Field(
        default=None, sa_column=Column(Integer, ForeignKey("account.number"))
    )
    day: str | None = Field(default=None, foreign_key="day.day")
    amount: str | None = Field(default=None, foreign_key="price.amount")
    code: int | None = Field(default=None, sa_column=Column(Integer, ForeignKey("code.code")))


TABLES = """
    CREATE TABLE day (day date PRIMARY KEY, name text);
    CREATE TABLE price (amount numeric(10,2) PRIMARY KEY, name text);
    CREATE TABLE account (number numeric(10,0) PRIMARY KEY, name text);
    CREATE TABLE code (code char(5) PRIMARY KEY, name text);
    INSERT INTO day VALUES ('2021-01-01', 'New'), ('2021-01-02', 'Next');
    INSERT INTO price VALUES (1, 'One'), (2.5, 'More');
    INSERT INTO account VALUES (1, 'First'), (2, 'Second');
    INSERT INTO code VALUES ('k1', 'Used'), ('k2', 'Unused')
"""
SALES = """
    CREATE TABLE sale (id integer PRIMARY KEY, account_number integer REFERENCES account,
        day text REFERENCES day, amount text REFERENCES price, code integer REFERENCES code);
    INSERT INTO sale VALUES (1, 1, '2021-01-01', '1', 'k1'), (2, 1, '2021-01-02', '2.5', 'k1')
"""
# PostgreSQL lets columns of such types not point at each other.
SOME_SALES = """
    CREATE TABLE sale (id integer PRIMARY KEY, account_number integer REFERENCES account,
        day text, amount text, code integer);
    INSERT INTO sale VALUES (1, 1, '2021-01-01', '1', 1), (2, 1, NULL, NULL, 2)
"""


@asynccontextmanager
async def admin_of(
    settings: Settings, session: AsyncSession, models: tuple[type[SQLModel], ...], *sql: str
) -> AsyncIterator[Client]:
    for statement in ";".join(sql).split(";"):
        await (await session.connection()).exec_driver_sql(statement)
    await session.commit()
    resources = tuple(map(Resource, models))
    async with serving(create_app(settings, resources), role=Role.OWNER) as client:
        yield client


def ids_of(page: Page) -> list[str]:
    return [box.attribute("value") for box in page.find_all("input", name="id")]


async def counts_of_options(client: Client, path: str, name: str) -> dict[str, int]:
    """How many rows there are when each option that a filter offers is followed, by its label."""
    boxes = (await client.get(path)).find_all("input", type="checkbox", name=name)
    found = {}
    for box in boxes:
        page = await client.get(path, params={name: box.attribute("value")})
        assert page.status_code == 200, page.by_id("main").visible_text
        label = box.tag.parent
        assert label is not None
        found[Page(label).visible_text] = len(page.rows)
    return found


async def test_columns_of_two_types_are_filtered_and_their_records_opened(
    settings: Settings, session: AsyncSession
) -> None:
    sales = SOME_SALES if is_postgresql(session) else SALES
    models = (Account, Day, Price, Code, Sale)
    async with admin_of(settings, session, models, TABLES, sales) as client:
        found = await counts_of_options(client, "/sales", "account_number")
        assert (found["First"], found["Second"]) == (2, 0)
        page = await client.get((await client.get("/accounts")).link("First"))
        assert len(page.rows) == 2
        for path, title in {"days": "New", "prices": "More", "codes": "Used"}.items():
            page = await client.get((await client.get(f"/{path}")).link(title))
            assert page.status_code == 200
        for number in (1, 2):
            for part in ("", "/edit", "/history", "/delete"):
                page = await client.get(f"/sales/{number}{part}")
                assert page.status_code == 200, (number, part)
        assert (await client.get("/sales?code_min=1&code_max=2")).status_code == 200
        # All that points at a record comes back, whatever it points at.
        before = (await client.get("/sales.json")).json()
        for path, title in {"days": "New", "prices": "More", "accounts": "Second"}.items():
            question = await client.get((await client.get(f"/{path}")).link(f"Delete {title}"))
            gone = await client.follow(await client.submit(question.form()))
            await client.submit(gone.undo)
        assert (await client.get("/sales.json")).json() == before


async def test_records_whose_keys_are_lists_or_objects_are_opened_deleted_and_brought_back(
    settings: Settings, session: AsyncSession
) -> None:
    outer, inner = (
        ("'{a}'", "'{a,b}'") if is_postgresql(session) else ("'[\"a\"]'", '\'["a", "b"]\'')
    )
    kinds = ("text[]", "jsonb") if is_postgresql(session) else ("json", "json")
    sql = f"""
        CREATE TABLE shape (sides {kinds[0]} PRIMARY KEY, name text,
            within {kinds[0]} REFERENCES shape ON DELETE CASCADE);
        INSERT INTO shape VALUES ({outer}, 'Outer', NULL), ({inner}, 'Inner', {outer});
        CREATE TABLE part (data {kinds[1]} PRIMARY KEY, name text,
            within {kinds[1]} REFERENCES part ON DELETE CASCADE);
        INSERT INTO part VALUES ('{{"a": 1}}', 'Outer', NULL), ('[1]', 'Inner', '{{"a": 1}}')
    """
    async with admin_of(settings, session, (Shape, Part), sql) as client:
        for path in ("/shapes", "/parts"):
            page = await client.get(path)
            before = (await client.get(f"{path}.json")).json()
            for title in ("Outer", "Inner"):
                at = page.link(title)
                for part in ("", "/edit", "/history"):
                    assert (await client.get(at + part)).status_code == 200
                edit = (await client.get(f"{at}/edit")).form(press="Save changes")
                assert (await client.submit(edit)).status_code == 303
                question = await client.get(page.link(f"Delete {title}"))
                gone = await client.follow(await client.submit(question.form()))
                assert len(gone.rows) == (title == "Inner")
                await client.submit(gone.undo)
                assert (await client.get(f"{path}.json")).json() == before
        for path, key in {"/shapes": ["c"], "/parts": {"c": [1]}}.items():
            name = "sides" if path == "/shapes" else "data"
            for status in (201, 422):
                answer = await client.post(f"/api{path}/", json={name: key, "name": "New"})
                assert answer.status_code == status, answer.text
            gone = await client.post(f"{path}/delete", data={"id": ids_of(await client.get(path))})
            assert gone.status_code == 303


async def test_each_option_of_a_filter_is_followed_also_one_that_nobody_can_type(
    settings: Settings, session: AsyncSession
) -> None:
    is_infinite = "'inf'" if is_postgresql(session) else "9e999"
    sql = f"""
        CREATE TABLE span (span interval PRIMARY KEY, name text, within interval REFERENCES span);
        CREATE TABLE ratio (ratio numeric PRIMARY KEY, name text, within numeric REFERENCES ratio);
        INSERT INTO ratio VALUES ({is_infinite}, 'Endless', NULL), (1.5, 'Plain', {is_infinite})
    """
    if is_postgresql(session):
        sql += """;
            INSERT INTO span VALUES ('1 mon', 'Month', NULL), ('1 day', 'Day', '1 mon');
            INSERT INTO ratio VALUES ('NaN', 'Nothing', 'NaN')
        """
    async with admin_of(settings, session, (Span, Ratio), sql) as client:
        found = await counts_of_options(client, "/ratios", "within")
        assert (found["Endless"], found["Plain"]) == (1, 0)
        if is_postgresql(session):
            assert found["Nothing"] == 1
            found = await counts_of_options(client, "/spans", "within")
            assert (found["Month"], found["Day"]) == (1, 0)
            page = await client.get("/spans?within=1+mon")
            assert list(page.chips) == ["Within: Month"]
            assert (await client.get("/spans?within=x")).status_code == 400
        assert (await client.get("/ratios?within=x")).status_code == 400
