"""Any request at all: generated ones find no way to make the application fail."""

import json
from urllib.parse import quote_from_bytes

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from tests.factories import some_heroes, some_teams
from tests.html import htmx_headers

# What stands where a text may stand, from what is meant to what is not.
MEANT = "1 2 99 new heroes team_id name -age none end true dark exact list /heroes?q=x with-team"
UNMEANT = "% _ \\ ٣ -1 +1 007 NaN 1e9 ~ .. , 🦸 //evil.example {{7}} 2147483648 9223372036854775808"
LONG = ["", " ", "\0", "\u202e", "9" * 5_000, "x" * 5_000]
NAMES = (
    "q sort size team age age_min age_max after before count id back then in skip limit name"
    " secret_name team_id team_id.q headquarters submission heroes theme"
)
SEGMENTS = (
    "heroes teams heroes.csv api new options delete edit theme static team_id with-team"
    " with-heroes docs openapi.json readyz 1 2"
)
METHODS = ["GET", "POST", "GET", "POST", "DELETE", "PATCH", "HEAD", "PUT", "OPTIONS"]


def one_of(words: str) -> st.SearchStrategy[bytes]:
    return st.sampled_from([word.encode() for word in words.split()])


texts = (
    one_of(MEANT)
    | one_of(UNMEANT)
    | st.sampled_from([text.encode() for text in LONG])
    | st.text(max_size=20).map(lambda text: text.encode())
    | st.binary(max_size=10)
)
pairs = st.lists(st.tuples(one_of(NAMES) | texts, texts), max_size=6)
paths = st.lists(one_of(SEGMENTS) | texts, max_size=4)
methods = st.sampled_from(METHODS)
headers = st.sampled_from([{}, htmx_headers("section#list"), htmx_headers("form#form")])
json_bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("name"), inner),
    max_leaves=5,
)


def encoded(parameters: list[tuple[bytes, bytes]]) -> bytes:
    return b"&".join(
        quote_from_bytes(name).encode() + b"=" + quote_from_bytes(value).encode()
        for name, value in parameters
    )


def url_of(path: list[bytes], query: list[tuple[bytes, bytes]]) -> httpx.URL:
    address = "/" + "/".join(quote_from_bytes(segment, safe="") for segment in path)
    raw_path = address.encode() + b"?" + encoded(query)
    return httpx.URL("http://localhost").copy_with(raw_path=raw_path)


@pytest.fixture
async def visited(client: httpx.AsyncClient, session: AsyncSession) -> httpx.AsyncClient:
    """A client of an app with something in it; an error that nobody answers fails the test."""
    teams = await some_teams(session, 2)
    await some_heroes(session, 3, teams[0])
    return client


def never_failing(count: int) -> settings:
    # The database is the same for all examples: whatever they do to it, the next one is answered.
    return settings(max_examples=count, suppress_health_check=list(HealthCheck))


@never_failing(150)
@given(method=methods, path=paths, query=pairs, form=pairs, sent=headers)
async def test_any_request_with_any_form_is_answered(
    visited: httpx.AsyncClient,
    method: str,
    path: list[bytes],
    query: list[tuple[bytes, bytes]],
    form: list[tuple[bytes, bytes]],
    sent: dict[str, str],
) -> None:
    url = url_of(path, query)
    body = {"Content-Type": "application/x-www-form-urlencoded", **sent}
    answer = await visited.request(method, url, content=encoded(form), headers=body)
    assert answer.status_code < 500


@never_failing(60)
@given(
    address=st.sampled_from(["/heroes", "/teams", "/teams/1", "/teams/1/heroes", "/heroes/new"]),
    query=pairs,
    sent=headers,
)
async def test_any_list_with_any_query_is_answered(
    visited: httpx.AsyncClient,
    address: str,
    query: list[tuple[bytes, bytes]],
    sent: dict[str, str],
) -> None:
    url = url_of(address.encode().split(b"/")[1:], query)
    answer = await visited.get(url, headers=sent)
    assert answer.status_code in {200, 400}


@never_failing(80)
@given(
    address=st.sampled_from(["/heroes", "/heroes/1", "/teams", "/teams/1", "/heroes/2/delete"]),
    form=pairs,
    sent=headers,
)
async def test_any_page_with_any_form_is_answered(
    visited: httpx.AsyncClient,
    address: str,
    form: list[tuple[bytes, bytes]],
    sent: dict[str, str],
) -> None:
    body = {"Content-Type": "application/x-www-form-urlencoded", **sent}
    answer = await visited.post(address, content=encoded(form), headers=body)
    assert answer.status_code < 500


@never_failing(80)
@given(
    method=st.sampled_from(["POST", "PATCH"]),
    address=st.sampled_from(["/api/heroes/", "/api/heroes/1", "/api/teams/", "/api/teams/1"]),
    body=json_bodies
    | st.dictionaries(st.sampled_from(["name", "secret_name", "age", "team_id"]), json_bodies),
)
async def test_the_api_answers_any_json(
    visited: httpx.AsyncClient, method: str, address: str, body: object
) -> None:
    # With NaN, Infinity and halves of characters, as careless clients write them.
    content = json.dumps(body).encode()
    sent = {"Content-Type": "application/json"}
    answer = await visited.request(method, address, content=content, headers=sent)
    assert answer.status_code < 500
    assert answer.headers["content-type"] == "application/json"
