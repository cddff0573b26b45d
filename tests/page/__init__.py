"""Reading pages as people do: by heading, label, role and id; and sending forms as browsers do."""

from tests.page.client import Client, htmx_headers
from tests.page.form import Form, Value
from tests.page.page import Page
from tests.page.source import BASE_URL

__all__ = ["BASE_URL", "Client", "Form", "Page", "Value", "htmx_headers"]
