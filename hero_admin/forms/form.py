"""Forms: typed texts become values, and values become the fields of a form again."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel
from starlette.datastructures import FormData

from hero_admin.forms.hidden_fields import CLEAR, LOST
from hero_admin.listing.choices import Options, fetch_options, fixed_options
from hero_admin.listing.query_parser import MAX_SEARCH_CHARACTERS
from hero_admin.model.blobs import Blob
from hero_admin.model.field_names import CONTROL, control_name, sent_to
from hero_admin.model.fields import Field
from hero_admin.model.formatting import MASK, form_text
from hero_admin.model.labels import article_of
from hero_admin.model.primary_keys import key_of
from hero_admin.model.resource import Record, Resource
from hero_admin.model.schemas import named_values
from hero_admin.model.sentences import sentences_of
from hero_admin.model.site import Site
from hero_admin.model.texts import clean_text
from hero_admin.web.errors import Invalid
from hero_admin.web.uploads import LostUpload, Upload

LOST_FILE = "Choose the file again: it could not be kept."
# Kinds whose controls hold nothing but what they are for.
PARTICULAR_KINDS = frozenset({"date", "time", "zoned_time", "datetime", "clock", "bool"})


@dataclass(frozen=True)
class StoredFile:
    """A file that a record has: what it is, and where it can be had and, a picture, looked at."""

    text: str
    url: str
    preview_url: str


@dataclass(frozen=True)
class FormField:
    """One field of a form: what stands in it, what is wrong with it, what can be chosen."""

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
    # Whether there is a masked value that an empty text leaves alone.
    is_kept: bool = False
    # Whether nobody could have typed its text.
    is_untypable: bool = False
    file: StoredFile | None = None
    # Whether a file came with the form before, which browsers do not send again by themselves.
    was_sent: bool = False
    # Whether it was to be emptied.
    is_cleared: bool = False

    @property
    def control(self) -> str:
        """The name of its control in HTML."""
        return control_name(self.name)

    @property
    def shown_text(self) -> str:
        """What was typed, as people read it."""
        if self.kind == "bytes":
            return "the file you chose" if self.was_sent else ""
        if self.is_masked:
            return MASK if self.text else ""
        options = self.options.options if self.options else ()
        titles = {option.value: option.label for option in options}
        return titles.get(self.text, self.text)


def typed_texts(fields: Iterable[Field], form: FormData) -> dict[str, str]:
    """Return what was typed into each of `fields`; a field that was not sent is left out."""
    texts: dict[str, str] = {}
    for field in fields:
        # The last one counts: behind an unticked checkbox stands a hidden “false”.
        sent = [
            text for text in sent_to(field.name, form) if isinstance(text, Upload) == field.is_bytes
        ]
        if sent:
            texts[field.name] = sent[-1]
        elif field.is_bytes and f"{LOST}{field.name}" in form:
            texts[field.name] = LostUpload()
        elif field.is_bytes and f"{CLEAR}{field.name}" in form:
            texts[field.name] = ""
    return texts


def searches_of(form: FormData) -> dict[str, str]:
    """Return what was typed into the search boxes of pickers, by field.

    Where there is any, Enter was pressed in its box: the form is to be searched, not saved.
    """
    return {
        name.removesuffix(".q").removeprefix(CONTROL): text.strip()[:MAX_SEARCH_CHARACTERS]
        for name, text in form.items()
        if name.endswith(".q") and isinstance(text, str) and text.strip()
    }


def read_new(resource: Resource, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of a new record; raises Invalid with a sentence for each bad field."""
    given, errors = _parsed(resource, resource.schemas.create_fields, texts, is_new=True)
    valid = _validated(resource, resource.schemas.create, given, errors)
    return {name: getattr(valid, name) for name in type(valid).model_fields}


