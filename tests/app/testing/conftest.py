"""The test kit on heroes and teams."""

import pytest

from hero_admin import Admin
from webapp.app import admin as heroes_and_teams


@pytest.fixture
def admin_app() -> Admin:
    return heroes_and_teams


@pytest.fixture
def admin_database(database_url: str) -> str:
    return database_url
