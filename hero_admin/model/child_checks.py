"""Child checks: the mistakes in `children=`, which name columns of other resources."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Column

from hero_admin.model.children import Child
from hero_admin.model.resource import Resource


def wrong_children(resource: Resource, resources: Sequence[Resource]) -> Iterator[str]:
    """Yield the mistakes in the children of a resource, which are records of other resources."""
    seen: list[Column[Any]] = []
    for child in resource.children:
        # Arguments may have any type.
        given: object = child
        column = given.column if isinstance(given, Child) else None
        if column is None:
            shown = getattr(child, "reference", child)
            yield f"children= takes columns, as in Child(Line.invoice_id), and {shown} isn't one"
            continue
        name = f"{child.reference.class_.__name__}.{child.reference.key}"
        found = [each for each in resources if _has(each, column)]
        if not found:
            yield f"children= names {name}, and no resource of this Admin has that model"
        elif any(column is each for each in seen):
            yield f"children= names {name} twice"
        elif found[0].read_only:
            yield f"children= names {name}, whose resource is read_only"
        elif not any(
            field.relation is not None and field.relation.target is resource.model
            for field in found[0].fields
            if field.column is column
        ):
            yield f"children= names {name}, which doesn't refer to this model"
        seen.append(column)


def _has(resource: Resource, column: Column[Any]) -> bool:
    # By identity: equality of columns is a part of a statement.
    return any(field.column is column for field in resource.fields)
