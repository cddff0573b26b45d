"""Scopes: whether anybody learns anything of records and fields that they may not see."""

from hero_admin.testing.checks.scopes.check import check_scopes
from hero_admin.testing.checks.scopes.walk import ScopeWalk

__all__ = ["ScopeWalk", "check_scopes"]
