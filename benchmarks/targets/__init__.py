"""Targets: what is measured, in the order in which the tables list it."""

from benchmarks.targets.django import DJANGO
from benchmarks.targets.floors import FLOORS
from benchmarks.targets.hero_admin import HERO_ADMIN
from benchmarks.targets.sqladmin import SQLADMIN
from benchmarks.targets.starlette_admin import STARLETTE_ADMIN
from benchmarks.targets.target import Place, Target

__all__ = ["TARGETS", "Place", "Target"]

TARGETS = (HERO_ADMIN, SQLADMIN, STARLETTE_ADMIN, DJANGO, *FLOORS)
