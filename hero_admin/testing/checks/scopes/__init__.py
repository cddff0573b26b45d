"""Scopes: whether anybody learns anything of records that are not within their rows."""

from hero_admin.testing.checks.scopes.check import ScopeWalk, check_scopes

__all__ = ["ScopeWalk", "check_scopes"]
