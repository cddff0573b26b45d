"""The list: fetches one page of rows and what stands around them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from webapp.admin.cursor import Cursor
from webapp.admin.display import shown_in_cell
from webapp.admin.fields import Field
from webapp.admin.keys import Key, key_condition, key_text
from webapp.admin.keyset import select_page
from webapp.admin.query import ListQuery
from webapp.admin.resource import Resource
from webapp.admin.selection import conditions_of, select_rows
from webapp.admin.site import Site

COUNT_CAP = 10_000


@dataclass(frozen=True)
class Reference:
    """A relation's value in a row: the title of the other record and, if it has pages, its key."""

    title: str
    resource: Resource
    key: str | None


@dataclass(frozen=True)
class Row:
    """One record in a list: its key and title, and for each column a text, a reference or None."""

    key: str
    title: str
    cells: tuple[str | Reference | None, ...]


@dataclass(frozen=True)
class Total:
    """How many rows there are; beyond `COUNT_CAP` nobody counted."""

    count: int
    is_capped: bool = False

    def __str__(self) -> str:
        return f"{self.count:,}+" if self.is_capped else f"{self.count:,}"


@dataclass(frozen=True)
class Page:
    """One page of a list; `first_position` counts from 1 and is 0 where nobody knows it."""

    query: ListQuery
    rows: tuple[Row, ...]
    first_position: int
    next_query: ListQuery | None
    previous_query: ListQuery | None
    total: Total | None

    @property
    def last_position(self) -> int:
        return self.first_position + len(self.rows) - 1


async def fetch_page(session: AsyncSession, site: Site, query: ListQuery) -> Page:
    """Fetch the page that `query` asks for: one statement, and a capped count where it is cheap."""
    reader = _Reader(site, query)
    limit = query.size + 1
    cursor = query.before if query.is_backward else query.after
    statement = select_page(
        reader.statement, reader.order, cursor, limit, is_backward=query.is_backward
    )
    found = list((await session.execute(statement)).all())
    has_more = len(found) > query.size
    del found[query.size :]
    if query.is_backward:
        found.reverse()
    is_whole = not has_more and cursor is None
    if is_whole:
        total: Total | None = Total(len(found))
    else:
        total = None if query.is_narrowed else await fetch_total(session, query)
    return _page(query, reader, found, has_more, total)


async def fetch_total(session: AsyncSession, query: ListQuery, *, is_exact: bool = False) -> Total:
    """Count the rows of a list, up to `COUNT_CAP` of them unless it has to be exact."""
    counted = select(func.count()).select_from(query.resource.table)
    if is_exact:
        return Total((await session.execute(counted.where(*conditions_of(query)))).scalar_one())
    some = select(query.resource.key[0].column).where(*conditions_of(query)).limit(COUNT_CAP + 1)
    count = (await session.execute(select(func.count()).select_from(some.subquery()))).scalar_one()
    return Total(min(count, COUNT_CAP), is_capped=count > COUNT_CAP)


class _Reader:
    """The columns of a list in one statement, and how to read them back out of a row."""

    def __init__(self, site: Site, query: ListQuery) -> None:
        resource = query.resource
        self.resource = resource
        selection = select_rows(site, query, query.fields)
        columns: list[ColumnElement[Any]] = [field.column for field in resource.key]
        columns.append(resource.title_field.column)
        self.readers: list[Callable[[Any], str | Reference | None]] = []
        self.positions: list[int] = []
        for field in query.fields:
            self.positions.append(len(columns))
            columns.append(field.column)
            if field.relation is None:
                self.readers.append(_cell_reader(field))
            else:
                columns.append(selection.titles[field.name])
                self.readers.append(_reference_reader(site, field))
        self.value_position = len(columns)
        columns.append(selection.value)
        labelled = [column.label(f"_{place}") for place, column in enumerate(columns)]
        rows = select(*labelled).select_from(selection.source)
        self.statement: Select[Any] = rows.where(*selection.conditions)
        self.order = selection.order

    def row(self, found: Sequence[Any]) -> Row:
        key_length = len(self.resource.key)
        return Row(
            key_text(self.resource, tuple(found[:key_length])),
            shown_in_cell(self.resource.title_field, found[key_length]) or "(empty)",
            tuple(
                read(found[place:])
                for place, read in zip(self.positions, self.readers, strict=True)
            ),
        )

    def cursor(self, query: ListQuery, found: Sequence[Any], position: int) -> Cursor:
        key = tuple(found[: len(self.resource.key)])
        return Cursor(query.sort, found[self.value_position], key, max(0, position))


