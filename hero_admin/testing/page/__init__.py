"""Reading pages as people do: by heading, label, role and id; and filling in their forms."""

from hero_admin.testing.page.form import Form, Value
from hero_admin.testing.page.page import Entry, Link, Page
from hero_admin.testing.page.source import BASE_URL

__all__ = ["BASE_URL", "Entry", "Form", "Link", "Page", "Value"]
