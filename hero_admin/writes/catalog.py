"""Catalog: the tables from which foreign keys lead to others, as the database itself knows them.

Models may declare fewer foreign keys or others, but it is the database that deletes.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any, Literal

from sqlalchemy import ColumnElement, column
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.engines import is_postgresql
from hero_admin.listing.search.trigram_index import index_name
from hero_admin.model.fields import Field
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.writes import catalog_postgresql, catalog_sqlite
from hero_admin.writes.tables import Action, ForeignKey, StoredTable, TableName, names_in

Effect = Literal["deleted", "cleared", "default", "restricted"]


@dataclass
class Catalog:
    """Tables, the foreign keys between them, and the resources that administer some of them."""

    site: Site
    tables: dict[TableName, StoredTable] = field(default_factory=dict)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    resources: dict[TableName, Resource] = field(default_factory=dict)

    def table_of(self, resource: Resource) -> StoredTable | None:
        """Return the table of a resource; None for a view."""
        for name, other in self.resources.items():
            if other.table is resource.table:
                return self.tables.get(name)
        return None

    def references_to(self, stored: StoredTable) -> list[ForeignKey]:
        return [key for key in self.foreign_keys if key.target == stored.name]

    def references_of(self, stored: StoredTable) -> list[ForeignKey]:
        return [key for key in self.foreign_keys if key.table == stored.name]

    def field_of(self, name: TableName, column_name: str) -> Field | None:
        """Return the field of a resource that a column belongs to, if there is one."""
        resource = self.resources.get(name)
        fields = resource.fields if resource else ()
        return next((each for each in fields if each.column.name == column_name), None)

    def is_relation(self, key: ForeignKey) -> bool:
        """Whether a foreign key is a relation from one resource to another."""
        own = self.field_of(key.table, key.columns[0])
        target = self.resources.get(key.target)
        if len(key.columns) != 1 or own is None or own.relation is None or target is None:
            return False
        return own.relation.target is target.model

    def effect_of(self, key: ForeignKey) -> Effect:
        """Return what becomes of rows that refer to a deleted one."""
        stored = self.tables[key.table]
        cleared = [stored.column(name) for name in key.cleared]
        is_nullable = all(each.is_nullable for each in cleared)
        has_defaults = all(each.default is not None for each in cleared)
        match key.action:
            case "CASCADE":
                return "deleted"
            case "SET NULL" if is_nullable:
                return "cleared"
            case "SET DEFAULT" if is_nullable or has_defaults:
                return "default"
            # A link goes with either of its records, as SQLAlchemy's own `secondary` does.
            case "NO ACTION" if self._is_link(key):
                return "deleted"
            # The library clears what the database would refuse, for administered records only.
            case "NO ACTION" if is_nullable and len(key.columns) == 1:
                return "cleared" if self.resources.get(key.table) in self.site else "restricted"
        return "restricted"

    def _is_link(self, key: ForeignKey) -> bool:
        field = self.field_of(key.table, key.columns[0])
        return len(key.columns) == 1 and field is not None and self.site.links_by(field.column)

    def is_needed(self, key: ForeignKey) -> bool:
        """Whether a row always needs its target."""
        stored = self.tables[key.table]
        return not any(stored.column(name).is_nullable for name in key.columns)

    def referencing_first(self, names: Iterable[TableName]) -> list[TableName]:
        """Return tables in an order in which their rows can be deleted.

        In a cycle, the tables that need the others come first, so that they are restored last.
        """
        left = list(names)
        ordered: list[TableName] = []
        while left:
            keys = [
                key
                for key in self.foreign_keys
                if key.table in left and key.target in left and key.table != key.target
            ]
            pointed = {key.target for key in keys}
            needed = {key.target for key in keys if self.is_needed(key)}
            free = [name for name in left if name not in pointed]
            free = free or [name for name in left if name not in needed][:1] or left[:1]
            ordered += free
            left = [name for name in left if name not in free]
        return ordered


async def fetch_catalog(
    session: AsyncSession,
    site: Site,
    resources: Sequence[Resource],
    others: Iterable[TableName] = (),
) -> Catalog:
    """Fetch the tables of resources, and all that refer to them, by a few statements."""
    source = _source(session)
    resources = [resource.entire for resource in resources]
    known = list(dict.fromkeys([*resources, *site.recorded]))
    catalog = Catalog(site)
    names = await source.fetch_names(session, [each.table for each in known])
    for name, resource in zip(names, known, strict=True):
        if name is not None:
            catalog.resources.setdefault(name, resource)
    keys = await source.fetch_foreign_keys(session)
    keys += _declared_by_models(catalog, keys)
    keys.sort(key=lambda key: (key.table.name, key.columns))
    reached = dict.fromkeys(others)
    reached |= dict.fromkeys(name for name, each in catalog.resources.items() if each in resources)
    waiting = list(reached)
    while waiting:
        name = waiting.pop()
        new = [key.table for key in keys if key.target == name and key.table not in reached]
        reached |= dict.fromkeys(new)
        waiting += new
    # The other targets are needed when rows are restored.
    looked_at = reached | dict.fromkeys(key.target for key in keys if key.table in reached)
    for stored in await source.fetch_tables(session, list(looked_at)):
        # A resource has the rows of tables that inherit from its own.
        is_only = stored.is_only and stored.name not in catalog.resources
        catalog.tables[stored.name] = replace(stored, is_only=is_only)
    catalog.foreign_keys = [
        key for key in keys if key.table in catalog.tables and key.target in catalog.tables
    ]
    return catalog


async def fetch_row_number(session: AsyncSession, resource: Resource) -> ColumnElement[Any] | None:
    """Fetch the column of the row number, None if rows have none."""
    name = await _source(session).fetch_row_number(session, resource.table)
    return None if name is None else column(name)


async def fetch_unique_fields(
    session: AsyncSession, resource: Resource, index: str | None = None
) -> tuple[Field, ...]:
    """Fetch the fields of a unique index, or of all of them, also those within expressions."""
    parts = await _source(session).fetch_unique_parts(session, resource.table, index)
    return fields_named(resource, names_in(parts))


async def fetch_rule_fields(
    session: AsyncSession, resource: Resource, name: str
) -> tuple[Field, ...]:
    """Fetch the fields that a constraint is about."""
    rules = await _source(session).fetch_rules(session, resource.table, name)
    # The columns after REFERENCES are those of the target.
    return fields_named(resource, names_in(rule.split(" REFERENCES ")[0] for rule in rules))


def fields_named(resource: Resource, names: Collection[str]) -> tuple[Field, ...]:
    """Return the fields whose columns have one of these names, or else in another case."""
    lower = {name.lower() for name in names}
    exact = [field for field in resource.fields if field.column.name in names]
    return tuple(exact or [each for each in resource.fields if each.column.name.lower() in lower])


def triggers_of(catalog: Catalog, stored: StoredTable) -> set[str]:
    """Return the events at which a table has triggers, other than those of its search index."""
    resource = catalog.resources.get(stored.name)
    ours = f"{index_name(resource)}_" if resource else None
    return {event for name, event in stored.triggers if not (ours and name.startswith(ours))}


def _source(session: AsyncSession) -> ModuleType:
    return catalog_postgresql if is_postgresql(session) else catalog_sqlite


def _declared_by_models(catalog: Catalog, keys: Sequence[ForeignKey]) -> list[ForeignKey]:
    """Return the relations of models that no foreign key of the database declares."""
    declared = {(key.table, key.columns, key.target) for key in keys}
    tables = {resource.model: name for name, resource in catalog.resources.items()}
    found = []
    for name, resource in catalog.resources.items():
        for each in resource.fields:
            target = tables.get(each.relation.target) if each.relation else None
            own = (each.column.name,)
            if target is None or each.relation is None or (name, own, target) in declared:
                continue
            pointed = catalog.resources[target].by_name[each.relation.target_column].column.name
            action = _action_of(next(iter(each.column.foreign_keys)).ondelete)
            found.append(ForeignKey(name, own, target, (pointed,), action, own, is_declared=False))
    return found


def _action_of(on_delete: str | None) -> Action:
    known: tuple[Action, ...] = ("CASCADE", "SET NULL", "NO ACTION")
    given = (on_delete or "NO ACTION").upper()
    return next((action for action in known if action == given), "RESTRICT")
