"""The admin of the shop: what is administered, and how."""

from pathlib import Path

from hero_admin import Admin, Resource
from record_shop.models import (
    Album,
    Artist,
    Customer,
    Employee,
    Genre,
    Invoice,
    InvoiceLine,
    Playlist,
    PlaylistTrack,
    Track,
)


def full_name(person: Customer | Employee) -> str:
    return f"{person.first_name} {person.last_name}"


admin = Admin(
    resources=[
        Resource(Artist),
        Resource(
            Album,
            columns=(Album.title, Album.artist_id, Album.genre_id, Album.released_on, Album.price),
            money=(Album.price,),
        ),
        Resource(Track, money=(Track.price,)),
        Resource(Genre),
        Resource(Playlist),
        Resource(PlaylistTrack),
        Resource(
            Customer,
            title=full_name,
            columns=(Customer.last_name, Customer.email, Customer.city, Customer.country),
        ),
        Resource(Invoice, money=(Invoice.total,), sort="-issued_at"),
        Resource(InvoiceLine, money=(InvoiceLine.unit_price,)),
        Resource(Employee, title=full_name),
    ],
    migrations=Path("var"),
)
