"""Parameters of the pages of the past: names, days and positions in a URL."""

from datetime import UTC, date, datetime

from starlette.datastructures import QueryParams

# No name of a person or resource is longer.
MAX_FILTER_CHARACTERS = 200
MAX_ID = 2**63 - 1


class Parameters:
    """The parameters of a URL; `problems` gets a sentence for each invalid one."""

    def __init__(self, params: QueryParams) -> None:
        self.params = params
        self.problems: list[str] = []

    def name(self, name: str) -> str:
        """Return a text that is compared as a whole."""
        text = self.params.get(name, "").strip().replace("\0", "")
        if len(text) <= MAX_FILTER_CHARACTERS:
            return text
        self.problems.append(f"A filter has at most {MAX_FILTER_CHARACTERS} characters.")
        return ""

    def day(self, name: str) -> str:
        """Return a day as ISO 8601 has it."""
        text = self.params.get(name, "").strip()
        try:
            return start_of_day(text).date().isoformat() if text else ""
        except (ValueError, OverflowError):
            self.problems.append("Enter a day like 2026-11-23.")
            return ""

    def id(self, name: str) -> int | None:
        """Return the position from which a page starts."""
        text = self.params.get(name, "")
        if not text:
            return None
        if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= MAX_ID:
            return int(text)
        self.problems.append("That page doesn't exist. This is the newest one.")
        return None


def start_of_day(text: str) -> datetime:
    """Return the beginning of a day in UTC; raises ValueError."""
    day = date.fromisoformat(text)
    if day.year > 9990:
        raise ValueError
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
