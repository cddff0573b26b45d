"""Subjects: the records that requests are about, and as many that answers are compared with."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, literal_column, select
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col

from hero_admin.audit_log.changes import Change
from hero_admin.model.fields import Field
from hero_admin.model.primary_keys import Key, key_predicate, key_text, parse_key
from hero_admin.model.resource import Resource
from hero_admin.model.row_rights import rows_of
from hero_admin.person import Person
from hero_admin.testing.admin_browser import AdminBrowser
from hero_admin.testing.checks.raw_rows import EXACT
from hero_admin.testing.checks.scopes.markers import Marker, markers_of

# Beyond all keys that a test has, within 32 bits.
MISSING_NUMBER = 1_999_999_937


@dataclass(frozen=True)
class Target:
    """What requests are about: a record, or its twin.

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
class Subject:
    """A record that somebody may not see, or not with all its fields, and what each marker is.

    twin: what must be answered likewise: for a record outside their rows one that does not exist,
        for one inside the same record.
    unreadable: the fields and links of a record inside that they may not read.
    """

    target: Target
    twin: Target
    markers: Mapping[str, str]
    unreadable: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.target.resource.label} {self.target.key}"

    @property
    def is_inside(self) -> bool:
        return bool(self.unreadable)

    async def stored(self, past: AdminBrowser) -> tuple[object, ...] | None:
        """Return what nobody may change, byte for byte; None if there is no such record."""
        engine, resource = past.database.reading, self.target.resource
        quote = engine.dialect.identifier_preparer.quote
        unreadable = [
            each.column for each in resource.fields if each.is_key or each.name in self.unreadable
        ]
        columns: list[ColumnElement[Any]] = [
            literal_column(EXACT[engine.dialect.name].format(quote(column.name)))
            for column in (unreadable if self.is_inside else resource.table.columns)
        ]
        values = parse_key(resource, self.target.key)
        assert values is not None
        asked = select(*columns).select_from(resource.table)
        async with engine.connect() as connection:
            found = await connection.execute(asked.where(key_predicate(resource, [values])))
            row: Row[Any] | None = found.first()
        return None if row is None else tuple(row)


async def noted(seer: AdminBrowser, subject: Subject) -> Subject:
    """Return a subject with all its entries in the log, and as many that are none."""
    target, twin = subject.target, subject.twin
    if not seer.site.has_history:
        return subject
    of_record = (col(Change.resource) == target.resource.name, col(Change.key) == target.key)
    asked = select(col(Change.id), col(Change.operation)).where(*of_record)
    async with seer.session() as session:
        rows = list(await session.execute(asked.order_by(col(Change.id))))
    # The first and the last are enough: creating it, and what was done at last.
    changes = list(dict.fromkeys([str(rows[0].id), str(rows[-1].id)] if rows else []))
    operations = list(dict.fromkeys(row.operation for row in rows))
    absent = [str(MISSING_NUMBER - number) for number in range(len(changes))]
    others = [secrets.token_hex(16) for _ in operations]
    if subject.is_inside:
        absent, others = changes, operations
    return replace(
        subject,
        target=replace(target, changes=changes, operations=operations),
        twin=replace(twin, changes=absent, operations=others),
    )


async def set_marker(
    seer: AdminBrowser, person: Person, resource: Resource, key: Key, own: Field, word: str
) -> Marker | None:
    """Set a field of a record to a marker; return it, or None if there is none that it takes.

    What would bring the record within the rows of the person, or out of them, is set back.
    """
    if own.name not in resource.schemas.update.model_fields:
        return None
    url = f"{seer.start}api/{resource.name}/{key_text(resource, key)}"
    was_within = await is_within(seer, person, resource, key)
    for marker in markers_of(own, word):
        before = await seer.browser.get(url)
        answer = await seer.browser.patch(url, json={own.public_name: marker.sent})
        if answer.status_code != 200:
            continue
        if await is_within(seer, person, resource, key) is was_within:
            return marker
        was = {own.public_name: before.json().get(own.public_name)}
        await seer.browser.patch(url, json=was)
    return None


async def store_marker(
    past: AdminBrowser, person: Person, resource: Resource, key: Key, own: Field, word: str
) -> Marker | None:
    """Do the same past the Admin, as another program would, where nobody may change the field."""
    stored = select(resource.model).where(key_predicate(resource, [key]))
    for marker in markers_of(own, word):
        async with past.session(is_read_only=False) as session:
            try:
                value = marker.typed.encode() if own.is_bytes else own.input(marker.typed)
                setattr((await session.execute(stored)).scalar_one(), own.name, value)
                await session.flush()
                if (await session.execute(_seen(resource, person, key))).first() is not None:
                    await session.commit()
                    return marker
            except (ValueError, SQLAlchemyError):
                continue
    return None


async def is_within(past: AdminBrowser, person: Person, resource: Resource, key: Key) -> bool:
    """Whether a record is within the rows of a person."""
    async with past.session() as session:
        return (await session.execute(_seen(resource, person, key))).first() is not None


def _seen(resource: Resource, person: Person, key: Key) -> Select[Any]:
    condition = rows_of(resource, person)
    asked = select(resource.key[0].exact).where(key_predicate(resource, [key]))
    return asked if condition is None else asked.where(condition)
