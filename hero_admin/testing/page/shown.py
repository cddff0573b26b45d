"""What a page shows, and the sentences of tests that expected something else."""

from typing import Self

from bs4 import Tag

from hero_admin.testing.page.controls import values_sent
from hero_admin.testing.page.elements import all_named, attribute, visible_text
from hero_admin.testing.page.source import Source

# What people read in a control.
TYPED_IN = ("input", "textarea")
MAX_EXCERPT = 600
MAX_BESIDE = 60


class Shown(Source):
    """A page, of which tests expect that it shows some texts and no others."""

    @property
    def read_text(self) -> str:
        """The text as it is read out, with what stands in the fields of forms."""
        values = [value for tag in all_named(self.tag, *TYPED_IN) for value in _values_in(tag)]
        return " ".join([self.visible_text, *values])

    def sees(self, *texts: str) -> Self:
        """Fail unless each text is to be read on the page, in a field too; return the page."""
        shown = _folded(self.read_text)
        for text in texts:
            if _folded(text) not in shown:
                raise AssertionError(f"The page does not show {text!r}. It shows: {self.excerpt()}")
        return self

    def lacks(self, *texts: str) -> Self:
        """Fail if one of the texts is to be read on the page, in a field too; return the page."""
        shown = _folded(self.read_text)
        for text in texts:
            before, found, after = shown.partition(_folded(text))
            if found:
                around = f"…{before[-MAX_BESIDE:]}{found}{after[:MAX_BESIDE]}…"
                raise AssertionError(f"The page shows {text!r}: {around}")
        return self

    def excerpt(self) -> str:
        """Return what the page shows, shortened: its main part, or a part of what is no page."""
        mains = all_named(self.tag, "main")
        text = _folded(visible_text(mains[0]) if mains else self.visible_text or self.text)
        return text if len(text) <= MAX_EXCERPT else f"{text[:MAX_EXCERPT]}…"


def _values_in(tag: Tag) -> list[str]:
    """Return what stands in a control, but for what only programs see."""
    hidden = attribute(tag, "type").lower() in ("hidden", "checkbox", "radio", "password", "file")
    return [] if hidden else values_sent(tag)


def _folded(text: str) -> str:
    return " ".join(text.split())
