"""The JSON API: what each request is answered with, to the letter."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.testing import Client
from tests.cases import each, on_one_database
from tests.factories import a_hero, a_team, some_heroes
from tests.statements import Statements
from tests.stored import Stored
from webapp.heroes import Hero
from webapp.teams import Team

NOT_FOUND = {"detail": "Hero not found"}
NOVA = {"name": "Nova", "secret_name": "Cleo"}
# Somebody who has not retired.
ACTIVE = {"retired_on": None, "retirement_note": None}


# Creating


async def test_posting_a_hero_creates_it(client: Client, stored: Stored) -> None:
    answer = await client.post("/api/heroes/", json={**NOVA, "age": 30})
    hero = {"id": 1, "name": "Nova", "secret_name": "Cleo", "age": 30, "team_id": None, **ACTIVE}
    assert (answer.status_code, answer.json()) == (201, hero)
    (saved,) = await stored.all(Hero)
    assert saved.model_dump() == hero


async def test_a_posted_id_is_ignored(client: Client) -> None:
    answer = await client.post("/api/heroes/", json={**NOVA, "id": 99, "unknown": 1})
    assert (answer.status_code, answer.json()["id"]) == (201, 1)


async def test_text_is_trimmed(client: Client) -> None:
    answer = await client.post("/api/heroes/", json={"name": "  Nova ", "secret_name": "\tC\n"})
    assert (answer.json()["name"], answer.json()["secret_name"]) == ("Nova", "C")


@each(
    ("field", "value"),
    [
        ("name", None),
        ("name", ""),
        ("name", "  \u200b"),
        ("name", "x" * 201),
        ("name", 7),
        ("name", "a\0b"),
        ("name", ["Nova"]),
        ("secret_name", None),
        ("secret_name", "   "),
        ("age", -1),
        ("age", 150_001),
        ("age", 10**30),
        ("age", "old"),
        ("age", 1.5),
        ("age", {}),
        ("team_id", 99),
        ("team_id", "x"),
        ("team_id", 2**31),
        ("team_id", 2**63),
        ("team_id", -(2**63) - 1),
    ],
)
async def test_what_a_hero_cannot_be_is_named(
    client: Client, stored: Stored, field: str, value: object
) -> None:
    answer = await client.post("/api/heroes/", json={**NOVA, field: value})
    assert answer.status_code == 422
    (detail,) = answer.json()["detail"]
    assert detail["loc"] == ["body", field]
    assert detail["msg"]
    assert await stored.count(Hero) == 0


async def test_a_missing_name_is_named(client: Client) -> None:
    answer = await client.post("/api/heroes/", json={"secret_name": "Cleo"})
    assert answer.status_code == 422
    assert [detail["loc"] for detail in answer.json()["detail"]] == [["body", "name"]]


async def test_a_taken_team_name_is_named(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    await a_team(session, "Preventers")
    answer = await client.post("/api/teams/", json={"name": " Preventers "})
    assert answer.status_code == 422
    assert answer.json()["detail"] == [
        {
            "type": "invalid",
            "loc": ["body", "name"],
            "msg": "Another team is called “Preventers”.",
        }
    ]
    assert await stored.count(Team) == 1


async def test_an_unknown_team_is_named(client: Client) -> None:
    answer = await client.post("/api/heroes/", json={**NOVA, "team_id": 99})
    assert answer.json()["detail"][0]["msg"] == "This team no longer exists. Choose another one."


@each(
    "body",
    [
        b"",
        b"{",
        b"{'name': 'Nova'}",
        b"null",
        b"[]",
        b'"Nova"',
        b"7",
        b'{"name": "Nova", "secret_name": "Cleo", "age": NaN}',
        b'{"name": "Nova", "secret_name": "Cleo", "age": Infinity}',
        b'{"name": "Nova", "secret_name": "Cleo", "age": 1e999}',
        b'{"name": "\\ud800", "secret_name": "Cleo"}',
        b'{"name": "\xff", "secret_name": "Cleo"}',
        b'{"name": "Nova", "secret_name": "Cleo", "age": ' + b"9" * 10_000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"\xfe\xff",
        b"\x00",
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(
    client: Client, stored: Stored, body: bytes
) -> None:
    headers = {"Content-Type": "application/json"}
    for method, path in (("POST", "/api/heroes/"), ("PATCH", "/api/heroes/1")):
        answer = await client.request(method, path, content=body, headers=headers)
        assert answer.status_code in {400, 404, 422}
        assert answer.json()["detail"]
        assert "Traceback" not in answer.text
    assert await stored.count(Hero) == 0


async def test_a_form_is_no_json(client: Client) -> None:
    assert (await client.post("/api/heroes/", data=NOVA)).status_code == 422


# Reading


async def test_a_hero_is_read(client: Client, session: AsyncSession) -> None:
    team = await a_team(session)
    await a_hero(session, "Nova", "Cleo", 30, team)
    answer = await client.get("/api/heroes/1")
    hero = {"id": 1, "name": "Nova", "secret_name": "Cleo", "age": 30, "team_id": team.id, **ACTIVE}
    assert (answer.status_code, answer.json()) == (200, hero)


async def test_a_hero_is_read_with_its_team(client: Client, session: AsyncSession) -> None:
    team = await a_team(session, "Preventers", "Sharp Tower")
    await a_hero(session, "Nova", team=team)
    await a_hero(session, "Rusty")
    nova = (await client.get("/api/heroes/1/with-team")).json()
    assert nova["team"] == {"id": 1, "name": "Preventers", "headquarters": "Sharp Tower"}
    assert nova["name"] == "Nova"
    assert (await client.get("/api/heroes/2/with-team")).json()["team"] is None


async def test_a_hero_with_its_team_takes_three_statements(
    viewer: Client, session: AsyncSession, statements: Statements
) -> None:
    await a_hero(session, team=await a_team(session))
    # Whoever sees masked values leaves an event.
    with statements() as executed:
        await viewer.get("/api/heroes/1/with-team")
    # The first asks who is asking.
    assert len(executed) == 3


async def test_a_team_is_read_with_its_heroes_by_the_page(
    client: Client, session: AsyncSession
) -> None:
    await some_heroes(session, 5, await a_team(session))
    await a_hero(session, "Rusty")
    answer = await client.get("/api/teams/1/with-heroes")
    assert [hero["name"] for hero in answer.json()["heroes"]] == [
        f"Hero 00{n}" for n in range(1, 6)
    ]
    answer = await client.get("/api/teams/1/with-heroes?skip=1&limit=2")
    assert [hero["id"] for hero in answer.json()["heroes"]] == [2, 3]
    assert answer.json()["name"] == "Preventers"


async def test_heroes_are_listed_by_the_page(client: Client, session: AsyncSession) -> None:
    await some_heroes(session, 105)
    answer = await client.get("/api/heroes/")
    assert [hero["id"] for hero in answer.json()] == list(range(1, 101))
    answer = await client.get("/api/heroes/?skip=100&limit=3")
    assert [hero["id"] for hero in answer.json()] == [101, 102, 103]
    assert (await client.get("/api/heroes/?skip=1000")).json() == []
    assert (await client.get("/api/heroes/?limit=0")).json() == []
    assert len((await client.get("/api/heroes/?limit=1000")).json()) == 105


async def test_an_empty_list_is_a_list(client: Client) -> None:
    for path in ("/api/heroes/", "/api/heroes", "/api/teams/"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()) == (200, [])


# Changing


async def test_patching_changes_only_what_was_sent(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    await a_hero(session, "Nova", "Cleo", 30, await a_team(session))
    answer = await client.patch("/api/heroes/1", json={"age": 31})
    hero = {"id": 1, "name": "Nova", "secret_name": "Cleo", "age": 31, "team_id": 1, **ACTIVE}
    assert (answer.status_code, answer.json()) == (200, hero)
    answer = await client.patch("/api/heroes/1", json={})
    assert (answer.status_code, answer.json()) == (200, hero)
    answer = await client.patch("/api/heroes/1", json={"age": None, "team_id": None})
    assert answer.json() == {**hero, "age": None, "team_id": None}
    (saved,) = await stored.all(Hero)
    assert saved.model_dump() == answer.json()


@on_one_database
@pytest.mark.parametrize("field", ["name", "secret_name"])
@pytest.mark.parametrize("value", [None, "", " "], ids=repr)
async def test_what_is_needed_cannot_be_taken_away(
    client: Client, session: AsyncSession, stored: Stored, field: str, value: str | None
) -> None:
    await a_hero(session, "Nova", "Cleo")
    answer = await client.patch("/api/heroes/1", json={field: value, "age": 5})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]
    (saved,) = await stored.all(Hero)
    assert (saved.name, saved.secret_name, saved.age) == ("Nova", "Cleo", None)


async def test_an_id_cannot_be_changed(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    await a_hero(session)
    answer = await client.patch("/api/heroes/1", json={"id": 2})
    assert answer.json()["id"] == 1
    assert [hero.id for hero in await stored.all(Hero)] == [1]


async def test_a_team_keeps_its_own_name_and_takes_no_other_ones(
    client: Client, session: AsyncSession
) -> None:
    await a_team(session, "Preventers")
    await a_team(session, "Z-Force")
    same = await client.patch("/api/teams/1", json={"name": "Preventers", "headquarters": None})
    assert (same.status_code, same.json()["headquarters"]) == (200, None)
    taken = await client.patch("/api/teams/1", json={"name": "Z-Force"})
    assert (taken.status_code, taken.json()["detail"][0]["loc"]) == (422, ["body", "name"])


# Deleting


async def test_deleting_is_answered_with_nothing_and_then_with_not_found(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    await a_hero(session)
    answer = await client.delete("/api/heroes/1")
    assert (answer.status_code, answer.content) == (204, b"")
    again = await client.delete("/api/heroes/1")
    assert (again.status_code, again.json()) == (404, NOT_FOUND)
    assert await stored.count(Hero) == 0


async def test_deleting_a_team_leaves_its_heroes_without_one(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    await a_hero(session, team=await a_team(session))
    assert (await client.delete("/api/teams/1")).status_code == 204
    assert [hero.team_id for hero in await stored.all(Hero)] == [None]


# Refusing


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/heroes/1"),
        ("PATCH", "/api/heroes/1"),
        ("DELETE", "/api/heroes/1"),
        ("GET", "/api/heroes/1/with-team"),
    ],
)
async def test_a_hero_that_is_not_there_is_not_found(
    client: Client, method: str, path: str
) -> None:
    answer = await client.request(method, path, json={"age": 1} if method == "PATCH" else None)
    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


async def test_a_team_that_is_not_there_is_not_found(client: Client) -> None:
    for path in ("/api/teams/1", "/api/teams/1/with-heroes"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()) == (404, {"detail": "Team not found"})


@on_one_database
@pytest.mark.parametrize("query", ["limit=1001", "limit=-1", "skip=-1", "limit=all"])
async def test_a_page_has_its_limits(client: Client, query: str) -> None:
    for path in ("/api/heroes/", "/api/heroes"):
        answer = await client.get(f"{path}?{query}")
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["query", query.partition("=")[0]]


async def test_head_is_answered_like_get(client: Client, session: AsyncSession) -> None:
    await a_hero(session)
    for path in ("/api/heroes/", "/api/heroes/1", "/api/heroes/1/with-team", "/api/heroes/9"):
        got, head = await client.get(path), await client.head(path)
        assert head.status_code == got.status_code
        assert head.headers["content-length"] == got.headers["content-length"]


# Describing


async def test_the_openapi_document_describes_every_request(client: Client) -> None:
    document = (await client.get("/api/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert {path: sorted(found) for path, found in document["paths"].items()} == {
        "/heroes/": ["get", "post"],
        "/heroes/actions/retire": ["post"],
        "/heroes/actions/transfer": ["post"],
        "/heroes/{id}": ["delete", "get", "patch"],
        "/heroes/{id}/with-team": ["get"],
        "/jobs/{id}": ["get"],
        "/jobs/{id}/cancel": ["post"],
        "/teams/": ["get", "post"],
        "/teams/{id}": ["delete", "get", "patch"],
        "/teams/{id}/with-heroes": ["get"],
    }
    assert {
        "HeroCreate",
        "HeroUpdate",
        "HeroRead",
        "HeroReadWithTeam",
        "TeamReadWithHeroes",
    } <= set(document["components"]["schemas"])
    assert document["servers"] == [{"url": "/api"}]


async def test_the_openapi_document_holds_together(client: Client) -> None:
    document = (await client.get("/api/openapi.json")).json()
    operations = [found for path in document["paths"].values() for found in path.values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))
    for reference in _references(document):
        found: object = document
        for part in reference.removeprefix("#/").split("/"):
            assert isinstance(found, dict)
            found = found[part]
    created = document["paths"]["/heroes/"]["post"]["responses"]
    assert created.keys() == {"201", "400", "401", "403", "422"}
    assert document["paths"]["/heroes/{id}"]["delete"]["responses"].keys() >= {"204", "404"}


async def test_an_update_needs_nothing_and_a_creation_what_the_form_needs(client: Client) -> None:
    schemas = (await client.get("/api/openapi.json")).json()["components"]["schemas"]
    assert schemas["HeroCreate"]["required"] == ["name", "secret_name"]
    assert "required" not in schemas["HeroUpdate"]
    assert schemas["HeroUpdate"]["properties"]["name"]["maxLength"] == 200
    assert "null" not in str(schemas["HeroUpdate"]["properties"]["name"])


def _references(document: object) -> list[str]:
    if isinstance(document, dict):
        own = [document["$ref"]] if isinstance(document.get("$ref"), str) else []
        return own + [one for value in document.values() for one in _references(value)]
    if isinstance(document, list):
        return [one for value in document for one in _references(value)]
    return []


@on_one_database
@pytest.mark.parametrize("age", [True, False, [7], {"a": 1}, 7.5])
async def test_what_is_no_age_is_none_in_json_either(
    client: Client, session: AsyncSession, age: object
) -> None:
    await a_hero(session, age=3)
    refused = [
        await client.patch("/api/heroes/1", json={"age": age}),
        await client.post("/api/heroes/", json={"name": "N", "secret_name": "S", "age": age}),
    ]
    assert [answer.status_code for answer in refused] == [422, 422]
    assert refused[0].json()["detail"][0]["loc"] == ["body", "age"]
    assert (await client.get("/api/heroes/1")).json()["age"] == 3
