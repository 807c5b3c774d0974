"""The engine's state on disk, so that a restart replays little.

A snapshot is written beside the old one and put in its place in one step; the one before is kept, because a disk can
damage the newest. What is read is always whole: its checksum says so.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import msgspec

from firewatch.storage.files import sync_directory

_MAGIC = b"firewatch snapshot 2\n"
_HEAD = struct.Struct("<QII64s")
"""Ordinal, length of the state, crc32 of the ordinal and the rest, name of the rule set."""
_MAGIC_1 = b"firewatch snapshot 1\n"
_HEAD_1 = struct.Struct("<QII")
"""As it was while snapshots did not name their rules."""


class Snapshot(msgspec.Struct, frozen=True):
    """The engine's `state` after it took the input with that `ordinal`. `rules` names the rule set that the state
    belongs to (`storage.rule_set`), empty if that is not known.
    """

    ordinal: int
    state: bytes
    rules: str = ""


class SnapshotFile:
    """The newest snapshot and the one before it, in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._newest = directory / "engine.snapshot"
        self._previous = directory / "engine.snapshot.previous"

    def write(self, snapshot: Snapshot) -> None:
        """Put a snapshot in place; it is on disk when this returns.

        Raises:
            OSError: the disk does not take it; the snapshots there are untouched.
        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = self._newest.with_suffix(".unfinished")
        with unfinished.open("wb") as file:
            rules = snapshot.rules.encode()
            head = _HEAD.pack(snapshot.ordinal, len(snapshot.state), _checksum(snapshot), rules)
            file.write(_MAGIC + head + snapshot.state)
            file.flush()
            os.fsync(file.fileno())
        if _read(self._newest) is not None:
            self._newest.replace(self._previous)
        unfinished.replace(self._newest)
        sync_directory(self._directory)

    def read(self) -> Snapshot | None:
        """The newest whole snapshot, None if there is none."""
        return _read(self._newest) or _read(self._previous)


def _checksum(snapshot: Snapshot) -> int:
    return zlib.crc32(snapshot.state, zlib.crc32(snapshot.rules.encode(), snapshot.ordinal & 0xFFFFFFFF))


def _read(path: Path) -> Snapshot | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    magic, layout = (_MAGIC_1, _HEAD_1) if content.startswith(_MAGIC_1) else (_MAGIC, _HEAD)
    start = len(magic) + layout.size
    if len(content) < start or not content.startswith(magic):
        return None
    ordinal, length, checksum, *rules = layout.unpack_from(content, len(magic))
    name = b"".join(rules).rstrip(b"\0").decode(errors="replace")
    snapshot = Snapshot(ordinal=ordinal, state=content[start:], rules=name)
    return snapshot if len(snapshot.state) == length and _checksum(snapshot) == checksum else None
