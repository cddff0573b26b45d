"""Settings: read from the environment, and refused in one sentence that names the variable."""

import pytest

from hero_admin import Admin
from hero_admin.cli.exposure import check_exposure
from hero_admin.settings import Settings, SettingsError, load_settings, with_key

POSTGRESQL = "postgresql+asyncpg://staff:s3cret@db.example/heroes"
KEY = "k" * 32


def refusal() -> str:
    with pytest.raises(SettingsError) as refused:
        load_settings()
    return str(refused.value)


def test_without_variables_the_server_has_a_file_and_listens_to_this_machine_only() -> None:
    settings = load_settings()
    assert settings.database_url == "sqlite+aiosqlite:///var/heroes.db"
    assert settings.is_embedded
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 1)


def test_a_variable_sets_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBAPP_PORT", "9000")
    monkeypatch.setenv("WEBAPP_DATABASE_URL", POSTGRESQL)
    settings = load_settings()
    assert settings.port == 9000
    assert settings.database_url == POSTGRESQL
    assert not settings.is_embedded


def test_an_option_of_a_command_goes_before_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBAPP_PORT", "9000")
    assert load_settings(port=9001).port == 9001
    assert load_settings(port=None).port == 9000


def test_a_second_factor_is_required_of_a_role_and_where_there_are_accounts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load_settings().second_factor == "off"
    monkeypatch.setenv("WEBAPP_SECOND_FACTOR", "king")
    assert refusal() == (
        "WEBAPP_SECOND_FACTOR must be off, or the lowest role that needs one: owner, editor or"
        " viewer, not “king”."
    )
    monkeypatch.setenv("WEBAPP_SECOND_FACTOR", "owner")
    mounted = Admin((), authenticate=lambda _: None)
    with pytest.raises(
        SettingsError, match=r"^WEBAPP_SECOND_FACTOR is for accounts of the library"
    ):
        mounted.settings()
    monkeypatch.setenv("WEBAPP_AUTH", "off")
    assert refusal() == "WEBAPP_SECOND_FACTOR needs accounts, and WEBAPP_AUTH is off."


def test_settings_never_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("sqlite:///some.db", "sqlite+aiosqlite:///some.db"),
        ("sqlite:////var/lib/a b.db", "sqlite+aiosqlite:////var/lib/a b.db"),
        ("postgres://staff:s3cret@db.example/heroes", POSTGRESQL),
        ("postgresql://staff:s3cret@db.example/heroes", POSTGRESQL),
        (f"{POSTGRESQL}?sslmode=require", f"{POSTGRESQL}?ssl=require"),
        (
            "postgresql://staff:p%40ss@/heroes?host=/run/postgresql",
            "postgresql+asyncpg://staff:p%40ss@/heroes?host=%2Frun%2Fpostgresql",
        ),
    ],
)
def test_an_address_as_providers_write_it_is_understood(given: str, used: str) -> None:
    assert load_settings(database_url=given).database_url == used


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WEBAPP_PORT", "http", "a port from 0 to 65535 (0 takes a free one), not “http”."),
        ("WEBAPP_PORT", "65536", "a port from 0 to 65535 (0 takes a free one), not “65536”."),
        ("WEBAPP_PORT", "", "a port from 0 to 65535 (0 takes a free one), not “”."),
        ("WEBAPP_HOST", "", "an address to listen on, not “”."),
        ("WEBAPP_WORKERS", "0", "from 1 to 256 processes, not “0”."),
        ("WEBAPP_POOL_SIZE", "-1", "from 1 to 1000 connections, not “-1”."),
        ("WEBAPP_MAX_BODY_BYTES", "5 MB", "a number of bytes above 0, not “5 MB”."),
        (
            "WEBAPP_REQUEST_TIMEOUT_SECONDS",
            "nan",
            "a number of seconds above 0 and at most 3600, not “nan”.",
        ),
        (
            "WEBAPP_ALLOWED_HOSTS",
            "https://heroes.example",
            "host names without ports, with commas between them, not “https://heroes.example”.",
        ),
        (
            "WEBAPP_TRUSTED_PROXIES",
            "10.0.0.0/8, nginx",
            "IP addresses and networks with commas between them, or *, not “10.0.0.0/8, nginx”.",
        ),
    ],
)
def test_a_malformed_value_is_refused_with_what_is_expected(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    assert refusal() == f"{name} must be {said}"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "heroes.db",
        "mysql://staff:s3cret@db.example/heroes",
        "postgresql+psycopg://staff:s3cret@db.example/heroes",
        "postgresql://staff:s3cret@db.example:port/heroes",
        "sqlite://staff:s3cret@db.example/heroes",
        "sqlite:///heroes.db?mode=memory",
        "sqlite:///who?.db",
    ],
)
def test_an_address_of_no_database_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("WEBAPP_DATABASE_URL", address)
    assert refusal() == (
        "WEBAPP_DATABASE_URL must be sqlite+aiosqlite:///FILE"
        " or postgresql+asyncpg://USER:PASSWORD@HOST/DATABASE."
    )


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:", "sqlite+aiosqlite:///"])
def test_a_database_in_memory_is_refused_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("WEBAPP_DATABASE_URL", address)
    assert "must name a file: a SQLite database in memory is not supported" in refusal()


