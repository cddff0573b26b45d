"""Filters: the values that a field may have in a list, as in `?team=3&team=none&age_min=18`."""

from dataclasses import dataclass, replace
from datetime import datetime, time
from functools import cached_property
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, or_

from hero_admin.model import moments
from hero_admin.model.fields import Field
from hero_admin.model.formatting import exact_text
from hero_admin.model.labels import in_sentence
from hero_admin.model.links import ManyToMany

NONE = "none"
# The value of a filter for rows that have a file.
ANY = "any"


@dataclass(frozen=True)
class Filter:
    """A field and the values it may have; without values the filter is inactive.

    name: the name of its parameter in the URL, such as `team` for `team_id`.
    link: the link whose records are chosen; `field` is then its field of the association.
    """

    field: Field
    name: str
    values: tuple[Any, ...] = ()
    has_none: bool = False
    has_any: bool = False
    minimum: Any = None
    maximum: Any = None
    link: ManyToMany | None = None

    @property
    def read_field(self) -> Field:
        """The field of the rows that the predicate is about."""
        return self.link.own if self.link else self.field

    @property
    def is_range(self) -> bool:
        return self.field.is_range

    @property
    def is_optional(self) -> bool:
        """Whether there may be rows without a value."""
        return self.field.is_optional or self.link is not None

    @property
    def none(self) -> str:
        """The value in the URL for rows without a value."""
        return none_of(self.field)

    @cached_property
    def is_active(self) -> bool:
        has_bound = self.minimum is not None or self.maximum is not None
        return bool(self.values or self.has_none or self.has_any or has_bound)

    @property
    def none_label(self) -> str:
        """The label for rows without a value."""
        return f"No {in_sentence(self.field.label)}"

    @property
    def minimum_text(self) -> str:
        return self._text(self.minimum)

    @property
    def maximum_text(self) -> str:
        if isinstance(self.maximum, datetime | time):
            return moments.last_text(self.maximum)
        return self._text(self.maximum)

    def texts(self) -> tuple[str, ...]:
        """Return the chosen values as they are in the URL."""
        return (ANY,) if self.has_any else tuple(map(self._text, self.values))

    def params(self) -> list[tuple[str, str]]:
        """Return the parameters of this filter in a URL."""
        pairs = [(self.name, text) for text in self.texts()]
        if self.has_none:
            pairs.append((self.name, self.none))
        if self.minimum is not None:
            pairs.append((f"{self.name}_min", self.minimum_text))
        if self.maximum is not None:
            pairs.append((f"{self.name}_max", self.maximum_text))
        return pairs

    def cleared(self) -> "Filter":
        """Return the inactive filter of the same field."""
        return Filter(self.field, self.name, link=self.link)

    @property
    def shape(self) -> "FilterShape":
        return FilterShape(
            self.field,
            has_one=len(self.values) == 1,
            has_many=len(self.values) > 1,
            has_none=self.has_none,
            has_any=self.has_any,
            has_minimum=self.minimum is not None,
            has_maximum=self.maximum is not None,
            link=self.link,
        )

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the predicate of its shape."""
        name = self.field.name
        one = self.values[0] if self.values else None
        return {
            f"{name}_is": one,
            f"{name}_in": self.values,
            **moments.bound_parameters(f"{name}_min", self.minimum),
            **moments.bound_parameters(f"{name}_max", self.maximum),
        }

    def _text(self, value: Any) -> str:
        return exact_text(self.field, value)


@dataclass(frozen=True)
class FilterShape:
    """A filter without its values, as a key of cached statements."""

    field: Field
    has_one: bool
    has_many: bool
    has_none: bool
    has_any: bool
    has_minimum: bool
    has_maximum: bool
    link: ManyToMany | None = None

    @property
    def read_field(self) -> Field:
        """The field of the rows that the predicate is about."""
        return self.link.own if self.link else self.field

    @property
    def is_range(self) -> bool:
        """Whether an index has the rows side by side: those with one value, or between two."""
        is_bounded = self.has_minimum or self.has_maximum
        is_other = self.has_many or self.has_none or self.has_any or self.link is not None
        return self.has_one != is_bounded and not is_other

    def predicate(self) -> ColumnElement[bool]:
        """Return the predicate, whose parameters are those of `Filter.parameters`."""
        if self.link is None:
            return self._own_predicate()
        if not self.has_none:
            return self.link.is_linked(self._own_predicate())
        none = self.link.has_none()
        chosen = replace(self, has_none=False)
        return or_(none, chosen.predicate()) if self.has_one or self.has_many else none

    def _own_predicate(self) -> ColumnElement[bool]:
        column = self.field.exact
        allowed: list[ColumnElement[bool]] = []
        if self.has_one:
            allowed.append(column == self._given("is"))
        if self.has_many:
            allowed.append(column.in_(self._given("in", is_list=True)))
        bounds = []
        low, high = f"{self.field.name}_min", f"{self.field.name}_max"
        is_moment = self.field.input.kind in moments.KINDS
        if self.has_minimum:
            least = moments.at_least(self.field, low) if is_moment else column >= self._given("min")
            bounds.append(least)
        if self.has_maximum:
            most = moments.at_most(self.field, high) if is_moment else column <= self._given("max")
            bounds.append(most)
        if bounds:
            allowed.append(and_(*bounds))
        if self.has_none:
            allowed.append(column.is_(None))
        if self.has_any:
            allowed.append(column.is_not(None))
        return or_(*allowed)

    def _given(self, part: str, *, is_list: bool = False) -> BindParameter[Any]:
        return self.field.given(f"{self.field.name}_{part}", is_list=is_list)


def none_of(field: Field) -> str:
    """Return the value in a URL for rows without a value.

    It is “none”, or “ none” if the field may have the value “none”; no value starts with a space.
    """
    kind = field.input
    is_ambiguous = kind.kind in {"text", "long_text"} or NONE in dict(kind.choices)
    return f" {NONE}" if is_ambiguous else NONE
