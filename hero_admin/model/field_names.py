"""Field names: the names of fields in forms and URLs, where a field may have any name.

A field goes by its own name where that has no other meaning, else by one with a prefix and a dot,
which no field has. `docs/decisions/0027-names-of-fields.md` says why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.datastructures import FormData, QueryParams

from hero_admin.model.fields import Field

CONTROL = "field."
FILTER = "filter."
# What a form adds to and removes from a link: `link.tracks.add`, `link.tracks.remove`.
LINK, ADD, REMOVE = "link.", ".add", ".remove"

# The properties of a form that scripts read: a control of the same name would hide them. A test
# finds those that htmx and our scripts read.
FORM_PROPERTIES = frozenset(
    """
    __proto__ action addEventListener after append ariaBusy ariaExpanded ariaHidden ariaLabel
    ariaPressed ariaRequired ariaSelected attributes autocomplete autofocus baseURI before blur
    childElementCount childNodes children classList className click clientHeight cloneNode
    closest compareDocumentPosition constructor contains dataset dir dispatchEvent elements encoding
    enctype firstChild firstElementChild focus getAttribute getAttributeNames
    getBoundingClientRect getRootNode hasAttribute hasOwnProperty hidden innerHTML
    insertAdjacentElement insertAdjacentHTML insertBefore isConnected isEqualNode lang lastChild
    lastElementChild length matches method moveBefore nextElementSibling nextSibling nodeType
    nodeValue nonce noValidate outerHTML parentElement parentNode prefix prepend
    previousElementSibling querySelector querySelectorAll remove removeAttribute removeChild
    removeEventListener replaceChildren replaceWith reportValidity requestSubmit role scroll
    scrollBy scrollHeight scrollIntoView scrollTo scrollTop setAttribute startViewTransition
    style submit tabIndex tagName target textContent toLocaleString toString when
    """.split()  # noqa: SIM905 - a list would take a line for each
)
# Parameters in the URL of a form besides its values, and in its body.
FORM_STATE = frozenset({"back", "then", "in"})
# Parameters in the URL of a list, here or in the API, besides its filters.
LIST_STATE = frozenset(
    {"q", "sort", "size", "after", "before", "from", "count", "skip", "limit", "back"}
    | {"separator", "bom"}
)


def control_name(name: str) -> str:
    """Return the name of the control of a field, in HTML and in the URL of its form."""
    return f"{CONTROL}{name}" if name in FORM_PROPERTIES | FORM_STATE else name


def sent_to(name: str, sent: FormData | QueryParams) -> list[str]:
    """Return the values sent for a field: by its control or, by programs, its plain name."""
    texts = sent.getlist(control_name(name))
    if not texts and not (isinstance(sent, QueryParams) and name in FORM_STATE):
        texts = sent.getlist(name)
    return [text for text in texts if isinstance(text, str)]


@dataclass(frozen=True)
class FilterName:
    """The names of the parameters of one filter in a URL: `age`, `age_min`, `age_max`.

    older: their names before these had another meaning, by part.
    """

    name: str
    older: Mapping[str, str]

    def sent_in(self, params: QueryParams, part: str = "") -> list[str]:
        """Return the values in a URL for one part of the filter."""
        texts = params.getlist(self.name + part)
        return texts or params.getlist(self.older[part]) if part in self.older else texts


def filter_names(fields: Sequence[Field]) -> dict[str, FilterName]:
    """Return the names of the filters of these fields; the first field to use a name has it."""
    names: dict[str, str] = {}
    taken = set(LIST_STATE)
    for each in fields:
        wanted = {_plain(each) + part for part in _parts(each)}
        is_free = not wanted & (taken | FORM_PROPERTIES)
        names[each.name] = _plain(each) if is_free else FILTER + each.name
        taken |= {names[each.name] + part for part in _parts(each)}
    return {each.name: FilterName(names[each.name], _older(each, taken)) for each in fields}


def _plain(field: Field) -> str:
    return field.name.removesuffix("_id") if field.relation else field.name


def _parts(field: Field) -> tuple[str, ...]:
    """Return the suffixes of the parameters of a filter."""
    if field.relation:
        return ("", ".q")
    if field.input.is_range:
        return ("", "_min", "_max") if field.is_optional else ("_min", "_max")
    return ("",)


def _older(field: Field, taken: set[str]) -> dict[str, str]:
    plain = _plain(field)
    return {part: plain + part for part in _parts(field) if plain + part not in taken}
