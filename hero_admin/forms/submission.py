"""Submissions: the texts that a browser sends, and the values they stand for."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData

from hero_admin.forms.control_texts import is_same_text
from hero_admin.forms.hidden_fields import CLEAR, LOST, PREVIEW
from hero_admin.listing.query_parser import MAX_SEARCH_CHARACTERS
from hero_admin.model.action_forms import ActionForm
from hero_admin.model.field_names import CONTROL, sent_to
from hero_admin.model.fields import Field
from hero_admin.model.labels import article_of
from hero_admin.model.resource import Resource
from hero_admin.model.schemas import named_values
from hero_admin.model.sentences import sentences_of
from hero_admin.model.texts import clean_text
from hero_admin.web.errors import Invalid
from hero_admin.web.uploads import LostUpload, Upload

Schema = TypeVar("Schema", bound=BaseModel)

LOST_FILE = "Choose the file again: it could not be kept."


def typed_texts(fields: Iterable[Field], form: FormData) -> dict[str, str]:
    """Return the text or file sent for each of `fields`; a field that was not sent is left out."""
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
    """Return the texts in the search boxes of pickers, by field.

    If there is one, Enter was pressed in a box: the form is searched, not saved.
    """
    return {
        name.removesuffix(".q").removeprefix(CONTROL): text.strip()[:MAX_SEARCH_CHARACTERS]
        for name, text in form.items()
        if name.endswith(".q") and isinstance(text, str) and text.strip()
    }


def previews_of(form: FormData) -> frozenset[str]:
    """Return the names of the fields of which a preview was asked for."""
    return frozenset(text for text in form.getlist(PREVIEW) if isinstance(text, str))


def read_new(resource: Resource, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of a new record; raises Invalid with a sentence for each invalid field."""
    schemas = resource.schemas
    given, errors = _parsed(resource.labels, schemas.create_fields, texts, is_new=True)
    return schemas.values_to_insert(_validated(resource.labels, schemas.create, given, errors))


def read_answers(form: ActionForm, texts: Mapping[str, str]) -> BaseModel:
    """Return the form of an action; raises Invalid with a sentence for each invalid field."""
    given, errors = _parsed(form.labels, form.fields, texts, is_new=True)
    return _validated(form.labels, form.schema, given, errors)


def read_changes(
    resource: Resource, texts: Mapping[str, str], stored: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the values of texts that differ from those in `stored`, or of all texts.

    Raises Invalid with a sentence for each invalid field.
    """
    touched = {
        name: text
        for name, text in texts.items()
        if stored is None or not is_same_text(resource.by_name[name], text, stored[name])
    }
    schemas = resource.schemas
    given, errors = _parsed(resource.labels, schemas.edit_fields, touched, is_new=False)
    valid = _validated(resource.labels, schemas.update, given, errors)
    return {name: getattr(valid, name) for name in given}


def is_required(field: Field, *, is_new: bool) -> bool:
    """Whether a form with this field left blank is refused."""
    if field.takes_nothing or field.input.kind == "bool" or _takes_blank(field):
        return False
    if is_new and field.has_column_default:
        return False
    if field.is_bytes and not (is_new and field.info.is_required()):
        return False
    # A factory fills in a field of a new record, unless the form shows what it makes.
    return field.info.default_factory is None or field.default is not None or not is_new


def _takes_blank(field: Field) -> bool:
    return field.is_text and field.info.default == ""


def _parsed(
    labels: Mapping[str, str], fields: Iterable[Field], texts: Mapping[str, str], *, is_new: bool
) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for field in fields:
        if field.name not in texts:
            continue
        label = labels[field.name]
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
                is_chosen = field.relation or field.input.choices or field.is_bytes
                sentence = "Choose {article} {label}." if is_chosen else "Enter {article} {label}."
                errors[field.name] = sentence.format(article=article_of(label), label=label)
        except ValueError as error:
            errors[field.name] = str(error)
    return values, errors


def _value_of(field: Field, sent: str, text: str) -> Any:
    if isinstance(sent, LostUpload):
        # ValueError: a sentence beside the field.
        raise ValueError(LOST_FILE)  # noqa: TRY004
    if isinstance(sent, Upload):
        return sent.data
    return field.typed(text) if text else ""


def _validated(
    labels: Mapping[str, str],
    schema: type[Schema],
    values: dict[str, Any],
    errors: dict[str, str],
) -> Schema:
    try:
        valid = named_values(schema, values)
    except ValidationError as error:
        raise Invalid({**sentences_of(error, schema, labels), **errors}) from None
    if errors:
        raise Invalid(errors)
    return valid
