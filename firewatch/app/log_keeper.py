"""The history with the log of the control room: whatever is kept is looked at, and what people will want to read later
is written with it, in the same breath.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from firewatch.app.history_over import HistoryOver
from firewatch.app.log_entries import entries_of, start_entry, stop_entry
from firewatch.model.control_room import EntryKind
from firewatch.model.seat import ControlRoom
from firewatch.ports import Clock, History, HistoryReader, Record

_LONG_AGO = timedelta(days=3660)


class LogKeeper(HistoryOver):
    """Implements `ports.History` over another one."""

    def __init__(self, history: History, room: ControlRoom, clock: Clock) -> None:
        super().__init__(history)
        self._room = room
        self._clock = clock

    def write(self, records: Sequence[Record], on_safe: Callable[[], None] | None = None) -> None:
        """Take records for writing, with the entries that they are worth."""
        entries = entries_of(records, self._room)
        super().write([*records, *entries] if entries else records, on_safe)

    async def begin(self, reader: HistoryReader, heard_until: datetime | None) -> None:
        """Say that firewatch runs, and whether it had been stopped as it should.

        Raises:
            StorageError: the history cannot be read.
        """
        now = self._clock.now()
        last = await reader.log_entries(
            now - _LONG_AGO, now + timedelta(seconds=1), kinds=[EntryKind.START, EntryKind.STOP], limit=1
        )
        stopped = not last or last[0].kind is EntryKind.STOP
        super().write([start_entry(now, heard_until, stopped=stopped, room=self._room)])

    async def end(self) -> None:
        """Say that firewatch stops."""
        super().write([stop_entry(self._clock.now())])
