"""Computed columns: SQL, counts and functions, in lists, on pages, in exports and in the API."""

import csv
import io
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from hero_admin import Column, Resource, ResourceError, Rights, count
from hero_admin.application import create_app
from hero_admin.model.site import Site
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.orders import Fee, Line, Order, Trade, gross, lines, orders, total
from tests.serving import serving
from tests.statements import Statements


@pytest.fixture
async def trade(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    await (await session.connection()).run_sync(Trade.metadata.create_all)
    for number, customer in enumerate(("Ann", "Bob", "Cid")):
        order = Order(customer=customer, card="4242")
        session.add(order)
        await session.flush()
        session.add_all(
            Line(product=f"{customer} {at}", quantity=at, price=10 - at * number, order_id=order.id)
            for at in range(1, number * 2)
        )
    await session.commit()
    async with serving(create_app(settings, [orders, lines]), role=Role.OWNER) as client:
        yield client


async def test_a_list_and_a_page_show_computed_columns_in_their_places(trade: Client) -> None:
    page = await trade.get("/orders")
    assert page.columns == ["Customer", "Lines", "Initial", "Sum"]
    assert [tuple(row.values()) for row in page.rows] == [
        ("Ann", "0", "A", "—"),
        ("Bob", "1", "B", "9"),
        ("Cid", "3", "C", "32"),
    ]
    # A count leads to what it counts, and no function sees a masked value.
    assert page.row("Cid").link("3 lines") == "/orders/3/lines"
    assert "4242" not in page.text
    facts = (await trade.get("/orders/3")).facts
    assert (facts["Lines"], facts["Initial"], facts["Sum"]) == ("3", "C", "32")


async def test_a_computed_column_has_formats_and_a_place_on_the_page(
    settings: Settings, trade: Client
) -> None:
    given = Resource(
        Line,
        columns=(Line.product, total, gross),
        show={total: lambda amount: f"{amount} €"},
        sections={"Amounts": (total, Line.price)},
    )
    async with serving(create_app(settings, [orders, given]), role=Role.VIEWER) as client:
        assert (await client.get("/lines")).column("Total")[0] == "9 €"
        page = await client.get("/lines/1")
        assert list(page.facts)[:2] == ["Total", "Price"]
        assert (page.facts["Total"], page.facts["Gross amount"]) == ("9 €", "18")


async def test_a_function_that_fails_for_some_records_is_logged_and_takes_down_no_list(
    settings: Settings, trade: Client, caplog: pytest.LogCaptureFixture
) -> None:
    odd = Column("Tenth", lambda line: 10 // (line.quantity - 1))
    lost = Column("Lost", lambda line: "" if line.order else "no order")
    given = Resource(Line, columns=(Line.product, odd, lost))
    async with serving(create_app(settings, [orders, given]), role=Role.VIEWER) as client:
        assert (await client.get("/lines")).column("Tenth") == ["—", "—", "10", "5"]
        assert (await client.get("/api/lines/1")).json()["tenth"] is None
    messages = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert messages == [f"“{name}” of Resource(Line) failed" for name in ("Tenth", "Lost")] * 2
    # What is related would be None, which is no reason to say that nothing is.
    assert "Line.order is not loaded here" in caplog.text


async def test_counts_end_where_people_no_longer_count(
    trade: Client, session: AsyncSession
) -> None:
    session.add_all(Line(product="Tea", order_id=1) for _ in range(1_200))
    await session.commit()
    assert (await trade.get("/orders")).column("Lines") == ["1,000+", "1", "3"]
    assert (await trade.get("/orders/1")).facts["Lines"] == "1,200"
    # Programs get the number.
    assert (await trade.get("/api/orders/1")).json()["lines"] == 1_200


async def test_exports_have_computed_columns_last(trade: Client) -> None:
    rows = list(csv.DictReader(io.StringIO((await trade.get("/orders.csv")).text)))
    assert list(rows[0]) == ["id", "customer", "lines", "initial", "sum"]
    assert [(each["lines"], each["initial"], each["sum"]) for each in rows] == [
        ("0", "A", ""),
        ("1", "B", "9"),
        ("3", "C", "32"),
    ]
    found = json.loads((await trade.get("/orders.json")).text)
    assert found[2] == {
        "id": 3,
        "customer": "Cid",
        "card": None,
        "lines": 3,
        "initial": "C",
        "sum": 32,
    }
    # Also where the statement of the list reads some of them.
    answer = await trade.get("/lines.csv?sort=-total&gross_amount_min=20")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(each["product"], each["total"], each["order"]) for each in rows] == [
        ("Cid 3", "12", "Cid"),
        ("Cid 2", "12", "Cid"),
    ]


async def test_the_api_answers_what_is_computed_and_takes_none_of_it(
    trade: Client, session: AsyncSession
) -> None:
    answer = await trade.get("/api/orders/3")
    assert answer.json() == {
        "id": 3,
        "customer": "Cid",
        "card": "4242",
        "lines": 3,
        "initial": "C",
        "sum": 32,
    }
    # Nobody gets masked values in bulk.
    in_list = {**answer.json(), "card": None}
    assert (await trade.get("/api/orders/")).json()[2] == in_list
    assert (await trade.get("/api/orders/?sort=customer")).json()[2] == in_list
    with_order = (await trade.get("/api/lines/1/with-order")).json()
    assert (with_order["total"], with_order["order"]["lines"]) == (9, 1)
    # Another line makes no other record of its order, but another answer.
    seen = {"If-None-Match": answer.headers["etag"]}
    assert (await trade.get("/api/orders/3", headers=seen)).status_code == 304
    session.add(Line(product="Tea", order_id=3))
    await session.commit()
    again = await trade.get("/api/orders/3", headers=seen)
    assert (again.status_code, again.json()["lines"]) == (200, 4)
    body = {**answer.json(), "lines": 99, "customer": "Dee"}
    headers = {"If-Match": answer.headers["etag"]}
    changed = await trade.patch("/api/orders/3", json=body, headers=headers)
    assert (changed.status_code, changed.json()["lines"]) == (200, 4)
    assert (await trade.patch("/api/orders/3", json=body, headers=headers)).status_code == 412
    schema = (await trade.get("/api/openapi.json")).json()["components"]["schemas"]
    assert schema["OrderRead"]["properties"]["lines"]["readOnly"] is True
    assert "lines" not in schema["OrderCreate"]["properties"]


@pytest.mark.parametrize("name", ["total", "gross_amount"])
async def test_what_an_index_or_a_column_has_sorts_filters_and_pages(
    trade: Client, session: AsyncSession, name: str
) -> None:
    session.add_all(Line(product=f"Tea {at:02}", quantity=at % 7, price=5) for at in range(60))
    session.add(Line(product="None"))
    await session.commit()
    factor = 1 if name == "total" else 2
    every = await trade.get(f"/api/lines/?limit=1000&sort={name}")
    expected = [each["product"] for each in every.json()]
    values = [each[name] for each in every.json()]
    assert values == sorted(values)
    assert len(values) == 65
    seen: list[str] = []
    page = await trade.get(f"/lines?sort={name}")
    assert page.sorted_by == ("Total" if factor == 1 else "Gross amount", "ascending")
    while True:
        seen += page.column("Product")
        if "Next page" not in page.link_names:
            break
        page = await trade.get(page.link("Next page"))
    assert seen == expected
    last = await trade.get(f"/lines?sort=-{name}&{name}_min={25 * factor}&q=tea")
    amounts = [int(text) for text in last.column("Total")]
    assert amounts == sorted(amounts, reverse=True)
    assert {25, 30} == set(amounts)
    jumped = await trade.get(f"/lines?sort={name}&from={30 * factor}")
    assert set(jumped.column("Total")) == {"30"}


async def test_a_list_costs_one_statement_more_however_many_rows_and_columns(
    trade: Client, session: AsyncSession, statements: Statements
) -> None:
    counts = []
    for number in (3, 60):
        session.add_all(Order(customer=f"Customer {at}") for at in range(number))
        await session.commit()
        with statements() as executed:
            await trade.get("/orders")
        counts.append([each for each in executed if "purchase" in each])
    assert [len(each) for each in counts] == [2, 2]


async def test_decimals_are_computed_without_the_noise_of_binary_numbers(
    settings: Settings, trade: Client, session: AsyncSession
) -> None:
    for at, amount in enumerate(("35.09", "35.48", "0.10", "35.09"), start=1):
        session.add(Fee(name=f"Fee {at}", amount=Decimal(amount), times=(6, 5, 3, 5)[at - 1]))
    await session.commit()
    amounts = Column("Sum", col(Fee.amount) * col(Fee.times))
    half = Column("Half", col(Fee.amount) / 2)
    fees = Resource(Fee, columns=(Fee.name, amounts, half), sort="-sum")
    async with serving(create_app(settings, [fees]), role=Role.OWNER) as client:
        page = await client.get("/fees?size=25")
        assert page.column("Sum") == ["210.54", "177.40", "175.45", "0.30"]
        assert [float(each) for each in page.column("Half")] == [17.545, 17.74, 17.545, 0.05]
        found = (await client.get("/api/fees/?sort=sum")).json()
        assert [each["sum"] for each in found] == ["0.30", "175.45", "177.40", "210.54"]
        assert '"sum":"210.54"' in (await client.get("/fees.json")).text.replace(" ", "")
        assert (await client.get("/api/fees/1")).json()["sum"] == "210.54"


# Any: what a type checker would not let pass.
MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"columns": (Column("Lines", count(Line.order_id)),)}, "columns= begins with a column of the"),
    (
        {"columns": (Order.customer, Column("2nd", lambda order: ""))},
        "Column('2nd') needs a label that begins with a letter, as it names it in URLs.",
    ),
    (
        {"columns": (Order.customer, Column(func.sum(Line.price), "Sum"))},  # type: ignore[arg-type]
        'Column() takes a label first, as in Column("Deck area", Ship.length * Ship.beam).',
    ),
    (
        {"columns": (Order.customer, Column("Customer", lambda order: ""))},
        "Column('Customer') goes by the name customer, which the column customer has: rename it.",
    ),
    (
        {"columns": (Order.customer, Column("Lines", count(Order.id)))},
        "Column('Lines') counts by a foreign key, such as count(Other.order_id).",
    ),
    (
        {"model": Line, "columns": (Line.product, Column("Lines", count(Line.order_id)))},
        "Column('Lines') counts by order_id, which doesn't refer to Line.",
    ),
    (
        {"columns": (Order.customer, Column("Sum", func.sum(Line.price)))},
        "Column('Sum') reads line, so make it a subquery: select(…).where(…).scalar_subquery().",
    ),
    (
        {"columns": (Order.customer, Column("Hint", func.substr(Order.card, 1, 4)))},
        "Column('Hint') would show card, which is masked.",
    ),
    (
        {"columns": (Order.customer, Column("Sum", 5))},
        "takes SQL about the model, count(Model.foreign_key), or a function of a record, and 5 is",
    ),
    ({"search": (Column("Sum", 5),)}, "search= takes columns of the model, and Column('Sum') isn"),
    (
        {"columns": (Order.customer, Column("N", count(Line.order_id))), "sort": "-n"},
        "sort='-n' can't sort by “N”, as it is counted for each row that is shown",
    ),
    (
        {"columns": (Order.customer, Column("N", lambda order: "")), "sort": "n"},
        "sort='n' can't sort by “N”, as it is made in Python, where the database can't look.",
    ),
    (
        {"model": Line, "filters": (Column("Half", col(Line.price) / 2),)},
        "filters= can't filter by “Half”, as no index of the model has it: declare Index(",
    ),
    (
        {"model": Line, "filters": (Column("Loud", func.upper(Line.product, type_=None)),)},
        "filters= can't filter by “Loud”, as",
    ),
]


