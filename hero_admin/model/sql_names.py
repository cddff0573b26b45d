"""SQL names: what expressions of SQL call by name, such as the columns of an index."""

import re
from collections.abc import Iterable

QUOTED = r'"(?:[^"]|"")+"|\[[^\]]+\]|`[^`]+`'
# A text, a quoted name, or a name that is not that of a function.
_NAMES = re.compile(rf"'(?:[^']|'')*'|({QUOTED})|\b([^\W\d]\w*)\b(?!\s*\()")


def names_in(parts: Iterable[str]) -> set[str]:
    """Return the names in expressions of SQL: of columns, and others that no column has."""
    found = [match for part in parts for match in _NAMES.finditer(part)]
    quoted = {match[1][1:-1].replace('""', '"') for match in found if match[1]}
    return quoted | {match[2] for match in found if match[2]}
