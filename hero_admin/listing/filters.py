"""Filters: which rows a list shows, read from its URL: `?team=3&team=none&age_min=18`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, or_
from starlette.datastructures import QueryParams

from hero_admin.model import inputs, moments
from hero_admin.model.field_names import FilterName
from hero_admin.model.fields import Field
from hero_admin.model.formatting import exact_text
from hero_admin.model.labels import in_sentence
from hero_admin.model.sentences import CHOOSE
from hero_admin.model.stored_values import Stored

NONE = "none"
# Of files: whether there is one is all that rows are narrowed by.
ANY = "any"
MAX_VALUES = 100
# Kinds of which a database has values that nobody can type: “1 mon”, or before Christ.
DATABASE_KINDS = frozenset({"date", "datetime", "time", "duration"})


@dataclass(frozen=True)
class Filter:
    """A field and what its values have to be; it is active when anything is asked of them.

    name: that of its parameter in the URL: `team` for `team_id`.
    """

    field: Field
    name: str
    values: tuple[Any, ...] = ()
    has_none: bool = False
    has_any: bool = False
    minimum: Any = None
    maximum: Any = None

    @property
    def is_range(self) -> bool:
        return self.field.input.is_range and not self.field.relation

    @property
    def none(self) -> str:
        """What stands in the URL for “no value”."""
        return none_of(self.field)

    @property
    def is_active(self) -> bool:
        has_bound = self.minimum is not None or self.maximum is not None
        return bool(self.values or self.has_none or self.has_any or has_bound)

    @property
    def none_label(self) -> str:
        """What rows without a value are called."""
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
        """Return the chosen values as they stand in the URL."""
        return (ANY,) if self.has_any else tuple(map(self._text, self.values))

    def params(self) -> list[tuple[str, str]]:
        """Return the URL parameters that say the same."""
        pairs = [(self.name, text) for text in self.texts()]
        if self.has_none:
            pairs.append((self.name, self.none))
        if self.minimum is not None:
            pairs.append((f"{self.name}_min", self.minimum_text))
        if self.maximum is not None:
            pairs.append((f"{self.name}_max", self.maximum_text))
        return pairs

    def cleared(self) -> "Filter":
        """Return the same filter with nothing asked for."""
        return Filter(self.field, self.name)

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
        )

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the condition of its shape."""
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
    """What a filter asks for, but for the values."""

    field: Field
    has_one: bool
    has_many: bool
    has_none: bool
    has_any: bool
    has_minimum: bool
    has_maximum: bool

    def predicate(self) -> ColumnElement[bool]:
        """Return what a row has to fulfil, with the values as `Filter.parameters` names them."""
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
    """Return what stands in a URL for “no value”.

    Where a value may read the same, a space goes before it: values have none around them.
    """
    kind = field.input
    is_ambiguous = kind.kind in {"text", "long_text"} or NONE in dict(kind.choices)
    return f" {NONE}" if is_ambiguous else NONE


def parse_filter(field: Field, name: FilterName, params: QueryParams) -> tuple[Filter, list[str]]:
    """Read the filter of `field` from a URL, and a sentence for each part that is no value."""
    asked = Filter(field, name.name)
    problems: list[str] = []

    def parse(text: str) -> Any:
        text = text.strip()
        if not text:
            return None
        if field.is_bytes:
            problems.append(f"{field.label}: {CHOOSE}")
            return None
        try:
            return _parse_choice(field, text) if field.relation else field.clean(field.input(text))
        except ValueError as error:
            problems.append(f"{field.label}: {error}")
            return None

    def bound(part: str) -> Any:
        sent = name.sent_in(params, part) if asked.is_range else []
        return parse(sent[-1]) if sent else None

    def last(part: str) -> Any:
        value = bound(part)
        if not isinstance(value, datetime | time):
            return value
        return moments.last_of(value, name.sent_in(params, part)[-1].strip())

    # Nothing is asked for under the bare name of a range that always has a value.
    texts = name.sent_in(params) if field.is_optional or not asked.is_range else []
    if len(texts) > MAX_VALUES:
        problems.append(f"{field.label}: choose at most {MAX_VALUES} values.")
    has_any = field.is_bytes and ANY in texts
    named = {asked.none, ANY} if has_any else {asked.none}
    chosen = [parse(text) for text in texts[:MAX_VALUES] if text not in named]
    values = () if asked.is_range else tuple(dict.fromkeys(v for v in chosen if v is not None))
    return (
        Filter(
            field,
            name.name,
            values,
            has_none=asked.none in texts and field.is_optional,
            has_any=has_any,
            minimum=bound("_min"),
            maximum=last("_max"),
        ),
        problems,
    )


def _parse_choice(field: Field, text: str) -> Any:
    """Return the value of an option, also of one that cannot be typed; raises ValueError."""
    try:
        return field.clean(field.input(text))
    except ValueError:
        if field.input.kind in DATABASE_KINDS:
            # The database says whether it is one.
            return Stored(text)
        number = _parse_infinite(field, text)
        if number is None:
            raise
        return number


def _parse_infinite(field: Field, text: str) -> Stored | None:
    """Return a number that is infinite or none, as both drivers have it."""
    if field.input.kind != "number" or text.lstrip("+-").lower() not in {"nan", "inf", "infinity"}:
        return None
    number = float(text)
    return Stored(number, Decimal(text) if field.input is inputs.DECIMAL else number)


def described(filter: Filter, titles: Sequence[str]) -> str:
    """Return a filter in words, the chosen values by their `titles`: “Team: Preventers, none”."""
    parts = list(titles)
    low, high = filter.minimum_text.replace("T", " "), filter.maximum_text.replace("T", " ")
    zone = " UTC" if filter.field.display in {"datetime", "zoned_time"} else ""
    if low and high:
        parts.append(f"{low} – {high}{zone}")
    elif low:
        parts.append(f"≥ {low}{zone}")
    elif high:
        parts.append(f"≤ {high}{zone}")
    if filter.has_none:
        parts.append("none")
    if filter.has_none and len(parts) == 1:
        return filter.none_label
    shown = ", ".join(parts)
    return f"{filter.field.label} {shown}" if filter.is_range else f"{filter.field.label}: {shown}"
