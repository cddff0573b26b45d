"""The pages of the test kit, under the name that tests know."""

from hero_admin.testing import BASE_URL, Client, Form, Page, Value, htmx_headers

__all__ = ["BASE_URL", "Client", "Form", "Page", "Value", "htmx_headers"]
