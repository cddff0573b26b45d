"""Sizes: how people read a number of bytes."""


def size_text(size: int) -> str:
    """Return how large bytes are: 900 bytes, 12 kB, 3.4 MB."""
    if size < 1_000:
        return f"{size} byte{'s' * (size != 1)}"
    return f"{size / 1_000:,.0f} kB" if size < 999_500 else f"{size / 1_000_000:,.1f} MB"
