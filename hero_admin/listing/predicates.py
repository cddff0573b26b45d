"""Predicates: the SQL conditions of a list, without their values.

Compiling a statement takes longer than executing it. Values are bound parameters, so lists with
the same kinds of filters share a cached statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, false

from hero_admin.listing.filters import FilterShape
from hero_admin.listing.query import ListQuery
from hero_admin.listing.search import patterns
from hero_admin.listing.search.trigram_index import trigrams_of
from hero_admin.model.fields import Field
from hero_admin.model.links import ManyToMany

# How a text is searched: its words anywhere, or words that begin with it. “nowhere” is for texts
# that cannot match.
Search = Literal["", "anywhere", "beginnings", "nowhere"]


@dataclass(frozen=True)
class Predicates:
    """The predicates of a list: filters, the field of its scope, the searched fields.

    link: that of the scope.
    word_count: the number of words of the search.
    """

    filters: tuple[FilterShape, ...]
    scope: Field | None
    searched: tuple[Field, ...]
    search: Search
    word_count: int
    link: ManyToMany | None = None

    def narrowing(self) -> list["Narrowing"]:
        """Return the predicates of filters and scope."""
        found = []
        for each in self.filters:
            # Those without a link are no candidates of its association.
            is_linked = each.link is not None and not each.has_none
            found.append(Narrowing(each.field, each.read_field, each.predicate(), is_linked))
        if self.scope:
            same = self.scope.exact == self.scope.given("scope")
            predicate = self.link.is_linked(same) if self.link else same
            read = self.link.own if self.link else self.scope
            found.append(Narrowing(self.scope, read, predicate, self.link is not None))
        return found

    def all(self) -> Sequence[ColumnElement[bool]]:
        """Return all predicates; their conjunction is the WHERE clause."""
        found = [each.predicate for each in self.narrowing()]
        columns = [field.exact for field in self.searched]
        if self.search == "anywhere":
            found.append(patterns.matches_words(columns, self.word_count))
        elif self.search == "beginnings":
            found.append(patterns.begins_in_any(columns))
        elif self.search == "nowhere":
            found.append(false())
        return found


class Narrowing(NamedTuple):
    """The predicate of a filter or scope.

    read_field: the field of the rows that it is about.
    is_linked: whether an index of an association has all that match.
    """

    field: Field
    read_field: Field
    predicate: ColumnElement[bool]
    is_linked: bool


def predicates_of(query: ListQuery) -> Predicates:
    """Return the predicates of a list."""
    kind: Search = ""
    if query.text:
        kind = "anywhere" if patterns.can_match(query.text) else "nowhere"
    return Predicates(
        tuple(each.shape for each in query.filters if each.is_active),
        query.scope.field if query.scope else None,
        query.resource.search_fields if query.text else (),
        kind,
        len(patterns.words_of(query.text)),
        query.scope.link if query.scope else None,
    )


def predicate_parameters(query: ListQuery) -> dict[str, Any]:
    """Return the parameters of the predicates, and `trigrams` for the candidates of an index."""
    found: dict[str, Any] = {}
    for each in query.filters:
        if each.is_active:
            found |= each.parameters()
    if query.scope:
        found["scope"] = query.scope.value
    if query.text:
        found |= patterns.search_parameters(query.text) | {"trigrams": trigrams_of(query.text)}
    return found
