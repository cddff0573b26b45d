"""Any request at all: generated ones find no way to make the application fail or hang."""

import json
from collections.abc import Sequence
from urllib.parse import quote_from_bytes

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.database.engines import Database
from hero_admin.person import Role
from hero_admin.testing import BASE_URL, Client, Page, htmx_headers
from tests.addresses import addresses
from tests.factories import some_heroes, some_teams
from tests.signing_in import sign_in_by

# What stands where a text may stand, from what is meant to what is not.
MEANT = "1 2 99 new heroes team_id name -age none end true dark exact list /heroes?q=x with-team"
UNMEANT = "% _ \\ ٣ -1 +1 007 NaN 1e9 ~ .. , 🦸 //evil.example {{7}} 2147483648 9223372036854775808"
LONG = ["", " ", "\0", "\u202e", "9" * 5_000, "x" * 5_000]
NAMES = (
    "q sort size team age age_min age_max after before count id back then in skip limit name"
    " secret_name team_id team_id.q headquarters submission heroes theme opened.name theirs.name"
    " clear kind by resource date token next password again role days"
)
# What may stand for {id}, {field}, {relation} and the like.
PARAMETERS = "1 2 99 1,2 ~ team_id name heroes team site.css"
METHODS = ["GET", "POST", "GET", "POST", "DELETE", "PATCH", "HEAD", "PUT", "OPTIONS", "TRACE", "X"]
HEADERS: list[dict[str, str]] = [
    {},
    htmx_headers("section#list"),
    htmx_headers("form#form"),
    {"If-Match": '"x"', "If-None-Match": "*"},
    {"Cookie": "flash=e30; theme=x; session=x; flash=%00"},
    {"Authorization": "Bearer \xff"},
    {"Range": "bytes=5-1", "Accept": "*/*;q=x", "Accept-Encoding": "gzip, zstd;q=2, \xff"},
    {"If-Modified-Since": "never", "If-Range": "x", "Range": "bytes=0-0,1-1"},
    {"HX-Request": "true", "HX-Target": "\xff#\xff", "HX-Current-URL": "http://["},
]


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
parameters = st.lists(one_of(PARAMETERS) | one_of(PARAMETERS) | texts, min_size=3, max_size=3)
headers = st.sampled_from(HEADERS) | st.dictionaries(
    st.sampled_from(["HX-Target", "HX-Request-Type", "Cookie", "If-Match", "Accept", "Referer"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20),
    max_size=3,
)
json_bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("name"), inner),
    max_leaves=5,
)
fields = ["name", "secret_name", "age", "team_id"]
json_records = st.dictionaries(st.sampled_from(fields), json_bodies)


def encoded(parameters: Sequence[tuple[bytes, bytes]]) -> bytes:
    return b"&".join(
        quote_from_bytes(name).encode() + b"=" + quote_from_bytes(value).encode()
        for name, value in parameters
    )


