"""Forms: the fields of a form with their controls, texts, errors and options."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.forms.control_texts import can_type, control_of
from hero_admin.forms.link_texts import LinkTexts
from hero_admin.forms.links import LinksState
from hero_admin.forms.submission import is_required
from hero_admin.listing.choices import fetch_options
from hero_admin.listing.formatted import formatted_detail
from hero_admin.listing.options import Options, fixed_options
from hero_admin.model.action_forms import ActionForm
from hero_admin.model.blobs import Blob
from hero_admin.model.field_names import control_name
from hero_admin.model.fields import Field
from hero_admin.model.formatting import MASK, form_text
from hero_admin.model.primary_keys import key_of
from hero_admin.model.resource import Record, Resource
from hero_admin.model.site import Site
from hero_admin.web.mount import path_to
from hero_admin.web.uploads import Upload


@dataclass(frozen=True)
class FormState:
    """What a form shows, by field: its texts, its errors, and the search texts of its pickers.

    links: what is added to and removed from links. is_new: whether it is the form of a new record.
    previewed: the fields whose text is also to be seen as it will be shown.
    """

    texts: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)
    searches: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, LinkTexts] = field(default_factory=dict)
    is_new: bool = False
    previewed: Collection[str] = ()

    @property
    def links_state(self) -> LinksState:
        return LinksState(self.links, self.searches, self.errors)


@dataclass(frozen=True)
class StoredFile:
    """A stored file: its type and size, its URL, and that of its preview if it is an image."""

    text: str
    url: str
    preview_url: str


@dataclass(frozen=True)
class Dependency:
    """On which control of the form a field depends, by name, and the texts of that, or any."""

    control: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class FormField:
    """One field of a form: its control, its text, its error, and its options."""

    name: str
    label: str
    noun: str
    kind: str
    text: str
    error: str
    is_required: bool
    is_optional: bool
    attributes: Mapping[str, str]
    options: Options | None
    target: Resource | None
    search_text: str
    options_url: str
    is_masked: bool = False
    # Whether a blank text leaves a masked value as it is.
    is_unchanged_if_blank: bool = False
    # Whether its stored text cannot be typed.
    is_untypable: bool = False
    file: StoredFile | None = None
    # Whether a file was submitted, which browsers do not submit again by themselves.
    was_sent: bool = False
    # Whether it was submitted empty.
    is_cleared: bool = False
    help: str = ""
    placeholder: str = ""
    depends_on: Dependency | None = None
    # The template of its own control, and how its text will be shown, if that was asked for.
    template: str = ""
    preview: str | None = None
    is_wide: bool = False

    @property
    def is_named(self) -> bool:
        """Whether its error says by itself which field it is about."""
        return self.noun.casefold() in self.error.casefold()

    @property
    def id(self) -> str:
        """The ID of its control in HTML."""
        return f"field-{self.name}"

    @property
    def control(self) -> str:
        """The name of its control in HTML."""
        return control_name(self.name)

    @property
    def shown_text(self) -> str:
        """The typed text, as people read it."""
        if self.kind == "bytes":
            return "the file you chose" if self.was_sent else ""
        if self.is_masked:
            return MASK if self.text else ""
        options = self.options.options if self.options else ()
        titles = {option.value: option.label for option in options}
        return titles.get(self.text, self.text)


async def fetch_form(
    session: AsyncSession,
    site: Site,
    resource: Resource | ActionForm,
    fields: Sequence[Field],
    state: FormState,
    record: Record | None = None,
) -> tuple[FormField, ...]:
    """Fetch the fields of a form with their options.

    record: the stored one, whose files are linked; None for a new one, or for several.
    """
    shown, by_name = [], {each.name: each for each in fields}
    for each in fields:
        options, text = fixed_options(each), state.texts.get(each.name, "")
        if each.relation:
            search = state.searches.get(each.name, "")
            options = await fetch_options(session, site, each, search, _chosen(each, text))
        target = site.target_of(each) if each.relation else None
        made = _form_field(resource, each, state, record, options, target)
        shown.append(replace(made, depends_on=_dependency_of(each, by_name)))
    return tuple(shown)


def _form_field(
    resource: Resource | ActionForm,
    field: Field,
    state: FormState,
    record: Record | None,
    options: Options | None,
    target: Resource | None,
) -> FormField:
    text, error = state.texts.get(field.name, ""), state.errors.get(field.name, "")
    return FormField(
        name=field.name,
        label=field.label,
        noun=resource.labels[field.name],
        kind=control_of(field, text, is_stored=record is not None),
        text=text,
        error=error,
        is_required=is_required(field, is_new=state.is_new),
        is_optional=field.takes_nothing,
        attributes=field.attributes,
        options=options,
        target=target,
        search_text=state.searches.get(field.name, ""),
        options_url=path_to(resource.name, "options", field.name) if field.relation else "",
        is_masked=field.is_masked,
        is_unchanged_if_blank=field.is_masked and not state.is_new,
        is_untypable=not (state.is_new or field.is_bytes or error) and not can_type(field, text),
        file=_file_of(resource, field, record),
        was_sent=isinstance(text, Upload),
        is_cleared=field.name in state.texts and not text,
        help=field.help,
        placeholder=field.control.placeholder,
        template=field.control.template,
        preview=_preview_of(field, text) if field.name in state.previewed else None,
        is_wide=field.is_wide,
    )


def _dependency_of(field: Field, others: Mapping[str, Field]) -> Dependency | None:
    """Return on what a field depends, None for nothing, or what the form has no control for."""
    column, values = field.control.dependency
    if column is None or column.key not in others:
        return None
    other = others[column.key]
    if not values and other.input.kind == "bool" and not other.is_optional:
        values = (True,)
    return Dependency(control_name(other.name), tuple(form_text(other, each) for each in values))


def _preview_of(field: Field, text: str) -> str:
    """Return the HTML of a typed text, "" for none or one that is refused."""
    try:
        value = field.typed(text.strip()) if text.strip() else None
    except ValueError:
        return ""
    return formatted_detail(field, value) or ""


def _file_of(
    resource: Resource | ActionForm, field: Field, record: Record | None
) -> StoredFile | None:
    blob = record.get(field.name) if record else None
    if record is None or not isinstance(blob, Blob) or field.is_masked:
        return None
    assert isinstance(resource, Resource)
    url = path_to(resource.name, key_of(resource, record), "file", field.name)
    return StoredFile(blob.text, url, f"{url}?preview=1" if blob.is_image else "")


def _chosen(field: Field, text: str) -> tuple[Any, ...]:
    try:
        return (field.clean(field.input(text.strip())),) if text.strip() else ()
    except ValueError:
        return ()
