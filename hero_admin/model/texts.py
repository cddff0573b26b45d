"""Texts: as they are stored, and the forms that people take for one text.

“Café” has two forms in Unicode, and a zero-width space at its end is invisible.
"""

import enum
import re
import unicodedata
from typing import Any

from pydantic import SecretBytes, SecretStr

# Letters and signs that are invisible.
FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"

# Normalizing many marks in a row takes quadratic time; no name is longer.
MAX_CHARACTERS = 1_000
# Spaces, controls, soft hyphens, marks of direction, zero-width characters and fillers; not the
# tags that flags end with.
INVISIBLE = (
    r"\s\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    + FILLERS
)
_AT_ENDS = re.compile(f"^[{INVISIBLE}]+|(?<![{INVISIBLE}])[{INVISIBLE}]+$")


def clean_text(text: str) -> str:
    """Return `text` with one kind of line end, "" if it is invisible.

    Raises ValueError with a sentence for characters that no database can store.
    """
    if "\0" in text:
        raise ValueError("Remove the invisible NUL character from this text.")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("Remove the broken character from this text.") from None
        # Spaces, controls, zero-width characters and fillers.
        if all(unicodedata.category(each)[0] in "ZC" or each in FILLERS for each in text):
            return ""
    # All returns before a line feed, so that cleaning twice changes nothing; matched from the first
    # one only, to keep the time linear. Searching for one takes a second for a few megabytes.
    return re.sub("(?<!\r)\r+\n", "\n", text) if "\r\n" in text else text


def plain_text(value: Any) -> str:
    """Return the text that a column stores for a value of any of pydantic's text types."""
    if isinstance(value, SecretStr | SecretBytes):
        value = value.get_secret_value()
    if isinstance(value, enum.Enum):
        value = value.value
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def spelled(text: str) -> str:
    """Return a typed text as it is stored: composed (NFC), trimmed of invisible characters.

    Source: https://unicode.org/reports/tr15/
    """
    if text.isascii() or len(text) > MAX_CHARACTERS:
        return text
    return unicodedata.normalize("NFC", _AT_ENDS.sub("", text))


def trimmed(text: str) -> str:
    """Return a text without invisible characters at its ends, unless all of it is invisible."""
    return _AT_ENDS.sub("", text) or text.strip()


def spellings(text: str) -> tuple[str, ...]:
    """Return a text, and the forms in which other programs may have stored it."""
    if text.isascii() or len(text) > MAX_CHARACTERS:
        return (text,)
    forms = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    return tuple(dict.fromkeys((text, *forms)))
