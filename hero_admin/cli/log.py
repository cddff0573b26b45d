"""The log of the server process."""

import asyncio
import logging
from typing import Any


class NotCancelled(logging.Filter):
    """Drops the traceback of a request that was cancelled by a shutdown."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


# Any: what logging.config.dictConfig takes.
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "datefmt": "%Y-%m-%dT%H:%M:%S%z",
        }
    },
    "filters": {"not_cancelled": {"()": NotCancelled}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["not_cancelled"],
        }
    },
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    # SQLAlchemy names the logger of a pool after our class, and logs routine events there.
    "loggers": {"hero_admin": {"level": "INFO"}, "hero_admin.database.pool": {"level": "WARNING"}},
}
