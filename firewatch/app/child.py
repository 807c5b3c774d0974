"""A process of the demo: its output in a log file, tied to its parent's life, stopped when asked."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from firewatch.app.tether import tethered

STOP_TIMEOUT = timedelta(seconds=8)
"""How long a process may take to stop before it is killed."""

_TAIL_BYTES = 2000


class Child:
    """One process, started again by calling `start` after it ended."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None

    @property
    def running(self) -> bool:
        """True from `start` until the process ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it; its output is added to the log."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *tethered(self._command, signal.SIGTERM),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,  # Ctrl-C in a terminal is for the demo, which stops its parts in order
            )

    async def wait(self) -> int:
        """Wait until it ends by itself; its exit status, negative for a signal."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> None:
        """Ask it to stop, and kill it if it does not."""
        if not self.running or self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
            try:
                async with asyncio.timeout(STOP_TIMEOUT.total_seconds()):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    def log_tail(self) -> str:
        """The end of its output."""
        with self.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return log.read().decode(errors="replace")