def multipart(parts: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A form as careless programs write it: names and values stand in it as they are."""
    lines = [
        b'--B\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
        % (name, b'; filename="x"' * (len(value) % 2), value)
        for name, value in parts
    ]
    return b"".join(lines) + b"--B--\r\n"


# A type and a body that may or may not be of it.
bodies = (
    pairs.map(lambda form: ("application/x-www-form-urlencoded", encoded(form)))
    | pairs.map(lambda form: ("multipart/form-data; boundary=B", multipart(form)))
    # With NaN, Infinity and halves of characters, as careless clients write them.
    | (json_records | json_bodies).map(lambda body: ("application/json", json.dumps(body).encode()))
    | st.tuples(
        st.sampled_from(
            ["", "application/json", "multipart/form-data", "multipart/form-data; boundary=", "x"]
        ),
        st.binary(max_size=50),
    )
)


def url_of(template: str, values: list[bytes], query: list[tuple[bytes, bytes]]) -> httpx.URL:
    """A route's path with these values for its parameters."""
    first, *others = template.split("\0")
    quoted = [quote_from_bytes(value, safe="") for value in values]
    path = first + "".join(value + other for value, other in zip(quoted, others, strict=False))
    return httpx.URL(BASE_URL).copy_with(raw_path=path.encode() + b"?" + encoded(query))


@pytest.fixture
def paths(app: Starlette) -> list[str]:
    """Every route of the app, its parameters written as NUL; and where there is none."""
    found = dict.fromkeys(addresses(app.routes, {}, "\0"))
    return [*found, "/\0", "/\0/\0", "/heroes/\0/\0/\0", "/api/\0", "/static/\0", "/static/\0/\0"]


@pytest.fixture
async def visited(client: Client, session: AsyncSession) -> Client:
    """A client of an app with something in it; an error that nobody answers fails the test."""
    teams = await some_teams(session, 2)
    await some_heroes(session, 3, teams[0])
    return client


async def answer_to(
    client: Client,
    method: str,
    url: httpx.URL | str,
    headers: httpx.Headers | dict[str, str],
    content: bytes = b"",
) -> Page:
    """The answer, which blames nobody but the sender."""
    answer = await client.request(method, url, headers=headers, content=content)
    assert answer.status_code < 500, f"{method} {url}"
    return answer


def never_failing(count: int) -> settings:
    # The database is the same for all examples: whatever they do to it, the next one is answered.
    return settings(max_examples=count, suppress_health_check=list(HealthCheck))


@never_failing(400)
@given(
    data=st.data(),
    role=st.sampled_from([*Role, None]),
    method=st.sampled_from(METHODS),
    values=parameters,
    query=pairs,
    body=bodies,
    sent=headers,
)
async def test_any_request_to_any_route_is_answered_whoever_asks(
    visited: Client,
    database: Database,
    paths: list[str],
    role: Role | None,
    data: st.DataObject,
    method: str,
    values: list[bytes],
    query: list[tuple[bytes, bytes]],
    body: tuple[str, bytes],
    sent: dict[str, str],
) -> None:
    url = url_of(data.draw(st.sampled_from(paths)), values, query)
    # The last one may have signed out, or have been disabled.
    visited.cookies.clear()
    if role is not None:
        await sign_in_by(database, visited, role)
    content_type, content = body
    raw = {name.encode(): value.encode("latin-1") for name, value in sent.items()}
    if content_type:
        raw[b"Content-Type"] = content_type.encode()
    await answer_to(visited, method, url, httpx.Headers(raw), content)


@never_failing(60)
@given(
    address=st.sampled_from(["/heroes", "/teams", "/teams/1", "/teams/1/heroes", "/heroes/new"]),
    query=pairs,
    sent=st.sampled_from(HEADERS[:3]),
)
async def test_any_list_with_any_query_is_answered(
    visited: Client,
    address: str,
    query: list[tuple[bytes, bytes]],
    sent: dict[str, str],
) -> None:
    answer = await answer_to(visited, "GET", url_of(address, [], query), sent)
    assert answer.status_code in {200, 400}


@never_failing(80)
@given(
    address=st.sampled_from(
        ["/heroes", "/heroes/1", "/teams", "/teams/1", "/heroes/change", "/heroes/2/delete"]
    ),
    form=pairs,
    sent=st.sampled_from(HEADERS[:3]),
)
async def test_any_page_with_any_form_is_answered(
    visited: Client,
    address: str,
    form: list[tuple[bytes, bytes]],
    sent: dict[str, str],
) -> None:
    body = {"Content-Type": "application/x-www-form-urlencoded", **sent}
    await answer_to(visited, "POST", address, body, encoded(form))


@never_failing(80)
@given(
    method=st.sampled_from(["POST", "PATCH"]),
    address=st.sampled_from(["/api/heroes/", "/api/heroes/1", "/api/teams/", "/api/teams/1"]),
    body=json_bodies | json_records,
)
async def test_the_api_answers_any_json(
    visited: Client, method: str, address: str, body: object
) -> None:
    sent = {"Content-Type": "application/json"}
    content = json.dumps(body).encode()
    answer = await answer_to(visited, method, address, sent, content)
    assert answer.headers["content-type"] == "application/json"
