"""Moments: dates and times on SQLite, which stores them as texts in many spellings.

`2021-01-01`, `2021-01-01 00:00`, `2021-01-01T00:00:00Z` and `2021-01-01 00:00:00.000000` are four
texts of one moment. An index finds the texts of a day; a normalized text tells those in a range.

Nobody types microseconds: a range to a day includes it, and one to 14:30 includes that minute.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Text, bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from hero_admin.model.fields import Field
from hero_admin.model.index_predicate import IndexPredicate

KINDS = frozenset({"date", "datetime"})
CLOCK = re.compile(r"[0-9]{2}:[0-9]{2}(?P<seconds>:[0-9]{2}(?:[.,](?P<places>[0-9]+))?)?")
# The decimal places of seconds in browsers.
BROWSER_PLACES = 3

# Sorts after every text of a day, in which at most “T” follows the date.
END_OF_DAY = "U"
# Sorts after every zone, which begins with “Z” at most.
END_OF_CLOCK = "["
DAY = timedelta(days=1)
# A text that ends with the offset of its zone.
ZONED = "substr({0}, 12) GLOB '*[-+][0-9][0-9]:[0-9][0-9]'"
SPELLED = (
    f"coalesce(CASE WHEN {ZONED} THEN strftime('%Y-%m-%d %H:%M:%f', {{0}}) END,"
    " replace(replace({0}, 'T', ' '), 'Z', ''))"
)


class _Spelling(TypeDecorator[Any]):
    """A moment, bound as one of its texts on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, spell: Callable[[date], str]) -> None:
        self.spell = spell
        super().__init__()

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else self.spell(value)


class _AtLeast(IndexPredicate):
    """The predicate of a range: a column, its bound, and two texts of the bound."""

    inherit_cache = True
    operator = ">="


class _AtMost(_AtLeast):
    inherit_cache = True
    operator = "<="


def last_of(moment: datetime | time, text: str) -> datetime | time:
    """Return the last moment of the precision of a text, of which `moment` is the first."""
    clock = CLOCK.search(text)
    if clock is None:
        if isinstance(moment, datetime) and not re.search("[T ]", text):
            return datetime.combine(moment, time.max, moment.tzinfo)
        # A time without colons is exact.
        return moment
    if clock["seconds"] is None:
        return moment.replace(second=59, microsecond=999_999)
    if clock["places"] is None:
        return moment.replace(microsecond=999_999)
    if len(clock["places"]) <= BROWSER_PLACES:
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000 + 999)
    return moment


def last_text(moment: datetime | time) -> str:
    """Return the text whose last moment, by `last_of`, is this one."""
    precision = "microseconds"
    if moment.microsecond == 999_999:
        precision = "minutes" if moment.second == 59 else "seconds"
    elif moment.microsecond % 1000 == 999:
        precision = "milliseconds"
    return moment.replace(tzinfo=None).isoformat(timespec=precision)


class _Edge(FunctionElement[Any]):
    """The start of a list that jumps to a moment: its value, and the first or last of its texts."""

    name = "edge_of_moment"
    inherit_cache = True

    def __init__(self, value: BindParameter[Any], text: BindParameter[Any]) -> None:
        super().__init__(value, text)
        self.type = value.type


def edge_of(value: BindParameter[Any], kind: str, *, is_falling: bool) -> ColumnElement[Any]:
    """Return the start of a list that jumps to the value of a parameter, for a kind of input."""
    if kind not in KINDS:
        return value
    spelling = _Spelling(_last_spelling if is_falling else lowest_spelling)
    return _Edge(value, bindparam(f"{value.key}_text", type_=spelling))


def at_least(field: Field, name: str) -> ColumnElement[bool]:
    """Return the predicate that a field is not less than the parameter `name`."""
    return _bound(_AtLeast, field, name, _day_before, lowest_spelling)


def at_most(field: Field, name: str) -> ColumnElement[bool]:
    """Return the predicate that a field is not more than the parameter `name`."""
    return _bound(_AtMost, field, name, _end_of_next_day, highest_spelling)


def bound_parameters(name: str, value: Any) -> dict[str, Any]:
    """Return the parameters of `at_least` and `at_most`."""
    return {name: value, f"{name}_day": value, f"{name}_text": value}


def day_of(moment: date) -> str:
    return f"{moment:%Y-%m-%d}".zfill(10)


def end_of_day(moment: date) -> str:
    return day_of(moment) + END_OF_DAY


def lowest_spelling(moment: date) -> str:
    """Return the least text of a moment: midnight is a date alone, without trailing zeros."""
    if not isinstance(moment, datetime):
        return day_of(moment)
    clock = f"{moment:%H:%M:%S.%f}".rstrip("0").removesuffix(".").removesuffix(":00")
    return day_of(moment) if clock == "00:00" else f"{day_of(moment)} {clock}"


def highest_spelling(moment: date) -> str:
    """Return the greatest text of a moment, or of a day."""
    if not isinstance(moment, datetime):
        return end_of_day(moment)
    return f"{day_of(moment)} {moment:%H:%M:%S.%f}"


def _last_spelling(moment: date) -> str:
    """Return an upper bound of all texts of a moment, with a T and any zone."""
    if not isinstance(moment, datetime):
        return end_of_day(moment)
    clock = lowest_spelling(moment)[11:] or "00:00"
    return f"{day_of(moment)}T{clock}{END_OF_CLOCK}"


# Another zone may be a day off.
def _day_before(moment: date) -> str:
    return day_of(moment - DAY) if moment.toordinal() > 1 else ""


def _end_of_next_day(moment: date) -> str:
    return end_of_day(moment + DAY if moment.toordinal() < date.max.toordinal() else moment)


def _bound(
    kind: type[_AtLeast],
    field: Field,
    name: str,
    day: Callable[[date], str],
    spelling: Callable[[date], str],
) -> ColumnElement[bool]:
    texts: list[BindParameter[Any]] = [
        bindparam(f"{name}_day", type_=_Spelling(day)),
        bindparam(f"{name}_text", type_=_Spelling(spelling)),
    ]
    return kind(field.exact, field.given(name), *texts)


# Any: options of the compiler.
@compiles(_AtLeast)
def _write_bound(element: _AtLeast, compiler: SQLCompiler, **options: Any) -> str:
    operator = element.operator
    column, bound, *texts = element.clauses
    written = compiler.process(column, **options)
    if compiler.dialect.name != "sqlite":
        return f"({written} {operator} {compiler.process(bound, **options)})"
    day, text = (compiler.process(each, **options) for each in texts)
    spelled = SPELLED.format(written)
    return f"({written} {operator} {day} AND {spelled} {operator} {text})"


@compiles(_Edge)
def _write_edge(element: _Edge, compiler: SQLCompiler, **options: Any) -> str:
    value, text = element.clauses
    return compiler.process(text if compiler.dialect.name == "sqlite" else value, **options)
