"""The only place where firewatch reads the time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

CATCHING_UP = 2
"""Where the wall clock was set back, time goes on at half its rate until the wall clock has caught up:
delays still run out, and the two come together again.
"""


class SystemClock:
    """The machine's wall clock. Inside firewatch time never runs backwards and never stands still."""

    def __init__(self) -> None:
        self._latest = datetime.now(UTC)
        self._latest_monotonic = time.monotonic()

    def now(self) -> datetime:
        """The present, aware, in UTC, never earlier than an answer before."""
        monotonic = time.monotonic()
        earliest = self._latest + timedelta(seconds=(monotonic - self._latest_monotonic) / CATCHING_UP)
        self._latest = max(datetime.now(UTC), earliest)
        self._latest_monotonic = monotonic
        return self._latest
