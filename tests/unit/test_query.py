"""The list query: the address of a list holds all of its state, and nothing but."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from hero_admin.listing.filter_menus import described
from hero_admin.listing.query import DEFAULT_SIZE, ListQuery, Scope
from hero_admin.listing.query_parser import parse_query, sortable_fields
from hero_admin.listing.urls import ListUrls
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from tests.gadgets import Gadget, Maker
from webapp.app import admin
from webapp.heroes import heroes

site = Site(admin.resources)
AGE = heroes.by_name["age"]


def parsed(query: str, scope: Scope | None = None) -> ListQuery:
    return parse_query(site, heroes, "/heroes", QueryParams(query), scope)


def test_an_address_without_parameters_is_the_list_as_it_is_by_default() -> None:
    query = parsed("")
    assert (query.text, query.sort.text, query.size, query.is_narrowed) == ("", "name", 25, False)
    assert (ListUrls(query).current, query.problems) == ("/heroes", ())


@pytest.mark.parametrize(
    "query",
    [
        "",
        "q=nova",
        "q=100%25+%26+more",
        "team=1&team=2&team=none",
        "age=none&age_min=18&age_max=40",
        "sort=-age&size=50",
        "q=n&team=none&age_min=0&sort=team_id&size=1",
        "before=end",
    ],
)
def test_an_address_is_written_as_it_was_read(query: str) -> None:
    found = parsed(query)
    assert found.problems == ()
    assert parse_qsl(urlsplit(ListUrls(found).current).query) == parse_qsl(query)


@pytest.mark.parametrize("query", ["sort=name&size=25&q=&team=", "unknown=1", "count=1", "q=+"])
def test_what_says_nothing_is_left_out_of_the_address(query: str) -> None:
    assert ListUrls(parsed(query)).current == "/heroes"


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "q": st.text(),
            "sort": st.sampled_from(["name", "-name", "age", "team_id", "x", ""]) | st.text(),
            "size": st.integers(-5, 300).map(str) | st.text(),
            "team": st.integers().map(str) | st.sampled_from(["none", ""]) | st.text(),
            "age": st.sampled_from(["none", ""]) | st.text(),
            "age_min": st.integers(-10, 200_000).map(str) | st.text(),
            "age_max": st.integers(-10, 200_000).map(str) | st.text(),
            "after": st.text(),
            "before": st.just("end") | st.text(),
        },
    )
)
def test_any_address_is_read_and_its_own_address_reads_the_same(params: dict[str, str]) -> None:
    query = parse_query(site, heroes, "/heroes", QueryParams(params))
    for problem in map(str, query.problems):
        assert problem[0].isupper()
        assert problem.endswith(".")
    again = parsed(urlsplit(ListUrls(query).current).query)
    assert again.problems == ()
    assert ListUrls(again).current == ListUrls(query).current
    assert (again.text, again.filters, again.sort, again.size) == (
        query.text,
        query.filters,
        query.sort,
        query.size,
    )


def test_turning_a_column_round_starts_at_the_first_page() -> None:
    query = parsed("q=nova&sort=age&size=50&before=end")
    assert ListUrls(query).sorted_by(AGE) == "/heroes?q=nova&sort=-age&size=50"
    turned = parsed("q=nova&sort=-age&size=50")
    assert ListUrls(turned).sorted_by(AGE) == "/heroes?q=nova&sort=age&size=50"
    assert (query.sort.direction_of(AGE), query.sort.direction_of(heroes.by_name["name"])) == (
        "ascending",
        "",
    )


def test_a_filter_is_taken_away_alone() -> None:
    query = parsed("q=nova&team=1&age_min=5&sort=-age")
    team = query.filters[0]
    assert ListUrls(query).without(team) == "/heroes?q=nova&age_min=5&sort=-age"
    assert ListUrls(query).unfiltered == "/heroes?q=nova&sort=-age"
    assert ListUrls(query).cleared == "/heroes?sort=-age"


def test_a_list_of_one_team_neither_shows_nor_filters_it() -> None:
    query = parsed("team=5&q=n", Scope(heroes.by_name["team_id"], 3))
    assert [field.name for field in query.fields] == ["name", "secret_name", "age"]
    assert [filter.name for filter in query.filters] == ["age"]
    assert ListUrls(query).current == "/heroes?q=n"
    assert query.is_narrowed


@pytest.mark.parametrize(("size", "number"), [("1", 1), ("200", 200), ("", DEFAULT_SIZE)])
def test_a_page_may_have_any_size_up_to_the_largest(size: str, number: int) -> None:
    query = parsed(f"size={size}")
    assert (query.size, query.problems) == (number, ())
    assert number in ListUrls(query).sizes


@pytest.mark.parametrize("size", ["0", "201", "-1", "1.5", "٣", "007x", "9" * 5_000])
def test_a_page_of_another_size_has_the_usual_one_and_says_so(size: str) -> None:
    query = parsed(f"size={size}")
    (problem,) = query.problems
    assert (query.size, problem.parameter) == (DEFAULT_SIZE, "size")
    assert str(problem) == "Choose between 1 and 200 rows per page."


def test_too_many_values_are_named() -> None:
    query = parsed("&".join(f"team={number}" for number in range(1, 102)))
    assert [*map(str, query.problems)] == ["Team: choose at most 100 values."]
    assert len(query.filters[0].values) == 100


def test_json_and_the_like_are_not_sorted_by() -> None:
    names = {field.name for field in sortable_fields(Resource(Gadget))}
    assert "data" not in names
    assert {"title", "made_on", "condition"} <= names


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("age_min=18", "Age ≥ 18"),
        ("age_max=40", "Age ≤ 40"),
        ("age_min=18&age_max=40&age=none", "Age 18 – 40, none"),
        ("age=none", "No age"),
    ],
)
def test_a_filter_is_put_into_words(query: str, words: str) -> None:
    assert described(parsed(query).filters[1], ()) == words


def test_an_acronym_stays_one_where_a_value_is_missing() -> None:
    age = parsed("age=none").filters[1]
    assert replace(age, field=replace(age.field, label="VAT rate")).none_label == "No VAT rate"


def test_no_value_is_told_from_a_text_that_reads_the_same() -> None:
    gadgets = Resource(Gadget)
    both = Site((gadgets, Resource(Maker)))
    for raw, is_none, values in (("none", False, ("none",)), ("+none", True, ())):
        query = parse_query(both, gadgets, "/gadgets", QueryParams(f"maker_code={raw}"))
        (maker,) = [filter for filter in query.filters if filter.name == "maker_code"]
        assert (maker.has_none, maker.values) == (is_none, values)
        assert ListUrls(query).current == f"/gadgets?maker_code={raw}"
