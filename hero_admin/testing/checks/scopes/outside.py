"""Records outside the rows of a person, whose values are markers that nothing else contains."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Row, false, func, literal_column, not_, select
from sqlmodel import SQLModel, col

from hero_admin.audit_log.changes import Change
from hero_admin.model.formatting import exact_text
from hero_admin.model.primary_keys import Key, key_predicate, key_text, parse_key
from hero_admin.model.resource import Resource
from hero_admin.model.row_rights import rows_of
from hero_admin.person import Person
from hero_admin.testing.admin_browser import AdminBrowser
from hero_admin.testing.checks.raw_rows import EXACT

# A marker begins with this and a word, for which pages can be searched without naming it.
PREFIX = "zq"
WORD_CHARACTERS = 6
# Beyond all keys that a test has, within 32 bits.
MISSING_NUMBER = 1_999_999_937


@dataclass(frozen=True)
class Target:
    """What requests are about: a record outside, or its twin, which does not exist.

    word: what its markers begin with. numbers: likewise, by the names of fields. texts: the values
    of its relations and choices as filters have them. changes, operations: its entries in the log.
    """

    resource: Resource
    key: str
    word: str
    numbers: Mapping[str, int] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    changes: Sequence[str] = ()
    operations: Sequence[str] = ()


@dataclass(frozen=True)
class Outside:
    """A record outside the rows of a person, its twin, and what each marker is a value of."""

    target: Target
    twin: Target
    markers: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"{self.target.resource.label} {self.target.key}"


async def find_outside(
    past: AdminBrowser, person: Person, given: Sequence[SQLModel]
) -> list[tuple[Resource, Key]]:
    """Return the given records or, without any, one of each resource with rows that they lack.

    Fails where there is none, and for one that they may see.
    """
    found: list[tuple[Resource, Key]] = []
    for resource in past.site.resources:
        condition = rows_of(resource, person)
        own = [each for each in given if isinstance(each, resource.model)]
        assert condition is not None or not own, (
            f"{person.name} may see all {resource.label_plural}, so none is outside."
        )
        if condition is None or (given and not own):
            continue
        lacking = not_(func.coalesce(condition, false()))
        columns = [field.exact for field in resource.key]
        keys = [tuple(getattr(each, part.name) for part in resource.key) for each in own]
        asked = select(*columns).where(lacking).order_by(*columns)
        async with past.session() as session:
            if keys:
                asked = asked.where(key_predicate(resource, keys))
            rows = [tuple(row) for row in await session.execute(asked.limit(len(keys) or 1))]
        assert rows, f"There is no {resource.label} outside the rows of {person.name}: add one."
        assert len(rows) >= len(keys), (
            f"{person.name} may see one of the given {resource.label_plural}."
        )
        found += [(resource, row) for row in rows]
    assert found, f"{person.name} may see all records: no rows= leaves out any."
    return found


async def mark(seer: AdminBrowser, person: Person, resource: Resource, key: Key) -> Outside:
    """Set what can be set of a record to markers, by somebody who sees it; return it.

    What would bring it within the rows of the person is set back.
    """
    at = key_text(resource, key)
    word = f"{PREFIX}{secrets.token_hex(8)}"[: len(PREFIX) + WORD_CHARACTERS]
    markers: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for each in resource.schemas.edit_fields:
        if each.relation or each.is_key:
            continue
        for value in _values(each.input.kind, word):
            url = f"{seer.start}api/{resource.name}/{at}"
            before = await seer.browser.get(url)
            answer = await seer.browser.patch(url, json={each.public_name: value})
            if answer.status_code != 200:
                continue
            if not await _is_outside(seer, person, resource, key):
                was = {each.public_name: before.json()[each.public_name]}
                await seer.browser.patch(url, json=was)
                continue
            for marker in _shown_as(value):
                markers[marker] = f"{each.name} of {resource.label} {at}"
            if isinstance(value, int):
                numbers[each.name] = value
            break
    assert markers, (
        f"Nothing of the {resource.label} {at} could be set to a marker: give another, outside=[…]."
    )
    record = await _record(seer, resource, key)
    texts = {
        each.name: exact_text(each, getattr(record, each.name))
        for each in resource.filter_fields
        if (each.relation or each.input.kind in ("choice", "bool"))
    }
    target = Target(resource, at, word, numbers, texts)
    return await noted(seer, Outside(target, _twin(target, key), markers))


async def noted(seer: AdminBrowser, outside: Outside) -> Outside:
    """Return a record outside with all its entries in the log, and as many that are none."""
    target = outside.target
    if not seer.site.has_history:
        return outside
    of_record = (col(Change.resource) == target.resource.name, col(Change.key) == target.key)
    asked = select(col(Change.id), col(Change.operation)).where(*of_record)
    async with seer.session() as session:
        rows = list(await session.execute(asked.order_by(col(Change.id))))
    # The first and the last are enough: creating it, and what was done at last.
    changes = list(dict.fromkeys([str(rows[0].id), str(rows[-1].id)] if rows else []))
    operations = list(dict.fromkeys(row.operation for row in rows))
    absent = [str(MISSING_NUMBER - number) for number in range(len(changes))]
    twin = replace(
        outside.twin, changes=absent, operations=[secrets.token_hex(16) for _ in operations]
    )
    return replace(
        outside, target=replace(target, changes=changes, operations=operations), twin=twin
    )


async def raw_record(past: AdminBrowser, resource: Resource, key: str) -> tuple[object, ...] | None:
    """Return what the row of a record holds, byte for byte; None if there is none."""
    engine = past.database.reading
    quote = engine.dialect.identifier_preparer.quote
    columns: list[ColumnElement[Any]] = [
        literal_column(EXACT[engine.dialect.name].format(quote(column.name)))
        for column in resource.table.columns
    ]
    values = parse_key(resource, key)
    assert values is not None
    asked = select(*columns).select_from(resource.table).where(key_predicate(resource, [values]))
    async with engine.connect() as connection:
        row: Row[Any] | None = (await connection.execute(asked)).first()
    return None if row is None else tuple(row)


def _values(kind: str, word: str) -> list[Any]:
    """Return markers for a kind of input; the first that is taken will do."""
    rest = secrets.token_hex(4)
    if kind in ("text", "long_text"):
        return [f"{word}{rest}", f"{word}{rest}@example.com", f"https://example.com/{word}{rest}"]
    if kind in ("integer", "number"):
        # So long that no token has it by chance.
        return [(secrets.randbelow(89_999) + 10_000) * 1_000 + 777]
    # Nothing else is of the eighteenth century.
    day = f"17{secrets.randbelow(89) + 10}-0{secrets.randbelow(9) + 1}-{secrets.randbelow(18) + 10}"
    return {"date": [day], "datetime": [f"{day}T03:14:15", f"{day}T03:14:15Z"]}.get(kind, [])


def _shown_as(value: Any) -> list[str]:
    """Return the texts by which a marker is known, on pages and in files."""
    if isinstance(value, int):
        return [str(value), f"{value:,}"]
    return [str(value).partition("T03")[0]]


async def _is_outside(past: AdminBrowser, person: Person, resource: Resource, key: Key) -> bool:
    condition = rows_of(resource, person)
    assert condition is not None
    inside = select(resource.key[0].exact).where(condition, key_predicate(resource, [key]))
    async with past.session() as session:
        return (await session.execute(inside)).first() is None


# Any: a record of a model that is known at run time only.
async def _record(past: AdminBrowser, resource: Resource, key: Key) -> Any:
    async with past.session() as session:
        return await session.scalar(select(resource.model).where(key_predicate(resource, [key])))


def _twin(target: Target, key: Key) -> Target:
    """Return a target for requests that are equal, but about nothing."""
    word = f"{PREFIX}{secrets.token_hex(8)}"[: len(target.word)]
    numbers = {name: number + 1_000_003 for name, number in target.numbers.items()}
    missing = tuple(map(_missing, key))
    return Target(
        target.resource,
        key_text(target.resource, missing),
        word,
        numbers,
        target.texts,
    )


# Any: a part of a key of any type.
def _missing(part: Any) -> Any:
    match part:
        case bool():
            return not part
        case int():
            return MISSING_NUMBER
        case UUID():
            return uuid4()
        case datetime():
            return part.replace(year=1903)
        case date():
            return part.replace(year=1903)
        case str():
            return secrets.token_hex(max(1, len(part) // 2))[: max(1, len(part))]
    return part
