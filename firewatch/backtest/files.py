"""A history in files: written by `firewatch history export`, or brought from elsewhere.

A folder holds `observations.parquet` or `observations.csv`, and `log.jsonl` with what happened to alarms, what
operators asked for and when firewatch began to listen. A single Parquet or CSV file is a history without a log.

Of its columns `source_time`, `signal` and one of `number`, `flag` and `state` are needed. `quality` is good where it
is left out; `receive_time` is then `source_time`, `taken_time` (the engine's time, by which the file is in order) is
`receive_time`, and `event_time` the earlier of `source_time` and `receive_time`. Times have an offset, or Z.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np

from firewatch.errors import FirewatchError
from firewatch.model.alarm import AlarmTransition
from firewatch.ports import EngineInput
from firewatch.storage.columns import BAD, FLAG, GOOD, NUMBER, STATE, UNCERTAIN, Array, Columns, Extent, Start

BATCH_BYTES = 64 * 1024 * 1024
BATCH_ROWS = 500_000
OBSERVATIONS = "observations"
LOG = "log.jsonl"

_QUALITIES = {"good": GOOD, "uncertain": UNCERTAIN, "bad": BAD}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class HistoryFileError(FirewatchError):
    """A file is no history that can be replayed; the message says what is wrong and what it should be."""


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the log: exactly one of these."""

    transition: AlarmTransition | None = None
    command: EngineInput | None = None
    start: Start | None = None


class Source(Protocol):
    """What an export is made from."""

    def copy_csv(self, start: datetime, end: datetime) -> Iterator[bytes | bytearray | memoryview]:
        """All observations taken in start <= time < end as a CSV file, piece by piece, in order."""
        ...

    def transitions(self, start: datetime, end: datetime) -> Iterable[AlarmTransition]:
        """What happened to alarms in start <= time < end, in the order of time."""
        ...

    def commands(self, start: datetime, end: datetime) -> Sequence[EngineInput]:
        """What operators asked for in start <= time < end, in order."""
        ...

    def starts(self, start: datetime, end: datetime) -> Sequence[Start]:
        """The starts of firewatch in start <= time < end."""
        ...