def _cell_reader(field: Field) -> Callable[[Sequence[Any]], str | None]:
    return lambda values: None if values[0] is None else shown_in_cell(field, values[0])


def _reference_reader(site: Site, field: Field) -> Callable[[Sequence[Any]], Reference | None]:
    target = site.target_of(field)
    assert field.relation is not None
    has_pages = target in site and [key.name for key in target.key] == [
        field.relation.target_column
    ]

    def read(values: Sequence[Any]) -> Reference | None:
        if values[0] is None:
            return None
        title = shown_in_cell(target.title_field, values[1]) or "(empty)"
        return Reference(title, target, key_text(target, (values[0],)) if has_pages else None)

    return read


def _page(
    query: ListQuery,
    reader: _Reader,
    found: Sequence[Sequence[Any]],
    has_more: bool,
    total: Total | None,
) -> Page:
    first = _first_position(query, len(found), has_more, total)
    last = first + len(found) - 1 if first else 0
    has_next = query.before is not None if query.is_backward else has_more
    has_previous = has_more if query.is_backward else query.after is not None
    next_query = previous_query = None
    if found and has_next:
        next_query = query.first(after=reader.cursor(query, found[-1], last))
    if found and has_previous:
        previous_query = query.first(before=reader.cursor(query, found[0], first))
    rows = tuple(reader.row(row) for row in found)
    return Page(query, rows, first, next_query, previous_query, total)


def _first_position(query: ListQuery, count: int, has_more: bool, total: Total | None) -> int:
    if query.after is not None:
        return query.after.position + 1 if query.after.position else 0
    if not query.is_backward or not has_more:
        return 1
    if query.before is not None:
        return max(0, query.before.position - count)
    return total.count - count + 1 if total and not total.is_capped else 0


async def fetch_references(
    session: AsyncSession, site: Site, resource: Resource, record: SQLModel
) -> dict[str, Reference]:
    """Fetch the titles of the records that one record points at, by field name; one statement."""
    columns: list[ColumnElement[Any]] = []
    readers = {}
    for field in resource.fields:
        value = getattr(record, field.name)
        if field.relation is None or value is None:
            continue
        target = site.target_of(field)
        other = target.table.alias(f"{field.name}_target")
        link = other.c[target.by_name[field.relation.target_column].column.name]
        title = select(other.c[target.title_field.column.name]).where(link == value)
        columns.append(title.scalar_subquery())
        readers[field.name] = (value, _reference_reader(site, field))
    if not columns:
        return {}
    titles = (await session.execute(select(*columns))).one()
    found = {
        name: reader((value, title))
        for (name, (value, reader)), title in zip(readers.items(), titles, strict=True)
    }
    return {name: reference for name, reference in found.items() if reference is not None}


async def fetch_titles(
    session: AsyncSession, resource: Resource, keys: Sequence[Key]
) -> list[tuple[str, str]]:
    """Fetch the URL segment and the title of those of these records that are there."""
    columns = [field.column for field in (*resource.key, resource.title_field)]
    labelled = [column.label(f"_{place}") for place, column in enumerate(columns)]
    found = await session.execute(select(*labelled).where(key_condition(resource, keys)))
    return [
        (
            key_text(resource, tuple(row[:-1])),
            shown_in_cell(resource.title_field, row[-1]) or "(empty)",
        )
        for row in found
    ]
