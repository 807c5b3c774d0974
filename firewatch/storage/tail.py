"""The last moments on disk: what was taken and is not safe yet, so that kill -9 of the daemon loses next to nothing.

People are told of an alarm before the database has it, and what a camera saw is acknowledged by nobody; without this
the daemon could die in those milliseconds and know nothing of an alarm that the control room has seen.

What is promised: `keep` hands records to a thread at once and never waits. The thread hands them, in order, to the
operating system, which keeps them though the process dies: normally within a millisecond, later while the event loop
never rests (docs/history.md has numbers) or the disk stalls. `until_written` waits for it, a bounded time: so is done
before people are told of an alarm. Kill -9 loses what was taken in that last moment, and never something in the middle.
Nothing waits for the disk itself: a power cut can take more, and nothing is called safe by standing here.

Two files take turns. What comes goes into one, the other waits until all in it is safe; then that one is emptied and
they change places. So the files hold what is not safe, and of what is safe at most what went into one file meanwhile.
"""

from __future__ import annotations

import errno
import os
import threading
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path

import structlog

from firewatch.ports import Record
from firewatch.storage.spill import FRAME_RECORDS, decode_frame, encode_frame, whole_frames

RETRY = timedelta(seconds=1)
"""Between two attempts while the disk takes nothing."""

_NAMES = ("tail-a", "tail-b")

log = structlog.get_logger("firewatch.history")


class _File:
    """One of the two. `end` counts all records ever taken up to the last one in it; None while it is empty."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._size = 0
        self.end: int | None = None

    def append(self, frame: bytes) -> None:
        """Raises OSError if the disk is full or gone; the next frame then takes the place of this one."""
        if os.pwrite(self._descriptor, frame, self._size) < len(frame):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += len(frame)

    def clear(self) -> None:
        os.ftruncate(self._descriptor, 0)
        self._size = 0
        self.end = None

    def records(self) -> list[Record]:
        """What stands in it, up to where it is whole."""
        content = os.pread(self._descriptor, os.fstat(self._descriptor).st_size, 0)
        records: list[Record] = []
        start = 0
        for end, _ in whole_frames(content):
            records += decode_frame(content, start, end)
            start = end
        return records

    def close(self) -> None:
        os.close(self._descriptor)


class Tail:
    """The two files in `directory`, and the thread that `start` starts. `keep` and `let_go` never wait for the disk."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._current, self._other = (_File(directory / name) for name in _NAMES)
        self._changed = threading.Condition()
        """Held only for a few microseconds, never while a file is written."""
        self._waiting: deque[Record] = deque()
        self._behind = 0
        """How many records came before the first of `_waiting`."""
        self._safe = 0
        """How many records were let go."""
        self._closing = False
        self._works = True
        self._patient = True
        """Whether waiting for the thread is worth while."""
        self._thread = threading.Thread(target=self._run, name="firewatch-tail", daemon=True)

    # Before the start.

    def left(self) -> list[Record]:
        """What an earlier process left behind, up to where it is whole; in no particular order of the two files."""
        return self._current.records() + self._other.records()

    def clear(self) -> None:
        """Forget what an earlier process left behind."""
        self._current.clear()
        self._other.clear()

    def start(self) -> None:
        """Begin to write what is kept."""
        self._thread.start()

    # From the event loop.

    def keep(self, records: Sequence[Record]) -> None:
        """Hand records to the thread, which writes them at once."""
        with self._changed:
            self._waiting.extend(records)
            self._changed.notify_all()

    def until_written(self, limit: timedelta) -> bool:
        """Wait until the operating system has everything kept so far, at most `limit`; False if it has not.

        After it once took longer nobody waits again until the thread has caught up: a disk that stalls costs one wait.
        """
        with self._changed:
            if self._patient:
                self._patient = self._changed.wait_for(lambda: not self._waiting, limit.total_seconds())
            return not self._waiting

    def let_go(self, count: int) -> None:
        """The oldest `count` records kept are safe: they need not stand here, or come here, any more."""
        with self._changed:
            self._safe += count
            self._drop_waiting(self._safe)
            if self._has_work():
                self._changed.notify_all()

    def close(self) -> None:
        """Write what is left to write and end the thread; waits for the disk."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        self._current.close()
        self._other.close()

    # In the thread.

    def step(self) -> None:
        """Empty what is safe, and write the next frame of what waits. The thread does this again and again.

        Raises:
            OSError: the disk is full or gone; the same records are written by the next step.
        """
        with self._changed:
            safe = self._safe
            records = list(islice(self._waiting, FRAME_RECORDS))
            end = self._behind + len(records)
        for file in (self._current, self._other):
            if _is_done(file, safe):
                file.clear()
        if self._other.end is None:
            self._current, self._other = self._other, self._current
        if records:
            self._current.append(encode_frame(records))
            with self._changed:
                self._current.end = end
                self._drop_waiting(end)
                self._patient = self._patient or not self._waiting
                self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._has_work())
                if not self._has_work():
                    return
            try:
                self.step()
                self._works = True
            except Exception as error:
                if self._works:
                    log.error("The disk takes no records; a kill -9 now would lose the last moments.", error=str(error))
                self._works = False
                with self._changed:
                    if self._changed.wait_for(lambda: self._closing, RETRY.total_seconds()):
                        return

    def _has_work(self) -> bool:
        return bool(self._waiting) or _is_done(self._current, self._safe) or _is_done(self._other, self._safe)

    def _drop_waiting(self, until: int) -> None:
        while self._behind < until:
            self._waiting.popleft()
            self._behind += 1


def _is_done(file: _File, safe: int) -> bool:
    return file.end is not None and file.end <= safe
