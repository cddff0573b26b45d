"""Searching a list: each word is looked for as it stands, whatever its case and accents."""

from urllib.parse import quote_from_bytes

import httpx
import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database import sqlite_interruption
from hero_admin.listing.search import candidates, plan, postgresql, skip_scan
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.cases import each
from tests.factories import a_hero, a_team, some_heroes
from tests.serving import serving
from tests.statements import all_statements
from webapp.app import admin
from webapp.heroes import Hero


async def found(client: Client, text: str) -> list[str]:
    page = await client.get("/heroes", params={"q": text})
    assert page.status_code == 200
    return page.column("Name")


@each(
    ("text", "name", "other"),
    [
        ("100%", "100% Man", "1000 Man"),
        ("%", "100% Man", "1000 Man"),
        ("a_b", "Aa_ba", "Aaxba"),
        ("_", "Aa_ba", "Aaxba"),
        ("c\\d", "C\\D", "CD"),
        ("\\", "C\\D", "CD"),
        ("\\%", "x\\%y", "x%y"),
        ("/_", "x/_y", "x/zy"),
        ("'; --", "O'; --Hara", "OHara"),
        ('"', 'The "Fist"', "The Fist"),
        ("<b>", "<b>Bold</b>", "Bold"),
        ("🦸", "Hero 🦸", "Hero 🦹"),
        ("بطل", "البطل", "Hero"),
        ("??", "Who??", "Who?"),
        ("[a", "[abc]", "abc"),
        ("*", "St*r", "Star"),
    ],
)
async def test_every_character_is_looked_for_as_it_stands(
    client: Client, session: AsyncSession, text: str, name: str, other: str
) -> None:
    await session.execute(delete(Hero))
    await a_hero(session, name)
    await a_hero(session, other)
    assert await found(client, text) == [name]


@each(
    ("text", "name"),
    [
        ("lukasz", "Łukasz"),
        ("ŁUKASZ", "lukasz"),
        ("zoe", "Zoë"),
        ("Zoë", "ZOE"),
        ("zoe\u0308", "Zoë"),
        ("STRASSE", "Straße"),
        ("soren", "Søren"),
        ("ÅNGSTRÖM", "ångström"),
        ("istanbul", "İSTANBUL"),
        ("ΟΔΥΣ", "Οδυσσεύς"),
        ("МОСКВА", "москва"),
        ("ﬁre", "Fire"),
        ("２", "Hero 2"),
    ],
)
async def test_case_and_accents_do_not_matter(
    client: Client, session: AsyncSession, text: str, name: str
) -> None:
    await session.execute(delete(Hero))
    await a_hero(session, name)
    await a_hero(session, "Somebody else")
    assert await found(client, text) == [name]


async def test_no_search_tells_a_secret_name(client: Client, session: AsyncSession) -> None:
    await a_hero(session, "Nova", "Dive Wilson")
    assert await found(client, "wilson") == []


async def test_nothing_invisible_around_the_text_matters(
    client: Client, session: AsyncSession
) -> None:
    await a_hero(session, "Nova")
    # As it comes from other pages, by copying.
    for text in ("  nova ", "   ", "nova\u200b", "\u200f\ufeffNova\u00a0", "\u202anova\u202c"):
        assert await found(client, text) == ["Nova"]


