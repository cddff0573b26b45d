"""Values of the columns of `Thing`, as SQL: all that each database accepts from any program."""

import json
import math
from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.things import Thing

COLUMNS = [name for name in Thing.model_fields if name not in ("id", "title")]
Texts = SearchStrategy[str]
Row = dict[str, str]


def rows_for(dialect: str, size: int) -> SearchStrategy[list[Row]]:
    """Rows of values for all columns, as literals of SQL."""
    values = {
        name: st.just("NULL") | (SQLITE if dialect == "sqlite" else POSTGRESQL[name].map(_quoted))
        for name in COLUMNS
    }
    return st.lists(st.fixed_dictionaries(values), min_size=size, max_size=size)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _of(*texts: str) -> Texts:
    return st.sampled_from(texts)


def _joined(*parts: Sequence[str]) -> Texts:
    return st.tuples(*map(st.sampled_from, parts)).map("".join)


def _as_text(data: bytes) -> str:
    # Any bytes are a text to SQLite, also those that no text has.
    return f"CAST(x'{data.hex()}' AS TEXT)"


def _utf8(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=2), some),
    max_leaves=4,
).map(json.dumps)
STRICT_JSON = JSON.filter(lambda text: not {"NaN", "Infinity", "\\u"} & {*_marks(text)})
DAYS = _joined(
    ["0000", "0001", "1999", "2021", "9999", "-0044", "12021"],
    ["-01", "-12", "-13", "-00", "-2"],
    ["-01", "-31", "-32"],
)
CLOCKS = _joined(
    ["00", "12", "24", "9"],
    [":00", ":59", ":60"],
    ["", ":00", ":59"],
    ["", ".5", ".123456", ".1234567"],
    ["", "Z", "+00:00", "-12:30", "+14", " UTC"],
)
NUMBERS = _of("1e5", " 7 ", "0x10", "1_000", "\u0661", "+5", "-0", "00.50", "nan", "-Inf", "1,5")
UUIDS = st.uuids().flatmap(lambda uid: _of(str(uid), uid.hex, str(uid).upper(), f"{{{uid}}}"))
INVISIBLE = st.text(alphabet="\0\r\n\t a\u200b\xad\x85\u2028\ud800", max_size=4)
WORDS = _of("SMALL", "s", "XL", "true", "yes", "t", "False", "now", "null", "", "=1+1", "x" * 300)
ANY_TEXT = st.one_of(
    st.text(max_size=4), JSON, DAYS, CLOCKS, st.tuples(DAYS, _of("T", " "), CLOCKS).map("".join),
    NUMBERS, UUIDS, INVISIBLE, WORDS,
)  # fmt: skip
# What SQLite takes for a value of any column.
SQLITE = st.one_of(
    st.integers(-(2**63) + 1, 2**63 - 1).map(str),
    _of("0", "1", "-1", "5000000001", "2.0", "-0.0", "1.00005", "5e-324", "9e999", "-9e999"),
    st.floats(allow_nan=False).map(lambda one: repr(one) if math.isfinite(one) else "9e999"),
    ANY_TEXT.map(_utf8).map(_as_text),
    st.binary(max_size=4).map(_as_text),
    st.binary(max_size=6).map(lambda data: f"x'{data.hex()}'"),
)


def _marks(text: str) -> list[str]:
    return [mark for mark in ("NaN", "Infinity", "\\u") if mark in text]


def _array(items: Texts) -> Texts:
    def item(value: str | None) -> str:
        return "NULL" if value is None else json.dumps(value, ensure_ascii=False)

    written = st.lists(st.none() | items, max_size=4)
    return written.map(lambda values: "{" + ",".join(map(item, values)) + "}")


PLAIN = st.text(max_size=5).filter(lambda text: "\0" not in text)
LINES = PLAIN | st.text(alphabet="\r\n\t a\u200b\xad\x85\u2028", max_size=4)
FLOATS = _of("NaN", "Infinity", "-Infinity", "-0", "0.1")
# What PostgreSQL takes for a value of each column, as text.
POSTGRESQL: dict[str, Texts] = {
    "whole": st.integers(-(2**31), 2**31 - 1).map(str),
    "small": st.integers(-(2**15), 2**15 - 1).map(str),
    "big": st.integers(-(2**63), 2**63 - 1).map(str),
    "ratio": FLOATS | st.floats(allow_nan=False, allow_infinity=False).map(repr),
    "rough": FLOATS | st.floats(width=32, allow_nan=False, allow_infinity=False).map(repr),
    "price": _of("NaN") | st.decimals(-999_999, 999_999, places=4).map(str),
    "amount": _of("NaN", "Infinity", "-Infinity", "0.000", "1e-1000", "1" + "0" * 1000)
    | st.decimals(allow_nan=False, allow_infinity=False).map(str),
    "flag": _of("t", "f"),
    "day": _of("infinity", "-infinity", "4713-01-01 BC", "5874897-12-31", "0001-01-01")
    | st.dates().map(str),
    "moment": _of("infinity", "4713-01-02 00:00+00 BC", "294276-12-30 00:00+00",
                  "0001-01-01 00:00+14", "9999-12-31 23:59:59.999999-12")
    | st.datetimes().map(lambda moment: f"{moment}+05:30"),
    "clock": _of("-infinity", "4713-01-01 00:00 BC", "294276-12-31 23:59:59.999999")
    | st.datetimes().map(str),
    "opens": _of("24:00:00", "23:59:60") | st.times().map(str),
    "lasts": _joined(["", "1 year ", "-1 mon "], ["", "-1 day ",
                     "700001 days ", "1000000000 days "],
                    ["24:00", "-04:00:00.000001", "1000000:00"]),
    "size": _of("SMALL", "LARGE", "XL"),
    "uid": UUIDS,
    "code": LINES,
    "padded": LINES,
    "note": LINES | _of("x" * 3000),
    "data": STRICT_JSON | _of('{"a": 1, "a": 2}', "  {}  ", "1e999", '"\\ud800"', "-0.0", '"\\/"',
                              "1" + "0" * 5000, "[" * 300 + "]" * 300, '"\\u0000"', "1.50"),
    "doc": STRICT_JSON | _of('{"bb": 1, "a": 1.50}', "1e1000", "-0.0", "12345678901234567890.1"),
    "tags": _array(PLAIN.filter(str.isalnum))
    | _of("{}", '{a,NULL,"NULL",""}', '{"a\\"b","c\\\\d","x y","{"}', "{{a,b},{c,d}}",
          "[5:6]={a,b}"),
    "address": _of("10.0.0.1/8", "::/0", "::ffff:1.2.3.4") | st.ip_addresses().map(str),
    "span": _of("empty", "(,)", "[1,5)", "(,3]", "[-2147483648,2147483647)"),
    "words": _of("'fat' 'rat':2A", "", "'it''s':1,2B", "'\\\\':1"),
    "cost": st.integers(-(10**15), 10**15).map(lambda number: f"{number}.5"),
}  # fmt: skip
