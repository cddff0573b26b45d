"""Schemas: what may be written and what is read, derived from a model where none is given."""

import unicodedata
from collections.abc import Iterable
from typing import Any

from pydantic import ConfigDict, ValidationError, create_model, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined
from sqlmodel import SQLModel


class Schema(SQLModel):
    """Base of form and API schemas: text is trimmed, storable, and blank text is empty text."""

    model_config = ConfigDict(str_strip_whitespace=True)

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
    return text.replace("\r\n", "\n")


def derive(model: type[SQLModel], name: str, fields: Iterable[str]) -> type[SQLModel]:
    """Return a validating schema called `name` with these fields of a table model."""
    definitions = {field: _definition(model.model_fields[field]) for field in fields}
    return create_model(name, __base__=Schema, __module__=model.__module__, **definitions)


def partial(schema: type[SQLModel], name: str) -> type[SQLModel]:
    """Return `schema` with every field optional: absent means unchanged, null is still checked."""
    definitions = {field: _optional(info) for field, info in schema.model_fields.items()}
    return create_model(name, __base__=schema, __module__=schema.__module__, **definitions)


def sentence_of(error: ErrorDetails, label: str, article: str = "a") -> str:
    """Turn one pydantic error of the field called `label` into a sentence for people."""
    context = error.get("ctx", {})
    match error["type"]:
        case "missing" | "string_too_short" if context.get("min_length", 1) == 1:
            return f"Enter {article} {label}."
        case "string_too_short":
            return f"Use at least {context['min_length']:,} characters."
        case "string_too_long":
            return f"Use at most {context['max_length']:,} characters."
        case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than":
            return _bound_sentence(error["type"], next(iter(context.values())))
        case "int_parsing" | "int_type" | "int_from_float" | "int_parsing_size":
            return "Enter a whole number."
        case "float_parsing" | "float_type" | "decimal_parsing" | "decimal_type":
            return "Enter a number."
        case "decimal_max_places":
            return f"Use at most {context['decimal_places']} decimal places."
        case "decimal_max_digits" | "decimal_whole_digits":
            return f"Use at most {next(iter(context.values()))} digits."
        case "finite_number":
            return "Enter a finite number."
        case "string_type" | "string_unicode":
            return "Enter a text."
        case "value_error":
            return str(context["error"])
    return error["msg"].removesuffix(".") + "."


def sentences_of(error: ValidationError, labels: dict[str, str]) -> dict[str, str]:
    """Return the first sentence for each field of a failed validation; "" is the whole record."""
    sentences: dict[str, str] = {}
    for detail in error.errors(include_url=False, include_input=False):
        name = str(detail["loc"][0]) if detail["loc"] else ""
        label = labels.get(name, name)
        sentences.setdefault(name, sentence_of(detail, label, article_of(label)))
    return sentences


def article_of(noun: str) -> str:
    """Return the indefinite article by spelling: “a team”, “an age”, “a UUID”."""
    return "an" if noun[:1].lower() in {"a", "e", "i", "o"} else "a"


def _bound_sentence(kind: str, bound: object) -> str:
    shown = f"{bound:,}" if isinstance(bound, int | float) else str(bound)
    return {
        "greater_than_equal": f"Enter {shown} or more.",
        "greater_than": f"Enter more than {shown}.",
        "less_than_equal": f"Enter {shown} or less.",
        "less_than": f"Enter less than {shown}.",
    }[kind]


def _definition(info: FieldInfo) -> Any:  # Any: what create_model takes
    return (info.annotation, info)


def _optional(info: FieldInfo) -> Any:
    # A factory, because a default would stand in the OpenAPI document as a value one could send.
    optional = FieldInfo.merge_field_infos(info, default=None)
    optional.default = PydanticUndefined
    optional.default_factory = lambda: None
    return (optional.annotation, optional)