def export(source: Source, folder: Path, start: datetime, end: datetime, *, parquet: bool) -> None:
    """Write the history of start <= time < end into a folder.

    Raises:
        HistoryFileError: there is a history in that folder already.
        StorageError: the history cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.glob(f"{OBSERVATIONS}.*")):
        raise HistoryFileError(f"{folder} holds a history already; name another folder")
    pieces = map(bytes, source.copy_csv(start, end))
    if parquet:
        _write_parquet(pieces, folder / f"{OBSERVATIONS}.parquet")
    else:
        with (folder / f"{OBSERVATIONS}.csv").open("wb") as file:
            file.writelines(pieces)
    with (folder / LOG).open("wb") as file:
        lines = (
            *(_Line(start=each) for each in source.starts(start, end)),
            *(_Line(command=command) for command in source.commands(start, end)),
        )
        file.writelines(msgspec.json.encode(line) + b"\n" for line in lines)
        file.writelines(msgspec.json.encode(_Line(transition=each)) + b"\n" for each in source.transitions(start, end))


class FileHistory:
    """Implements `replay.HistorySource` over files."""

    def __init__(self, path: Path) -> None:
        """Find the files.

        Raises:
            HistoryFileError: there are none, or pyarrow, which reads them, is not installed.
        """
        _pyarrow()
        found = sorted(path.glob(f"{OBSERVATIONS}.*")) if path.is_dir() else [path]
        self._file = next((file for file in found if file.suffix in (".parquet", ".csv")), path)
        if self._file.suffix not in (".parquet", ".csv") or not self._file.is_file():
            raise HistoryFileError(
                f"{path} is no history: expected a Parquet or CSV file, or a folder with {OBSERVATIONS}.parquet in it "
                "as `firewatch history export` writes it"
            )
        self._log = path / LOG if path.is_dir() else None

    def extent(self) -> Extent | None:
        """The time for which there are observations; None if there are none."""
        first = last = None
        for batch in self._batches(_TIMES):
            taken = self._times(batch)[3]
            first, last = first if first is not None else int(taken[0]), int(taken[-1])
        if first is None or last is None:
            return None
        return Extent(_EPOCH + first * _MICROSECOND, _EPOCH + last * _MICROSECOND)

    def pages(
        self, signals: Sequence[str], states: list[str], start: datetime, end: datetime
    ) -> Iterator[tuple[float, Columns]]:
        """The observations of some signals taken in start <= time < end, with the share of the work that is then done.

        A state that is not among `states` is appended to them.
        """
        codes = {signal: code for code, signal in enumerate(signals)}
        first, last = ((time - _EPOCH) // _MICROSECOND for time in (start, end))
        ordinal, newest = 0, np.iinfo(np.int64).min
        for batch in self._batches(_COLUMNS):
            columns = self._columns(batch, codes, states, ordinal)
            ordinal += len(columns)
            taken = columns.taken
            if taken[0] < newest or np.any(taken[1:] < taken[:-1]):
                raise HistoryFileError(f"{self._file} is not in order: sort it by taken_time (or what stands for it)")
            newest = int(taken[-1])
            wanted = columns.where((columns.signal >= 0) & (taken >= first) & (taken < last))
            if len(wanted):
                yield min(max((newest - first) / max(last - first, 1), 0.0), 1.0), wanted
            if newest >= last:
                return

    def transitions(self, start: datetime, end: datetime) -> Iterator[AlarmTransition]:
        """What happened to alarms in start <= time < end, in the order of time."""
        found = (line.transition for line in self._lines() if line.transition is not None)
        return (transition for transition in found if start <= transition.transition_time < end)

    def commands(self, start: datetime, end: datetime) -> list[EngineInput]:
        """What operators asked for in start <= time < end, in order."""
        found = (line.command for line in self._lines() if line.command is not None)
        return [command for command in found if start <= command.now < end]

    def starts(self, start: datetime, end: datetime) -> list[Start]:
        """The starts of firewatch in start <= time < end."""
        found = (line.start for line in self._lines() if line.start is not None)
        return [each for each in found if start <= each.time < end]

    def _lines(self) -> Iterator[_Line]:
        if self._log is None or not self._log.exists():
            return
        decode = msgspec.json.Decoder(_Line).decode
        with self._log.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield decode(line)
                except msgspec.DecodeError as error:
                    raise HistoryFileError(f"{self._log}:{number}: {error}") from None

    def _batches(self, names: Sequence[str]) -> Iterator[Any]:
        pa = _pyarrow()
        try:
            for batch in (
                _parquet_batches(self._file, names)
                if self._file.suffix == ".parquet"
                else _csv_batches(self._file.open("rb"), names)
            ):
                if batch.num_rows:
                    yield batch
        except (pa.ArrowException, OSError) as error:
            raise HistoryFileError(f"{self._file}: {str(error).splitlines()[0]}") from None

    def _times(self, batch: Any) -> tuple[Array, Array, Array, Array]:
        """Source, receive, event and taken, each from what it defaults to."""
        source_time = _column(batch, "source_time")
        if source_time is None or source_time.null_count:
            raise HistoryFileError(f"{self._file} has rows without a source_time")
        source = _microseconds(source_time)
        receive = _or_else(_column(batch, "receive_time"), source)
        taken = _or_else(_column(batch, "taken_time"), receive)
        receive = np.minimum(receive, taken)
        event = np.minimum(_or_else(_column(batch, "event_time"), source), receive)
        return source, receive, event, taken

    def _columns(self, batch: Any, codes: dict[str, int], states: list[str], ordinal: int) -> Columns:
        source, receive, event, taken = self._times(batch)
        signal = _coded(_column(batch, "signal"), batch.num_rows, codes.get)
        state = _coded(_column(batch, "state"), batch.num_rows, lambda name: _place_in(states, name))
        number, flag = _column(batch, "number"), _column(batch, "flag")
        kind = np.where(state >= 0, STATE, 0).astype("i2")
        values = np.zeros(batch.num_rows)
        for column, is_kind in ((flag, FLAG), (number, NUMBER)):
            if column is not None:
                there = column.is_valid().to_numpy(zero_copy_only=False)
                kind[there] = is_kind
                values[there] = column.drop_null().to_numpy(zero_copy_only=False).astype("f8")
        quality = _coded(_column(batch, "quality"), batch.num_rows, lambda name: _QUALITIES.get(name, BAD))
        ordinals = _column(batch, "ordinal")
        is_counted = ordinals is not None and not ordinals.null_count
        return Columns(
            ordinal=_integers(ordinals) if is_counted else np.arange(ordinal, ordinal + batch.num_rows),
            taken=taken,
            signal=signal,
            kind=kind,
            number=values,
            state=np.where(kind == STATE, state, -1).astype("i4"),
            quality=np.maximum(quality, GOOD).astype("i2"),
            source=source,
            receive=receive,
            event=event,
        )


_TIMES = ("source_time", "receive_time", "event_time", "taken_time")
_NAMES = ("signal", "state", "quality")
_COLUMNS = ("ordinal", "number", "flag", *_NAMES, *_TIMES)


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError:
        raise HistoryFileError(
            'history in files is read by pyarrow, which is not installed: pip install "firewatch[parquet]"'
        ) from None
    return pyarrow


def _types() -> dict[str, Any]:
    pa = _pyarrow()
    names = pa.dictionary(pa.int32(), pa.string())
    values = {"ordinal": pa.int64(), "number": pa.float64(), "flag": pa.bool_()}
    times = dict.fromkeys(_TIMES, pa.timestamp("us", "UTC"))
    return values | times | dict.fromkeys(_NAMES, names)


def _csv_batches(file: Any, names: Sequence[str]) -> Iterator[Any]:
    from pyarrow import csv

    with file:
        yield from csv.open_csv(
            file,
            read_options=csv.ReadOptions(block_size=BATCH_BYTES),
            convert_options=csv.ConvertOptions(
                column_types=_types(),
                include_columns=list(names),
                include_missing_columns=True,
                true_values=["t", "true", "True", "1"],
                false_values=["f", "false", "False", "0"],
                strings_can_be_null=True,
                null_values=[""],
            ),
        )


def _parquet_batches(path: Path, names: Sequence[str]) -> Iterator[Any]:
    from pyarrow import parquet

    there = [name for name in names if name in parquet.read_schema(path).names]
    with parquet.ParquetFile(path, read_dictionary=[name for name in there if name in _NAMES]) as file:
        yield from file.iter_batches(BATCH_ROWS, columns=there)


def _write_parquet(pieces: Iterable[bytes], path: Path) -> None:
    from pyarrow import parquet

    writer = None
    for batch in _csv_batches(_Pieces(pieces), _COLUMNS):
        if writer is None:
            writer = parquet.ParquetWriter(path, batch.schema, compression="zstd")
        writer.write_batch(batch)
    if writer is not None:
        writer.close()


class _Pieces:
    """Pieces of bytes as the file that pyarrow reads."""

    closed = False

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)

    def __enter__(self) -> _Pieces:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        """At least `size` bytes, as long as there are any."""
        read: list[bytes] = []
        length = 0
        for piece in self._pieces:
            read.append(piece)
            length += len(piece)
            if 0 <= size <= length:
                break
        return b"".join(read)


def _column(batch: Any, name: str) -> Any | None:
    place = batch.schema.get_field_index(name)
    return batch.column(place) if place >= 0 else None


def _integers(column: Any) -> Array:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype="i8")


def _microseconds(column: Any) -> Array:
    pa = _pyarrow()
    if not pa.types.is_timestamp(column.type) or column.type.tz is None:
        raise HistoryFileError(f"times are timestamps with a time zone; the file has {column.type}")
    return _integers(column.cast(pa.timestamp("us", "UTC")).cast(pa.int64()))


def _or_else(column: Any | None, otherwise: Array) -> Array:
    if column is None or column.null_count == len(column):
        return otherwise
    there = column.is_valid().to_numpy(zero_copy_only=False)
    found = otherwise.copy()
    found[there] = _microseconds(column.drop_null())
    return found


def _coded(column: Any | None, rows: int, code_of: Any) -> Array:
    """Names by their codes; -1 where there is none."""
    found = np.full(rows, -1, dtype="i4")
    if column is None:
        return found
    pa = _pyarrow()
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    codes = [code_of(name) for name in encoded.dictionary.to_pylist()]
    table = np.array([-1 if code is None else code for code in codes], dtype="i4")
    there = encoded.is_valid().to_numpy(zero_copy_only=False)
    if len(table):
        found[there] = table[encoded.indices.drop_null().to_numpy(zero_copy_only=False)]
    return found


def _place_in(names: list[str], name: str) -> int:
    if name not in names:
        names.append(name)
    return names.index(name)
