"""The test kit: a pytest plugin for applications that have an Admin.

    # conftest.py
    pytest_plugins = ["hero_admin.testing"]

and `admin = "package.module:name"` in pytest's settings, or `--admin package.module:name`. A test
takes the fixture `admin`. What it needs is installed with `hero-admin[testing]`.

PYTEST_DONT_REWRITE: else pytest warns where a conftest.py imports from it, too.
"""

try:
    import bs4  # noqa: F401 - whether it is there
    import httpx  # noqa: F401
    import pytest  # noqa: F401
    import pytest_asyncio  # noqa: F401
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"hero_admin.testing needs {missing.name}: pip install 'hero-admin[testing]'.",
        name=missing.name,
    ) from None

from hero_admin.testing.admin_client import AdminClient, client_on
from hero_admin.testing.api_client import ApiClient
from hero_admin.testing.checks import (
    check_accessibility,
    check_no_script,
    check_round_trips,
    check_scopes,
)
from hero_admin.testing.client import Client, client_of, htmx_headers
from hero_admin.testing.page import BASE_URL, Entry, Form, Link, Page, Value
from hero_admin.testing.plugin import (
    admin,
    admin_app,
    admin_database,
    admin_tables,
    made_databases,
    pytest_addoption,
    pytest_generate_tests,
)
from hero_admin.testing.refused import Refused

__all__ = [
    "BASE_URL",
    "AdminClient",
    "ApiClient",
    "Client",
    "Entry",
    "Form",
    "Link",
    "Page",
    "Refused",
    "Value",
    "admin",
    "admin_app",
    "admin_database",
    "admin_tables",
    "check_accessibility",
    "check_no_script",
    "check_round_trips",
    "check_scopes",
    "client_of",
    "client_on",
    "htmx_headers",
    "made_databases",
    "pytest_addoption",
    "pytest_generate_tests",
]
