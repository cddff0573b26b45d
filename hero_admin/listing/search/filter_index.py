"""Filter indexes: what the index of a filter, or of the association of a link, offers a search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ColumnElement, CompoundSelect, Integer, Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.short_reads import fetch_few
from hero_admin.database.statement_cache import statement_cache
from hero_admin.listing.predicates import Predicates, predicates_of
from hero_admin.listing.query import ListQuery
from hero_admin.listing.sort_indexes import finds_values
from hero_admin.model.resource import Resource

LIMIT = bindparam("max_candidates", type_=Integer)


class Index(Protocol):
    """An index that offers candidates."""

    def __hash__(self) -> int: ...

    def select_keys(self) -> Select[Any] | CompoundSelect[Any]:
        """Return a statement with a row for each candidate, or a few more, up to `LIMIT`."""


class RowIndex(Index, Protocol):
    """One whose candidates are rows."""

    def select(self, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
        """Return the statement for `columns` of up to `LIMIT` candidates."""


@dataclass(frozen=True)
class FilterIndex:
    """The index of a filtered field, whose candidates are the rows with the filter's values.

    position: that of the filter among the predicates.
    """

    resource: Resource
    predicates: Predicates
    position: int

    @property
    def is_linked(self) -> bool:
        """Whether it is the index of an association."""
        return self.predicates.narrowing()[self.position].is_linked

    def select(self, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
        """Return the statement for `columns` of up to `LIMIT` candidates."""
        predicate = self.predicates.narrowing()[self.position].predicate
        return select(*columns).where(predicate).limit(LIMIT)

    def select_keys(self) -> Select[Any]:
        """Return a statement with a row for each candidate, up to `LIMIT`."""
        return self.select([self.resource.key[0].exact.label("key")])


def filter_indexes(query: ListQuery) -> list[FilterIndex]:
    """Return the indexes of the filtered fields, and those of the associations of links."""
    predicates = predicates_of(query)
    return [
        FilterIndex(query.resource, predicates, position)
        for position, each in enumerate(predicates.narrowing())
        if each.is_linked or finds_values(query.resource, each.field)
    ]


async def fetch_candidate_count(
    session: AsyncSession, index: Index, values: Mapping[str, Any], cap: int
) -> int:
    """Count the candidates of an index, up to one more than `cap`."""
    [[number]] = await fetch_few(
        session, _select_candidate_count(index), {**values, "max_candidates": cap + 1}
    )
    return int(number)


@statement_cache
def _select_candidate_count(index: Index) -> Select[int]:
    return select(func.count()).select_from(index.select_keys().subquery())
