"""Tests on one database: of two kinds the first, or the same one for many cases."""

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable

import pytest

Test = Callable[..., Awaitable[None]]

# Where it makes no difference which database it is: headers, cookies, HTML and what is refused.
on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def each(names: str | tuple[str, ...], cases: Iterable[object]) -> Callable[[Test], Test]:
    """As `pytest.mark.parametrize`, but the fixtures are made once for all cases.

    To make them takes ten times as long as to ask one page. Each case is a subtest: one that
    fails is named, and the others go on.
    """
    listed = list(cases)

    def decorated(test: Test) -> Test:
        signature = inspect.signature(test)
        given = (names,) if isinstance(names, str) else names

        @functools.wraps(test)
        async def all_cases(*, subtests: pytest.Subtests, **fixtures: object) -> None:
            for case in listed:
                values = (case,) if isinstance(names, str) else case
                assert isinstance(values, tuple)
                named = dict(zip(given, values, strict=True))
                with subtests.test(**{name: repr(value)[:60] for name, value in named.items()}):
                    await test(**fixtures, **named)

        fixtures = [one for name, one in signature.parameters.items() if name not in given]
        fixtures.append(inspect.Parameter("subtests", inspect.Parameter.KEYWORD_ONLY))
        all_cases.__signature__ = signature.replace(parameters=fixtures)  # type: ignore[attr-defined] # read by pytest
        return all_cases

    return decorated
