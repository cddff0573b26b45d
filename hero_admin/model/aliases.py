"""The names under which programs know fields."""

from pydantic import AliasChoices
from pydantic.fields import FieldInfo


def alias_of(name: str, info: FieldInfo) -> str:
    """Return what programs call a field when they send it."""
    alias = info.validation_alias or info.alias
    if isinstance(alias, AliasChoices):
        alias = alias.choices[0]
    # One that looks into a value has no name; there the field has its own.
    return alias if isinstance(alias, str) else name
