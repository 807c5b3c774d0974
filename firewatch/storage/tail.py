"""The last moments on disk: what was taken and is not safe yet, so that kill -9 of the daemon loses none of it.

People are told of an alarm before the database has it, and what a camera saw is acknowledged by nobody; without this
the daemon could die in those milliseconds and know nothing of an alarm that the control room has seen. `append` hands
the records to the operating system, which keeps them though the process dies. It does not wait for the disk: a power
cut can take the last moments, and nothing is called safe by standing here.

Two files take turns: new records go into one while those in the other are being made safe.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from firewatch.ports import Record
from firewatch.storage.spill import FRAME_RECORDS, decode_frame, encode_frame, whole_frames

_NAMES = ("tail-a", "tail-b")


class Tail:
    """The two files in `directory`. Not for several threads at once."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._files = [os.open(directory / name, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600) for name in _NAMES]

    def append(self, records: Sequence[Record]) -> None:
        """Keep records over the death of this process.

        Raises:
            OSError: the disk is full or gone.
        """
        for start in range(0, len(records), FRAME_RECORDS):
            self._append_frame(encode_frame(records[start : start + FRAME_RECORDS]))

    def _append_frame(self, frame: bytes) -> None:
        file = self._files[0]
        written = os.write(file, frame)
        if written < len(frame):
            os.ftruncate(file, os.fstat(file).st_size - written)  # else nothing after it could be read
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def turn(self) -> None:
        """Everything appended so far is being made safe: what follows goes into the other file."""
        self._files.reverse()

    def forget(self) -> None:
        """What was appended before the last `turn` is safe."""
        os.ftruncate(self._files[1], 0)

    def left(self) -> list[Record]:
        """What an earlier process left behind, up to where it is whole; in no particular order of the two files."""
        records: list[Record] = []
        for file in self._files:
            content = os.pread(file, os.fstat(file).st_size, 0)
            start = 0
            for end, _ in whole_frames(content):
                records += decode_frame(content, start, end)
                start = end
        return records

    def clear(self) -> None:
        """Forget everything."""
        for file in self._files:
            os.ftruncate(file, 0)

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files:
            os.close(file)
