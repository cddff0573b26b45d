"""Totals: a number of rows, and how exact it is."""

from dataclasses import dataclass

COUNT_CAP = 10_000


@dataclass(frozen=True)
class Total:
    """A number of rows: exact, a lower bound (`is_capped`), or an estimate."""

    count: int
    is_capped: bool = False
    is_estimate: bool = False

    @property
    def is_exact(self) -> bool:
        return not self.is_capped and not self.is_estimate

    @property
    def grammatical_number(self) -> int:
        """The number for `ngettext`: “1+” is plural."""
        return self.count + self.is_capped

    @classmethod
    def capped(cls, count: int, cap: int | None = None, *, is_complete: bool = True) -> "Total":
        """Return the total of rows that were counted up to `cap` + 1, by default `COUNT_CAP` + 1.

        is_complete: whether all rows were read.
        """
        cap = COUNT_CAP if cap is None else cap
        return cls(min(count, cap), is_capped=count > cap or not is_complete)

    def __str__(self) -> str:
        if self.is_estimate:
            # An estimate has two significant digits.
            digits = max(0, len(str(self.count)) - 2)
            return f"about {round(self.count, -digits):,}"
        if self.is_capped and not self.count:
            return "uncounted"
        return f"{self.count:,}+" if self.is_capped else f"{self.count:,}"
