"""Settings: read once from the WEBAPP_* environment variables, checked, and never changed."""

import os
import re
from difflib import get_close_matches
from ipaddress import ip_network
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine

PREFIX = "WEBAPP_"

# Hosting providers hand out the short forms.
DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
ALL_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104 - it is what is looked out for
HOST_NAME = re.compile(r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]", re.ASCII)
# The start of a key that nobody has set: that of the database.
STORED_KEY = "stored:"
MIN_KEY_CHARACTERS = 32
POSTGRESQL_PARAMETERS = {"host", "port", "ssl"}


class SettingsError(Exception):
    """One clear sentence that names the variable and says what it must be."""


class Settings(BaseSettings):
    """Every setting with its default; each description completes “WEBAPP_… must be”."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    database_url: str = Field(
        default="sqlite+aiosqlite:///var/heroes.db",
        repr=False,
        description="sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER:PASSWORD@HOST/DATABASE",
    )
    database_read_url: str = Field(
        default="", repr=False, description="postgresql+asyncpg://… of a replica, or nothing"
    )
    database_pooler: Literal["none", "transaction"] = Field(
        default="none", description="none, or transaction if PgBouncer or the like is in between"
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="an address to listen on")
    allowed_hosts: str = Field(
        default="",
        description="host names without ports, with commas between them",
    )
    port: int = Field(
        default=8000, ge=0, le=65535, description="a port from 0 to 65535 (0 takes a free one)"
    )
    workers: int = Field(default=1, ge=1, le=256, description="from 1 to 256 processes")
    auth: Literal["on", "off"] = Field(default="on", description="on or off")
    second_factor: Literal["off", "owner", "editor", "viewer"] = Field(
        default="off", description="off, or the lowest role that needs one: owner, editor or viewer"
    )
    secret_key: SecretStr = Field(default=SecretStr(""), description="a text")
    session_idle_hours: float = Field(
        default=12, gt=0, le=8760, description="a number of hours above 0 and at most 8760"
    )
    session_days: float = Field(
        default=14, gt=0, le=365, description="a number of days above 0 and at most 365"
    )
    jobs: Literal["on", "off"] = Field(
        default="on", description="on, or off where another process runs `worker`"
    )
    pool_size: int = Field(default=10, ge=1, le=1000, description="from 1 to 1000 connections")
    request_timeout_seconds: float = Field(
        default=4.5, gt=0, le=3600, description="a number of seconds above 0 and at most 3600"
    )
    body_timeout_seconds: float = Field(
        default=60, gt=0, le=3600, description="a number of seconds above 0 and at most 3600"
    )
    max_body_bytes: int = Field(default=5 * 2**20, ge=1, description="a number of bytes above 0")
    trusted_proxies: str = Field(
        default="127.0.0.1",
        description="IP addresses and networks with commas between them, or *",
    )

    @field_validator("database_url")
    @classmethod
    def check_database_url(cls, value: str) -> str:
        return parse_database_url(value).render_as_string(hide_password=False)

    @field_validator("database_read_url")
    @classmethod
    def check_database_read_url(cls, value: str, values: ValidationInfo) -> str:
        if not value:
            return ""
        if not values.data.get("database_url", "").startswith("postgresql"):
            raise SettingsError(
                "WEBAPP_DATABASE_READ_URL names a replica of a PostgreSQL server, and"
                " WEBAPP_DATABASE_URL names none."
            )
        url = parse_database_url(value)
        if url.get_backend_name() != "postgresql":
            raise ValueError
        return url.render_as_string(hide_password=False)

    @field_validator("second_factor")
    @classmethod
    def check_second_factor(cls, value: str, values: ValidationInfo) -> str:
        if value != "off" and values.data.get("auth") == "off":
            raise SettingsError("WEBAPP_SECOND_FACTOR needs accounts, and WEBAPP_AUTH is off.")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def check_trusted_proxies(cls, value: str) -> str:
        proxies = [proxy.strip() for proxy in value.split(",") if proxy.strip()]
        for proxy in proxies:
            if proxy != "*":
                ip_network(proxy)
        return ",".join(proxies)

    @field_validator("allowed_hosts")
    @classmethod
    def check_allowed_hosts(cls, value: str) -> str:
        names = [name.strip().lower() for name in value.split(",")]
        names = [name[1:] if name.startswith("*.") else name for name in names]
        if not all(HOST_NAME.fullmatch(name) for name in names if name):
            raise ValueError
        return ",".join(name for name in names if name)

    @property
    def has_key(self) -> bool:
        """Whether somebody has set a secret key."""
        key = self.secret_key.get_secret_value()
        return bool(key) and not key.startswith(STORED_KEY)

    @property
    def is_on_all_addresses(self) -> bool:
        """Whether the server listens on every address of this machine."""
        return self.host in ALL_ADDRESSES

    @property
    def is_default(self) -> bool:
        """Whether the database is the file that this project comes with."""
        return self.database_url == str(Settings.model_fields["database_url"].default)

    @property
    def is_embedded(self) -> bool:
        """Whether the database is a SQLite file rather than a server."""
        return make_url(self.database_url).get_backend_name() == "sqlite"


def load_settings(**overrides: object) -> Settings:
    """The settings of this process; overrides of None leave the environment's value.

    Raises SettingsError.
    """
    _refuse_misspelt_variables()
    # Any: pydantic is what checks them.
    given: dict[str, Any] = {key: value for key, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as invalid:
        raise SettingsError(_sentence(invalid.errors()[0])) from None


def with_key(settings: Settings, key: str) -> Settings:
    """Return the settings with the secret key of their database, if none is set."""
    if settings.secret_key.get_secret_value():
        return settings
    return settings.model_copy(update={"secret_key": SecretStr(f"{STORED_KEY}{key}")})


def database_url_of(database: str | URL | Engine | AsyncEngine) -> str:
    """Return the address of an application's database, for the drivers of the library.

    Raises SettingsError for one that is neither a SQLite file nor a PostgreSQL server.
    """
    try:
        named = database.url if isinstance(database, Engine | AsyncEngine) else database
        given = make_url(named)
        # The drivers of the library, whatever others the application uses.
        address = given.set(drivername=given.get_backend_name())
        parsed = parse_database_url(address.render_as_string(hide_password=False))
    except (ArgumentError, ValueError):
        raise SettingsError(
            "It must be a SQLite file or a PostgreSQL server: its address, or an engine."
        ) from None
    return parsed.render_as_string(hide_password=False)


def parse_database_url(value: str) -> URL:
    """The parts of a database address, its driver spelt out. Raises SettingsError or ValueError."""
    try:
        url = make_url(value)
        driver = DRIVERS[url.drivername]
    except (ArgumentError, KeyError):
        raise ValueError from None
    url = url.set(drivername=driver)
    if driver.startswith("postgresql"):
        return _check_postgresql(url)
    # What follows a question mark would not be part of the file's name.
    if "?" in value:
        raise ValueError
    return _check_sqlite(url)


def _check_sqlite(url: URL) -> URL:
    if url.host:
        raise ValueError
    if not url.database or ":memory:" in url.database:
        raise SettingsError(
            "WEBAPP_DATABASE_URL must name a file: a SQLite database in memory is not supported,"
            " because the server reads and writes through several connections."
        )
    return url


def _check_postgresql(url: URL) -> URL:
    if "sslmode" in url.query:
        mode = url.query["sslmode"]
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    unknown = sorted(set(url.query) - POSTGRESQL_PARAMETERS)
    if unknown:
        raise SettingsError(
            f"Unknown parameter in WEBAPP_DATABASE_URL: {unknown[0]}"
            f" (known: {', '.join(sorted(POSTGRESQL_PARAMETERS))}, sslmode)."
        )
    return url


def _sentence(error: ErrorDetails) -> str:
    name = str(error["loc"][0])
    field = Settings.model_fields[name]
    # An address may hold a password and a key is one: neither belongs on a screen.
    is_secret = name in {"database_url", "database_read_url", "secret_key"}
    seen = "" if is_secret else f", not “{error['input']}”"
    return f"{PREFIX}{name.upper()} must be {field.description}{seen}."


def _refuse_misspelt_variables() -> None:
    """A misspelt variable would be ignored, and the server would run on another database."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in sorted(os.environ):
        upper = name.upper()
        if upper.startswith(PREFIX) and upper not in known:
            meant = get_close_matches(upper, known, n=1, cutoff=0.85)
            if meant:
                raise SettingsError(f"Unknown setting {name}; did you mean {meant[0]}?")
