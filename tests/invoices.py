"""Models of which one has children: invoices and their lines."""

from decimal import Decimal

from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel
from starlette.applications import Starlette

from hero_admin.application import create_app
from hero_admin.model.children import Child
from hero_admin.model.resource import Resource
from hero_admin.settings import load_settings


class Billing(SQLModel):
    metadata = MetaData()


class Invoice(Billing, table=True):
    id: int | None = Field(default=None, primary_key=True)
    customer: str = Field(min_length=1, max_length=80)


class Line(Billing, table=True):
    id: int | None = Field(default=None, primary_key=True)
    product: str = Field(min_length=1, max_length=80)
    quantity: int = Field(default=1, ge=1)
    price: Decimal = Field(default=Decimal("1.00"), max_digits=8, decimal_places=2)
    invoice_id: int = Field(foreign_key="invoice.id", ondelete="CASCADE")
    # Corrected by another one.
    correction_id: int | None = Field(default=None, foreign_key="invoice.id")


lines = Resource(Line)
invoices = Resource(Invoice, children=(Child(Line.invoice_id),))


async def an_invoice(session: AsyncSession, customer: str, *products: str) -> Invoice:
    invoice = Invoice(customer=customer)
    session.add(invoice)
    await session.flush()
    session.add_all(Line(product=product, invoice_id=invoice.id or 0) for product in products)
    await session.commit()
    return invoice


def app() -> Starlette:
    """An admin of them, for uvicorn."""
    return create_app(load_settings(), [invoices, lines])
