"""The history read for replaying: observations by the column, a page at a time, and what people saw and did.

Rows cost Python microseconds each, columns next to nothing: the database builds an array of each column, whose binary
form numpy reads as it stands. Pages are cut by ordinal, because the key begins with it, and narrowed by `taken_time`,
because hypertables are cut by that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import psycopg

from firewatch.alarms.deadline import StageWay
from firewatch.errors import StorageError
from firewatch.model.alarm import AlarmTransition
from firewatch.ports import EngineInput
from firewatch.storage.database import CONNECT_TIMEOUT, first_line
from firewatch.storage.rows import Row, read_input, read_stage_way, read_transition
from firewatch.storage.sql import QUERIES

PAGE_ORDINALS = 500_000
"""About 40 MB of columns, and some seconds of the database's work."""

Array: TypeAlias = npt.NDArray[Any]

NUMBER, FLAG, STATE = 1, 2, 3
"""What `Columns.kind` says a value is; 0: there is none."""

GOOD, UNCERTAIN, BAD = 0, 1, 2
"""What `Columns.quality` says."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Some observations in the order in which the engine took them, a numpy array for each column.

    `signal` and `state` are positions in the lists of names that were asked with. `number` holds a flag as 0 and 1.
    The times `taken`, `source`, `receive` and `event` are microseconds since 1970 in UTC.
    """

    ordinal: Array
    taken: Array
    signal: Array
    kind: Array
    number: Array
    state: Array
    quality: Array
    source: Array
    receive: Array
    event: Array

    def __len__(self) -> int:
        return len(self.ordinal)

    def where(self, wanted: Array) -> Columns:
        """Only the rows of a mask or of positions."""
        return Columns(*(getattr(self, field.name)[wanted] for field in fields(self)))

    def with_taken(self, taken: Array) -> Columns:
        """The same with other times of being taken."""
        return replace(self, taken=taken)


class Extent(NamedTuple):
    """The first and the last moment at which anything was taken."""

    first: datetime
    last: datetime


class Start(msgspec.Struct, frozen=True):
    """firewatch began to listen at `time`. Before, it had listened until `heard_until`; None at the
    very first start.
    """

    time: datetime
    heard_until: datetime | None = None


