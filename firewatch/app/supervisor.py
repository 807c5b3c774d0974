"""Keeps the daemon's long-running parts alive: a part that fails is logged, counted and started again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from firewatch.ports import PartStatus

_FIRST_RETRY_SECONDS = 0.5
_LONGEST_RETRY_SECONDS = 30.0

log = structlog.get_logger("firewatch.supervisor")


class Supervisor:
    """Owns every background task. One part's failure never ends another."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, str] = {}
        self._vital: set[str] = set()

    def keep_running(self, name: str, part: Callable[[], Awaitable[None]], *, vital: bool = True) -> None:
        """Run `part` until `stop`, again after every failure, with a pause that doubles up to half a minute."""
        if vital:
            self._vital.add(name)
        self._tasks[name] = asyncio.get_running_loop().create_task(self._keep(name, part), name=f"firewatch {name}")

    def status(self) -> list[PartStatus]:
        """Every part that is kept running.

        One that failed is not ready until it has run well for as long as the pause after the next failure would be:
        a second at first, longer where it fails again and again.
        """
        return [
            PartStatus(name, name not in self._failures, self._failures.get(name, "running"), name in self._vital)
            for name in self._tasks
        ]

    async def _keep(self, name: str, part: Callable[[], Awaitable[None]]) -> None:
        pause = _FIRST_RETRY_SECONDS
        running_loop = asyncio.get_running_loop()
        while True:
            started = running_loop.time()
            well = running_loop.call_later(pause, self._failures.pop, name, None)
            try:
                await part()
            except Exception as error:
                self._failures[name] = f"failed and was started again: {type(error).__name__}: {error}"[:200]
                log.exception("A part of firewatch failed and is started again.", part=name, retry_seconds=pause)
            else:
                self._failures[name] = "ended by itself and was started again"
                log.warning("A part of firewatch ended by itself and is started again.", part=name, retry_seconds=pause)
            finally:
                well.cancel()
            await asyncio.sleep(pause)
            ran_well = running_loop.time() - started > _LONGEST_RETRY_SECONDS
            pause = _FIRST_RETRY_SECONDS if ran_well else min(pause * 2, _LONGEST_RETRY_SECONDS)

    async def stop(self, name: str) -> None:
        """End one part and wait until it has cleaned up; unknown names are ignored."""
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
