"""Singulars: models named like their tables."""

import pytest
from sqlmodel import Field, SQLModel

from hero_admin.model.labels import plural_of
from hero_admin.model.resource import Resource
from hero_admin.model.singulars import singular_of
from tests.unit.test_labels import PLURALS

# But for nouns without a plural, plurals of two nouns, and “menus”, which might be like “status”.
PAIRS = [
    (noun, plural)
    for noun, plural in (pair.split(":") for pair in PLURALS.split())
    if noun != plural and noun not in {"basis", "datum", "medium", "menu"}
]
MORE = """
    base:bases cache:caches case:cases clause:clauses cookie:cookies
    course:courses database:databases detail:details diagnosis:diagnoses employee:employees
    expense:expenses house:houses hypothesis:hypotheses license:licenses movie:movies niche:niches
    order:orders price:prices purchase:purchases response:responses shoe:shoes size:sizes
    supplier:suppliers territory:territories tie:ties topic:topics URL:URLs
"""
UNCHANGED = """
    address analytics analysis bonus canvas chassis customer data gas goods headquarters iris media
    news omen person process series settings species specimen staff status statistics
"""


class Categories(SQLModel, table=True):
    """A model as generated from a table."""

    id: int | None = Field(default=None, primary_key=True)


@pytest.mark.parametrize(
    ("noun", "plural"), [*PAIRS, *(tuple(pair.split(":")) for pair in MORE.split())]
)
def test_a_plural_has_its_singular(noun: str, plural: str) -> None:
    assert singular_of(plural) == noun
    assert singular_of(f"very good {plural}") == f"very good {noun}"
    assert plural_of(singular_of(noun)) == plural


@pytest.mark.parametrize("noun", UNCHANGED.split())
def test_a_noun_that_is_no_plural_stays(noun: str) -> None:
    assert singular_of(noun) == noun


def test_the_records_of_a_model_named_in_the_plural_are_called_by_the_singular() -> None:
    categories = Resource(Categories)
    assert (categories.label, categories.label_plural) == ("category", "categories")
    assert (categories.name, categories.counted(1)) == ("categories", "1 category")
    assert Resource(Categories, label="categories").label == "categories"
