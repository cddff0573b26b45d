"""Dates, times and durations: parsed from what people type, and written as browsers take them."""

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

DURATION = re.compile(
    r"(-?)(?:([0-9]{1,6}) ?d(?:ays?)?,? ?)?"
    r"(?:([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,6})?))?)?"
)


def parse_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("Enter a date like 2026-11-23.") from None


def parse_time(is_aware: bool, text: str) -> time:
    try:
        return time_in_zone(time.fromisoformat(text), is_aware)
    except ValueError:
        raise ValueError("Enter a time like 14:30.") from None


def time_in_zone(moment: time, is_aware: bool) -> time:
    """Return a time of day as its column stores it: in UTC, or without a zone."""
    offset = moment.utcoffset() if is_aware else None
    if offset:
        # Of any day.
        moment = (datetime.combine(date(2000, 1, 2), moment) - offset).time()
    return moment.replace(tzinfo=UTC if is_aware else None)


def is_utc(moment: time, is_aware: bool) -> bool:
    # SQLite stores no zone.
    return is_aware and not moment.utcoffset()


def format_time(moment: time) -> str:
    # As <input type="time"> takes it; another zone than UTC is not typed, only stored.
    return (moment.replace(tzinfo=None) if not moment.utcoffset() else moment).isoformat()


def parse_datetime(is_aware: bool, text: str) -> datetime:
    try:
        return in_zone(datetime.fromisoformat(text), is_aware)
    except (ValueError, OverflowError):
        raise ValueError("Enter a date and time like 2026-11-23 14:30.") from None


def in_zone(moment: datetime, is_aware: bool) -> datetime:
    """Return a datetime as its column stores it: an instant in UTC, or without a zone."""
    if is_aware:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def format_datetime(moment: datetime) -> str:
    # What <input type="datetime-local"> takes; an instant is shown, and read back, in UTC.
    return moment.replace(tzinfo=None).isoformat(
        timespec="microseconds" if moment.microsecond else "seconds"
    )


def parse_duration(text: str) -> timedelta:
    found = DURATION.fullmatch(text)
    if not found or not (found[2] or found[3]):
        raise ValueError("Enter a duration like 3 days 04:30:00.")
    duration = timedelta(
        days=int(found[2] or 0), hours=int(found[3] or 0), minutes=int(found[4] or 0)
    ) + timedelta(microseconds=int(Decimal(found[5] or 0) * 1_000_000))
    return -duration if found[1] else duration


def format_duration(duration: timedelta) -> str:
    sign = "-" if duration < timedelta(0) else ""
    duration = abs(duration)
    minutes, seconds = divmod(duration.seconds, 60)
    days = f"{duration.days} day{'s'[: duration.days != 1]} " if duration.days else ""
    fraction = f".{duration.microseconds:06}" if duration.microseconds else ""
    return f"{sign}{days}{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{fraction}"
