"""Children: records that are added, changed and removed on the page of the one they belong to."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.application import create_app
from hero_admin.model.arguments import ResourceError
from hero_admin.model.children import Child
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client, htmx_headers
from tests.invoices import Billing, Invoice, Line, an_invoice, invoices, lines
from tests.serving import serving
from tests.stored import Stored


@pytest.fixture
async def billing(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    await (await session.connection()).run_sync(Billing.metadata.create_all)
    await session.commit()
    async with serving(create_app(settings, [lines, invoices]), role=Role.OWNER) as client:
        yield client


async def test_children_come_first_and_lead_back_to_their_record(
    billing: Client, session: AsyncSession, stored: Stored
) -> None:
    invoice = await an_invoice(session, "Ann", "Tea", "Milk")
    other = await an_invoice(session, "Bob", "Rum")
    page = await billing.get(f"/invoices/{invoice.id}")
    assert page.column("Product") == ["Milk", "Tea"]
    assert page.link("Lines (invoice)") == f"/invoices/{invoice.id}/lines"
    # Without JavaScript these are pages of their own.
    form = (await billing.get(page.link("New line"))).form()
    assert form["invoice_id"] == str(invoice.id)
    refused = await billing.submit(form, product="Bread", quantity="0")
    assert (refused.status_code, refused.error("Quantity")) == (422, "Enter 1 or more.")
    page = await billing.follow(await billing.submit(refused.form(), quantity="3"))
    assert page.url.path == f"/invoices/{invoice.id}/lines"
    assert (page.marked_rows, page.flash) == (["Bread"], "Created Bread")
    form = (await billing.get(page.link("Edit Tea"))).form()
    page = await billing.follow(await billing.submit(form, quantity="5"))
    assert (page.url.path, page.marked_rows) == (f"/invoices/{invoice.id}/lines", ["Tea"])
    confirm = await billing.get(page.link("Delete Milk"))
    page = await billing.follow(await billing.submit(confirm.form()))
    assert page.column("Product") == ["Bread", "Tea"]
    page = await billing.follow(await billing.submit(page.undo))
    page = await billing.get(f"/invoices/{invoice.id}")
    assert page.column("Product") == ["Bread", "Milk", "Tea"]
    assert [line.product for line in await stored.all(Line) if line.invoice_id == other.id] == [
        "Rum"
    ]


async def test_their_forms_are_parts_of_the_page_for_a_script(
    billing: Client, session: AsyncSession
) -> None:
    invoice = await an_invoice(session, "Ann", "Tea")
    page = await billing.get(f"/invoices/{invoice.id}")
    opening = [tag for tag in page.find_all("a") if tag.tag.has_attr("data-form")]
    assert [tag.visible_text for tag in opening] == ["New line", "Edit Tea"]
    for tag in opening:
        part = await billing.get(tag.attribute("href"), headers=htmx_headers("form#form"))
        (top,) = part.children
        assert (top.tag.name, top.attribute("id")) == ("form", "form")
        saved = await billing.submit(part.form(), product="Chai", headers=htmx_headers("form#form"))
        assert saved.headers["hx-redirect"] == f"/invoices/{invoice.id}/lines"
    # The other relation to invoices is no child.
    page = await billing.get(f"/invoices/{invoice.id}/lines-correction_id")
    assert not [tag for tag in page.find_all("a") if tag.tag.has_attr("data-form")]


async def test_3000_children_are_paged(billing: Client, session: AsyncSession) -> None:
    few = await an_invoice(session, "Ann", *(f"Product {number}" for number in range(25)))
    many = await an_invoice(session, "Bob", *(f"Product {number}" for number in range(3_000)))
    sizes = [len((await billing.get(f"/invoices/{each.id}")).text) for each in (few, many)]
    assert sizes[1] < sizes[0] + 2_000


async def test_a_viewer_only_looks_at_them(
    billing: Client, session: AsyncSession, settings: Settings
) -> None:
    invoice = await an_invoice(session, "Ann", "Tea")
    async with serving(create_app(settings, [lines, invoices]), role=Role.VIEWER) as viewer:
        page = await viewer.get(f"/invoices/{invoice.id}")
        assert page.column("Product") == ["Tea"]
        assert {"New line", "Edit Tea", "Delete Tea"}.isdisjoint(page.link_names)


@pytest.mark.parametrize(
    ("children", "others", "sentence"),
    [
        ((Line.invoice_id,), (lines,), "children= takes columns, as in Child(Line.invoice_id)"),
        ((Child("invoice_id"),), (lines,), "and invoice_id isn't one"),
        (Child(Line.invoice_id), (lines,), "with a comma"),
        ((Child(Line.invoice_id),), (), "no resource of this Admin has that model"),
        ((Child(Line.invoice_id), Child(Line.invoice_id)), (lines,), "Line.invoice_id twice"),
        ((Child(Line.quantity),), (lines,), "Line.quantity, which doesn't refer to this model"),
        ((Child(Line.invoice_id),), (Resource(Line, read_only=True),), "is read_only"),
    ],
)
def test_a_mistake_is_one_sentence(
    children: Any, others: tuple[Resource, ...], sentence: str
) -> None:
    with pytest.raises(ResourceError) as raised:
        Site((Resource(Invoice, children=children), *others))
    assert str(raised.value).startswith("Resource(Invoice): children= ")
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)
