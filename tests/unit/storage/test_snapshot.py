"""Snapshots: what is read is whole, and the one before is there when the newest is not."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from firewatch.storage.snapshot import Snapshot, SnapshotFile

OLD = Snapshot(ordinal=7, state=b"old state", rules="a" * 64)
NEW = Snapshot(ordinal=2**40, state=b"new state" * 1000)


@pytest.fixture
def file(tmp_path: Path) -> SnapshotFile:
    return SnapshotFile(tmp_path / "state")


def test_before_the_first_there_is_none(file: SnapshotFile) -> None:
    assert file.read() is None


def test_the_newest_is_read_back(file: SnapshotFile) -> None:
    file.write(OLD)
    file.write(NEW)
    assert file.read() == NEW


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content[:10],
        lambda content: b"",
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: content[:21] + bytes([content[21] ^ 1]) + content[22:],
        lambda content: content[:37] + bytes([content[37] ^ 1]) + content[38:],
        lambda content: content + b"more",
        lambda content: b"another program's file",
    ],
    ids=["cut-short", "head-cut", "empty", "bit-in-state", "bit-in-ordinal", "bit-in-rules", "too-long", "foreign"],
)
def test_the_one_before_stands_in_for_a_damaged_one(file: SnapshotFile, tmp_path: Path, damage) -> None:
    file.write(OLD)
    file.write(NEW)
    newest = tmp_path / "state" / "engine.snapshot"
    newest.write_bytes(damage(newest.read_bytes()))
    assert file.read() == OLD
    file.write(NEW)
    assert file.read() == NEW
    newest.unlink()
    assert file.read() == OLD, "a damaged snapshot took the good one's place"


def test_a_write_that_was_cut_short_leaves_the_last_snapshot(file: SnapshotFile, tmp_path: Path) -> None:
    file.write(OLD)
    (tmp_path / "state" / "engine.unfinished").write_bytes(b"half")
    assert file.read() == OLD


def test_a_snapshot_from_before_they_named_their_rules_is_read(file: SnapshotFile, tmp_path: Path) -> None:
    head = struct.pack("<QII", 7, len(b"state"), zlib.crc32(b"state", 7))
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "engine.snapshot").write_bytes(b"firewatch snapshot 1\n" + head + b"state")
    assert file.read() == Snapshot(ordinal=7, state=b"state", rules="")
