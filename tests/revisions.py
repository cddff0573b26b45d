"""The migrations of the library's own tables."""

from tests.server import PROJECT

VERSIONS = PROJECT / "hero_admin" / "migrations" / "versions"
# The revision that every database ends up at.
NEWEST = max(path.stem.partition("_")[0] for path in VERSIONS.glob("[0-9]*.py"))
