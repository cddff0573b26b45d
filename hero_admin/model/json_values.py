"""JSON values: parsed, checked and written."""

import json
import math
from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

from hero_admin.model.texts import clean_text

MAX_NUMBER_CHARACTERS = 100
# Far below what Python, pydantic and the databases can follow.
MAX_JSON_DEPTH = 100
TOO_DEEP = "Enter JSON that is less deeply nested."
TOO_LARGE = "Enter valid JSON: a number is too large."


def parse_json(text: str) -> Any:
    """Return the value of a JSON text; raises ValueError with a sentence."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_int=_parse_json_int)
        check_json(value)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise ValueError(
            f"Enter valid JSON: error at line {error.lineno}, column {error.colno}."
        ) from None
    return value


def check_json(value: Any, depth: int = 0) -> None:
    """Raise ValueError with a sentence for JSON that could not be stored and read back."""
    if depth > MAX_JSON_DEPTH:
        raise ValueError(TOO_DEEP)
    match value:
        case str():
            clean_text(value)
        case float() if not math.isfinite(value):
            raise ValueError(TOO_LARGE)
        case dict():
            for name, inner in value.items():
                clean_text(name)
                check_json(inner, depth + 1)
        case list():
            for inner in value:
                check_json(inner, depth + 1)


def _parse_json_int(digits: str) -> int:
    if len(digits) > MAX_NUMBER_CHARACTERS:
        raise ValueError(TOO_LARGE)
    return int(digits)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"Enter valid JSON: {name} isn't allowed.")


def format_json(value: Any) -> str:
    """Return the text of a JSON value; raises ValueError for a number that JSON lacks."""
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)


def jsonable(value: Any) -> Any:
    """Return a value as JSON has it; raises ValueError with a sentence for any other."""
    try:
        value = to_jsonable_python(value)
    except (PydanticSerializationError, ValueError):
        raise ValueError("Enter valid JSON.") from None
    check_json(value)
    return value
