"""The accent colour of an application: a stylesheet of it, once its contrast is checked.

https://www.w3.org/TR/WCAG22/#contrast-minimum
"""

import re
from typing import NamedTuple, Self

MIN_CONTRAST = 4.5
# What the accent stands on, as in site.css: surface, ground and what is hovered.
LIGHT = ("#ffffff", "#f6f7f9", "#f3f4f8")
DARK = ("#151920", "#0d1015", "#1b2029")
WHITE, BLACK = "#ffffff", "#0b0d12"


class Color(NamedTuple):
    """A colour in sRGB; each part is from 0 to 255."""

    red: int
    green: int
    blue: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return a colour like #3d4dd6; raises ValueError for anything else."""
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
            raise ValueError(text)
        return cls(*(int(text[at : at + 2], 16) for at in (1, 3, 5)))

    def __str__(self) -> str:
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"

    def mixed(self, other: "Color", share: float) -> "Color":
        """Return this colour with a share of another one."""
        pairs = zip(self, other, strict=True)
        return Color(*(round(own + (added - own) * share) for own, added in pairs))

    @property
    def luminance(self) -> float:
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in (part / 255 for part in self)
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def contrast(self, other: "Color") -> float:
        """Return the contrast to another colour, from 1 to 21."""
        darker, lighter = sorted((self.luminance, other.luminance))
        return (lighter + 0.05) / (darker + 0.05)


class _Scheme(NamedTuple):
    """The colours that follow from an accent on light or on dark surfaces."""

    accent: Color
    hover: Color
    soft: Color
    ink: Color

    @property
    def lowest(self) -> float:
        """The lowest contrast of any text in it."""
        return min(
            self.accent.contrast(self.soft),
            self.ink.contrast(self.accent),
            self.ink.contrast(self.hover),
        )


def accent_stylesheet(light: str, dark: str = "") -> str:
    """Return the CSS of an accent colour; the one for dark surfaces is derived from the other.

    Raises ValueError with a sentence for a colour that can't be read on its surfaces.
    """
    colors = [_parsed(text) for text in (light, dark) if text]
    on_light = _scheme(colors[0], is_dark=False)
    _check(on_light, LIGHT, "light")
    on_dark = _scheme(colors[1], is_dark=True) if dark else _readable(colors[0], is_dark=True)
    _check(on_dark, DARK, "dark")
    names = ("--accent", "--accent-hover", "--accent-soft", "--on-accent")
    pairs = zip(names, on_light, on_dark, strict=True)
    rules = "".join(f"{name}:light-dark({one},{other});" for name, one, other in pairs)
    selection = "color-mix(in srgb,var(--accent) 30%,var(--surface))"
    return f":root{{{rules}}}\n::selection{{background:{selection}}}\n"


def _parsed(text: str) -> Color:
    try:
        return Color.parse(text)
    except (TypeError, ValueError):
        raise ValueError(f"takes a colour like '#3d4dd6', not {text!r}") from None


def _scheme(accent: Color, *, is_dark: bool) -> _Scheme:
    surface = Color.parse((DARK if is_dark else LIGHT)[0])
    white, black = Color.parse(WHITE), Color.parse(BLACK)
    hover = accent.mixed(white, 0.2) if is_dark else accent.mixed(black, 0.16)
    ink = max(white, black, key=accent.contrast)
    return _Scheme(accent, hover, surface.mixed(accent, 0.16 if is_dark else 0.08), ink)


def _contrast(scheme: _Scheme, surfaces: tuple[str, ...]) -> float:
    on_surfaces = (scheme.accent.contrast(Color.parse(surface)) for surface in surfaces)
    return min(scheme.lowest, *on_surfaces)


def _readable(accent: Color, *, is_dark: bool) -> _Scheme:
    """Return the scheme of the nearest colour that can be read."""
    end = Color.parse(WHITE if is_dark else BLACK)
    schemes = (_scheme(accent.mixed(end, step / 50), is_dark=is_dark) for step in range(51))
    surfaces = DARK if is_dark else LIGHT
    return next(each for each in schemes if _contrast(each, surfaces) >= MIN_CONTRAST)


def _check(scheme: _Scheme, surfaces: tuple[str, ...], kind: str) -> None:
    found = _contrast(scheme, surfaces)
    if found < MIN_CONTRAST:
        nearest = _readable(scheme.accent, is_dark=surfaces is DARK).accent
        raise ValueError(
            f"has {scheme.accent}, whose contrast on {kind} surfaces is {found:.1f} and has to be"
            f" {MIN_CONTRAST}: {nearest} would do"
        )