async def test_each_word_is_looked_for_in_any_column_whatever_their_order(
    client: Client, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_team(session, "Preventers", "Sharp Tower")
    await a_team(session, "Preventers of Ox", "Sharp Hall")
    await a_team(session, "Ox", "Ha 9")

    async def names(text: str) -> list[str]:
        page = await client.get("/teams", params={"q": text})
        return page.column("Name")

    # At once, by looking at each team, and by the index.
    for few, length in ((candidates.MAX_FIRST_CANDIDATES, 1), (-1, plan.SHORT_SCAN), (-1, 1)):
        monkeypatch.setattr(candidates, "MAX_FIRST_CANDIDATES", few)
        monkeypatch.setattr(plan, "FIRST_SEARCH", length)
        monkeypatch.setattr(plan, "SHORT_SCAN", length)
        assert await names("preventers tower") == ["Preventers"]
        assert await names("  Hall   PREVENT") == ["Preventers of Ox"]
        assert await names("of sharp") == ["Preventers of Ox"]
        assert await names("sharp p r e v e n t e r s") == []
        assert await names("tower hall") == []
        # No index knows so short words.
        assert await names("9 ox") == ["Ox"]
    page = await client.get("/teams?q=sharp+prevent")
    assert "1–2 of 2" in page.visible_text
    exported = await client.get("/teams.csv?q=hall+prevent")
    assert exported.text.count("\r\n") == 2


@pytest.mark.parametrize("few", [candidates.MAX_FIRST_CANDIDATES, -1])
@each("text", ["\0", "no\0va", "\ud800", "\u200f\u202e"])
async def test_a_text_that_nothing_can_contain_finds_nothing(
    client: Client,
    session: AsyncSession,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    few: int,
) -> None:
    monkeypatch.setattr(candidates, "MAX_FIRST_CANDIDATES", few)
    monkeypatch.setattr(plan, "FIRST_SEARCH", 1)
    monkeypatch.setattr(plan, "SHORT_SCAN", 1)
    await some_heroes(session, 5)
    raw = text.encode("utf-8", "surrogatepass")
    page = await client.get(
        httpx.URL("/heroes").copy_with(query=b"q=" + quote_from_bytes(raw).encode())
    )
    assert page.status_code == 200
    assert page.rows == []
    assert "No heroes match" in page.visible_text


async def test_what_was_typed_stands_in_the_box_again_and_is_no_markup(
    client: Client, session: AsyncSession
) -> None:
    typed = "<script>alert('&amp;')</script>"
    page = await client.get("/heroes", params={"q": typed})
    assert page.field("Search heroes").value == typed
    assert f"No heroes match “{typed}”" in page.visible_text


async def test_searching_is_a_form_that_needs_no_script(
    client: Client, session: AsyncSession
) -> None:
    await some_heroes(session, 3)
    form = (await client.get("/heroes")).form(name="Heroes")
    page = await client.submit(form, q="002")
    assert page.column("Name") == ["Hero 002"]


async def test_a_search_looks_within_the_filters(client: Client, session: AsyncSession) -> None:
    team = await a_team(session)
    await a_hero(session, "Nova", age=20, team=team)
    await a_hero(session, "Nova Prime", age=40, team=team)
    await a_hero(session, "Super Nova", age=20)
    page = await client.get(f"/heroes?q=nova&team={team.id}&age_max=30")
    assert page.column("Name") == ["Nova"]


async def test_teams_are_searched_by_their_headquarters(
    client: Client, session: AsyncSession
) -> None:
    await a_team(session, "Preventers", "Sharp Tower")
    await a_team(session, "Z-Force", None)
    page = await client.get("/teams?q=tower")
    assert page.column("Name") == ["Preventers"]


@each("query", ["q=needle", "age_min=30", "q=needle&age_min=30", "q=e", "q=nothing"])
async def test_what_is_few_is_found_at_once(
    client: Client, session: AsyncSession, query: str
) -> None:
    await some_heroes(session, 20)
    await a_hero(session, "Zz Needle", age=30)
    await client.get("/heroes")
    with all_statements() as executed:
        page = await client.get(f"/heroes?{query}")
    assert page.status_code == 200
    # Who asks, whether there is an index of texts, what two indexes count, and the rows.
    assert len(executed) <= 5, executed


async def test_where_the_index_takes_too_long_the_list_is_walked_and_says_how_far(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "MAX_FIRST_CANDIDATES", -1)
    monkeypatch.setattr(plan, "FIRST_SEARCH", 5)
    monkeypatch.setattr(plan, "SHORT_SCAN", 5)
    monkeypatch.setattr(plan, "LONG_SEARCH", 10)
    monkeypatch.setattr(plan, "SKIP_SCAN_MILLISECONDS", 0)
    monkeypatch.setattr(candidates, "CANDIDATES_MILLISECONDS", 0)
    monkeypatch.setattr(sqlite_interruption, "INSTRUCTIONS_PER_CHECK", 1)
    app = admin.application(Settings(database_url=sqlite_url))
    async with serving(app, role=Role.VIEWER) as client:
        async with app.state.database.session(is_read_only=False) as session:
            await some_heroes(session, 20)
            await a_hero(session, "Zz Needle")
        page = await client.get("/heroes", params={"q": "needle"})
        assert "Searched the first 15 heroes" in page.visible_text
        further = await client.get(page.link("Keep searching"))
    assert further.column("Name") == ["Zz Needle"]


async def test_what_is_common_but_far_from_the_beginning_is_found_by_leaps(
    client: Client, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "MAX_FIRST_CANDIDATES", -1)
    monkeypatch.setattr(plan, "FIRST_SEARCH", 3)
    monkeypatch.setattr(plan, "SHORT_SCAN", 3)
    monkeypatch.setattr(candidates, "MAX_RARE_CANDIDATES", 0)
    monkeypatch.setattr(postgresql, "SAMPLE_HITS", 0)
    # So that neither of the other ways leads there.
    monkeypatch.setattr(plan, "LONG_SEARCH", 1)
    monkeypatch.setattr(candidates, "MAX_CANDIDATES", 1)
    monkeypatch.setattr(skip_scan, "MAX_SKIPS", 3)
    for name in ("Adder", "Beetle", "Firestorm", "Storm", "Zephyr"):
        for _ in range(20):
            await a_hero(session, name)

    page = await client.get("/heroes?q=storm")
    assert page.column("Name") == ["Firestorm"] * 20 + ["Storm"] * 5
    page = await client.get(page.link("Next page"))
    assert page.column("Name") == ["Storm"] * 15
    assert "Searched the first" not in page.visible_text
    page = await client.get("/heroes?q=storm&before=end")
    assert page.column("Name") == ["Firestorm"] * 5 + ["Storm"] * 20
    page = await client.get(page.link("Previous page"))
    assert page.column("Name") == ["Firestorm"] * 15
