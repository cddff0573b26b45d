"""Sentences of the confirmation of a deletion: what it does to other rows."""

from collections.abc import Sequence
from urllib.parse import quote

from markupsafe import Markup

from hero_admin.model.resource import Resource
from hero_admin.web.mount import path_to
from hero_admin.web.texts import ngettext
from hero_admin.writes.cascade import Consequence

# For one row, and for several.
EFFECTS = {
    "deleted": ("{what} will be deleted too.", "{what} will be deleted too."),
    "cleared": ("{what} will have no {noun}.", "{what} will have no {noun}."),
    "default": ("{what} will have the default {noun}.", "{what} will have the default {noun}."),
    "restricted": (
        "{what} needs this {label}, so nothing can be deleted.",
        "{what} need this {label}, so nothing can be deleted.",
    ),
}
NEED_ONE_OF_SEVERAL = (
    "{what} needs one of these {labels}, so nothing can be deleted.",
    "{what} need one of these {labels}, so nothing can be deleted.",
)
NEED_ANOTHER = ("{what} needs another {label}.", "{what} need another {label}.")


def consequence_sentence(
    resource: Resource, consequence: Consequence, titles: Sequence[tuple[str, str]]
) -> Markup:
    """Return what happens to rows if records are deleted, with a link to those of a single one."""
    forms, is_one = EFFECTS[consequence.effect], len(titles) == 1
    if consequence.effect == "restricted" and consequence.choice:
        forms = NEED_ANOTHER
    elif consequence.effect == "restricted" and not is_one:
        forms = NEED_ONE_OF_SEVERAL
    what: str = consequence.what
    if is_one and consequence.relation:
        url = path_to(resource.name, titles[0][0], quote(consequence.relation))
        what = Markup('<a href="{}">{}</a>').format(url, what)
    sentence = ngettext(*forms, consequence.total.grammatical_number)
    return Markup(sentence).format(  # noqa: S704 - ours
        what=what, noun=consequence.noun, label=resource.label, labels=resource.label_plural
    )
