"""The look of an application: its title, logo and colour, its templates, static files and menu."""

from dataclasses import dataclass
from pathlib import Path

from hero_admin.web.accent import accent_stylesheet
from hero_admin.web.menu import NO_LINKS, Menu
from hero_admin.web.own_assets import NO_ASSETS, OwnAssets

ACCENT = "accent.css"
PICTURES = (".svg", ".png", ".webp", ".gif", ".jpg", ".jpeg", ".ico")
TITLE = "Hero Admin"


@dataclass(frozen=True)
class Look:
    """What pages show of the application they belong to.

    templates: the folder whose templates stand before those of the library. logo, stylesheet: the
    names of own assets, "" for none.
    """

    title: str = TITLE
    templates: Path | None = None
    assets: OwnAssets = NO_ASSETS
    logo: str = ""
    stylesheet: str = ""
    menu: Menu = NO_LINKS


def look_of(
    title: str,
    templates: str | Path | None,
    static: str | Path | None,
    logo: str,
    accent: str | tuple[str, str],
    menu: Menu,
) -> Look:
    """Return the look that the arguments of an Admin say.

    Raises ValueError with a sentence that names the argument.
    """
    folders = {"templates": templates, "static": static}
    for name, folder in folders.items():
        if folder is not None and not Path(folder).is_dir():
            raise ValueError(f"{name}= takes a folder, and {str(folder)!r} isn't one.")
    made = {}
    if accent:
        try:
            pair = (accent,) if isinstance(accent, str) else tuple(accent)
            made[ACCENT] = accent_stylesheet(*pair).encode()
        except (TypeError, ValueError) as error:
            said = str(error) if isinstance(error, ValueError) else "takes one colour, or two"
            raise ValueError(f"accent= {said}.") from None
    assets = OwnAssets(None if static is None else Path(static), made)
    if logo and (logo not in assets.names or not logo.lower().endswith(PICTURES)):
        raise ValueError(f"logo= names a picture in the folder static=, and {logo!r} isn't one.")
    return Look(
        title,
        None if templates is None else Path(templates),
        assets,
        logo,
        ACCENT if accent else "",
        menu,
    )
