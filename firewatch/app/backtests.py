"""Backtests asked for on the console: each in a process of its own that yields to everything else, one at a time.

The engine, and so every alarm, goes on as if there were none; the process ends with the daemon, even after kill -9.
"""

from __future__ import annotations

import asyncio
import pickle
import signal
import subprocess
import sys
from collections import deque
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from firewatch.app.rules import RulesKeeper
from firewatch.app.tether import tethered
from firewatch.config.settings import Settings
from firewatch.errors import BusyError
from firewatch.ports import BacktestPhase, BacktestState, BacktestWish, Clock
from firewatch.rules.spec import RuleSpec

LONGEST = timedelta(minutes=30)
"""A backtest that is not done by then is given up, so that one is never in the way of the next for ever."""

KEPT = 5
NO_RESULT = msgspec.Raw(b"null")
_LONGEST_ANSWER = 64 * 1024 * 1024


class Job(NamedTuple):
    """What to play; `running` are the rules to compare with, None for what people were really told."""

    settings: Settings
    history: str
    start: datetime
    end: datetime
    running: tuple[RuleSpec, ...] | None


class Answer(msgspec.Struct, frozen=True):
    """One line: how far it is, or how it ended. `result` is JSON of its own, `null` before there is one."""

    progress: float = 0.0
    error: str = ""
    result: msgspec.Raw = NO_RESULT


class BacktestDesk:
    """Implements `ports.Backtests`."""

    def __init__(self, settings: Settings, rules: RulesKeeper, history: str, clock: Clock) -> None:
        self._settings = settings
        self._rules = rules
        self._history = history
        self._clock = clock
        self._kept: deque[BacktestState] = deque(maxlen=KEPT)
        self._asked = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None

    # What others call.

    def start(self, wish: BacktestWish) -> BacktestState:
        """Begin one."""
        if self._goes_on:
            raise BusyError("Another backtest goes on, and one at a time is enough for this machine.")
        self._kept.appendleft(BacktestState(uuid4().hex, self._clock.now(), wish))
        self._asked.set()
        return self._kept[0]

    def cancel(self, backtest_id: str) -> None:
        """Give it up, if it still goes on."""
        if self._goes_on and self._kept[0].backtest_id == backtest_id:
            self._note(self._kept[0], phase=BacktestPhase.CANCELLED)
            if self._process is not None and self._process.returncode is None:
                self._process.kill()

    def all(self) -> list[BacktestState]:
        """Those that are kept, newest first."""
        return list(self._kept)

    async def run(self) -> None:
        """Play what is asked for, for ever."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            if self._goes_on:
                await self._guarded(self._kept[0])

    # One backtest.

    @property
    def _goes_on(self) -> bool:
        return bool(self._kept) and self._kept[0].phase is BacktestPhase.RUNNING

    def _is_wanted(self, asked: BacktestState) -> bool:
        return self._goes_on and self._kept[0].backtest_id == asked.backtest_id

    def _note(self, asked: BacktestState, **fields: object) -> None:
        """Note something of a backtest, unless it was given up."""
        if self._is_wanted(asked):
            self._kept[0] = replace(self._kept[0], **fields)

    def _fail(self, asked: BacktestState, error: str) -> None:
        self._note(asked, phase=BacktestPhase.FAILED, error=error)

    async def _guarded(self, asked: BacktestState) -> None:
        try:
            async with asyncio.timeout(LONGEST.total_seconds()):
                await self._play(asked)
        except TimeoutError:
            minutes = LONGEST // timedelta(minutes=1)
            self._fail(asked, f"It took over {minutes} minutes; ask for a shorter time, or use `firewatch backtest`.")
        except (OSError, ValueError, msgspec.DecodeError) as error:
            self._fail(asked, f"Its process could not be talked to: {error}.")
        self._fail(asked, "Its process ended without an answer; the daemon's log may say more.")

    async def _play(self, asked: BacktestState) -> None:
        wish = asked.wish
        running = self._rules.running.rules if wish.against == "live" else None
        job = Job(self._settings, self._history, wish.start, wish.end, running)
        process = await asyncio.create_subprocess_exec(
            *tethered([sys.executable, "-m", "firewatch.app.backtest_worker"], signal.SIGKILL),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            limit=_LONGEST_ANSWER,
        )
        self._process = process
        try:
            if self._is_wanted(asked):  # and was not given up while its process began
                await self._talk(asked, process, await asyncio.to_thread(pickle.dumps, job))
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def _talk(self, asked: BacktestState, process: asyncio.subprocess.Process, job: bytes) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(job)
        await process.stdin.drain()
        process.stdin.close()
        async for line in process.stdout:
            if not self._is_wanted(asked):
                return
            answer = await asyncio.to_thread(msgspec.json.decode, line, type=Answer)
            if answer.result != NO_RESULT:
                self._note(asked, phase=BacktestPhase.DONE, progress=1.0, result=answer.result)
            elif answer.error:
                self._fail(asked, answer.error)
            else:
                self._note(asked, progress=answer.progress)
