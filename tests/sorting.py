"""Sorting: the order of texts in each database."""

from collections.abc import Callable

from hero_admin.database.folding import fold

ASCII_LETTERS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def sort_key_of(dialect: str) -> Callable[[str], str]:
    """What stands for a text where lists are sorted: no case and, on PostgreSQL, no accents."""
    return fold if dialect == "postgresql" else lambda text: text.translate(ASCII_LETTERS)