def test_an_unknown_parameter_of_the_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBAPP_DATABASE_URL", f"{POSTGRESQL}?pool=5")
    assert refusal() == (
        "Unknown parameter in WEBAPP_DATABASE_URL: pool (known: host, port, ssl, sslmode)."
    )


def test_a_misspelt_variable_is_not_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBAPP_DATABSE_URL", POSTGRESQL)
    assert refusal() == ("Unknown setting WEBAPP_DATABSE_URL; did you mean WEBAPP_DATABASE_URL?")


def test_a_variable_that_resembles_no_setting_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Kubernetes sets such ones for a service of the name “webapp”.
    monkeypatch.setenv("WEBAPP_SERVICE_PORT_HTTP", "80")
    assert load_settings() == Settings()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost", "LOCALHOST"])
def test_a_server_for_this_machine_only_needs_no_key(host: str) -> None:
    for given in ({}, {"secret_key": "short"}, {"auth": "off"}):
        settings = load_settings(host=host, **given)
        assert check_exposure(settings) == settings


def test_the_key_of_the_database_is_none_that_somebody_has_set() -> None:
    settings = load_settings()
    assert not settings.has_key
    stored = with_key(settings, "s" * 32)
    assert (stored.has_key, len(stored.secret_key.get_secret_value()) > 32) == (False, True)
    own = load_settings(secret_key=KEY)
    assert with_key(own, "s" * 32) == own
    assert own.has_key


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "heroes.example", "localhost.x"])
def test_a_server_for_others_needs_accounts_and_a_key(host: str) -> None:
    for given in ({}, {"secret_key": "x" * 31}, {"secret_key": "x" * 32, "auth": "off"}):
        with pytest.raises(SettingsError, match=r"WEBAPP_(SECRET_KEY|AUTH)"):
            check_exposure(load_settings(host=host, allowed_hosts="heroes.example", **given))
    settings = load_settings(host=host, secret_key=KEY, allowed_hosts="heroes.example")
    assert check_exposure(settings) == settings


def test_a_server_without_accounts_has_no_other_names() -> None:
    with pytest.raises(SettingsError, match="WEBAPP_AUTH=off"):
        check_exposure(load_settings(auth="off", allowed_hosts="heroes.example"))


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    settings = load_settings(database_url=POSTGRESQL, secret_key="hush")
    assert "s3cret" not in f"{settings} {settings!r}"
    assert "hush" not in f"{settings} {settings!r}"


@pytest.mark.parametrize(
    "name", ["a b", "heroes.example:8000", "*", ".", "a..b", "ü.example", "[x]"]
)
def test_a_host_name_that_no_browser_would_ask_for_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("WEBAPP_ALLOWED_HOSTS", f"heroes.example, {name}")
    assert refusal().startswith("WEBAPP_ALLOWED_HOSTS must be host names without ports")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_listening_on_all_addresses_needs_the_names_of_the_server(host: str) -> None:
    with pytest.raises(SettingsError, match="WEBAPP_ALLOWED_HOSTS must name the hosts"):
        check_exposure(load_settings(host=host, secret_key=KEY))
    check_exposure(load_settings(host=host, secret_key=KEY, allowed_hosts="heroes.example"))


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.7", "::1", "heroes.example"])
def test_listening_on_one_address_needs_no_names(host: str) -> None:
    check_exposure(load_settings(host=host, secret_key=KEY))
