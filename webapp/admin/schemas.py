"""Schemas: what may be written and what is read, derived from a model where none is given."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import Any

from pydantic import ValidationError, create_model, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined
from sqlmodel import SQLModel
from sqlmodel._compat import SQLModelConfig

WHOLE_NUMBER = "Enter a whole number."
NUMBER = "Enter a number."
TEXT = "Enter a text."
# By pydantic's error types: https://docs.pydantic.dev/latest/errors/validation_errors/
SENTENCES = {
    "string_too_short": "Use at least {min_length} characters.",
    "string_too_long": "Use at most {max_length} characters.",
    "greater_than_equal": "Enter {ge} or more.",
    "greater_than": "Enter more than {gt}.",
    "less_than_equal": "Enter {le} or less.",
    "less_than": "Enter less than {lt}.",
    "decimal_max_places": "Use at most {decimal_places} decimal places.",
    "decimal_max_digits": "Use at most {max_digits} digits.",
    "decimal_whole_digits": "Use at most {whole_digits} digits before the point.",
    "finite_number": "Enter a finite number.",
    "int_parsing": WHOLE_NUMBER,
    "int_parsing_size": WHOLE_NUMBER,
    "int_type": WHOLE_NUMBER,
    "int_from_float": WHOLE_NUMBER,
    "float_parsing": NUMBER,
    "float_type": NUMBER,
    "decimal_parsing": NUMBER,
    "decimal_type": NUMBER,
    "string_type": TEXT,
    "string_unicode": TEXT,
}


class Schema(SQLModel):
    """Base of form and API schemas: text is trimmed, storable, and blank text is empty text."""

    model_config = SQLModelConfig(str_strip_whitespace=True)

    @field_validator("*", mode="before")
    @classmethod
    def check_text(cls, value: Any) -> Any:  # Any: the raw input of any field
        return clean_text(value) if isinstance(value, str) else value


def clean_text(text: str) -> str:
    """Return `text` with one kind of line end, "" if it shows nothing at all.

    Raises ValueError with a sentence for characters that no database can keep.
    """
    if "\0" in text:
        raise ValueError("Remove the invisible NUL character from this text.")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("Remove the broken character from this text.") from None
        # Spaces, controls and zero-width characters.
        if all(unicodedata.category(character)[0] in "ZC" for character in text):
            return ""
    # Of several, so that a text once read stays the same when it is read again; found from their
    # first one only, or many of them would take forever.
    return re.sub("(?<!\r)\r+\n", "\n", text)


def derive(
    model: type[SQLModel], name: str, fields: Iterable[str], nullable: Iterable[str] = ()
) -> type[SQLModel]:
    """Return a validating schema called `name` with these fields of a table model."""
    definitions = {field: _definition(model.model_fields[field]) for field in fields}
    for field in nullable:
        annotation, info = definitions[field]
        definitions[field] = (annotation | None, info)
    return create_model(name, __base__=Schema, __module__=model.__module__, **definitions)


def partial(schema: type[SQLModel], name: str) -> type[SQLModel]:
    """Return `schema` with every field optional: absent means unchanged, null is still checked."""
    definitions = {field: _optional(info) for field, info in schema.model_fields.items()}
    return create_model(name, __base__=schema, __module__=schema.__module__, **definitions)


def dumped(schema: type[SQLModel], record: object, hidden: Collection[str] = ()) -> dict[str, Any]:
    """Return a record or a row as JSON values: what is stored, whatever a schema would refuse.

    Fields that are `hidden` from the reader are null.
    """
    values = {
        name: None if name in hidden else getattr(record, name) for name in schema.model_fields
    }
    return schema.model_construct(**values).model_dump(mode="json")


def sentence_of(error: ErrorDetails, label: str) -> str:
    """Turn one pydantic error of the field called `label` into a sentence for people."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "missing" or (kind == "string_too_short" and context["min_length"] == 1):
        return f"Enter {article_of(label)} {label}."
    if kind in SENTENCES:
        bounds = {name: _number(bound) for name, bound in context.items()}
        return SENTENCES[kind].format(**bounds)
    return error["msg"].removesuffix(".") + "."


def sentences_of(error: ValidationError, labels: dict[str, str]) -> dict[str, str]:
    """Return the first sentence for each field of a failed validation; "" is the whole record."""
    sentences: dict[str, str] = {}
    for detail in error.errors(include_url=False, include_input=False):
        name = str(detail["loc"][0]) if detail["loc"] else ""
        label = labels.get(name, name)
        sentences.setdefault(name, sentence_of(detail, label))
    return sentences


def article_of(noun: str) -> str:
    """Return the indefinite article by spelling: “a team”, “an age”, “a UUID”."""
    return "an" if noun[:1].lower() in {"a", "e", "i", "o"} else "a"


def _number(bound: object) -> str:
    # Ten, not “10.0”.
    return f"{bound:,.15g}" if isinstance(bound, int | float) else str(bound)


def _definition(info: FieldInfo) -> Any:  # Any: what create_model takes
    return (info.annotation, info)


def _optional(info: FieldInfo) -> Any:
    # A factory, because a default would stand in the OpenAPI document as a value one could send.
    optional = FieldInfo.merge_field_infos(info, default=None)
    optional.default = PydanticUndefined
    optional.default_factory = lambda: None
    return (optional.annotation, optional)
