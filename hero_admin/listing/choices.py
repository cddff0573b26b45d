"""Choices: the records that a relation field may point at, as options of a picker."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, false, literal, or_, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.folding import fold
from hero_admin.database.recent_cache import recent_cache_of
from hero_admin.database.short_reads import fetch_few
from hero_admin.database.statement_cache import statement_cache
from hero_admin.listing.collation import sorted_as
from hero_admin.listing.options import Option, Options
from hero_admin.listing.search import candidates
from hero_admin.listing.search.backend import backend_of
from hero_admin.listing.search.patterns import can_match, matches_words, word_parameters, words_of
from hero_admin.listing.search.trigram_index import trigrams_of
from hero_admin.model.fields import Field
from hero_admin.model.formatting import form_text, shortened, shown, shown_in_cell
from hero_admin.model.relations import Relation
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site

MAX_OPTIONS = 50
# So long a filter may not yet offer a new team.
CACHE_SECONDS = 5.0


async def fetch_options(
    session: AsyncSession,
    site: Site,
    field: Field,
    text: str = "",
    chosen: Sequence[Any] = (),
) -> Options:
    """Fetch the options of a relation `field` that have each word of `text`, by title.

    They are looked for in the titles and in whatever a search looks into. The `chosen` values are
    always among them, first. One statement; for a text two more ask whether an index has it.
    """
    target = site.target_of(field)
    asked, values = _asked(target, text)
    if asked.words and not asked.has_value and _is_indexed(target):
        backend, few = backend_of(session), candidates.FEW
        is_candidate = await backend.fetch_is_candidate(session, target, text, few)
        asked = replace(asked, is_candidate=is_candidate)
        values |= {"trigrams": trigrams_of(text), "most": few}
    if chosen:
        asked = replace(asked, chosen="one" if len(chosen) == 1 else "several")
        values["chosen"] = chosen[0] if len(chosen) == 1 else chosen
    rows = await fetch_few(session, _select_options(site, field, asked), values)
    found_count = sum(rank for rank, *_ in rows)
    has_more = found_count > MAX_OPTIONS
    names = [each.name for each in _shown_fields(target)]
    records = [dict(zip(names, row[3:], strict=True)) for row in rows]
    titles = [target.titles.of(record) for record in records]
    counts = Counter(titles)
    options = []
    for (rank, value, *_), record, title in zip(rows, records, titles, strict=True):
        is_clear = counts[title] == 1 and (not rank or _has_words(title, text))
        detail = "" if is_clear else _detail(target, record, title)
        options.append(Option(form_text(field, value), title, detail))
    told = _told_apart(target, options, records)
    if has_more:
        told.pop()
    first = len(rows) - found_count
    # Whoever knows the title gets it first.
    told[first:] = sorted(told[first:], key=lambda each: not _has_words(each.title, text))
    return Options(tuple(told), has_more)


def _has_words(title: str, text: str) -> bool:
    folded = fold(title)
    return all(fold(word) in folded for word in words_of(text))


# Any: the values of a record.
def _detail(target: Resource, record: Mapping[str, Any], title: str) -> str:
    texts = [shown_in_cell(field, record[field.name]) for field in target.detail_fields]
    known = fold(title)
    return shortened(" · ".join(text for text in texts if text and fold(text) not in known))


def _told_apart(
    target: Resource, options: Sequence[Option], records: Sequence[Mapping[str, Any]]
) -> list[Option]:
    """Return options of which no two read the same: the key tells what nothing else does."""
    counts = Counter(option.label for option in options)
    told = []
    for option, record in zip(options, records, strict=True):
        if counts[option.label] > 1:
            keys = [f"{field.label} {shown(field, record[field.name])}" for field in target.key]
            detail = " · ".join(filter(None, (option.detail, *keys)))
            told.append(option._replace(detail=detail))
        else:
            told.append(option)
    return told


@statement_cache
def choosing(resource: Resource, field: Field) -> Field:
    """Return a field that points at records of a resource by a field of theirs."""
    return replace(field, relation=Relation(resource.model, field.name, None))


@dataclass(frozen=True)
class _Asked:
    """How options are looked for: by so many words, by the value of their title, or not at all.

    is_candidate: whether only among the candidates of an index, which then are few.
    chosen: how many are chosen already, which come first.
    """

    words: int = 0
    has_value: bool = False
    is_nothing: bool = False
    is_candidate: ColumnElement[bool] | None = None
    chosen: Literal["", "one", "several"] = ""


def _asked(target: Resource, text: str) -> tuple[_Asked, dict[str, Any]]:
    """Return how a text is looked for among the records of a resource, and the parameters."""
    if not text:
        return _Asked(), {}
    words = words_of(text) if _searched(target) and can_match(text) else []
    values, title = word_parameters(words), target.titles.field
    if not title.is_text:
        with suppress(ValueError):
            values["title"] = title.clean(title.input(text))
    has_value = "title" in values
    return _Asked(len(words), has_value, not (words or has_value)), values


def _is_indexed(target: Resource) -> bool:
    """Whether an index of trigrams holds all texts that options are looked for by."""
    title = target.titles.field
    return not title.is_text or title in target.search_fields


def _searched(target: Resource) -> list[ColumnElement[Any]]:
    fields = dict.fromkeys((target.titles.field, *target.search_fields))
    return [field.exact for field in fields if field.is_text]


def _shown_fields(target: Resource) -> tuple[Field, ...]:
    """Return the fields that title and detail are made of."""
    return tuple(dict.fromkeys((*target.titles.fields, *target.detail_fields, *target.key)))


@statement_cache
def _select_options(site: Site, field: Field, asked: _Asked) -> Select[Any]:
    assert field.relation is not None
    target = site.target_of(field)
    value_field = target.by_name[field.relation.target_column]
    value: ColumnElement[Any] = value_field.exact
    title = target.titles.field.exact
    by_title = sorted_as(target.titles.field, title)
    found_by: list[ColumnElement[bool]] = []
    if asked.words:
        found_by.append(matches_words(_searched(target), asked.words))
    if asked.has_value:
        found_by.append(title == target.titles.field.given("title"))
    predicate = true() if not found_by and not asked.is_nothing else or_(false(), *found_by)
    chosen = value_field.given("chosen", is_list=asked.chosen == "several")
    is_chosen = value.in_(chosen) if asked.chosen == "several" else value == chosen
    shown_columns = [
        each.exact.label(f"_{place}") for place, each in enumerate(_shown_fields(target))
    ]
    columns = (value.label("value"), title.label("title"), *shown_columns)
    # Of an empty list SQLAlchemy makes no SQL where its values have to be cast.
    is_other = ~is_chosen if asked.chosen else true()
    others = select(literal(1).label("rank"), *columns).where(predicate, is_other)
    if asked.is_candidate is not None:
        # Having a limit of their own they are found before they are sorted.
        some = others.where(asked.is_candidate).limit(candidates.LIMIT).subquery()
        others = select(*some.c)
        by_title, value = sorted_as(target.titles.field, some.c.title), some.c.value
    found = others.order_by(by_title, value).limit(MAX_OPTIONS + 1)
    if not asked.chosen:
        return found
    first = select(literal(0).label("rank"), *columns).where(is_chosen).subquery()
    both = union_all(select(first), select(found.subquery())).subquery()
    by_title = sorted_as(target.titles.field, both.c.title)
    return select(*both.c).order_by(both.c.rank, by_title, both.c.value)


async def fetch_first_options(
    session: AsyncSession, site: Site, field: Field, chosen: Sequence[Any] = ()
) -> Options:
    """Fetch the chosen options and those that come first, or what they were a few seconds ago."""
    cache, key = recent_cache_of(session), ("options", str(field.column))
    known: Options | None = cache.get(key, CACHE_SECONDS)
    if known is None:
        known = await fetch_options(session, site, field)
        cache.put(key, known)
    options = known.headed_by({form_text(field, value) for value in chosen})
    return options or await fetch_options(session, site, field, chosen=chosen)
