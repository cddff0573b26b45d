"""Named columns: the columns that an argument of a resource names, and what is wrong with them."""

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Column
from sqlalchemy.orm.attributes import QueryableAttribute

from hero_admin.model.computed import Column as ComputedColumn
from hero_admin.model.resource import Resource


def wrong_columns(
    resource: Resource, argument: str, columns: Iterable[Any], names: Collection[str]
) -> Iterator[str]:
    """Yield the mistakes of columns that should be among the fields and links of a resource."""
    seen: list[str] = []
    for column in columns:
        if isinstance(column, str) and column in names:
            model = resource.model.__name__
            yield f"{argument}= takes columns of the model: write {model}.{column}, not {column!r}"
        elif not is_of(resource, column, names):
            yield f"{argument}= takes columns of the model, and {shown(column)} isn't one"
        elif column.key in seen:
            yield f"{argument}= names {column.key} twice"
        else:
            seen.append(column.key)


# Any: an argument of any type.
def is_of(resource: Resource, column: Any, names: Collection[str]) -> bool:
    """Whether an attribute or column is one of the model's, or one that the resource computes."""
    if isinstance(column, QueryableAttribute):
        owner = column.class_
        is_own = isinstance(owner, type) and issubclass(resource.model, owner)
        return is_own and column.key in names
    if isinstance(column, ComputedColumn):
        given = (*resource.columns, *(resource.filters or ()))
        return column.key in names and any(column is each for each in given)
    return isinstance(column, Column) and column.table is resource.table and column.key in names


def hint(word: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about a word that is none of those known."""
    meant = get_close_matches(word, known, n=1)
    return f"; did you mean {meant[0]!r}?" if meant else ""


def shown(value: Any) -> str:
    """Return a value as it was written."""
    is_named = isinstance(value, QueryableAttribute | Column | ComputedColumn)
    return str(value) if is_named else repr(value)
