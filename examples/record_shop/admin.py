"""The admin of the shop: what is administered, how, and by whom."""

from starlette.requests import Request

from hero_admin import Admin, Child, Control, Markdown, Person, Resource, Role, formats
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


async def current_person(request: Request) -> Person | None:
    """Return who is signed in to the shop; strangers are sent to its sign-in."""
    staff = await staff_of(request)
    return Person(staff.name, Role(staff.role)) if staff else None


def full_name(person: Customer | Employee) -> str:
    return f"{person.first_name} {person.last_name}"


admin = Admin(
    resources=[
        Resource(
            Album,
            columns=(Album.title, Album.artist_id, Album.genre_id, Album.released_on, Album.price),
            show={Album.price: formats.money},
            inputs={Album.notes: Markdown(help="What customers read below the tracks.")},
        ),
        Resource(Artist),
        Resource(Track, show={Track.price: formats.money}),
        Resource(Genre),
        Resource(Playlist),
        Resource(
            Customer,
            title=full_name,
            columns=(Customer.first_name, Customer.email, Customer.city, Customer.country),
            sections={
                "Person": (Customer.first_name, Customer.last_name, Customer.contact_id),
                "Contact": (Customer.email, Customer.phone),
                "Address": (
                    Customer.street,
                    Customer.postal_code,
                    Customer.city,
                    Customer.country,
                ),
            },
            show={Customer.email: formats.email},
            inputs={Customer.phone: Control(placeholder="+44 20 7946 0123")},
            read_only_fields=(Customer.created_at,),
        ),
        Resource(
            Invoice,
            title=lambda invoice: f"Invoice {invoice.id}",
            show={Invoice.total: formats.money},
            children=(Child(InvoiceLine.invoice_id),),
            sort="-issued_at",
        ),
        Resource(InvoiceLine, show={InvoiceLine.unit_price: formats.money}),
        Resource(Employee, title=full_name),
    ],
    database=engine,
    title="Groove Lane",
    authenticate=current_person,
    sign_in_url="/login",
    indexes=True,
)