class ColumnReader:
    """Reads a history's database for a replay, over a connection of its own. A context manager.

    Every method raises StorageError when the database does not answer.
    """

    def __init__(self, dsn: str) -> None:
        try:
            self._connection = psycopg.connect(
                dsn,
                autocommit=True,
                application_name="firewatch replay",
                connect_timeout=int(CONNECT_TIMEOUT.total_seconds()),
            )
            self._connection.execute("SET timezone TO 'UTC'")
        except psycopg.Error as error:
            raise StorageError(f"cannot connect to the database: {first_line(error)}") from error

    def __enter__(self) -> ColumnReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def extent(self) -> Extent | None:
        """The time for which there are observations; None if there are none."""
        first = self._rows("first_observation", {"ordinal": 0})
        last = self._rows("last_observation", {})
        return Extent(first[0][1], last[0][1]) if first and last else None

    def pages(
        self, signals: Sequence[str], states: list[str], start: datetime, end: datetime
    ) -> Iterator[tuple[float, Columns]]:
        """The observations of some signals taken in start <= time < end, with the share of the work that is then done.

        A state that is not among `states` is appended to them.
        """
        ordinal, last = self._ordinal_at(start), self._ordinal_at(end)
        begin = ordinal
        while ordinal < last:
            following = min(ordinal + PAGE_ORDINALS, last)
            page = self._page(signals, states, ordinal, following, start, end)
            ordinal = following
            if page is not None:
                yield (ordinal - begin) / (last - begin), page
                start = max(start, _EPOCH + timedelta(microseconds=int(page.taken[-1])))

    def transitions(self, start: datetime, end: datetime) -> Iterator[AlarmTransition]:
        """What happened to alarms in start <= time < end, in the order of time."""
        with self._connection.transaction():
            for row in self._streamed("transitions_between", {"start": start, "end": end}):
                yield read_transition(row[0], row[1:])

    def first_transition(self) -> datetime | None:
        """When the first change of an alarm that is kept happened; None if none is."""
        first: datetime | None = self._rows("first_transition", {})[0][0]
        return first

    def stage_ways(self, alarm_ids: Sequence[str]) -> list[StageWay]:
        """What the later stages of some alarms wait for, or waited for."""
        return list(map(read_stage_way, self._rows("stage_ways", {"alarm_ids": list(alarm_ids)})))

    def standing_at(self, time: datetime) -> list[AlarmTransition]:
        """The last change before a time of every alarm that stood then, in the order of time."""
        return [read_transition(row[0], row[1:]) for row in self._rows("standing_at", {"time": time})]

    def commands(self, start: datetime, end: datetime) -> list[EngineInput]:
        """What operators asked for in start <= time < end, in order."""
        return list(map(read_input, self._rows("commands_between", {"start": start, "end": end})))

    def starts(self, start: datetime, end: datetime) -> list[Start]:
        """The starts of firewatch in start <= time < end."""
        found = self._rows("listening_between", {"start": start, "end": end})
        return [Start(begin_time, heard_until) for begin_time, heard_until in found]

    def copy_csv(self, start: datetime, end: datetime) -> Iterator[bytes | bytearray | memoryview]:
        """All observations taken in start <= time < end as a CSV file, piece by piece, in order."""
        wanted = {"first": self._ordinal_at(start), "last": self._ordinal_at(end), "start": start, "end": end}
        try:
            with psycopg.ClientCursor(self._connection) as cursor, cursor.copy(QUERIES["copy_csv"], wanted) as copy:
                yield from copy
        except psycopg.Error as error:
            raise StorageError(f"the history could not be read: {first_line(error)}") from error

    def _page(
        self, signals: Sequence[str], states: list[str], first: int, last: int, start: datetime, end: datetime
    ) -> Columns | None:
        wanted = {
            "signals": list(signals),
            "states": states,
            "first": first,
            "last": last,
            "start": start,
            "end": end,
        }
        try:
            cursor = self._connection.cursor(binary=True)
            result = cursor.execute(QUERIES["observation_columns"], wanted).pgresult
        except psycopg.Error as error:
            raise StorageError(f"the history could not be read: {first_line(error)}") from error
        assert result is not None
        values = [result.get_value(0, position) for position in range(len(_WIRE))]
        if values[0] is None:
            return None
        columns = Columns(*map(_array, values, _WIRE))
        for times in (columns.taken, columns.source, columns.receive, columns.event):
            times += _SINCE_1970
        self._name_states(columns, states)
        return columns

    def _name_states(self, columns: Columns, states: list[str]) -> None:
        """Find the names of states that are not among those known."""
        nameless = np.flatnonzero((columns.kind == STATE) & (columns.state < 0))
        if not len(nameless):
            return
        rows = self._rows("states_at", {"ordinals": columns.ordinal[nameless].tolist()})
        codes = {state: code for code, state in enumerate(states)}
        named = {}
        for ordinal, state in rows:
            if state not in codes:
                codes[state] = len(states)
                states.append(state)
            named[ordinal] = codes[state]
        columns.state[nameless] = [named[ordinal] for ordinal in columns.ordinal[nameless].tolist()]

    def _ordinal_at(self, time: datetime) -> int:
        """The ordinal from which on everything was taken at that time or later; times rise with ordinals."""
        newest = self._rows("last_observation", {})
        if not newest or newest[0][1] < time:
            return newest[0][0] + 1 if newest else 0
        low, high = 0, int(newest[0][0])
        while low < high:
            middle = (low + high) // 2
            ordinal, taken_time = self._rows("first_observation", {"ordinal": middle})[0]
            low, high = (ordinal + 1, high) if taken_time < time else (low, middle)
        return low

    def _rows(self, query: str, parameters: dict[str, object]) -> list[Row]:
        try:
            return self._connection.execute(QUERIES[query], parameters).fetchall()
        except psycopg.Error as error:
            raise StorageError(f"the history could not be read: {first_line(error)}") from error

    def _streamed(self, query: str, parameters: dict[str, object]) -> Iterator[Row]:
        try:
            with self._connection.cursor(name="firewatch_replay") as cursor:
                cursor.itersize = 2000
                yield from cursor.execute(QUERIES[query], parameters)
        except psycopg.Error as error:
            raise StorageError(f"the history could not be read: {first_line(error)}") from error


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_SINCE_1970 = (datetime.fromisoformat("2000-01-01T00:00:00+00:00") - _EPOCH) // timedelta(microseconds=1)
"""PostgreSQL counts from 2000."""

_ARRAY_HEADER_BYTES = 20
_WIRE = ("i8", "i8", "i4", "i2", "f8", "i4", "i2", "i8", "i8", "i8")
"""The columns of `observation_columns` as PostgreSQL sends them."""


def _array(value: bytes | None, wire: str) -> Array:
    """A one-dimensional array without nulls, in PostgreSQL's binary form: a header, then length and value of each."""
    assert value is not None
    elements = np.frombuffer(value, dtype=[("length", ">i4"), ("value", f">{wire}")], offset=_ARRAY_HEADER_BYTES)
    return elements["value"].astype(wire)
