"""Annotations: what a model says of a field, and what its schemas check."""

import re
import types
from base64 import b64decode
from collections.abc import Callable
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    EncodedStr,
    SecretBytes,
    SecretStr,
    WithJsonSchema,
    WrapValidator,
)
from pydantic.fields import FieldInfo

from hero_admin.model.blobs import Blob
from hero_admin.model.texts import plain_text

BASE64 = "Send this file as Base64."
# Some encoders write the URL-safe alphabet (RFC 4648, section 5).
URL_SAFE = str.maketrans("-_", "+/")
FILE_SCHEMA = WithJsonSchema(
    {
        "type": "string",
        "contentEncoding": "base64",
        "description": "A file as Base64; lists leave it out.",
    }
)
# A file in an answer of the API.
FileText = Annotated[str, FILE_SCHEMA]


def alias_of(name: str, info: FieldInfo) -> str:
    """Return what programs call a field when they send it."""
    alias = info.validation_alias or info.alias
    if isinstance(alias, AliasChoices):
        alias = alias.choices[0]
    # An alias that is a path has no name; the field goes by its own.
    return alias if isinstance(alias, str) else name


def plain_annotation(annotation: Any) -> Any:
    """Return an annotation without `Optional` and `Annotated`."""
    if get_origin(annotation) is Annotated:
        return plain_annotation(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        options = [option for option in get_args(annotation) if option is not types.NoneType]
        return plain_annotation(options[0]) if len(options) == 1 else annotation
    return annotation


def takes_none(annotation: Any) -> bool:
    """Whether an annotation allows None."""
    if get_origin(annotation) is Annotated:
        return takes_none(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return any(takes_none(option) for option in get_args(annotation))
    return annotation in (Any, None, types.NoneType)


def is_secret(annotation: Any) -> bool:
    """Whether an annotation is one of pydantic's secrets."""
    plain = plain_annotation(annotation)
    return isinstance(plain, type) and issubclass(plain, SecretStr | SecretBytes)


def is_encoded(info: FieldInfo) -> bool:
    """Whether a model decodes a text, as `Base64Str` does; the column stores it encoded."""
    return _is_encoded(Annotated[info.annotation, *info.metadata, None])


def _is_encoded(annotation: Any) -> bool:
    parts = [*get_args(annotation), *getattr(annotation, "__metadata__", ())]
    return any(isinstance(part, EncodedStr) or _is_encoded(part) for part in parts)


def text_annotation(info: FieldInfo) -> Any:
    """Return an annotation that validates as a model does, and gives the text to store."""
    validator = WrapValidator(_as_typed) if is_encoded(info) else AfterValidator(_as_text)
    return Annotated[info.annotation, validator]


def file_annotation(info: FieldInfo) -> Any:
    """Return an annotation that takes a file: Base64, or the bytes or `Blob` that a form has."""
    file = Annotated[Any, BeforeValidator(_as_bytes), FILE_SCHEMA]
    # Pydantic would treat any other value as the optional one.
    is_optional = types.NoneType in get_args(info.annotation)
    return file | None if is_optional else Annotated[file, BeforeValidator(_needed)]


def _needed(value: Any) -> Any:
    if value is None:
        raise ValueError("Choose a file.")
    return value


def _as_bytes(value: Any) -> Any:
    if not isinstance(value, str):
        if isinstance(value, bytes | Blob):
            return value
        raise ValueError(BASE64)
    try:
        return b64decode(re.sub(r"\s", "", value).translate(URL_SAFE), validate=True)
    except ValueError:
        raise ValueError(BASE64) from None


def _as_text(value: Any) -> str | None:
    return None if value is None else plain_text(value)


def _as_typed(value: Any, check: Callable[[Any], Any]) -> Any:
    """Check an encoded text, and return it encoded."""
    check(value)
    return value
