"""The only place that knows the time of day, so that a test can move it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now() -> datetime:
    """The present moment, with its zone."""
    return datetime.now(UTC)
