"""QR codes, as pictures that are a part of their page."""

import segno
from markupsafe import Markup

# Four modules of light around it, as the standard wants: cameras look for them.
BORDER_MODULES = 4


def qr_code(text: str) -> Markup:
    """Return the QR code of a text as SVG, black on white whatever the theme; it has no style."""
    svg = segno.make(text, error="m", micro=False).svg_inline(
        border=BORDER_MODULES,
        omitsize=True,
        dark="#000",
        light="#fff",
        svgclass="qr",
        lineclass=None,
    )
    return Markup(svg)  # noqa: S704 - made of numbers
