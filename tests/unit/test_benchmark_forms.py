"""The benchmarks' forms: what they send is what a browser would send."""

import pytest

from benchmarks.forms import filled_form

PAGE = """
<form action="/theme"><button name="theme" value="dark">Dark</button></form>
<form action="/heroes/7" method="post">
<input type="hidden" name="token" value="a&amp;b"><input name="name" value="Nova">
<input type="checkbox" name="seen" value="yes" checked><input type="checkbox" name="dead" value="1">
<select name="team"><option value="">None</option><option value="3" selected>Three</option></select>
<select name="first"><option value="a">A</option><option value="b">B</option></select>
<button type="button" name="help">?</button><input type="submit" name="_save" value="Save">
<button name="_another">Save and add another</button></form>
"""


def test_a_filled_form_sends_what_was_there_and_what_was_typed() -> None:
    form = filled_form(PAGE, {"name": "Vega"})
    assert form.action == "/heroes/7"
    assert dict(form.pairs) == {
        "token": "a&b",
        "name": "Vega",
        "seen": "yes",
        "team": "3",
        "first": "a",
        "_save": "Save",
    }


def test_a_page_without_such_a_form_is_told_apart() -> None:
    with pytest.raises(LookupError, match="age"):
        filled_form(PAGE, {"age": "30"})
