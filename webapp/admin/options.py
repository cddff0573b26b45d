"""Options: the records that a relation field may point at, as a picker offers them."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, false, literal, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from webapp.admin.fields import Field
from webapp.admin.search import matches
from webapp.admin.site import Site

MOST_OPTIONS = 50
# Of more than that, which have to be searched, a filter shows the first ones.
SAMPLE_OPTIONS = 10
# So long a filter may not yet offer a new team.
KEPT_SECONDS = 5.0


class Option(NamedTuple):
    """One choice: the text that is submitted and the title that is read."""

    value: str
    title: str


@dataclass(frozen=True)
class Options:
    """The chosen options and the first of the others, and whether there are more to search for."""

    options: tuple[Option, ...] = ()
    has_more: bool = False

    def without(self, values: Collection[str]) -> "Options":
        kept = tuple(option for option in self.options if option.value not in values)
        return replace(self, options=kept)

    def sample(self, chosen_count: int) -> "Options":
        """Return all if these are all, else the chosen options and a few of the others."""
        shown = chosen_count + SAMPLE_OPTIONS if self.has_more else None
        return replace(self, options=self.options[:shown])


@dataclass(frozen=True)
class KeptOptions:
    """What the first options of a relation were at a moment."""

    options: Options
    at: float


YES_AND_NO = Options((Option("true", "Yes"), Option("false", "No")))


def fixed_options(field: Field) -> Options | None:
    """Return the options of a field that chooses among a few values of its own."""
    if field.input.kind == "bool":
        return YES_AND_NO
    if field.input.choices:
        return Options(tuple(Option(*choice) for choice in field.input.choices))
    return None


async def fetch_options(
    session: AsyncSession,
    site: Site,
    field: Field,
    text: str = "",
    chosen: Sequence[Any] = (),
) -> Options:
    """Fetch the options of a relation `field` whose title contains `text`, by title.

    The `chosen` values are always among them, first. One statement.
    """
    assert field.relation is not None
    target = site.target_of(field)
    value = target.by_name[field.relation.target_column].column
    title = target.title_field
    columns = (value.label("value"), title.column.label("title"))
    condition = _condition(title, text)
    others = select(literal(1).label("rank"), *columns).order_by(title.column, value)
    found = others.where(condition, value.not_in(chosen)).limit(MOST_OPTIONS + 1).subquery()
    first = select(literal(0).label("rank"), *columns).where(value.in_(chosen)).subquery()
    both = union_all(select(first), select(found)).subquery()
    rows = (
        await session.execute(
            select(both.c.rank, both.c.value, both.c.title).order_by(
                both.c.rank, both.c.title, both.c.value
            )
        )
    ).all()
    options = tuple(
        Option(
            field.input.format(key),
            title.input.format(name) if name not in (None, "") else "(empty)",
        )
        for _, key, name in rows
    )
    found_count = sum(rank for rank, _, _ in rows)
    has_more = found_count > MOST_OPTIONS
    return Options(options[:-1] if has_more else options, has_more)


async def fetch_first_options(session: AsyncSession, site: Site, field: Field) -> Options:
    """Fetch the options that come first, or return what they were a few seconds ago."""
    known: KeptOptions | None = site.options.get(str(field.column))
    if known is not None and time.monotonic() - known.at < KEPT_SECONDS:
        return known.options
    options = await fetch_options(session, site, field)
    site.options[str(field.column)] = KeptOptions(options, time.monotonic())
    return options


def _condition(title: Field, text: str) -> ColumnElement[bool]:
    if not text:
        return true()
    if title.is_text:
        return matches(title.column, text)
    try:
        value = title.clean(title.input(text))
    except ValueError:
        return false()
    condition: ColumnElement[bool] = title.column == value
    return condition
