"""Layout: sections, help, formats and controls, on every page that shows or takes a value."""

import json
import logging
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from hero_admin import Column, Resource, formats
from hero_admin.application import create_app
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client, Page
from tests.articles import Article, Catalogue, Shade, an_article, articles, shades
from tests.cases import on_one_database
from tests.serving import serving
from tests.stored import Stored


@pytest.fixture
async def shop(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    await (await session.connection()).run_sync(Catalogue.metadata.create_all)
    await session.commit()
    async with serving(create_app(settings, [articles, shades]), role=Role.OWNER) as client:
        yield client


def descriptions(page: Page, label: str) -> list[str]:
    """What a screen reader says of a control after its label."""
    ids = page.field(label).attribute("aria-describedby").split()
    return [page.by_id(id_).visible_text for id_ in ids]


@on_one_database
async def test_fields_stand_in_sections_and_the_others_after_them(
    shop: Client, session: AsyncSession
) -> None:
    await an_article(session)
    page = await shop.get("/articles/1")
    headings = [tag.visible_text for tag in page.by_id("main").find_all("h2")]
    assert headings[:2] == ["Article", "Sale"]
    labels = ["Name", "About", "Stars", "Price", "Sold out", "Back on", "Share", "Weight"]
    assert list(page.by_id("main").facts)[:8] == labels
    assert list(page.by_id("main").facts)[-1] == "ID"
    form = await shop.get("/articles/1/edit")
    assert [tag.visible_text for tag in form.by_id("form").find_all("h2")] == ["Article", "Sale"]
    names = [name for name in form.form().values if "." not in name]
    assert names[:6] == ["name", "about", "stars", "price", "sold_out", "back_on"]


@pytest.mark.usefixtures("shop")
@on_one_database
async def test_a_computed_column_stands_in_a_section_of_the_record(
    settings: Settings, session: AsyncSession
) -> None:
    await an_article(session, price=Decimal(3))
    double = Column("Double", col(Article.price) * 2)
    computing = Resource(
        Article,
        columns=(Article.name, double),
        sections={"Sale": (Article.price, double), "Text": (Article.about,)},
        show={double: formats.money},
    )
    async with serving(create_app(settings, [computing]), role=Role.OWNER) as client:
        facts = (await client.get("/articles/1")).by_id("main").facts
        assert list(facts)[:3] == ["Price", "Double", "About"]
        assert facts["Double"] == "6.00"
        assert "Double" not in (await client.get("/articles/1/edit")).by_id("form").visible_text


@on_one_database
async def test_a_field_depends_on_a_control_of_the_same_form_only(
    shop: Client, session: AsyncSession
) -> None:
    await an_article(session)
    for path in ("/articles/new", "/articles/1/edit", "/articles/change?id=1"):
        form = (await shop.get(path)).by_id("form")
        found = {
            each.attribute("data-depends"): each.attribute("data-depends-texts")
            for each in form.find_all("div")
            if each.attribute("data-depends")
        }
        names = {name: json.loads(texts) for name, texts in found.items()}
        assert names == {
            "sold_out": ["false"],
            "state": ["LENT", "LOST"],
            "stars": ["****", "*****"],
        }


@on_one_database
async def test_help_and_examples_stand_at_their_controls(shop: Client) -> None:
    page = await shop.get("/articles/new")
    assert page.field("Name").attribute("placeholder") == "Red tea"
    assert descriptions(page, "Name") == ["As on the label."]
    # Of the model.
    assert descriptions(page, "Weight") == ["In grams."]
    refused = await shop.submit(page.form(), name="")
    assert descriptions(refused, "Name") == ["Enter a name.", "As on the label."]


async def test_what_is_read_only_is_shown_and_changed_by_nobody(
    shop: Client, session: AsyncSession, stored: Stored
) -> None:
    await an_article(session)
    page = await shop.get("/articles/1/edit")
    assert page.by_id("form").facts["Added on"] == "2026-01-02"
    assert "added_on" not in page.form()
    await shop.post("/articles/1", data={"name": "Rum", "added_on": "2020-01-01"})
    await shop.patch("/api/articles/1", json={"added_on": "2020-01-01", "price": "3"})
    (article,) = await stored.all(Article)
    assert (article.name, article.price) == ("Rum", Decimal(3))
    assert str(article.added_on) == "2026-01-02"
    assert "Added on" not in (await shop.get("/articles/new")).by_id("form").visible_text


async def test_what_is_hidden_is_on_no_page_and_in_the_api(
    shop: Client, session: AsyncSession, stored: Stored
) -> None:
    await an_article(session, legacy="X-1")
    for path in ("/articles", "/articles/1", "/articles/1/edit", "/articles/change?id=1"):
        assert "Legacy" not in (await shop.get(path)).text
    page = await shop.get("/articles/1/edit")
    await shop.submit(page.form(), name="Rum")
    assert (await shop.get("/api/articles/1")).json()["legacy"] == "X-1"
    await shop.patch("/api/articles/1", json={"legacy": "X-2"})
    assert [each.legacy for each in await stored.all(Article)] == ["X-2"]


SHOWN: dict[str, tuple[Any, str]] = {
    "price": (Decimal("1234.5"), "1,234.50"),
    "share": (0.125, "12.5%"),
    "weight": (1500, "1.5 kg"),
    "site": ("https://example.com/tea", "example.com/tea"),
    "contact": ("tea@example.com", "tea@example.com"),
    "about": ("# Tea\n\n*Green* <b>x</b>", "Tea Green <b>x</b>"),
    "code": ("<b1>", "<i><b1></i>"),
}


async def test_values_are_shown_by_their_formats_and_sent_as_stored(
    shop: Client, session: AsyncSession
) -> None:
    values = {name: value for name, (value, _) in SHOWN.items()}
    await an_article(session, **values)
    page = await shop.get("/articles/1")
    for name, (_, text) in SHOWN.items():
        assert page.facts[name.capitalize()] == text
    assert page.link("example.com/tea") == "https://example.com/tea"
    assert page.link("tea@example.com") == "mailto:tea@example.com"
    (row,) = (await shop.get("/articles")).rows
    assert (row["Price"], row["Weight"], row["Code"]) == ("1,234.50", "1.5 kg", "<i><b1></i>")
    # As it is typed: a heading would not fit into a row.
    assert row["About"] == "# Tea *Green* <b>x</b>"
    record = (await shop.get("/api/articles/1")).json()
    assert (record["share"], record["weight"], record["code"]) == (0.125, 1500, "<b1>")
    assert "1234.50" in (await shop.get("/articles.csv")).text
    assert (await shop.get("/articles/1/edit")).form()["weight"] == "1500"


@on_one_database
async def test_markup_of_a_format_is_html_and_nothing_else_is(
    shop: Client, session: AsyncSession
) -> None:
    await an_article(session, code="b<1>", site="javascript:alert(1)", contact="a@b?x=1")
    for path in ("/articles", "/articles/1"):
        page = await shop.get(path)
        assert "<b>b&lt;1&gt;</b>" in page.text
        assert "javascript:alert(1)" not in [link.href for link in page.links]
        assert "a@b?x=1" not in page.link_names


@on_one_database
async def test_a_format_that_fails_leaves_the_value_marked(
    shop: Client, session: AsyncSession, caplog: pytest.LogCaptureFixture
) -> None:
    for code in ("bad", "ok", "bad"):
        await an_article(session, code=code)
    with caplog.at_level(logging.WARNING):
        page = await shop.get("/articles")
    assert page.column("Code") == ["bad", "<i>ok</i>", "bad"]
    assert 'title="Couldn&#39;t be formatted">bad<' in page.text
    # Once for a page.
    assert len(caplog.messages) == 1
    assert (await shop.get("/articles/1")).facts["Code"] == "bad"


async def test_a_control_of_ones_own_parses_what_is_typed_on_every_form(
    shop: Client, session: AsyncSession, stored: Stored
) -> None:
    form = (await shop.get("/articles/new")).form()
    refused = await shop.submit(form, name="Tea", stars="3 stars")
    assert (refused.status_code, refused.error("Stars")) == (422, "Type stars, like ***.")
    assert refused.form()["stars"] == "3 stars"
    refused = await shop.submit(refused.form(), stars="******")
    # What the model says of the value.
    assert refused.error("Stars") == "Enter 5 or less."
    await shop.submit(refused.form(), stars="***")
    page = await shop.get("/articles/1/edit")
    assert page.form()["stars"] == "***"
    # Two people: the other one's stars are kept, and different ones are a conflict.
    other, mine = page.form(), page.form()
    await shop.submit(other, stars="****")
    await shop.submit(mine, name="Rum")
    (article,) = await stored.all(Article)
    assert (article.name, article.stars) == ("Rum", 4)
    conflict = await shop.submit(page.form(), stars="*")
    assert (conflict.status_code, conflict.form()["stars"]) == (409, "*")
    bulk = (await shop.get("/articles/change?id=1")).form(press="Edit 1 article")
    refused = await shop.submit(bulk, {"form.set.stars": True, "stars": "x"})
    assert refused.error("Stars") == "Type stars, like ***."
    await shop.submit(refused.form(press="Edit 1 article"), {"form.set.stars": True, "stars": "**"})
    assert [each.stars for each in await stored.all(Article)] == [2]


@on_one_database
async def test_a_preview_without_a_script_is_the_form_again(
    shop: Client, session: AsyncSession, stored: Stored
) -> None:
    await an_article(session)
    for path, forms in (("/articles/1/edit", "edit"), ("/articles/new", "new")):
        form = (await shop.get(path)).form(press="Preview")
        page = await shop.submit(form, name="Rum", about="**Red** <script>")
        assert page.status_code == 200, forms
        assert "<strong>Red</strong> &lt;script&gt;" in page.text
        assert page.form(press="Update preview")["about"] == "**Red** <script>"
    assert [each.name for each in await stored.all(Article)] == ["Tea"]


async def test_a_child_has_the_controls_of_its_resource(
    shop: Client, session: AsyncSession, stored: Stored
) -> None:
    await an_article(session)
    form = (await shop.get((await shop.get("/articles/1")).link("New shade"))).form()
    page = await shop.follow(await shop.submit(form, name="Red", tone="#ff0000"))
    assert 'fill="#ff0000"' in page.text
    assert page.column("Tone") == ["#ff0000"]
    assert [each.tone for each in await stored.all(Shade)] == ["#ff0000"]
    page = await shop.patch("/api/shades/1", json={"tone": 'red" onload="x'})
    assert "<svg class=swatch" not in (await shop.get("/shades/1")).text
