"""The only place where firewatch reads the time."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """The machine's wall clock, held still where it is stepped back: time never runs backwards inside firewatch."""

    def __init__(self) -> None:
        self._latest = datetime.now(UTC)

    def now(self) -> datetime:
        """The present, aware, in UTC, never earlier than an answer before."""
        present = datetime.now(UTC)
        if present > self._latest:
            self._latest = present
        return self._latest
