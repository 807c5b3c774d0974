"""The file that keeps records while the database cannot: a queue on disk, first in, first out.

A frame is a head (length, number of records, crc32) and a MessagePack array of records; frames are appended to
segment files and synced, so what `append` took survives kill -9 and a power cut. A segment is deleted once all of it
was taken out. Where taking out had come to is not written down: after a restart the oldest segment is taken out from
its start again, which is harmless because every insert may be repeated.

There are two lanes. *Inputs* (observations, operators' commands as the engine took them, rejections) are bounded in
bytes, and the oldest segment is given up for a new one. *Changes* (transitions, actuators' commands and answers,
pictures, reloads of rules, the control room's records) are never given up.

No function here may be called from two threads at once; `waiting` may be read from any.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from firewatch.model.alarm import AlarmTransition, StageReached
from firewatch.model.command import Acknowledge, ActuatorAnswer, ActuatorCommand
from firewatch.model.control_room import Drill, DutyCheck, LogEntry
from firewatch.model.delivery import Delivery
from firewatch.model.reload import RulesReload
from firewatch.ports import EngineInput, Listening, Picture, Record, Rejection
from firewatch.storage.files import sync_directory
from firewatch.storage.rows import refused_record

SEGMENT_BYTES = 8 * 1024 * 1024
FRAME_RECORDS = 500
"""Small, because encoding a frame holds up every thread of the process (about 0.3 ms)."""

_HEAD = struct.Struct("<III")
_SEGMENT_NAME = re.compile(r"^(\d{12})\.(inputs|changes)$")
_KINDS: tuple[type[Any], ...] = (
    EngineInput,
    AlarmTransition,
    ActuatorCommand,
    ActuatorAnswer,
    Picture,
    Rejection,
    Listening,
    RulesReload,
    StageReached,
    LogEntry,
    DutyCheck,
    Delivery,
    Drill,
)
_KIND_NUMBERS = {kind: number for number, kind in enumerate(_KINDS)}


class _OldInput(msgspec.Struct):
    """An operator's command as it was written while there was none but the acknowledgement."""

    ordinal: int
    now: datetime
    command: _OldAcknowledge


class _OldAcknowledge(msgspec.Struct):
    alarm_id: str
    operator: str
    comment: str


_DECODERS = [msgspec.msgpack.Decoder(kind).decode for kind in _KINDS]
_decode_old_input = msgspec.msgpack.Decoder(_OldInput).decode
_encode = msgspec.msgpack.Encoder().encode
_decode_frame = msgspec.msgpack.Decoder(list[tuple[int, msgspec.Raw]]).decode


class Place(NamedTuple):
    """How far a lane was read: the number of a segment and a byte in it."""

    segment: int
    offset: int


class Taken(NamedTuple):
    """Records read from the head of the queue, and up to where: `Spill.remove(until)` takes them out."""

    records: list[Record]
    until: tuple[Place, Place]


def encode_frame(records: Sequence[Record]) -> bytes:
    """A whole frame. A record that cannot be encoded stands in it as a rejection."""
    try:
        body = _encode_records(records)
    except (UnicodeError, OverflowError, TypeError, ValueError):
        body = _encode_records([_encodable(record) for record in records])
    return _HEAD.pack(len(body), len(records), zlib.crc32(body)) + body


def _encode_records(records: Sequence[Record]) -> bytes:
    return _encode([(_KIND_NUMBERS[type(record)], record) for record in records])


def _encodable(record: Record) -> Record:
    try:
        _encode(record)
    except (UnicodeError, OverflowError, TypeError, ValueError) as error:
        return refused_record(record, str(error))
    return record


def whole_frames(content: bytes, start: int = 0) -> Iterator[tuple[int, int]]:
    """The end and the number of records of every frame from `start` up to the first that is not whole."""
    while start + _HEAD.size <= len(content):
        length, count, checksum = _HEAD.unpack_from(content, start)
        end = start + _HEAD.size + length
        if end > len(content) or zlib.crc32(memoryview(content)[start + _HEAD.size : end]) != checksum:
            return
        yield end, count
        start = end


def decode_frame(content: bytes, start: int, end: int) -> list[Record]:
    """The records of the whole frame between two places."""
    return [_decode(kind, raw) for kind, raw in _decode_frame(memoryview(content)[start + _HEAD.size : end])]


def _decode(kind: int, raw: msgspec.Raw) -> Record:
    try:
        record: Record = _DECODERS[kind](raw)
    except msgspec.ValidationError:
        if _KINDS[kind] is not EngineInput:
            raise
        old = _decode_old_input(raw)
        command = Acknowledge(old.command.alarm_id, old.command.operator, old.command.comment)
        return EngineInput(ordinal=old.ordinal, now=old.now, command=command)
    return record


class _Segment:
    def __init__(self, path: Path, number: int) -> None:
        self.path = path
        self.number = number
        self.size = 0
        self.records = 0
        self.read_records = 0


