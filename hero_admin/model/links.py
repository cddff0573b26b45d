"""Links: many-to-many relations of a model, through the rows of an association."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, literal, select
from sqlalchemy import inspect as sqlalchemy_inspect
from sqlalchemy.orm import RelationshipDirection, RelationshipProperty
from sqlalchemy.orm.attributes import QueryableAttribute
from sqlmodel import SQLModel

from hero_admin.model.associations import association_of
from hero_admin.model.fields import Field
from hero_admin.model.labels import in_sentence, label_of
from hero_admin.model.mapped_fields import fields_of
from hero_admin.model.relations import Relation
from hero_admin.web.texts import listed

# The prefix of a link in an entry of the history.
ENTRY = "link."
# An entry names at most so many records.
MAX_NAMED = 20


@dataclass(frozen=True)
class Link:
    """A many-to-many relation that people see and change: `Link(Playlist.tracks)`.

    relationship: an attribute made by `Relationship(link_model=…)`, or with a table as `secondary`.
    """

    # Any: an attribute of a model is typed as the values it holds.
    relationship: Any


@dataclass(frozen=True, eq=False)
class ManyToMany:
    """The records linked with those of a model, such as the tracks of a playlist.

    association: the model whose rows link two records each.
    own: the field by which a row names the record of this side, mostly its key.
    near, far: the fields of the association that refer to this side and to the other one. `far` has
        the name and label of the link, so that people filter by it and choose from its options.
    """

    association: type[SQLModel]
    own: Field
    near: Field
    far: Field

    @property
    def name(self) -> str:
        """The name of the relationship; no field of the model has it."""
        return self.far.name

    @property
    def label(self) -> str:
        return self.far.label

    @property
    def noun(self) -> str:
        """The label as it stands within a sentence: “tracks”."""
        return in_sentence(self.label)

    @property
    def entry_name(self) -> str:
        """The name of its changes in the history; no field has a dot in its name."""
        return f"{ENTRY}{self.name}"

    @property
    def columns(self) -> tuple[Column[Any], Column[Any]]:
        """The columns of the association that refer to this side and to the other one."""
        return self.near.column, self.far.column

    @property
    def target(self) -> type[SQLModel]:
        """The model on the other side."""
        return self.far_relation.target

    @cached_property
    def far_relation(self) -> Relation:
        assert self.far.relation is not None
        return self.far.relation

    @cached_property
    def is_complete(self) -> bool:
        """Whether the two records are all that a new row of the association needs."""
        others = [field for field in fields_of(self.association) if field.name in self.other_names]
        return not any(
            field.info.is_required() and not (field.has_column_default or field.takes_nothing)
            for field in others
        )

    @cached_property
    def other_names(self) -> tuple[str, ...]:
        """The names of the fields of the association besides its key and the two that link."""
        return tuple(
            field.name
            for field in fields_of(self.association)
            if not field.is_key and field.column not in self.columns
        )

    def is_linked(self, *predicates: ColumnElement[bool]) -> ColumnElement[bool]:
        """Return the predicate that a record has a link; `predicates` are about its row."""
        linked: Select[Any] = select(self.near.exact.label("linked")).where(
            self.near.exact.is_not(None), *predicates
        )
        return self.own.exact.in_(linked)

    def has_none(self) -> ColumnElement[bool]:
        """Return the predicate that a record has no link: one look-up in an index for each."""
        return ~select(literal(1)).where(self.near.exact == self.own.exact).exists()


def links_of(
    model: type[SQLModel], given: Sequence[Link] | None, fields: Mapping[str, Field]
) -> tuple[ManyToMany, ...]:
    """Return the given links of a model or, for None, all that it has; `fields` by name."""
    relationships = [relationship_of(link) for link in given or ()]
    if given is None:
        relationships = [
            each
            for each in sqlalchemy_inspect(model).relationships
            if each.direction is RelationshipDirection.MANYTOMANY
        ]
    found = [many_to_many(each, fields) for each in relationships if each is not None]
    return tuple(link for link in found if link is not None)


# Any: attributes of a model.
def named_links(
    links: Sequence[ManyToMany], attributes: Sequence[Any] | None
) -> tuple[ManyToMany, ...]:
    """Return those links that are among some attributes of the model, or for None all."""
    names = None if attributes is None else {each.key for each in attributes}
    return tuple(link for link in links if names is None or link.name in names)


def many_to_many(
    relationship: RelationshipProperty[Any], fields: Mapping[str, Field]
) -> ManyToMany | None:
    """Return the link of a relationship; None if its association has no single foreign keys.

    fields: those of the model, by name.
    """
    association = association_of(relationship)
    pairs = relationship.synchronize_pairs, relationship.secondary_synchronize_pairs or []
    if association is None or any(len(pair) != 1 for pair in pairs):
        return None
    by_column: dict[ColumnElement[Any], Field] = {
        field.column: field for field in fields_of(association)
    }
    near, far = (by_column.get(pair[0][1]) for pair in pairs)
    if near is None or far is None or near.relation is None or far.relation is None:
        return None
    own = fields.get(near.relation.target_column)
    if own is None or far.relation.target is not relationship.mapper.class_:
        return None
    named = replace(far, name=relationship.key, label=label_of(relationship.key))
    return ManyToMany(association, own, near, named)


# Any: an argument of any type.
def relationship_of(link: Any) -> RelationshipProperty[Any] | None:
    """Return the relationship that `Link(…)` names, None if it names none."""
    attribute = link.relationship if isinstance(link, Link) else None
    if not isinstance(attribute, QueryableAttribute):
        return None
    found = attribute.property
    return found if isinstance(found, RelationshipProperty) else None


def is_of_links(name: str) -> bool:
    """Whether a name in an entry of the history is that of a link, and not of a field."""
    return name.startswith(ENTRY)


def links_text(titles: Sequence[str]) -> str | None:
    """Return the linked records as the history has them: their number and the first titles."""
    if not titles:
        return None
    return json.dumps({"count": len(titles), "titles": titles[:MAX_NAMED]}, ensure_ascii=False)


# Any: JSON, as the history has it.
def count_of_links(text: Any) -> int:
    """Return the number of linked records that `links_text` has written."""
    return int(json.loads(text)["count"]) if isinstance(text, str) else 0


# Any: the same.
def described_links(text: Any) -> str:
    """Return what `links_text` has written in words: “Blue, River and 3 more”."""
    if not isinstance(text, str):
        return ""
    found = json.loads(text)
    titles, more = found["titles"], found["count"] - len(found["titles"])
    return listed([*titles, f"{more:,} more"] if more else titles)
