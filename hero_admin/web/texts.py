"""Texts as people read them.

Sentences are whole, with named placeholders, so that they can be translated: one with a number has
a form for each grammatical number, and is chosen by `ngettext`.
"""

from collections.abc import Sequence

LONGEST_CELL_CHARACTERS = 120


def ngettext(singular: str, plural: str, n: int) -> str:
    """Return the form of a text for a number; the signature is that of `gettext.ngettext`."""
    return singular if n == 1 else plural


def listed(parts: Sequence[str]) -> str:
    """Return “A, B and C”; `parts` has at least one."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def capitalised(text: str) -> str:
    """Return a text with a capital first letter, as a sentence begins."""
    return text[:1].upper() + text[1:]


def shortened(text: str) -> str:
    """Return at most `LONGEST_CELL_CHARACTERS` characters of a text."""
    if len(text) <= LONGEST_CELL_CHARACTERS:
        return text
    return text[: LONGEST_CELL_CHARACTERS - 1].rstrip() + "…"


def problems_text(count: int) -> str:
    """Return the heading of what is wrong with a form."""
    return ngettext("There's {n} problem", "There are {n} problems", count).format(n=count)


def size_text(size: int) -> str:
    """Return a number of bytes as text: 900 bytes, 12 kB, 3.4 MB."""
    if size < 1_000:
        return ngettext("{size} byte", "{size} bytes", size).format(size=size)
    return f"{size / 1_000:,.0f} kB" if size < 999_500 else f"{size / 1_000_000:,.1f} MB"
