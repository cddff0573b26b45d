"""Sentences: validation errors as people read them beside the field."""

from collections.abc import Mapping

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hero_admin.model.annotations import alias_of
from hero_admin.model.labels import article_of

OTHER_KIND = "Wrong kind of value for this field."
WHOLE_NUMBER = "Enter a whole number."
NUMBER = "Enter a number."
TEXT = "Enter some text."
CHOOSE = "Choose one of the options."
# Formatted with str.format: doubled braces are literal.
JSON_OBJECT = 'Enter a JSON object like {{"name": "value"}}.'
JSON_LIST = 'Enter a JSON list like ["one", "two"].'
ADDRESS = "Enter an address like 192.0.2.1."
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
    "too_long": "Choose a file with at most {max_length} bytes.",
    "too_short": "Choose a file with at least {min_length} bytes.",
    "string_pattern_mismatch": "This doesn't match the pattern {pattern}.",
    "enum": CHOOSE,
    "literal_error": CHOOSE,
    "url_parsing": "Enter a URL like https://example.com.",
    "url_type": "Enter a URL like https://example.com.",
    "url_scheme": "Begin the URL with {expected_schemes}.",
    "ip_any_address": ADDRESS,
    "ip_v4_address": ADDRESS,
    "ip_v6_address": "Enter an address like 2001:db8::1.",
    "ip_any_network": "Enter a network like 192.0.2.0/24.",
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
    "dict_type": JSON_OBJECT,
    "model_type": JSON_OBJECT,
    "model_attributes_type": JSON_OBJECT,
    "list_type": JSON_LIST,
    "set_type": JSON_LIST,
    "tuple_type": JSON_LIST,
    "string_unicode": TEXT,
}


def sentence_of(error: ErrorDetails, label: str) -> str:
    """Return the sentence for an error of pydantic in the field `label`."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":
        # E-mail addresses have a `reason`.
        return str(context.get("error") or context.get("reason") or error["msg"])
    if kind == "missing" and len(error["loc"]) > 1:
        return f"“{'.'.join(map(str, error['loc'][1:]))}” is missing."
    if kind == "missing" or (kind == "string_too_short" and context["min_length"] == 1):
        return f"Enter {article_of(label)} {label}."
    if kind in SENTENCES:
        bounds = {name: _number(bound) for name, bound in context.items()}
        return SENTENCES[kind].format(**bounds)
    return error["msg"][:1].upper() + error["msg"][1:].removesuffix(".") + "."


def sentences_of(
    error: ValidationError, schema: type[BaseModel], labels: Mapping[str, str]
) -> dict[str, str]:
    """Return the first sentence for each invalid field, by name; "" for the whole record."""
    sentences: dict[str, str] = {}
    names = {alias_of(name, info): name for name, info in schema.model_fields.items()}
    for detail in error.errors(include_url=False, include_input=False):
        at = str(detail["loc"][0]) if detail["loc"] else ""
        name = names.get(at, at)
        label = labels.get(name, name)
        sentences.setdefault(name, sentence_of(detail, label))
    return sentences


def _number(bound: object) -> str:
    # Ten, not “10.0”.
    return f"{bound:,.15g}" if isinstance(bound, int | float) else str(bound)
