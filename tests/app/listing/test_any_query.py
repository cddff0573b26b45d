"""Whatever a client sends is answered with what is wrong with it, and never with a 500."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.settings import Settings
from hero_admin.testing import Client, htmx_headers
from tests.cases import each
from tests.factories import a_hero, a_team, some_heroes
from tests.stored import Stored
from webapp.heroes import Hero

# What a list cannot do is named; what it does not know, or what asks for nothing, is left alone.
REFUSED = [
    "sort=nonsense",
    "sort=-",
    "sort=--age",
    "sort=%20name",
    "sort=__class__",
    "sort=secret_name;--",
    "sort=" + "x" * 15_000,
    "sort=%00",
    "size=0",
    "size=-1",
    "size=201",
    "size=abc",
    "size=2.5",
    "size=٣",
    "size=%2B5",
    "size=99999999999999999999",
    "size=" + "9" * 5_000,
    "team=abc",
    "team=none&team=x",
    "team=-99999999999999999999",
    "team=" + "9" * 5_000,
    "team=%00",
    "team=none&team=" + "&team=".join(map(str, range(500))),
    "age_min=abc",
    "age_max=1e5",
    "age_min=99999999999999999999",
    "age_max=-2147483649",
    "age_min=%00",
    "age_min=%ED%A0%80",
    "after=abc",
    "after=%00",
    "after=" + "A" * 15_000,
    "after=e30",
    "after=W10",
    "after=bnVsbA",
    "after=WyJuYW1lIixudWxsLFtdLDBd",
    "before=abc",
    "before=END",
    "after=" + "WyJuYW1lIiwi" * 900,
]
HARMLESS = [
    "",
    "&&&=&=",
    "unknown=1",
    "sort=",
    "size=",
    "team=",
    "team=%20",
    "age_min=&age_max=",
    "after=&before=",
    "team=99",
    "team=-5",
    "age=5",
    "age_min=-5",
    "name=x",
    "q=",
    "q=%20%20",
    "count=nonsense",
    "count=1",
    "count=exact",
    "q[]=1",
    "q=a&q=b",
    "sort=name&sort=age",
    "size=1&size=2",
    "page=7",
    "before=end",
    "before=end&after=",
    "%00=%00",
    "%FF=%FF",
    "q=%FF",
    "q=%",
    "q=%zz",
    "a" * 15_000,
    "&".join(f"p{number}={number}" for number in range(1_500)),
    ";".join("ab"),
]

TOO_BIG = "This request is too large."

URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
HUGE_SKIP = "skip=" + "9" * 5_000


def part(disposition: bytes, value: bytes) -> bytes:
    """A multipart body of one part."""
    head = b"--x\r\nContent-Disposition: form-data; " + disposition
    return head + b"\r\n\r\n" + value + b"\r\n--x--\r\n"


@pytest.fixture
async def one_hero(session: AsyncSession) -> None:
    await a_hero(session, team=await a_team(session))


async def test_a_list_says_what_it_cannot_do_and_shows_what_it_can(
    client: Client, session: AsyncSession
) -> None:
    await some_heroes(session, 2)
    for query in REFUSED:
        page = await client.get(f"/heroes?{query}")
        assert (query[:99], page.status_code) == (query[:99], 400)
        assert page.alert.endswith(".")
        assert len(page.rows) == 2


async def test_a_fragment_says_it_too(client: Client, session: AsyncSession) -> None:
    await some_heroes(session, 2)
    page = await client.get("/heroes?size=0", headers=htmx_headers("section#list"))
    assert (page.status_code, page.alert) == (400, "Choose between 1 and 200 rows per page.")
    assert len(page.rows) == 2


async def test_a_list_does_not_mind_what_asks_for_nothing(
    client: Client, session: AsyncSession
) -> None:
    await some_heroes(session, 2)
    for query in HARMLESS:
        page = await client.get(f"/heroes?{query}")
        assert (query[:99], page.status_code, page.alert) == (query[:99], 200, "")


@each(
    "query",
    ["skip=-1", "limit=-1", "limit=1001", "limit=x", "limit=", "skip=1e3", "limit=%00", HUGE_SKIP],
)
async def test_the_api_names_a_parameter_that_is_out_of_range(client: Client, query: str) -> None:
    answer = await client.get(f"/api/heroes/?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", query.partition("=")[0]]


@each(
    "address",
    [
        "/",
        "/heroes/new",
        "/heroes/1",
        "/heroes/1/edit",
        "/heroes/1/delete",
        "/heroes/options/team_id",
        "/api/docs",
    ],
)
async def test_any_parameter_may_come_with_any_page(
    client: Client, one_hero: None, address: str
) -> None:
    for query in (
        "q=%00",
        "q=%ED%A0%80",
        "name=%00&team_id=%00&age=%00",
        "name=%ED%A0%80&team_id=%ED%A0%80",
        "team_id=x&age=x",
        "team_id=99999999999999999999",
        "back=//evil.example&in=%00",
        "back=%00",
        "back=%ED%A0%80",
        "back=/" + "x" * 1_500,
        "name=" + "x" * 15_000,
        "team_id=" + "9" * 5_000,
    ):
        page = await client.get(f"{address}?{query}")
        assert (query[:99], page.status_code) == (query[:99], 200)
        assert "evil.example" not in [one.href for one in page.links]


# Methods


@each(
    ("path", "allowed"),
    [
        ("/", "GET, HEAD"),
        ("/theme", "POST"),
        ("/healthz", "GET, HEAD"),
        ("/heroes", "GET, HEAD, POST"),
        ("/heroes/new", "GET, HEAD, POST"),
        ("/heroes/options/team_id", "GET, HEAD"),
        ("/heroes/delete", "GET, HEAD, POST"),
        ("/heroes/1", "DELETE, GET, HEAD, POST"),
        ("/heroes/1/edit", "GET, HEAD, POST"),
        ("/heroes/1/delete", "GET, HEAD, POST"),
        ("/teams/1/heroes", "GET, HEAD"),
        ("/static/site.css", "GET, HEAD"),
        ("/api/openapi.json", "GET, HEAD"),
        ("/api/heroes/", "GET, HEAD, POST"),
        ("/api/heroes", "GET, HEAD, POST"),
        ("/api/heroes/1", "DELETE, GET, HEAD, PATCH"),
        ("/api/heroes/1/with-team", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_answered_with_the_allowed_ones(
    client: Client, path: str, allowed: str
) -> None:
    for method in ("PUT", "OPTIONS", "TRACE", "PROPFIND"):
        answer = await client.request(method, path)
        assert (answer.status_code, answer.headers.get("allow")) == (405, allowed), method


async def test_a_wrong_method_is_answered_as_the_client_can_read_it(client: Client) -> None:
    assert (await client.put("/heroes")).heading == "Method not allowed"
    assert (await client.put("/api/heroes/")).json() == {"detail": "Method not allowed"}


# Bodies


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_body_bytes": 2 * 2**20})


@each("path", ["/heroes", "/heroes/new", "/theme", "/api/heroes/"])
async def test_a_body_that_is_too_big_is_refused(client: Client, path: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"name=" + b"x" * 2**16

    is_page = not path.startswith("/api")
    headers = URLENCODED if is_page else {"Content-Type": "application/json"}
    declared = await client.post(path, content=b"name=" + b"x" * 2**21, headers=headers)
    chunked = await client.post(path, content=chunks(), headers=headers)
    assert (declared.status_code, chunked.status_code) == (413, 413)
    for answer in (declared, chunked):
        said = answer.heading if is_page else answer.json()["detail"]
        assert said.startswith("Request too large" if is_page else TOO_BIG)


async def test_a_length_that_is_none_is_not_believed(client: Client) -> None:
    for length in (b"-1", b"abc", b"9" * 5_000, b"\xb2"):
        headers = {b"Content-Type": URLENCODED["Content-Type"].encode(), b"Content-Length": length}
        answer = await client.post("/theme", content=b"theme=dark", headers=headers)
        assert answer.status_code in {303, 413}


@each("is_multipart", [False, True])
async def test_a_name_of_a_megabyte_is_refused_at_its_field(
    client: Client, stored: Stored, is_multipart: bool
) -> None:
    data = {"name": "x" * 2**20, "secret_name": "Cleo"}
    parts = {name: (None, value) for name, value in data.items()}
    page = (
        await client.post("/heroes", files=parts)
        if is_multipart
        else await client.post("/heroes", data=data)
    )
    assert page.status_code == 422
    assert page.error("Name") == "Use at most 200 characters."
    assert await stored.count(Hero) == 0


@each(
    ("content_type", "body"),
    [
        ("multipart/form-data", b""),
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=", b"--\r\n"),
        ("multipart/form-data; boundary=x", b"no boundary at all"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nno name\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x; charset=klingon", part(b'name="name"', b"Nova")),
        ("multipart/form-data; boundary=x", part(b'name="name"', b"\xff\xfe")),
        ("application/x-www-form-urlencoded; charset=klingon", b"name=Nova"),
    ],
)
async def test_a_form_that_arrives_broken_is_refused_as_such(
    client: Client, stored: Stored, content_type: str, body: bytes
) -> None:
    answer = await client.post("/heroes", content=body, headers={"Content-Type": content_type})
    assert answer.status_code in {400, 415, 422}
    assert await stored.count(Hero) == 0


@each(
    "content_type", ["application/json", "text/plain", "image/png", "nonsense", "", "a/b; c=\x7f"]
)
async def test_what_is_no_form_is_refused_by_a_page(
    client: Client, stored: Stored, content_type: str
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    page = await client.post("/heroes", content=b'{"name": "Nova"}', headers=headers)
    assert (page.status_code, page.heading) == (415, "Unsupported format")
    assert await stored.count(Hero) == 0


@each(
    "body",
    [
        b"name=%00&secret_name=%00",
        b"name=%FF&secret_name=x",
        b"name=%ED%A0%80&secret_name=x",
        b"name",
        b"=",
        b"&&&",
        b"\xff\xfe",
        b"name=x&name=&secret_name=y",
        b"age=" + b"9" * 100_000,
        b"&".join(b"a%d=1" % number for number in range(2_000)),
        b"team_id=%00&submission=" + b"x" * 100_000,
        b"id=99&name=+&secret_name=%E2%80%8B",
    ],
)
async def test_any_form_is_answered(client: Client, body: bytes) -> None:
    for path in ("/heroes", "/teams", "/heroes/new", "/heroes/delete"):
        answer = await client.post(path, content=body, headers=URLENCODED)
        assert answer.status_code < 500


# Other sites


@each("site", ["cross-site", "same-site", "nonsense"])
async def test_what_another_site_sends_is_refused(
    client: Client, one_hero: None, stored: Stored, site: str
) -> None:
    headers = {"Sec-Fetch-Site": site}
    answers = [
        await client.post("/heroes/1/delete", data={}, headers=headers),
        await client.delete("/heroes/1", headers=headers),
        await client.post("/heroes", data={"name": "x", "secret_name": "y"}, headers=headers),
        await client.delete("/api/heroes/1", headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert answers[0].heading == "Request blocked"
    assert await stored.count(Hero) == 1
    assert (await client.get("/heroes", headers=headers)).status_code == 200


async def test_every_answer_carries_the_headers_that_protect_it(client: Client) -> None:
    for path in ("/", "/no", "/heroes?sort=x", "/api/heroes/", "/static/site.css", "/healthz"):
        headers = (await client.get(path)).headers
        assert headers["content-security-policy"].startswith(
            "default-src 'none'; script-src 'self'"
        )
        assert headers["x-content-type-options"] == "nosniff"


async def test_a_forged_host_does_not_reach_the_page(client: Client) -> None:
    page = await client.get("/heroes", headers={"Host": "evil.example"})
    assert "evil.example" not in page.text
