"""Filters: which rows a list shows, read from its URL: `?team=3&team=none&age_min=18`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_
from starlette.datastructures import QueryParams

from webapp.admin.fields import Field

NONE = "none"
MOST_VALUES = 100


@dataclass(frozen=True)
class Filter:
    """A field and what its values have to be; it is active when anything is asked of them."""

    field: Field
    values: tuple[Any, ...] = ()
    has_none: bool = False
    minimum: Any = None
    maximum: Any = None

    @property
    def name(self) -> str:
        """The name of the URL parameter: `team` for `team_id`."""
        return self.field.name.removesuffix("_id") if self.field.relation else self.field.name

    @property
    def is_range(self) -> bool:
        return self.field.input.is_range and not self.field.relation

    @property
    def none(self) -> str:
        """What stands in the URL for “no value”.

        Where a value may read the same, a space goes before it: values have none around them.
        """
        kind = self.field.input
        is_ambiguous = kind.kind in {"text", "long_text"} or NONE in dict(kind.choices)
        return f" {NONE}" if is_ambiguous else NONE

    @property
    def is_active(self) -> bool:
        return bool(
            self.values or self.has_none or self.minimum is not None or self.maximum is not None
        )

    @property
    def minimum_text(self) -> str:
        return self._text(self.minimum)

    @property
    def maximum_text(self) -> str:
        return self._text(self.maximum)

    def texts(self) -> tuple[str, ...]:
        """Return the chosen values as they stand in the URL."""
        return tuple(map(self._text, self.values))

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

    def condition(self) -> ColumnElement[bool]:
        """Return what a row has to fulfil."""
        column: ColumnElement[Any] = self.field.column
        allowed: list[ColumnElement[bool]] = []
        if self.values:
            allowed.append(column.in_(self.values))
        bounds = []
        if self.minimum is not None:
            bounds.append(column >= self.minimum)
        if self.maximum is not None:
            bounds.append(column <= self.maximum)
        if bounds:
            allowed.append(bounds[0] if len(bounds) == 1 else bounds[0] & bounds[1])
        if self.has_none:
            allowed.append(column.is_(None))
        return or_(*allowed) if len(allowed) > 1 else allowed[0]

    def _text(self, value: Any) -> str:
        return "" if value is None else self.field.input.format(value)


def parse_filter(field: Field, params: QueryParams) -> tuple[Filter, list[str]]:
    """Read the filter of `field` from a URL, and a sentence for each part that is no value."""
    asked = Filter(field)
    name = asked.name
    problems: list[str] = []

    def parse(text: str) -> Any:
        text = text.strip()
        if not text:
            return None
        try:
            return field.clean(field.input(text))
        except ValueError as error:
            problems.append(f"{field.label}: {error}")
            return None

    texts = params.getlist(name)
    if len(texts) > MOST_VALUES:
        problems.append(f"{field.label}: choose at most {MOST_VALUES} values.")
    chosen = [parse(text) for text in texts[:MOST_VALUES] if text != asked.none]
    values = () if asked.is_range else tuple(dict.fromkeys(v for v in chosen if v is not None))
    return (
        Filter(
            field,
            values,
            has_none=asked.none in texts and field.is_optional,
            minimum=parse(params.get(f"{name}_min", "")) if asked.is_range else None,
            maximum=parse(params.get(f"{name}_max", "")) if asked.is_range else None,
        ),
        problems,
    )


def described(filter: Filter, titles: Sequence[str]) -> str:
    """Return a filter in words, the chosen values by their `titles`: “Team: Preventers, none”."""
    parts = list(titles)
    low, high = filter.minimum_text.replace("T", " "), filter.maximum_text.replace("T", " ")
    if low and high:
        parts.append(f"{low} – {high}")
    elif low:
        parts.append(f"≥ {low}")
    elif high:
        parts.append(f"≤ {high}")
    if filter.has_none:
        parts.append("none")
    if filter.has_none and len(parts) == 1:
        return f"No {filter.field.label.lower()}"
    shown = ", ".join(parts)
    return f"{filter.field.label} {shown}" if filter.is_range else f"{filter.field.label}: {shown}"
