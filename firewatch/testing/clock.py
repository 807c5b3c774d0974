"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2025, 1, 1, tzinfo=UTC)


class FakeClock:
    """Implements `ports.Clock`."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        """The time the test has set."""
        return self._now

    def advance(self, step: timedelta) -> datetime:
        """Move on, and return the new time.

        Raises:
            ValueError: the step is negative; time never runs backwards inside firewatch.
        """
        if step < timedelta(0):
            raise ValueError(f"time does not run backwards (step {step})")
        self._now += step
        return self._now
