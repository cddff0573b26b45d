"""Options: the records that a relation field may point at, as a picker offers them."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    false,
    literal,
    select,
    true,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from webapp.admin.collation import sorted_as
from webapp.admin.fields import Field, Relation
from webapp.admin.resource import Resource
from webapp.admin.search import can_match, matches_any, parameters_of
from webapp.admin.site import Site

MOST_OPTIONS = 50
# Of more than that, which have to be searched, a filter shows the first ones.
SAMPLE_OPTIONS = 10
# What options are asked for.
Asked = Literal["all", "text", "value", "nothing"]
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
    title = site.target_of(field).title_field
    kind, values = _asked(title, text)
    statement = _select_options(site, field, kind)
    rows = (
        await session.execute(statement, {**values, "chosen": chosen, "left_out": chosen})
    ).all()
    options = tuple(
        Option(
            field.input.format(key),
            title.input.shown(name) if name not in (None, "") else "(empty)",
        )
        for _, key, name in rows
    )
    found_count = sum(rank for rank, _, _ in rows)
    has_more = found_count > MOST_OPTIONS
    return Options(options[:-1] if has_more else options, has_more)


@lru_cache(maxsize=64)
def choosing(resource: Resource, field: Field) -> Field:
    """Return a field that points at records of a resource by a field of theirs."""
    return replace(field, relation=Relation(resource.model, field.name, None))


def _asked(title: Field, text: str) -> tuple[Asked, dict[str, Any]]:
    """Return how a text is looked for among titles, and the parameters of that."""
    if not text:
        return "all", {}
    if title.is_text:
        return ("text", parameters_of(text)) if can_match(text) else ("nothing", {})
    try:
        return "value", {"title": title.clean(title.input(text))}
    except ValueError:
        return "nothing", {}


@lru_cache(maxsize=256)
def _select_options(site: Site, field: Field, asked: Asked) -> Select[Any]:
    assert field.relation is not None
    target = site.target_of(field)
    value = target.by_name[field.relation.target_column].column
    title = target.title_field.column
    by_title = sorted_as(target.title_field, title)
    condition: ColumnElement[bool] = false()
    match asked:
        case "all":
            condition = true()
        case "text":
            condition = matches_any([title])
        case "value":
            condition = title == bindparam("title", type_=title.type)
    # Two parameters: of none SQLAlchemy writes something else for each.
    chosen = bindparam("chosen", type_=value.type, expanding=True)
    left_out = bindparam("left_out", type_=value.type, expanding=True)
    columns = (value.label("value"), title.label("title"))
    others = select(literal(1).label("rank"), *columns).order_by(by_title, value)
    found = others.where(condition, value.not_in(left_out)).limit(MOST_OPTIONS + 1).subquery()
    first = select(literal(0).label("rank"), *columns).where(value.in_(chosen)).subquery()
    both = union_all(select(first), select(found)).subquery()
    by_title = sorted_as(target.title_field, both.c.title)
    return select(*both.c).order_by(both.c.rank, by_title, both.c.value)


async def fetch_first_options(session: AsyncSession, site: Site, field: Field) -> Options:
    """Fetch the options that come first, or return what they were a few seconds ago."""
    known: KeptOptions | None = site.options.get(str(field.column))
    if known is not None and time.monotonic() - known.at < KEPT_SECONDS:
        return known.options
    options = await fetch_options(session, site, field)
    site.options[str(field.column)] = KeptOptions(options, time.monotonic())
    return options
