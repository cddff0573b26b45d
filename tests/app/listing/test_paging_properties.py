"""Paging, by its properties: the pages together are the plain sort, whatever the rows are."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert
from sqlmodel import SQLModel, col
from starlette.datastructures import QueryParams

from hero_admin.database.engines import Database
from hero_admin.listing.query_parser import parse_query
from hero_admin.listing.results import fetch_listing
from hero_admin.listing.search import candidates, plan, postgresql, skip_scan
from hero_admin.listing.urls import ListUrls
from hero_admin.model.primary_keys import key_text
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from tests.gadgets import Gadget, Maker, Slot
from tests.sorting import sort_key_of
from webapp.teams import Team

# A maker's title is its motto, so two may have the same one, and rows are sorted by it.
makers = Resource(Maker, title=Maker.motto)
gadgets, slots = Resource(Gadget), Resource(Slot)
# Searched by one text, which may be missing.
teams = Resource(Team, search=(Team.headquarters,))
site = Site((gadgets, makers, slots, teams))
SHELVES = ("A", "B", "Ä", "a")
MAKERS = (("m1", "same"), ("m2", "Same"), ("m3", "Öther"), ("m4", ""), ("M4", "unused"))

repeatable = settings(
    max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
numbers = st.integers(1, 10_000)
gadget_rows = st.lists(
    st.fixed_dictionaries(
        {
            "id": numbers.map(lambda number: UUID(int=number)),
            "title": st.sampled_from(["a", "A", "Ä", "a\u0308", "B", "b", "ß", "ss", "", "🦸"]),
            "rank": st.none() | st.integers(1, 3),
            "price": st.sampled_from([Decimal("0.10"), Decimal("0.30"), Decimal("-2.50")]),
            "made_on": st.none() | st.sampled_from([date(2026, 11, day) for day in (1, 2, 30)]),
            "is_secret": st.booleans(),
            "lasts": st.none() | st.sampled_from([timedelta(0), timedelta(days=-1)]),
            "maker_code": st.none() | st.sampled_from([code for code, _ in MAKERS[:4]]),
        }
    ),
    max_size=24,
    unique_by=lambda row: row["id"],
)
slot_rows = st.lists(
    st.tuples(st.sampled_from(SHELVES), st.integers(-2, 9)), max_size=24, unique=True
)
MOTTOS = dict(MAKERS)
SortKey = Callable[[str], str]
PLAIN = ("title", "rank", "price", "made_on", "is_secret", "lasts")


@pytest.fixture
def sort_key(database: Database) -> SortKey:
    """What the database sorts texts by."""
    return sort_key_of(database.reading.dialect.name)


@pytest.fixture
async def tables(database: Database) -> None:
    async with database.writing.begin() as connection:
        await connection.run_sync(
            lambda sync: SQLModel.metadata.create_all(sync, [each.table for each in site.resources])
        )


@pytest.mark.parametrize(
    "sort", [sign + name for name in (*PLAIN, "maker_code") for sign in ("", "-")]
)
@repeatable
@given(rows=gadget_rows, size=st.integers(1, 7))
async def test_pages_of_any_rows_are_their_plain_sort_in_both_directions(
    database: Database,
    tables: None,
    sort_key: SortKey,
    sort: str,
    rows: list[dict[str, Any]],
    size: int,
) -> None:
    await store(database, rows)
    wanted = plainly_sorted(rows, sort, sort_key)
    for end, is_backward in (("", False), ("&before=end", True)):
        found = await page_through(database, gadgets, f"sort={sort}&size={size}{end}", is_backward)
        assert found == wanted


@pytest.mark.parametrize("sort", ["shelf", "-shelf", "number", "-number"])
@repeatable
@given(rows=slot_rows, size=st.integers(1, 7))
async def test_pages_of_rows_with_a_key_of_two_columns_are_their_plain_sort(
    database: Database,
    tables: None,
    sort_key: SortKey,
    sort: str,
    rows: list[tuple[str, int]],
    size: int,
) -> None:
    gadget = {"id": UUID(int=1), "title": "Robot", "maker_code": None}
    await store(database, [gadget], rows)
    is_shelf = sort.endswith("shelf")

    def value(row: tuple[str, int]) -> Any:
        return (sort_key(row[0]) if is_shelf else row[1], row)

    ordered = sorted(rows, key=value, reverse=sort.startswith("-"))
    wanted = [f"{shelf},{number}" for shelf, number in ordered]
    for end, is_backward in (("", False), ("&before=end", True)):
        found = await page_through(database, slots, f"sort={sort}&size={size}{end}", is_backward)
        assert [unescaped(key) for key in found] == wanted


@pytest.mark.parametrize("sort", ["title", "-rank", "made_on", "maker_code", "-maker_code"])
@repeatable
@given(
    rows=gadget_rows,
    others=gadget_rows,
    size=st.integers(1, 5),
    is_backward=st.booleans(),
    data=st.data(),
)
async def test_rows_that_were_there_throughout_appear_once_while_others_come_and_go(
    database: Database,
    tables: None,
    sort_key: SortKey,
    sort: str,
    rows: list[dict[str, Any]],
    others: list[dict[str, Any]],
    size: int,
    is_backward: bool,
    data: st.DataObject,
) -> None:
    await store(database, rows)
    by_id = {row["id"]: row for row in rows}
    there = set(by_id)

    async def change() -> None:
        number = data.draw(st.integers(0, 2 * len(there)))
        if number < len(there):
            gone = sorted(there)[number]
            there.discard(gone)
            by_id.pop(gone, None)
            await execute(database, delete(Gadget).where(col(Gadget.id) == gone))
        if others and others[-1]["id"] not in {row["id"] for row in rows}:
            await add(database, [others.pop()])

    end = "&before=end" if is_backward else ""
    found = await page_through(
        database, gadgets, f"sort={sort}&size={size}{end}", is_backward, change
    )
    assert len(found) == len(set(found))
    wanted = plainly_sorted(by_id.values(), sort, sort_key)
    assert [key for key in found if key in set(wanted)] == wanted


async def test_rows_without_a_related_record_are_on_one_page_each(
    database: Database, tables: None
) -> None:
    price = Decimal("0.10")
    await add(database, [{"id": UUID(int=n), "title": "B", "price": price} for n in (1, 2, 3)])
    query = "q=b&is_secret=false&sort=-maker_code&size=2&before=end"
    found = await page_through(database, gadgets, query, is_backward=True)
    assert found == [str(UUID(int=number)) for number in (3, 2, 1)]


@pytest.mark.parametrize("sort", ["title", "-rank", "maker_code", "-maker_code"])
@settings(repeatable, max_examples=6)
@given(rows=gadget_rows, size=st.integers(2, 6))
async def test_narrowed_pages_are_the_plain_sort_of_what_is_left(
    database: Database,
    tables: None,
    monkeypatch: pytest.MonkeyPatch,
    sort_key: SortKey,
    sort: str,
    rows: list[dict[str, Any]],
    size: int,
) -> None:
    await store(database, rows)
    left = [row for row in rows if not row["is_secret"] and "b" in row["title"].lower()]
    # At once, by a bounded scan alone, by what an index proposes, and by searching on repeatedly.
    for few, walked, most in ((50, 3, 0), (-1, 50, 50), (-1, 3, 50), (-1, 3, 0)):
        monkeypatch.setattr(candidates, "MAX_FIRST_CANDIDATES", few)
        for name in ("FIRST_SCAN", "FIRST_SEARCH", "SHORT_SCAN", "LONG_SCAN", "LONG_SEARCH"):
            monkeypatch.setattr(plan, name, walked)
        monkeypatch.setattr(candidates, "MAX_CANDIDATES", most)
        for end, is_backward in (("", False), ("&before=end", True)):
            query = f"q=b&is_secret=false&sort={sort}&size={size}{end}"
            found = await page_through(database, gadgets, query, is_backward)
            assert found == plainly_sorted(left, sort, sort_key)


seats = st.none() | st.sampled_from(["a tower", "B tower", "b tower", "ß tower", "ab tower"])


@pytest.mark.parametrize("sort", ["headquarters", "-headquarters"])
@settings(repeatable, max_examples=12)
@given(rows=st.dictionaries(numbers, seats, max_size=24), size=st.integers(2, 6))
async def test_pages_of_a_search_that_leaps_are_the_plain_sort_of_what_is_found(
    database: Database,
    tables: None,
    monkeypatch: pytest.MonkeyPatch,
    sort_key: SortKey,
    sort: str,
    rows: dict[int, str | None],
    size: int,
) -> None:
    await execute(database, delete(Team))
    if rows:
        made = [{"id": id, "name": f"Team {id}", "headquarters": seat} for id, seat in rows.items()]
        await execute(database, insert(Team), made)
    left = [(seat, id) for id, seat in rows.items() if seat and "b tower" in seat.lower()]
    left.sort(key=lambda row: (sort_key(row[0]), row[1]), reverse=sort.startswith("-"))
    wanted = [str(id) for _, id in left]
    monkeypatch.setattr(plan, "FIRST_SEARCH", 1)
    monkeypatch.setattr(plan, "SHORT_SCAN", 1)
    monkeypatch.setattr(candidates, "MAX_FIRST_CANDIDATES", -1)
    monkeypatch.setattr(candidates, "MAX_RARE_CANDIDATES", -1)
    monkeypatch.setattr(postgresql, "SAMPLE_HITS", 0)
    # To the end of the list, and up to where the leaps are given up.
    for most in (50, 1):
        monkeypatch.setattr(skip_scan, "MAX_SKIPS", most)
        for end, is_backward in (("", False), ("&before=end", True)):
            query = f"q=B+tower&sort={sort}&size={size}{end}"
            assert await page_through(database, teams, query, is_backward) == wanted


def plainly_sorted(rows: Iterable[dict[str, Any]], sort: str, sort_key: SortKey) -> list[str]:
    def value(row: dict[str, Any]) -> Any:
        found = row[sort.removeprefix("-")]
        if sort.endswith("maker_code") and found is not None:
            return (sort_key(MOTTOS[found]), found)
        return sort_key(found) if isinstance(found, str) else found

    full = [row for row in rows if value(row) is not None]
    empty = [row for row in rows if value(row) is None]
    is_falling = sort.startswith("-")
    full.sort(key=lambda row: (value(row), row["id"]), reverse=is_falling)
    empty.sort(key=lambda row: row["id"], reverse=is_falling)
    return [str(row["id"]) for row in (*full, *empty)]


async def page_through(
    database: Database,
    resource: Resource,
    query: str,
    is_backward: bool,
    change: Callable[[], Any] | None = None,
) -> list[str]:
    """The keys of all rows in the order of the list, read page by page."""
    path, found, passed = f"/{resource.name}", list[str](), set[str]()
    url = ListUrls(parse_query(site, resource, path, QueryParams(query))).current
    while True:
        # Through its URL, as a browser goes.
        query_now = parse_query(site, resource, path, QueryParams(url.partition("?")[2]))
        urls = ListUrls(query_now)
        assert not query_now.problems
        assert urls.current == url
        assert url not in passed, "paging goes round in circles"
        passed.add(url)
        async with database.session(is_read_only=True) as session:
            listing = await fetch_listing(session, site, query_now)
        positions = [listing.selection.column_index(field) for field in resource.key]
        keys = [
            key_text(resource, tuple(row[position] for position in positions))
            for row in listing.rows
        ]
        found = keys + found if is_backward else found + keys
        page = listing.page
        cursor = page.previous_cursor if is_backward else page.next_cursor
        if change:
            await change()
        if cursor is None:
            return found
        url = urls.before(cursor) if is_backward else urls.after(cursor)


async def store(
    database: Database, rows: Sequence[dict[str, Any]], slots_: Sequence[tuple[str, int]] = ()
) -> None:
    for model in (Slot, Gadget, Maker):
        await execute(database, delete(model))
    await execute(
        database, insert(Maker), [{"code": code, "motto": motto} for code, motto in MAKERS]
    )
    await add(database, rows)
    empty_slots = [{"shelf": shelf, "number": number} for shelf, number in slots_]
    if empty_slots:
        await execute(
            database, insert(Slot), [{**slot, "gadget_id": rows[0]["id"]} for slot in empty_slots]
        )


async def add(database: Database, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        made = [Gadget(**row).model_dump(exclude={"maker"}) for row in rows]
        await execute(database, insert(Gadget), made)


async def execute(
    database: Database, statement: Any, rows: Sequence[dict[str, Any]] | None = None
) -> None:
    async with database.writing.begin() as connection:
        await connection.execute(statement, rows)


def unescaped(key: str) -> str:
    return key.replace("~C3~84", "Ä")
