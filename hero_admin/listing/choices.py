"""Choices: the records that a relation may refer to, as the options of a picker."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, false, literal, or_, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.folding import fold
from hero_admin.database.recent_cache import recent_cache_of
from hero_admin.database.short_reads import Row, fetch_few
from hero_admin.database.statement_cache import statement_cache
from hero_admin.listing.collation import sorted_as
from hero_admin.listing.options import Option, Options
from hero_admin.listing.search import candidates
from hero_admin.listing.search.backend import backend_of
from hero_admin.listing.search.filter_index import LIMIT
from hero_admin.listing.search.patterns import can_match, matches_words, word_parameters, words_of
from hero_admin.listing.search.trigram_index import trigrams_of
from hero_admin.model.fields import Field
from hero_admin.model.formatting import form_text, shown, shown_in_cell
from hero_admin.model.relations import Relation
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.web.texts import shortened

MAX_OPTIONS = 50
# The first options of a filter may lack a record created less than this many seconds ago.
CACHE_SECONDS = 5.0
# 97 kB as Python strings, if none of them is ASCII.
MAX_CACHED_CHARACTERS = 20_000


async def fetch_first_options(
    session: AsyncSession, site: Site, field: Field, chosen: Sequence[Any] = ()
) -> Options:
    """Fetch the options of the `chosen` values and the first others by title, cached."""
    # People who may not read the same fields of the records get different details.
    unseen = site.target_of(field).unseen
    cache, key = recent_cache_of(session), ("options", f"{field.column} {sorted(unseen)}")
    cached: Options | None = cache.get(key, CACHE_SECONDS)
    if cached is None:
        cached = await fetch_options(session, site, field)
        if cached.character_count <= MAX_CACHED_CHARACTERS:
            cache.put(key, cached)
    options = cached.headed_by({form_text(field, value) for value in chosen})
    return options or await fetch_options(session, site, field, chosen=chosen)


async def fetch_options(
    session: AsyncSession,
    site: Site,
    field: Field,
    text: str = "",
    chosen: Sequence[Any] = (),
) -> Options:
    """Fetch the records with each word of `text` in the title or a searched field, by title.

    The options of the `chosen` values come first, whether they match or not; then those whose
    title has all words. One statement; for a text, two more look for candidates in an index.
    """
    target = site.target_of(field)
    search, parameters = _search_of(site, target, text)
    if search.word_count and not search.has_value and _is_indexed(target):
        backend, limit = backend_of(session), candidates.MAX_RARE_CANDIDATES
        is_candidate = await backend.fetch_is_candidate(session, target, text, limit)
        search = replace(search, is_candidate=is_candidate)
        parameters |= {"trigrams": trigrams_of(text), "max_candidates": limit}
    if chosen:
        search = replace(search, chosen="one" if len(chosen) == 1 else "several")
        parameters["chosen"] = chosen[0] if len(chosen) == 1 else chosen
    rows = await fetch_few(session, _select_options(site, field, search), parameters)
    return _options_of(site, field, rows, text)


@statement_cache
def relation_to(resource: Resource, field: Field) -> Field:
    """Return a relation whose values are those of a field of `resource`."""
    return replace(field, relation=Relation(resource.model, field.name, None))


@dataclass(frozen=True)
class _Search:
    """How options are found, without values; without words and value every record is found.

    word_count: the number of words to look for in texts.
    has_value: whether the title field is not a text, but the text is one of its values.
    matches_nothing: whether there is a text but no record can have it.
    is_candidate: the predicate for the few candidates of an index, None to search all records.
    chosen: how many options are chosen.
    """

    word_count: int = 0
    has_value: bool = False
    matches_nothing: bool = False
    is_candidate: ColumnElement[bool] | None = None
    chosen: Literal["", "one", "several"] = ""


def _search_of(site: Site, target: Resource, text: str) -> tuple[_Search, dict[str, Any]]:
    """Return the search for a text among the records of a resource, and its parameters."""
    if not text:
        return _Search(), {}
    words = words_of(text) if _searched_columns(site, target) and can_match(text) else []
    parameters, title = word_parameters(words), target.titles.field
    if not title.is_text:
        with suppress(ValueError):
            parameters["title"] = title.clean(title.input(text))
    has_value = "title" in parameters
    return _Search(len(words), has_value, not (words or has_value)), parameters


def _is_indexed(target: Resource) -> bool:
    """Whether the trigram index has all columns that options are searched in."""
    title = target.titles.field
    return not title.is_text or title in target.search_fields


def _searched_columns(site: Site, target: Resource) -> list[ColumnElement[Any]]:
    # Of records without pages, only the titles leave the database.
    searched = target.search_fields if target in site else ()
    fields = dict.fromkeys((target.titles.field, *searched))
    return [field.exact for field in fields if field.is_text]


def _detail_fields(site: Site, target: Resource) -> tuple[Field, ...]:
    return target.detail_fields if target in site else ()


def _shown_fields(site: Site, target: Resource) -> tuple[Field, ...]:
    """Return the fields that titles and details consist of, and the key."""
    details = _detail_fields(site, target)
    return tuple(dict.fromkeys((*target.titles.fields, *details, *target.key)))


@statement_cache
def _select_options(site: Site, field: Field, search: _Search) -> Select[Any]:
    """Return the statement for the chosen options, with rank 0, and those found, with rank 1.

    Each row has the rank, the value, the title, and the `_shown_fields`.
    """
    assert field.relation is not None
    target = site.target_of(field)
    value_field, title_field = target.by_name[field.relation.target_column], target.titles.field
    fields = enumerate(_shown_fields(site, target))
    shown_columns = [each.exact.label(f"_{index}") for index, each in fields]
    value: ColumnElement[Any] = value_field.exact
    columns = (value.label("value"), title_field.exact.label("title"), *shown_columns)
    chosen = value_field.given("chosen", is_list=search.chosen == "several")
    is_chosen = value.in_(chosen) if search.chosen == "several" else value == chosen
    # SQLAlchemy cannot render an empty list whose values need a cast.
    is_other = ~is_chosen if search.chosen else true()
    others = select(literal(1).label("rank"), *columns).where(
        _matches(site, target, search), is_other
    )
    by_title = sorted_as(title_field, title_field.exact)
    if search.is_candidate is not None:
        # With a limit of its own, the subquery is evaluated before the rows are sorted.
        some = others.where(search.is_candidate).limit(LIMIT).subquery()
        others = select(*some.c)
        by_title, value = sorted_as(title_field, some.c.title), some.c.value
    found = others.order_by(by_title, value).limit(MAX_OPTIONS + 1)
    if not search.chosen:
        return found
    first = select(literal(0).label("rank"), *columns).where(is_chosen).subquery()
    both = union_all(select(first), select(found.subquery())).subquery()
    by_title = sorted_as(title_field, both.c.title)
    return select(*both.c).order_by(both.c.rank, by_title, both.c.value)


def _matches(site: Site, target: Resource, search: _Search) -> ColumnElement[bool]:
    title = target.titles.field
    predicates: list[ColumnElement[bool]] = []
    if search.word_count:
        predicates.append(matches_words(_searched_columns(site, target), search.word_count))
    if search.has_value:
        predicates.append(title.exact == title.given("title"))
    if not predicates and not search.matches_nothing:
        return true()
    return or_(false(), *predicates)


def _options_of(site: Site, field: Field, rows: Sequence[Row], text: str) -> Options:
    """Return the options of the rows of `_select_options`."""
    target = site.target_of(field)
    details = _detail_fields(site, target)
    names = [each.name for each in _shown_fields(site, target)]
    records = [dict(zip(names, row[3:], strict=True)) for row in rows]
    titles = [target.titles.of(record) for record in records]
    counts = Counter(titles)
    options = []
    for (rank, value, *_), record, title in zip(rows, records, titles, strict=True):
        is_clear = counts[title] == 1 and (not rank or _has_words(title, text))
        detail = "" if is_clear else _detail(details, record, title)
        options.append(Option(form_text(field, value), title, detail))
    options = _with_distinct_labels(target, options, records)
    found_count = sum(rank for rank, *_ in rows)
    has_more = found_count > MAX_OPTIONS
    if has_more:
        options.pop()
    chosen_count = len(rows) - found_count
    # A match in the title precedes one in another field.
    found = sorted(options[chosen_count:], key=lambda each: not _has_words(each.title, text))
    return Options((*options[:chosen_count], *found), has_more)


def _has_words(title: str, text: str) -> bool:
    folded = fold(title)
    return all(fold(word) in folded for word in words_of(text))


# Any: the values of a record.
def _detail(fields: Sequence[Field], record: Mapping[str, Any], title: str) -> str:
    texts = [shown_in_cell(field, record[field.name]) for field in fields]
    folded = fold(title)
    return shortened(" · ".join(text for text in texts if text and fold(text) not in folded))


# Any: the same.
def _with_distinct_labels(
    target: Resource, options: Sequence[Option], records: Sequence[Mapping[str, Any]]
) -> list[Option]:
    """Return the options, with the key in the detail of those that have the same label."""
    counts = Counter(option.label for option in options)
    distinct = []
    for option, record in zip(options, records, strict=True):
        if counts[option.label] > 1:
            keys = [f"{field.label} {shown(field, record[field.name])}" for field in target.key]
            detail = " · ".join(filter(None, (option.detail, *keys)))
            distinct.append(option._replace(detail=detail))
        else:
            distinct.append(option)
    return distinct
