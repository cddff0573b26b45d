"""People who have started a job, as they are stored until it is done: also those of an application.

An application's own class of people, a dataclass, may have attributes that its `rows=` use.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, fields, is_dataclass

from hero_admin.person import Person, Role, TokenScope


class UnknownPersonError(Exception):
    """A person that cannot be stored, or read again: a sentence."""


def packed(person: Person) -> str:
    """Return a person as JSON; raises UnknownPersonError if an attribute has no form there."""
    values = {each.name: getattr(person, each.name) for each in fields(person)}
    values["token"] = person.token and asdict(person.token)
    try:
        text = json.dumps({"class": _name_of(type(person)), "values": values})
        unpacked(text)
    except (TypeError, ValueError):
        text = ""
    if not text or unpacked(text) != person:
        raise UnknownPersonError(
            "This would take too long for a page, and can't be done in the background, as"
            f" {type(person).__name__} has attributes that can't be kept until then."
        )
    return text


def unpacked(text: str) -> Person:
    """Return a person; raises UnknownPersonError if their class is not there any more."""
    found = json.loads(text)
    kind = next((each for each in _kinds(Person) if _name_of(each) == found["class"]), None)
    if kind is None or not is_dataclass(kind):
        raise UnknownPersonError(f"This process knows no people of the class {found['class']}.")
    values = {**found["values"], "role": Role(found["values"]["role"])}
    if values.get("token"):
        resources = values["token"]["resources"]
        scope = values["token"] | {"resources": resources and tuple(resources)}
        values["token"] = TokenScope(**scope)
    made = kind(**values)
    assert isinstance(made, Person)
    return made


def _kinds(kind: type[Person]) -> Iterator[type[Person]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _kinds(each)


def _name_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
