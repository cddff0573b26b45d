"""Made-up data, the same each time: what fills an empty shop."""

import tomllib
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import insert, inspect, literal_column, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlmodel import SQLModel, col, select

from record_shop.covers import draw_cover
from record_shop.models import (
    Album,
    Artist,
    Customer,
    Employee,
    Genre,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    Playlist,
    PlaylistTrack,
    Staff,
    Track,
)
from record_shop.passwords import hash_password

# Who can sign in to look around, each with this password.
PASSWORD = "vinyl only"
ROLES = {
    "ada@shop.example": "owner",
    "bruno@shop.example": "editor",
    "carla@shop.example": "viewer",
}
WORDS = tomllib.loads(Path(__file__).with_name("data.toml").read_text("utf-8"))
OPENED = datetime(2023, 3, 1, 9, tzinfo=UTC)
DAYS = 1_240
PRICES = [Decimal(price) for price in ("12.99", "17.50", "19.99", "24.99", "34.00")]
SONG_PRICES = [Decimal("0.99"), Decimal("0.99"), Decimal("1.29")]
# Any: the values of a row by the names of its attributes.
Row = dict[str, Any]


async def fill(engine: AsyncEngine) -> None:
    """Fill an empty shop; leave one that has anything in it alone."""
    async with AsyncSession(engine) as session, session.begin():
        if await session.scalar(select(Genre).limit(1)) is None:
            random = Random(1979)
            employees = await add_employees(session)
            tracks = await add_music(session, random)
            await add_playlists(session, random, tracks)
            customers = await add_customers(session, random, employees[3:])
            await add_invoices(session, random, customers, tracks)
            await sell_at_the_counter(session, customers[::9], tracks)


async def add(session: AsyncSession, model: type[SQLModel], rows: Iterable[Row]) -> list[Row]:
    """Store rows; the same rows with their ids."""
    stored = list(rows)
    ids = insert(model).returning(inspect(model).primary_key[0], sort_by_parameter_order=True)
    found = await session.scalars(ids, stored)
    return [{"id": id, **row} for id, row in zip(found, stored, strict=True)]


async def add_employees(session: AsyncSession) -> list[Row]:
    columns = ("first_name", "last_name", "job", "hired_on", "boss")
    people = [dict(zip(columns, row, strict=True)) for row in WORDS["employees"]]
    bosses = [person.pop("boss") for person in people]
    rows = ({"email": f"{each['first_name'].lower()}@shop.example", **each} for each in people)
    employees = await add(session, Employee, rows)
    ids = {employee["first_name"]: employee["id"] for employee in employees}
    for employee, boss in zip(employees, bosses, strict=True):
        reporting = update(Employee).where(col(Employee.id) == employee["id"])
        await session.execute(reporting.values(manager_id=ids.get(boss)))
    for employee in employees[: len(ROLES)]:
        staff = Staff(
            email=employee["email"],
            name=f"{employee['first_name']} {employee['last_name']}",
            password_hash=hash_password(PASSWORD),
            role=ROLES[employee["email"]],
        )
        session.add(staff)
    return employees


async def add_music(session: AsyncSession, random: Random) -> list[Row]:
    genres = await add(session, Genre, ({"name": name} for name in words("genres")))
    names = [f"{first} {second}" for first in words("first") for second in words("second")]
    countries = [country["name"] for country in WORDS["countries"]]
    rows = (
        {"name": name, "country": random.choice(countries), "founded": random.randint(1958, 2019)}
        for name in random.sample(names, 90)
    )
    artists = await add(session, Artist, rows)
    albums = await add(session, Album, (an_album(random, artists, genres) for _ in range(220)))
    tracks = (
        {
            "title": a_title(random, words("verbs")),
            "album_id": album["id"],
            "number": number,
            "seconds": random.randint(95, 480),
            "price": random.choice(SONG_PRICES),
        }
        for album in albums
        for number in range(1, random.randint(7, 13))
    )
    return await add(session, Track, tracks)


def an_album(random: Random, artists: list[Row], genres: list[Row]) -> Row:
    artist = random.choice(artists)
    earliest = date(artist["founded"], 6, 1)
    days = (date(2026, 6, 1) - earliest).days
    return {
        "title": a_title(random, words("verbs") + words("first")),
        "artist_id": artist["id"],
        "genre_id": random.choice([None, *(genre["id"] for genre in genres)]),
        "released_on": earliest + timedelta(days=random.randrange(days)),
        "price": random.choice(PRICES),
        "notes": random.choice([None, None, "Second pressing.\nSleeve slightly worn.", "Sealed."]),
        "cover": draw_cover(random) if random.random() < 0.9 else None,
    }


