"""Limited statements: those that read, update and delete only rows which meet conditions.

The conditions are added wherever a statement names a table, in subqueries as well. What the ORM
only adds when it compiles a statement, such as the joins of `joinedload` and along relationships,
has them by options of SQLAlchemy's own:
https://docs.sqlalchemy.org/en/21/orm/queryguide/api.html#sqlalchemy.orm.with_loader_criteria
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from sqlalchemy import (
    Alias,
    ClauseElement,
    ColumnElement,
    Delete,
    FromClause,
    Join,
    Select,
    Table,
    TableSample,
    Update,
    and_,
)
from sqlalchemy.orm.mapper import _all_registries
from sqlalchemy.orm.util import LoaderCriteriaOption
from sqlalchemy.sql.selectable import SelectState
from sqlalchemy.sql.util import ClauseAdapter
from sqlalchemy.sql.visitors import cloned_traverse, iterate

# By table, on its columns.
Conditions = Mapping[Table, ColumnElement[bool]]


# Any: a statement of any kind.
def limited(statement: Any, conditions: Conditions) -> Any:
    """Return a statement that is about those rows only which meet the conditions of their table."""
    if not reads_any(statement, conditions):
        return statement
    # Those of the ORM are no SQL, and cannot be cloned.
    options = getattr(statement, "_with_options", ())
    made = _without_options(statement) if options else statement
    # Joins have conditions, too, so those that SQLAlchemy would only make later are made first.
    if any(isinstance(each, Select) and _has_implicit_joins(each) for each in iterate(made)):
        made = cloned_traverse(made, {}, {"select": _join_explicitly})
    limit = {"select": partial(_limit, conditions), "join": partial(_limit_join, conditions)}
    made = cloned_traverse(made, {}, limit)
    if isinstance(made, Update | Delete):
        made = made.where(*_all_of(conditions, _written_and_read(made)))
    return made.options(*options) if options else made


def reads_any(statement: ClauseElement, tables: Collection[Table]) -> bool:
    """Whether a statement is about the rows of one of these tables."""
    return any(each in tables for each in iterate(statement) if isinstance(each, Table))


def loader_options(conditions: Conditions) -> tuple[LoaderCriteriaOption, ...]:
    """Return the options by which the ORM limits what it adds to a statement of any models."""
    return tuple(
        _LoaderLimit(mapper, conditions[table], include_aliases=True)
        for models in _all_registries()
        for mapper in models.mappers
        if isinstance(table := mapper.local_table, Table) and table in conditions
    )


class _LoaderLimit(LoaderCriteriaOption):
    """`with_loader_criteria` on columns of a table, which it does not adapt to aliases by itself.

    Its conditions are a part of the key of compiled statements, which those of a lambda are not.
    """

    inherit_cache = True
    _cache_key_traversal = LoaderCriteriaOption._traverse_internals  # noqa: SLF001 - it has no other

    # Any: SQLAlchemy's arguments. What is loaded along a relationship has the same options.
    def _clone(self, **_: Any) -> "_LoaderLimit":
        return self

    # Any: the same.
    def _copy_internals(self, **_: Any) -> None:
        pass

    # Any: what SQLAlchemy knows of a model or an alias.
    def _resolve_where_criteria(self, ext_info: Any) -> ColumnElement[bool]:
        found = super()._resolve_where_criteria(ext_info)
        if not ext_info.is_aliased_class:
            return found
        adapted: ColumnElement[bool] = ClauseAdapter(ext_info.selectable).traverse(found)
        return adapted


# Any: a statement of any kind.
def _without_options(statement: Any) -> Any:
    made = statement._generate()  # noqa: SLF001 - nobody else gives a copy
    made._with_options = ()  # noqa: SLF001
    return made


# Any: rows of any columns.
def _has_implicit_joins(select: Select[Any]) -> bool:
    """Whether a statement has `select(…).join(…)`, and is not of the ORM."""
    # As above: nothing else tells.
    is_of_orm = select._propagate_attrs.get("compile_state_plugin") == "orm"  # noqa: SLF001
    return bool(select._setup_joins) and not is_of_orm  # noqa: SLF001


# Any: a clone, which nobody else has yet.
def _join_explicitly(select: Select[Any]) -> None:
    """Turn `select(…).join(…)` into the same with joins in its FROM clause."""
    if _has_implicit_joins(select):
        # Not by get_final_froms(), which compiles the statement for no database in particular.
        state = SelectState(select, None)  # type: ignore[arg-type] # it is not asked for
        select._from_obj = state.from_clauses  # noqa: SLF001 - as above
        select._setup_joins = ()  # noqa: SLF001


# Any: the same.
def _limit(conditions: Conditions, select: Select[Any]) -> None:
    left_out = _limit_setup_joins(conditions, select)
    sources = [rows for rows in _sources(select) if _name_of(rows) not in left_out]
    found = _all_of(conditions, sources)
    if found:
        # The same as `select.where(…)`, which would return another clone.
        Select.where.non_generative(select, *found)  # type: ignore[attr-defined]


# Any: the same.
def _limit_setup_joins(conditions: Conditions, select: Select[Any]) -> set[object]:
    """Limit the rows that outer joins of the ORM add; return the names of these sources.

    Those of models have the conditions of its options.
    """
    left_out = set[object]()
    # Any: the target of a join, its condition, its left side, and what kind of join it is.
    given: Any = select._setup_joins  # noqa: SLF001 - as above
    joins = []
    for target, condition, left, flags in given:
        related, on = getattr(target, "entity", None), condition
        rows = target if related is None else related.selectable
        is_model = related is not None or "parententity" in rows._annotations  # noqa: SLF001
        if flags["isouter"] and (is_model or condition is not None):
            left_out.add(_name_of(rows))
            on = condition if is_model else and_(condition, *_all_of(conditions, _required(rows)))
        joins.append((target, on, left, flags))
    select._setup_joins = tuple(joins)  # noqa: SLF001 - as above
    return left_out


def _limit_join(conditions: Conditions, join: Join) -> None:
    """Limit the rows that an outer join adds; those of an inner join are in WHERE."""
    if join.isouter:
        found = _all_of(conditions, _required(join.right))
        join.onclause = and_(join.onclause, *found)  # type: ignore[arg-type]


def _all_of(conditions: Conditions, sources: Iterable[FromClause]) -> list[ColumnElement[bool]]:
    return [condition for rows in sources for condition in _of(conditions, rows)]


def _of(conditions: Conditions, rows: FromClause) -> list[ColumnElement[bool]]:
    table = rows.element if isinstance(rows, Alias | TableSample) else rows
    condition = conditions.get(table) if isinstance(table, Table) else None
    if condition is None:
        return []
    return [condition if rows is table else ClauseAdapter(rows).traverse(condition)]


def _written_and_read(statement: Update | Delete) -> Iterable[FromClause]:
    """Return the table of a statement, and those that `UPDATE … FROM` and `USING` join with it."""
    # Any: the values of any columns.
    values: Mapping[Any, Any] = getattr(statement, "_values", None) or {}
    parts = [*statement._where_criteria, *values.values()]  # noqa: SLF001 - as above
    read = [rows for part in parts for rows in getattr(part, "_from_objects", ())]
    return dict.fromkeys([statement.table, *read])


def _sources(select: Select[Any]) -> list[FromClause]:
    """Return the tables of which each row of a statement has a row.

    Those of an outer one, too, if the statement is correlated with it: there they are in scope.
    """
    found = [each for each in select.get_children() if isinstance(each, FromClause)]
    # By name: the clone of an alias in a join is another object than that of its columns.
    joined = {_name_of(part) for each in found if isinstance(each, Join) for part in _parts(each)}
    alone = [each for each in found if isinstance(each, Join) or _name_of(each) not in joined]
    return list({_name_of(rows): rows for each in alone for rows in _required(each)}.values())


def _name_of(source: FromClause) -> object:
    """Return what no other part of the same FROM clause is called."""
    return getattr(source, "schema", None), getattr(source, "name", source)


def _parts(join: Join) -> Iterator[FromClause]:
    """Yield everything that a join consists of."""
    for side in (join.left, join.right):
        yield side
        if isinstance(side, Join):
            yield from _parts(side)


def _required(source: FromClause) -> Iterator[FromClause]:
    """Yield the rows of which each row of a source has one."""
    if not isinstance(source, Join):
        yield source
        return
    yield from _required(source.left)
    if not source.isouter:
        yield from _required(source.right)
