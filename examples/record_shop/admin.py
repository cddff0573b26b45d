"""The admin of the shop: what is administered, how, and by whom."""

from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from starlette.requests import Request

from hero_admin import (
    Admin,
    Child,
    Column,
    Control,
    Markdown,
    MenuLink,
    Person,
    Resource,
    Role,
    count,
    formats,
)
from record_shop.database import engine
from record_shop.models import (
    Album,
    Artist,
    Customer,
    Employee,
    Genre,
    Invoice,
    InvoiceLine,
    Playlist,
    Track,
)
from record_shop.sign_in import staff_of

HERE = Path(__file__).parent


async def current_person(request: Request) -> Person | None:
    """Return who is signed in to the shop; strangers are sent to its sign-in."""
    staff = await staff_of(request)
    return Person(staff.name, Role(staff.role)) if staff else None


def full_name(person: Customer | Employee) -> str:
    return f"{person.first_name} {person.last_name}"


def minutes(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"


line_total = Column("Total", col(InvoiceLine.quantity) * col(InvoiceLine.unit_price))

admin = Admin(
    resources=[
        Resource(
            Album,
            columns=(
                *(Album.title, Album.cover, Album.artist_id, Album.genre_id),
                *(Album.released_on, Album.price),
            ),
            sections={
                "Album": (Album.title, Album.artist_id, Album.genre_id, Album.released_on),
                "In the shop": (Album.price, Album.cover, Album.notes),
            },
            show={Album.price: formats.money, Album.cover: formats.image},
            inputs={Album.notes: Markdown(help="What customers read below the tracks.")},
            group="Catalogue",
            icon="disc",
        ),
        Resource(
            Artist,
            columns=(
                *(Artist.name, Artist.country, Artist.founded),
                Column("Albums", count(Album.artist_id)),
            ),
            group="Catalogue",
            icon="person",
        ),
        Resource(
            Track,
            show={Track.price: formats.money, Track.seconds: minutes},
            inputs={Track.seconds: Control(help="In seconds.", placeholder="214")},
            group="Catalogue",
            icon="music",
        ),
        Resource(Genre, group="Catalogue", icon="tag"),
        Resource(Playlist, group="Catalogue", icon="menu"),
        Resource(
            Customer,
            title=full_name,
            columns=(Customer.first_name, Customer.email, Customer.city, Customer.country),
            sections={
                "Person": (Customer.first_name, Customer.last_name),
                "Contact": (Customer.email, Customer.phone, Customer.contact_id),
                "Address": (
                    *(Customer.street, Customer.postal_code),
                    *(Customer.city, Customer.country),
                ),
            },
            show={Customer.email: formats.email},
            inputs={Customer.phone: Control(placeholder="+44 20 7946 0123")},
            read_only_fields=(Customer.created_at,),
            group="Sales",
            icon="team",
        ),
        Resource(
            Invoice,
            title=lambda invoice: f"Invoice {invoice.id}",
            show={Invoice.total: formats.money},
            children=(Child(InvoiceLine.invoice_id),),
            sort="-issued_at",
            group="Sales",
            icon="cart",
        ),
        Resource(
            InvoiceLine,
            columns=(
                *(InvoiceLine.id, InvoiceLine.invoice_id, InvoiceLine.track_id),
                *(InvoiceLine.unit_price, InvoiceLine.quantity, line_total),
            ),
            show={InvoiceLine.unit_price: formats.money, line_total: formats.money},
            group="Sales",
        ),
        Resource(Employee, title=full_name, show={Employee.email: formats.email}, icon="person"),
    ],
    database=engine,
    title="Groove Lane",
    logo="logo.svg",
    accent="#9a3412",
    templates=HERE / "admin_templates",
    static=HERE / "admin_static",
    menu=[MenuLink("Shop", "/")],
    authenticate=current_person,
    sign_in_url="/login",
    indexes=True,
)


@admin.page("/best-sellers", title="Best sellers", role=Role.EDITOR, icon="chart", group="Sales")
async def best_sellers(request: Request) -> tuple[str, dict[str, object]]:
    """GET /best-sellers: the twenty albums that earned most."""
    session: AsyncSession = request.state.session
    sold = func.sum(col(InvoiceLine.quantity))
    earned = func.sum(col(InvoiceLine.unit_price) * col(InvoiceLine.quantity))
    found = (
        select(col(Album.id), col(Album.title), col(Artist.name), sold, earned)
        .select_from(InvoiceLine)
        .join(Track)
        .join(Album)
        .join(Artist)
        .group_by(col(Album.id), col(Album.title), col(Artist.name))
        .order_by(earned.desc(), col(Album.id))
        .limit(20)
    )
    return "best_sellers.html", {"albums": (await session.execute(found)).all()}
