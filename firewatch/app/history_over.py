"""A history that stands before another one, to look at what is written or to add to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from firewatch.ports import History, Record


class HistoryOver:
    """Implements `ports.History` by the one below; those that build on it do something of their own in `write`."""

    def __init__(self, history: History) -> None:
        self._history = history

    def write(self, records: Sequence[Record], on_safe: Callable[[], None] | None = None) -> None:
        """Take records for writing."""
        self._history.write(records, on_safe)

    def outlive(self) -> None:
        """As the history below."""
        self._history.outlive()

    def room(self) -> bool:
        """As the history below."""
        return self._history.room()

    async def flush(self) -> None:
        """As the history below."""
        await self._history.flush()