@pytest.mark.parametrize(("arguments", "said"), MISTAKES)
def test_what_no_index_has_and_other_mistakes_are_said(
    arguments: dict[str, Any], said: str
) -> None:
    given = {"model": Order, "masked": (Order.card,), **arguments}
    if given["model"] is Line:
        del given["masked"]
    with pytest.raises(ResourceError) as refused:
        Site((Resource(**given),))
    assert str(refused.value).startswith(f"Resource({given['model'].__name__}): ")
    assert said in str(refused.value)


class Loose(Trade, table=True):
    id: int | None = Field(default=None, primary_key=True)
    order_id: int = Field(foreign_key="purchase.id")


def test_a_count_that_would_read_a_whole_table_is_said() -> None:
    counting = Resource(Order, columns=(Order.customer, Column("Loose", count(Loose.order_id))))
    # Lists of administered records need the index, too.
    Site((counting, Resource(Loose)))
    with pytest.raises(
        ResourceError, match=r"“Loose” counts by loose\.order_id, which needs index"
    ):
        Site((counting,))


async def test_nothing_is_computed_of_what_its_reader_may_not_read(
    settings: Settings, trade: Client
) -> None:
    owner = Rights(read=Role.OWNER, change=Role.OWNER)
    orders_of_all = Resource(Order, columns=orders.columns, rows=lambda _: col(Order.id) > 1)
    for resources, columns in (
        ([orders_of_all, Resource(Line, rows=lambda _: col(Line.quantity) < 3)], ("1", "2")),
        ([orders_of_all, Resource(Line, may={"read": Role.OWNER})], None),
        ([orders_of_all, Resource(Line, rights={Line.order_id: owner})], None),
    ):
        async with serving(create_app(settings, resources), role=Role.EDITOR) as client:
            page = await client.get("/orders")
            assert page.column("Customer") == ["Bob", "Cid"]
            first = (await client.get("/api/orders/2")).json()
            head = (await client.get("/orders.csv")).text.splitlines()[0]
            assert ("Lines" in page.columns, "lines" in first, "lines" in head) == (
                (columns is not None,) * 3
            )
            if columns is not None:
                assert tuple(page.column("Lines")) == columns
    # What reads a field that somebody may not read, sorts nothing for them, either.
    given = lines.columns, lines.filters
    secret = Resource(
        Line, columns=given[0], filters=given[1], sort="-total", rights={Line.price: owner}
    )
    async with serving(create_app(settings, [orders, secret]), role=Role.EDITOR) as client:
        page = await client.get("/lines")
        assert page.columns == ["Product", "Quantity"]
        # The sum of these prices is of another model.
        assert (await client.get("/orders")).columns == ["Customer", "Lines", "Initial"]
        assert (await client.get("/lines?sort=total")).status_code == 400
        assert (await client.get("/api/lines/?total_min=5")).json() == (
            await client.get("/api/lines/")
        ).json()
    async with serving(create_app(settings, [orders, secret]), role=Role.OWNER) as client:
        assert (await client.get("/lines")).columns == [
            "Product",
            "Total",
            "Quantity",
            "Gross amount",
        ]
