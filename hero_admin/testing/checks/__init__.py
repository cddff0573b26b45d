"""Checks of a whole Admin: each walks through all of its pages, and fails if it found none."""

from hero_admin.testing.checks.accessibility import check_accessibility
from hero_admin.testing.checks.no_script import check_no_script
from hero_admin.testing.checks.round_trips import check_round_trips
from hero_admin.testing.checks.scopes import check_scopes

__all__ = ["check_accessibility", "check_no_script", "check_round_trips", "check_scopes"]
