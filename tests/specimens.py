"""Models of column types that applications bring along, beside the plain ones of gadgets."""

import enum
from datetime import date, datetime, time
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AnyUrl,
    Base64Str,
    BaseModel,
    EmailStr,
    HttpUrl,
    NaiveDatetime,
    NameEmail,
    SecretStr,
    StringConstraints,
)
from sqlalchemy import (
    ARRAY,
    JSON,
    Column,
    DateTime,
    Enum,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PickleType,
    String,
    Text,
    Time,
    TypeDecorator,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import UserDefinedType
from sqlmodel import AutoString, Field, SQLModel
from starlette.applications import Starlette

from hero_admin.application import create_app
from hero_admin.model.resource import Resource
from hero_admin.settings import load_settings


class Rating(enum.StrEnum):
    G = "G"
    PG = "PG"
    NC17 = "NC-17"
    UNRATED = "unrated"


class Duty(enum.Enum):
    ON_LEAVE = enum.auto()
    PG = enum.auto()


class Priority(enum.IntEnum):
    LOW = 1
    URGENT = 9

    @property
    def label(self) -> str:
        return f"{self.value}: {self.name.title()}"


class Sign(enum.Flag):
    RED = 1
    BLUE = 2


class Address(BaseModel):
    city: str


class Contact(SQLModel, table=True):
    """Every type of text that pydantic has; the first one is no plain `str`."""

    email: EmailStr
    id: int | None = Field(default=None, primary_key=True)
    site: HttpUrl | None = Field(default=None, sa_type=AutoString)
    link: AnyUrl | EmailStr | None = Field(default=None, sa_column=Column(String(200)))
    sender: NameEmail | None = Field(default=None, sa_type=AutoString)
    code: Annotated[str, StringConstraints(to_upper=True, pattern="^[A-Za-z]{3}$")] | None = None
    address: IPv4Address | None = None
    home: Path | None = None
    blob: Base64Str | None = Field(default=None, sa_type=AutoString)
    password: SecretStr | None = Field(default=None, sa_type=AutoString)


class Film(SQLModel, table=True):
    """Every way to limit a column to a few values."""

    id: int | None = Field(default=None, primary_key=True)
    rating: Rating = Field(
        default=Rating.PG,
        sa_column=Column(
            Enum(Rating, values_callable=lambda kinds: [one.value for one in kinds]),
            nullable=False,
        ),
    )
    duty: Duty = Duty.ON_LEAVE
    priority: Priority = Field(default=Priority.LOW, sa_type=Integer)
    sign: Sign = Field(default=Sign.RED, sa_type=Integer)
    size: Literal["s", "XL"] = Field(default="s", sa_type=AutoString)
    reels: Literal[1, 2, 3] | None = Field(default=None, sa_type=Integer)
    medium: str | None = Field(default=None, sa_column=Column(Enum("35 mm", "dvd", name="medium")))
    stock: Rating | None = Field(default=None, sa_type=AutoString)


class Card(SQLModel, table=True):
    """Files: one that may be missing, one that may not, and one that is masked."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=40)
    photo: bytes | None = Field(default=None, max_length=100_000)
    scan: bytes = b"scan"
    secret: bytes | None = None


class Sealed(TypeDecorator[Any]):
    """Pickles in a type of the host's own."""

    impl = PickleType
    cache_ok = True


class Leaf(SQLModel, table=True):
    """Files under odd names, of records with a key of two parts; and pickles."""

    book: str = Field(primary_key=True)
    page: int = Field(primary_key=True)
    note: str | None = None
    image: bytes | None = Field(
        default=None, alias="imageData", sa_column=Column("img data", LargeBinary)
    )
    action: bytes | None = None
    stamp: bytes | None = Field(default=None, min_length=2, unique=True)
    фото: bytes = b"a default"  # noqa: PLC2401 - as people may write them
    # Any: a pickle may be of anything.
    state: Any = Field(default={"a": 1}, sa_column=Column(PickleType))
    sealed: Any = Field(default=None, sa_column=Column(Sealed))


class Money(TypeDecorator[Decimal]):
    """Cents in an integer column."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else int(value * 100)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else Decimal(value) / 100


class Whatever(TypeDecorator[Any]):
    """A type of the host's own, which gives what nobody knows."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return value and value.text

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return value and Opaque(value)


class Opaque:
    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return f"<{self.text}>"


class Odd(UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "TEXT"


class Thing(SQLModel, table=True):
    """Defaults of every type, and types that only their owner knows."""

    __tablename__ = "specimen"

    model_config = {"arbitrary_types_allowed": True}

    id: int | None = Field(default=None, primary_key=True)
    name: str = "thing"
    price: Decimal = Field(default=Decimal("0.000000"), sa_column=Column(Numeric(10, 4)))
    share: Decimal = Field(default=Decimal("0.123456"), sa_column=Column(Numeric(10, 4)))
    bulk: Decimal = Field(default=Decimal("1E+3"), sa_column=Column(Numeric(10, 1)))
    ratio: Decimal = Field(
        default=Decimal("1.5"), sa_column=Column(Numeric(10, 2, asdecimal=False))
    )
    cents: Decimal | None = Field(default=None, sa_column=Column(Money))
    free: Decimal | None = Field(default=None, sa_column=Column(Numeric))
    wide: Decimal | None = Field(default=None, sa_column=Column(Numeric(30, 12)))
    opens: time | None = Field(default=None, sa_column=Column(Time(timezone=True)))
    clock: NaiveDatetime | None = None
    noted: datetime | None = Field(default=None, sa_column=Column(DateTime))
    lived: Address | None = Field(default=None, sa_column=Column(JSON))
    tags: list[str] = Field(
        default=["a"], sa_column=Column(JSON().with_variant(ARRAY(Text), "postgresql"))
    )
    opaque: Opaque | None = Field(default=None, sa_column=Column(Whatever))
    odd: str | None = Field(default=None, sa_column=Column(Odd))
    pickled: Any = Field(default=None, sa_column=Column(PickleType))


class OnlyPostgreSQL(SQLModel):
    metadata = MetaData()


MAIL = postgresql.DOMAIN("mail", Text, check=text("VALUE LIKE '%@%'"))
FLOOR = postgresql.DOMAIN("floor", Integer, check=text("VALUE >= 0"))


class Server(OnlyPostgreSQL, table=True):
    """Types that only PostgreSQL has."""

    id: int | None = Field(default=None, primary_key=True)
    numbers: list[int] | None = Field(default=None, sa_column=Column(ARRAY(Integer)))
    prices: list[Decimal] | None = Field(default=None, sa_column=Column(ARRAY(Numeric(10, 2))))
    weights: list[float] | None = Field(default=None, sa_column=Column(ARRAY(Float)))
    days: list[date] | None = Field(
        default=None, sa_column=Column(postgresql.ARRAY(postgresql.DATE))
    )
    network: Any = Field(default=None, sa_column=Column(postgresql.INET))
    block: Any = Field(default=None, sa_column=Column(postgresql.CIDR))
    card: Any = Field(default=None, sa_column=Column(postgresql.MACADDR))
    span: Any = Field(default=None, sa_column=Column(postgresql.INT4RANGE))
    spans: Any = Field(default=None, sa_column=Column(postgresql.INT4MULTIRANGE))
    period: Any = Field(default=None, sa_column=Column(postgresql.TSTZRANGE))
    words: Any = Field(default=None, sa_column=Column(postgresql.TSVECTOR))
    pairs: dict[str, str | None] | None = Field(default=None, sa_column=Column(postgresql.HSTORE))
    bits: Any = Field(default=None, sa_column=Column(postgresql.BIT(8)))
    amount: Any = Field(default=None, sa_column=Column(postgresql.MONEY))
    lasts: Any = Field(default=None, sa_column=Column(postgresql.INTERVAL))
    facts: Any = Field(default=None, sa_column=Column(postgresql.JSONB))
    name: str | None = Field(default=None, sa_column=Column(postgresql.CITEXT))
    mail: str | None = Field(default=None, sa_column=Column(MAIL))
    floor: int | None = Field(default=None, sa_column=Column(FLOOR))
    mood: str | None = Field(
        default=None, sa_column=Column(postgresql.ENUM("sad", "ok", name="mood"))
    )


def cards() -> Starlette:
    """An admin of cards, for uvicorn."""
    return create_app(load_settings(), [Resource(Card, masked=(Card.secret,))])