class _Lane:
    """One queue of segments."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._name = name
        self._segments: deque[_Segment] = deque()
        self._offset = 0
        self._next_number = 1
        self.size = 0
        self.waiting = 0
        self.damaged_bytes = 0
        for path in sorted(directory.iterdir()):
            match = _SEGMENT_NAME.match(path.name)
            if match and match[2] == name:
                self._adopt(_Segment(path, int(match[1])))

    def append(self, records: Sequence[Record]) -> None:
        """Add records at the end; they are on disk when this returns."""
        segment = self._segments[-1] if self._segments else None
        if segment is None or segment.size >= SEGMENT_BYTES:
            segment = self._new_segment()
        with segment.path.open("r+b") as file:
            file.seek(segment.size)
            file.truncate()  # what an append that failed may have left
            written = 0
            for start in range(0, len(records), FRAME_RECORDS):
                written += file.write(encode_frame(records[start : start + FRAME_RECORDS]))
            file.flush()
            os.fdatasync(file.fileno())
        segment.size += written
        segment.records += len(records)
        self.size += written
        self.waiting += len(records)

    def read(self, limit: int) -> tuple[list[Record], Place]:
        """Up to about `limit` records from the head, and the place after them."""
        records: list[Record] = []
        place = Place(self._segments[0].number if self._segments else 0, self._offset)
        for segment in self._segments:
            start = self._offset if segment is self._segments[0] else 0
            content = segment.path.read_bytes()[: segment.size]
            for end, _ in whole_frames(content, start):
                if len(records) >= limit:
                    return records, place
                records += decode_frame(content, start, end)
                place = Place(segment.number, end)
                start = end
        return records, place

    def frames(self) -> Iterator[list[Record]]:
        """Everything that waits, frame by frame."""
        for segment in list(self._segments):
            start = self._offset if segment is self._segments[0] else 0
            content = segment.path.read_bytes()[: segment.size]
            for end, _ in whole_frames(content, start):
                yield decode_frame(content, start, end)
                start = end

    def remove(self, until: Place) -> None:
        """Forget everything before that place; a segment that is gone already is none of its business."""
        while self._segments and self._segments[0].number < until.segment:
            self._drop_head()
        if not self._segments or self._segments[0].number != until.segment:
            return
        head = self._segments[0]
        if until.offset >= head.size:
            self._drop_head()
            return
        content = head.path.read_bytes()[: until.offset]
        removed = sum(count for _, count in whole_frames(content, self._offset))
        head.read_records += removed
        self.waiting -= removed
        self._offset = until.offset

    def give_up_oldest(self) -> int:
        """Drop the oldest segment; the number of records lost by it."""
        before = self.waiting
        self._drop_head()
        return before - self.waiting

    @property
    def can_give_up(self) -> bool:
        return len(self._segments) > 1

    def _drop_head(self) -> None:
        head = self._segments.popleft()
        head.path.unlink(missing_ok=True)
        self._offset = 0
        self.size -= head.size
        self.waiting -= head.records - head.read_records

    def _new_segment(self) -> _Segment:
        segment = _Segment(self._directory / f"{self._next_number:012d}.{self._name}", self._next_number)
        segment.path.touch(mode=0o600)
        sync_directory(self._directory)
        self._next_number += 1
        self._segments.append(segment)
        return segment

    def _adopt(self, segment: _Segment) -> None:
        """Take over a segment of an earlier run, up to where it is whole."""
        content = segment.path.read_bytes()
        for end, count in whole_frames(content):
            segment.size = end
            segment.records += count
        self.damaged_bytes += len(content) - segment.size
        self._next_number = segment.number + 1
        if segment.records:
            self._segments.append(segment)
            self.size += segment.size
            self.waiting += segment.records
        else:
            segment.path.unlink()


class Spill:
    """The queue in `directory`; `limit_bytes` bounds the lane of inputs."""

    def __init__(self, directory: Path, limit_bytes: int) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._limit_bytes = limit_bytes
        self._inputs = _Lane(directory, "inputs")
        self._changes = _Lane(directory, "changes")

    @property
    def waiting(self) -> int:
        """How many records wait."""
        return self._inputs.waiting + self._changes.waiting

    @property
    def damaged_bytes(self) -> int:
        """How much of the files could not be read at the start: the torn end of an append that was cut short."""
        return self._inputs.damaged_bytes + self._changes.damaged_bytes

    def append(self, records: Sequence[Record]) -> int:
        """Add records; they are on disk when this returns. The number of old inputs that were given up for them.

        Raises:
            OSError: the disk does not take them; none of them counts as kept.
        """
        inputs = [record for record in records if isinstance(record, EngineInput | Rejection)]
        changes = [record for record in records if not isinstance(record, EngineInput | Rejection)]
        if changes:
            self._changes.append(changes)
        if inputs:
            self._inputs.append(inputs)
        given_up = 0
        while self._inputs.size > self._limit_bytes and self._inputs.can_give_up:
            given_up += self._inputs.give_up_oldest()
        return given_up

    def read(self, limit: int) -> Taken:
        """Up to about `limit` records from the head, changes first; they stay until `remove`."""
        changes, changes_until = self._changes.read(limit)
        inputs, inputs_until = self._inputs.read(limit - len(changes)) if len(changes) < limit else ([], Place(0, 0))
        return Taken(changes + inputs, (inputs_until, changes_until))

    def remove(self, until: tuple[Place, Place]) -> None:
        """Take out what `read` gave; the place is the one it named."""
        self._inputs.remove(until[0])
        self._changes.remove(until[1])

    def inputs(self) -> Iterator[list[Record]]:
        """Everything in the lane of inputs, frame by frame; nothing may be taken out meanwhile."""
        return self._inputs.frames()
