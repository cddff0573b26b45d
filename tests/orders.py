"""Models with computed columns: orders, and their lines."""

from decimal import Decimal

from sqlalchemy import Column as TableColumn
from sqlalchemy import Computed, Index, Integer, MetaData, func, select
from sqlmodel import Field, Relationship, SQLModel, col

from hero_admin import Column, Resource, count


class Trade(SQLModel):
    metadata = MetaData()


class Order(Trade, table=True):
    __tablename__ = "purchase"

    id: int | None = Field(default=None, primary_key=True)
    customer: str = Field(max_length=80)
    card: str = Field(default="", max_length=40)


class Line(Trade, table=True):
    """A total that is indexed, and one that is kept."""

    id: int | None = Field(default=None, primary_key=True)
    product: str = Field(max_length=80)
    quantity: int = 1
    price: int = 1
    gross: int | None = Field(
        default=None,
        sa_column=TableColumn(Integer, Computed("quantity * price * 2", persisted=True)),
    )
    order_id: int | None = Field(default=None, foreign_key="purchase.id", index=True)
    order: Order | None = Relationship(sa_relationship_kwargs={"lazy": "raise"})


Index("ix_line_total", col(Line.quantity) * col(Line.price), col(Line.id))


class Fee(Trade, table=True):
    """Decimals, whose products SQLite computes in binary."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80)
    amount: Decimal = Field(max_digits=8, decimal_places=2)
    times: int = 1


Index("ix_fee_sum", col(Fee.amount) * col(Fee.times), col(Fee.id))

total = Column("Total", col(Line.quantity) * col(Line.price))
gross = Column("Gross amount", col(Line.quantity) * col(Line.price) * 2)
orders = Resource(
    Order,
    masked=(Order.card,),
    columns=(
        Order.customer,
        Column("Lines", count(Line.order_id)),
        Column("Initial", lambda order: f"{order.customer[:1]}{order.card}"),
        Column(
            "Sum",
            select(func.sum(col(Line.quantity) * col(Line.price)))
            .where(col(Line.order_id) == Order.id)
            .scalar_subquery(),
        ),
    ),
)
lines = Resource(
    Line, columns=(Line.product, total, Line.quantity, gross), filters=(total, gross, Line.order_id)
)
