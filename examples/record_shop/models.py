"""The eleven tables of the shop."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import MetaData, UniqueConstraint, func
from sqlalchemy.orm import registry
from sqlmodel import Field, Relationship, SQLModel

NAMING_CONVENTION = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(SQLModel, registry=registry(metadata=MetaData(naming_convention=NAMING_CONVENTION))):
    """What all tables of the shop have in common: their metadata."""


class Genre(Base, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=60, unique=True)


class Artist(Base, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=120, unique=True)
    country: str = Field(max_length=60)
    founded: int | None = Field(default=None, ge=1900, le=2100)


class Album(Base, table=True):
    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(max_length=160, index=True)
    artist_id: int = Field(foreign_key="artist.id", index=True)
    genre_id: int | None = Field(
        default=None, foreign_key="genre.id", ondelete="SET NULL", index=True
    )
    released_on: date
    price: Decimal = Field(max_digits=8, decimal_places=2, ge=0)
    notes: str | None = None
    cover: bytes | None = Field(default=None, max_length=1_000_000)


class PlaylistTrack(Base, table=True):
    __tablename__ = "playlist_track"

    playlist_id: int = Field(foreign_key="playlist.id", ondelete="CASCADE", primary_key=True)
    track_id: int = Field(foreign_key="track.id", ondelete="CASCADE", primary_key=True, index=True)
    note: str | None = Field(default=None, max_length=200)


class Track(Base, table=True):
    __table_args__ = (UniqueConstraint("album_id", "position"),)

    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(max_length=200, index=True)
    album_id: int = Field(foreign_key="album.id", ondelete="CASCADE")
    number: int = Field(ge=1, le=99, sa_column_kwargs={"name": "position"})
    seconds: int = Field(ge=1, sa_column_kwargs={"name": "duration"})
    price: Decimal = Field(default=Decimal("0.99"), max_digits=6, decimal_places=2, ge=0)


class Playlist(Base, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=120, unique=True)
    tracks: list[Track] = Relationship(link_model=PlaylistTrack)


class Employee(Base, table=True):
    id: int | None = Field(default=None, primary_key=True)
    first_name: str = Field(max_length=60, sa_column_kwargs={"name": "given_name"})
    last_name: str = Field(max_length=60, sa_column_kwargs={"name": "family_name"})
    job: str = Field(max_length=60)
    email: str = Field(max_length=120, unique=True)
    hired_on: date
    manager_id: int | None = Field(
        default=None,
        foreign_key="employee.id",
        ondelete="SET NULL",
        index=True,
        sa_column_kwargs={"name": "reports_to"},
    )


class Staff(Base, table=True):
    """Who may sign in. It is not administered, so that nobody gives themselves a role."""

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(max_length=120, unique=True)
    name: str = Field(max_length=120)
    password_hash: str = Field(max_length=200)
    role: str = Field(max_length=20)


class Customer(Base, table=True):
    id: int | None = Field(default=None, primary_key=True)
    first_name: str = Field(max_length=60, sa_column_kwargs={"name": "given_name"})
    last_name: str = Field(max_length=60, sa_column_kwargs={"name": "family_name"})
    email: str = Field(max_length=120, unique=True)
    phone: str | None = Field(default=None, max_length=30)
    street: str = Field(max_length=120)
    postal_code: str = Field(max_length=12)
    city: str = Field(max_length=60)
    country: str = Field(max_length=60)
    # Given by the database where a program leaves it out.
    created_at: datetime | None = Field(
        default=None, sa_column_kwargs={"server_default": func.now(), "nullable": False}
    )
    contact_id: int | None = Field(
        default=None, foreign_key="employee.id", ondelete="SET NULL", index=True
    )


class InvoiceStatus(StrEnum):
    OPEN = "open"
    PAID = "paid"
    REFUNDED = "refunded"


class Invoice(Base, table=True):
    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", index=True)
    issued_at: datetime = Field(index=True, sa_column_kwargs={"name": "date"})
    status: InvoiceStatus = InvoiceStatus.OPEN
    total: Decimal = Field(default=Decimal(0), max_digits=10, decimal_places=2)


class InvoiceLine(Base, table=True):
    __tablename__ = "invoice_line"

    id: int | None = Field(default=None, primary_key=True)
    invoice_id: int = Field(foreign_key="invoice.id", ondelete="CASCADE", index=True)
    track_id: int = Field(foreign_key="track.id", index=True)
    unit_price: Decimal = Field(max_digits=8, decimal_places=2, ge=0)
    quantity: int = Field(default=1, ge=1)