def a_title(random: Random, beginnings: list[str]) -> str:
    where, thing = random.choice(words("where")), random.choice(WORDS["things"])
    return f"{random.choice(beginnings)} {where} {thing}"


async def add_playlists(session: AsyncSession, random: Random, tracks: list[Row]) -> None:
    playlists = await add(session, Playlist, ({"name": name} for name in WORDS["playlists"]))
    for number, playlist in enumerate(playlists, start=1):
        chosen = random.sample(tracks, 8 + number if number < len(playlists) else 1_200)
        notes = WORDS["notes"] if playlist["name"] == "Staff picks" else [None]
        links = [
            {
                "playlist_id": playlist["id"],
                "track_id": track["id"],
                "note": notes[track["id"] % len(notes)],
            }
            for track in chosen
        ]
        await session.execute(insert(PlaylistTrack), links)


async def add_customers(session: AsyncSession, random: Random, contacts: list[Row]) -> list[Row]:
    rows = []
    for number in range(1, 241):
        country = random.choice(WORDS["countries"])
        first_name = random.choice(country["first_names"].split())
        last_name = random.choice(country["last_names"].split())
        postal_code, _, city = random.choice(country["cities"]).rpartition(" ")
        is_given = random.random() < 0.8
        row = {
            "first_name": first_name,
            "last_name": last_name,
            "email": f"{in_ascii(first_name)}.{in_ascii(last_name)}{number}@mail.example",
            "phone": f"{country['code']} 555 {random.randrange(10**6):06}" if is_given else None,
            "street": f"{random.choice(country['streets'])} {random.randint(1, 120)}",
            "postal_code": postal_code,
            "city": city,
            "country": country["name"],
            "created_at": a_moment(random, OPENED),
            "contact_id": random.choice(contacts)["id"],
        }
        rows.append(row)
    return await add(session, Customer, rows)


def in_ascii(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.lower().replace("ß", "ss"))
    return decomposed.encode("ascii", "ignore").decode()


def a_moment(random: Random, earliest: datetime) -> datetime:
    """A moment in opening hours, not before the day of another one."""
    day = random.randint((earliest - OPENED).days, DAYS)
    return OPENED + timedelta(days=day, minutes=random.randrange(9 * 60))


async def add_invoices(
    session: AsyncSession, random: Random, customers: list[Row], tracks: list[Row]
) -> None:
    invoices, lines = [], []
    for customer in random.choices(customers, k=900):
        sold = [
            {
                "track_id": track["id"],
                "unit_price": track["price"],
                "quantity": random.choice([1, 1, 1, 1, 2, 3]),
            }
            for track in random.sample(tracks, random.randint(1, 4))
        ]
        issued_at = a_moment(random, customer["created_at"])
        is_paid = random.random() < (0.97 if issued_at < OPENED + timedelta(DAYS - 60) else 0.4)
        invoice = {
            "customer_id": customer["id"],
            "issued_at": issued_at,
            "status": InvoiceStatus.PAID if is_paid else InvoiceStatus.OPEN,
            "total": sum(line["unit_price"] * line["quantity"] for line in sold),
        }
        invoices.append(invoice)
        lines.append(sold)
    stored = await add(session, Invoice, invoices)
    of_invoices = zip(stored, lines, strict=True)
    rows = [{"invoice_id": each["id"], **line} for each, sold in of_invoices for line in sold]
    await session.execute(insert(InvoiceLine), rows)


async def sell_at_the_counter(
    session: AsyncSession, customers: list[Row], tracks: list[Row]
) -> None:
    """Invoices of the till, which is another program: it writes dates in SQL, as text."""
    for number, customer in enumerate(customers):
        track = tracks[number * 70]
        moment = OPENED + timedelta(days=DAYS + number, minutes=97 * number % 500)
        invoice = insert(Invoice).values(
            customer_id=customer["id"],
            issued_at=literal_column(f"'{moment:%Y-%m-%d %H:%M:%S}'"),
            status=InvoiceStatus.PAID,
            total=track["price"],
        )
        invoice_id = await session.scalar(invoice.returning(col(Invoice.id)))
        line = {"invoice_id": invoice_id, "track_id": track["id"], "unit_price": track["price"]}
        await session.execute(insert(InvoiceLine), [{"quantity": 1, **line}])


def words(name: str) -> list[str]:
    return str(WORDS[name]).split()
