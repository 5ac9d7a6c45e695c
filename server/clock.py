"""The time of day, passed in wherever it decides something."""

from collections.abc import Callable
from datetime import UTC, datetime

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
"""No server of this program has run before it."""

Clock = Callable[[], datetime]


def system() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


def instant(at: datetime) -> str:
    """An instant as documents and rows write it: `YYYY-MM-DDTHH:MM:SSZ`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds(at: datetime) -> int:
    """An instant as clocks travel on the wire."""
    return int(at.timestamp() * 1000)
