"""Keeps the engine's state on disk, so that a restart replays little."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from firewatch.app.loop import EngineLoop
from firewatch.ports import History
from firewatch.storage.snapshot import Snapshot, SnapshotFile
from firewatch.telemetry.events import SnapshotWritten
from firewatch.telemetry.telemetry import Telemetry

SNAPSHOT_INTERVAL = timedelta(seconds=5)
"""A restart replays at most about this much from the history."""


class SnapshotKeeper:
    """Writes a snapshot every `SNAPSHOT_INTERVAL`, and whenever asked."""

    def __init__(self, loop: EngineLoop, history: History, file: SnapshotFile, telemetry: Telemetry) -> None:
        self._loop = loop
        self._history = history
        self._file = file
        self._telemetry = telemetry
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Write for ever."""
        while True:
            await asyncio.sleep(SNAPSHOT_INTERVAL.total_seconds())
            await self.write()

    async def write(self) -> None:
        """Write one.

        What led to the state is made safe first: else a crash could leave an alarm that no record tells of.

        Raises:
            OSError: the disk does not take it; the one before stays.
        """
        running_loop = asyncio.get_running_loop()
        async with self._turn:
            started = running_loop.time()
            snapshot = Snapshot(*self._loop.snapshot())
            await self._history.flush()
            await asyncio.to_thread(self._file.write, snapshot)
        self._telemetry.emit(
            SnapshotWritten(
                ordinal=snapshot.ordinal, size_bytes=len(snapshot.state), seconds=running_loop.time() - started
            )
        )
