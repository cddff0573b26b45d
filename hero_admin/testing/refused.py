"""`Refused`: what a test asked for was not done, and what was answered instead."""

from typing import Any

from hero_admin.testing.page import Page


class Refused(AssertionError):
    """A form or a request that was refused; it fails a test that does not expect it.

    page: the answer. errors: the sentence beside each field, by label, or by name in the API; one
    that belongs to no field is under "".
    """

    def __init__(self, what: str, page: Page, errors: dict[str, str]) -> None:
        to = page.headers.get("location")
        shown = f"It leads to {to}" if to else page.excerpt()
        told = "; ".join(
            f"{name}: {sentence}" if name else sentence for name, sentence in errors.items()
        )
        super().__init__(f"{what}: {page.status_code}. {told or shown}")
        self.page = page
        self.errors = errors

    @property
    def status_code(self) -> int:
        return self.page.status_code


def form_errors(page: Page) -> dict[str, str]:
    """Return what a form says is wrong, by the labels of its fields."""
    errors = page.errors
    # The summary has those beside fields, too.
    rest = page.alert
    return errors or ({"": rest} if rest else {})


def api_errors(page: Page) -> dict[str, str]:
    """Return what the API says is wrong, by the names of fields."""
    try:
        # Any: JSON of two shapes, a sentence or a list.
        detail: Any = page.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return {}
    if isinstance(detail, str):
        return {"": detail}
    return {".".join(map(str, each["loc"][1:])): each["msg"] for each in detail}