def read_changes(
    resource: Resource, texts: Mapping[str, str], stored: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the values that differ from what stood in the form, or all of them.

    Raises Invalid with a sentence for each bad field.
    """
    touched = {
        name: text
        for name, text in texts.items()
        if stored is None or not is_same_text(resource.by_name[name], text, stored[name])
    }
    given, errors = _parsed(resource, resource.schemas.edit_fields, touched, is_new=False)
    valid = _validated(resource, resource.schemas.update, given, errors)
    return {name: getattr(valid, name) for name in given}


def texts_of(fields: Iterable[Field], record: Mapping[str, Any]) -> dict[str, str]:
    """Return what stands in the form of an existing record."""
    return {field.name: form_text(field, record.get(field.name)) for field in fields}


def default_texts(fields: Iterable[Field]) -> dict[str, str]:
    """Return what stands in an empty form."""
    return {
        field.name: form_text(field, field.default)
        for field in fields
        # A masked one stands in no page, a file in no form; each is there if nothing else is sent.
        if not (field.is_masked or field.is_bytes)
    }


async def fetch_form(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    fields: Sequence[Field],
    texts: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    searches: Mapping[str, str] | None = None,
    record: Record | None = None,
    *,
    is_new: bool,
) -> tuple[FormField, ...]:
    """Fetch what a form shows: `texts` as they were typed, an error beside its field, options.

    `searches` narrows the options of a relation to the titles that contain a text. The files of a
    `record` can be looked at.
    """
    errors, searches = errors or {}, searches or {}
    shown = []
    for field in fields:
        text, search = texts.get(field.name, ""), searches.get(field.name, "")
        options = fixed_options(field)
        if field.relation:
            options = await fetch_options(session, site, field, search, _chosen(field, text))
        shown.append(
            FormField(
                name=field.name,
                label=field.label,
                noun=resource.labels[field.name],
                kind=_control_of(field, text, is_stored=record is not None),
                text=text,
                error=errors.get(field.name, ""),
                is_required=is_required(field, is_new=is_new),
                is_optional=field.takes_nothing,
                attributes=field.attributes,
                options=options,
                target=site.target_of(field) if field.relation else None,
                search_text=search,
                options_url=f"/{resource.name}/options/{field.name}" if field.relation else "",
                is_masked=field.is_masked,
                is_kept=field.is_masked and not is_new,
                is_untypable=not (is_new or field.is_bytes or errors.get(field.name))
                and not _can_type(field, text),
                file=_file_of(resource, field, record),
                was_sent=isinstance(text, Upload),
                is_cleared=field.name in texts and not text,
            )
        )
    return tuple(shown)


def _file_of(resource: Resource, field: Field, record: Record | None) -> StoredFile | None:
    blob = record.get(field.name) if record else None
    if record is None or not isinstance(blob, Blob) or field.is_masked:
        return None
    url = f"/{resource.name}/{key_of(resource, record)}/file/{field.name}"
    return StoredFile(blob.text, url, f"{url}?preview=1" if blob.is_image else "")


def is_required(field: Field, *, is_new: bool) -> bool:
    """Whether a form without this field filled in is refused."""
    if field.takes_nothing or field.input.kind == "bool" or _takes_blank(field):
        return False
    if is_new and field.has_column_default:
        return False
    if field.is_bytes and not (is_new and field.info.is_required()):
        return False
    # A factory fills in a field of a new record.
    return field.info.default_factory is None or not is_new


def is_same_text(field: Field, typed: str, shown: str) -> bool:
    """Whether a text is the one that the form showed, as far as browsers send it back unchanged.

    `serialization.is_same_value` compares what columns hold, to the last detail.
    """
    if _as_sent(field, typed) == _as_sent(field, shown):
        return True
    try:
        return _normal(field, typed) == _normal(field, shown)
    except ValueError:
        return False


def _as_sent(field: Field, text: str) -> str:
    """Return what a browser makes of a text that it shows, but for spaces around it."""
    if "\r" in text or "\n" in text:
        # One line holds no line ends.
        has_lines = _control_of(field, text) in {"long_text", "json"}
        text = re.sub("\r\n?", "\n", text) if has_lines else re.sub("[\r\n]", "", text)
    return text.replace("\0", "\ufffd").strip()


def _normal(field: Field, text: str) -> str:
    text = _as_sent(field, text)
    return form_text(field, field.input(text)) if text else ""


def _control_of(field: Field, text: str, *, is_stored: bool = False) -> str:
    """Return the kind of control in which a text can stand."""
    kind = field.display
    if kind == "bool":
        # A box that nobody ticks says no, whatever else there was, or nothing.
        is_box = text in {"true", "false"} or not (text or is_stored)
        return kind if is_box else "choice"
    if not text or kind not in PARTICULAR_KINDS or _can_type(field, text):
        return kind
    # What a date cannot be, a browser would leave out.
    return "text"


def _can_type(field: Field, text: str) -> bool:
    try:
        if text:
            field.input(text)
    except ValueError:
        return False
    return True


def _takes_blank(field: Field) -> bool:
    return field.is_text and field.info.default == ""


def _is_chosen(field: Field) -> bool:
    return bool(field.relation or field.input.choices or field.is_bytes)


def _chosen(field: Field, text: str) -> tuple[Any, ...]:
    try:
        return (field.clean(field.input(text.strip())),) if text.strip() else ()
    except ValueError:
        return ()


def _parsed(
    resource: Resource, fields: Iterable[Field], texts: Mapping[str, str], *, is_new: bool
) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for field in fields:
        if field.name not in texts:
            continue
        label = resource.labels[field.name]
        try:
            text = clean_text(texts[field.name]).strip()
            value = _value_of(field, texts[field.name], text)
            if value != "":
                values[field.name] = value
            elif is_new and field.has_column_default:
                continue
            elif field.takes_nothing:
                values[field.name] = None
            elif _takes_blank(field):
                values[field.name] = ""
            elif not is_new or field.info.is_required() or field.is_demanded:
                verb = "Choose" if _is_chosen(field) else "Enter"
                errors[field.name] = f"{verb} {article_of(label)} {label}."
        except ValueError as error:
            errors[field.name] = str(error)
    return values, errors


def _value_of(field: Field, sent: str, text: str) -> Any:
    if isinstance(sent, LostUpload):
        # ValueError: what people read beside the field.
        raise ValueError(LOST_FILE)  # noqa: TRY004
    if isinstance(sent, Upload):
        return sent.data
    return field.input(text) if text else ""


def _validated(
    resource: Resource, schema: type[SQLModel], values: dict[str, Any], errors: dict[str, str]
) -> SQLModel:
    try:
        valid = named_values(schema, values)
    except ValidationError as error:
        raise Invalid({**sentences_of(error, schema, resource.labels), **errors}) from None
    if errors:
        raise Invalid(errors)
    return valid
