"""Texts as people read them."""


def capitalised(text: str) -> str:
    """Return a text with a capital first letter, as a sentence begins."""
    return text[:1].upper() + text[1:]


def size_text(size: int) -> str:
    """Return a number of bytes as text: 900 bytes, 12 kB, 3.4 MB."""
    if size < 1_000:
        return f"{size} byte{'s' * (size != 1)}"
    return f"{size / 1_000:,.0f} kB" if size < 999_500 else f"{size / 1_000_000:,.1f} MB"
