"""Spelling: one text where people see one, in fields of which no two records may have the same.

“Café” has two forms in Unicode, and a zero-width space at its end shows nothing at all.
"""

import re
import unicodedata

from hero_admin.model.schemas import FILLERS

# To normalize many marks in a row takes time that grows with their square; no name is longer.
MAX_CHARACTERS = 1_000
# What shows nothing: spaces, controls, soft hyphens, marks of direction, zero-width characters and
# fillers. Not the tags that flags end with.
INVISIBLE = (
    r"\s\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    + FILLERS
)
_AT_THE_ENDS = re.compile(f"^[{INVISIBLE}]+|(?<![{INVISIBLE}])[{INVISIBLE}]+$")


def spelled(text: str) -> str:
    """Return a typed text as it is stored: composed (NFC), with nothing invisible at its ends."""
    if text.isascii() or len(text) > MAX_CHARACTERS:
        return text
    return unicodedata.normalize("NFC", _AT_THE_ENDS.sub("", text))


def trimmed(text: str) -> str:
    """Return a text without what shows nothing at its ends, unless it shows nothing at all."""
    return _AT_THE_ENDS.sub("", text) or text.strip()


def spellings(text: str) -> tuple[str, ...]:
    """Return a text, and the forms in which other programs may have stored it."""
    if text.isascii() or len(text) > MAX_CHARACTERS:
        return (text,)
    forms = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    return tuple(dict.fromkeys((text, *forms)))
