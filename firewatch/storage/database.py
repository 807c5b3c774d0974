"""The one connection that writes, made again whenever it is lost; and how a batch becomes rows.

`Database.write` raises nothing, whatever goes wrong: it says whether the records are committed. It gives the event
loop back every third of a millisecond, because an alarm may be waiting for it; docs/history.md says why it is not a
thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import structlog

from firewatch.errors import StorageError
from firewatch.ports import EngineInput, Record
from firewatch.storage.rows import OBSERVATION_TYPES, Row, insertions, observation_row, refused_record, table_of
from firewatch.storage.sql import QUERIES
from firewatch.telemetry import Telemetry
from firewatch.telemetry.events import HistoryWritten, RowIsolated

CONNECT_TIMEOUT = timedelta(seconds=5)
WRITE_TIMEOUT = timedelta(seconds=30)
"""A batch that takes longer means that the database hangs: the connection is given up."""
FIRST_RETRY = timedelta(milliseconds=100)
LONGEST_RETRY = timedelta(seconds=5)

SLICE_SECONDS = 0.0003
"""How long rows are prepared before the event loop gets a turn."""
ROWS_BETWEEN_LOOKS = 20
"""Rows prepared between two looks at the time (about 0.1 ms)."""

log = structlog.get_logger("firewatch.history")


class Slices:
    """Lets others have the event loop while a long piece of work goes on."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + SLICE_SECONDS

    async def rest(self) -> None:
        """Give the event loop a turn if this slice is used up."""
        if self._loop.time() >= self._end:
            await asyncio.sleep(0)
            self._end = self._loop.time() + SLICE_SECONDS


async def connect(dsn: str, name: str) -> psycopg.AsyncConnection:
    """A connection in autocommit mode that neither hangs in connecting nor outlives a dead network for long.

    Raises:
        StorageError: there is no connection to be had; the message has the database's own words.
    """
    try:
        connection = await psycopg.AsyncConnection.connect(
            dsn,
            autocommit=True,
            application_name=name,
            connect_timeout=int(CONNECT_TIMEOUT.total_seconds()),
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            tcp_user_timeout=10_000,
        )
        with time_limit(connection, CONNECT_TIMEOUT):
            await connection.execute("SET timezone TO 'UTC'")
    except psycopg.Error as error:
        raise StorageError(f"cannot connect to the database: {first_line(error)}") from error
    return connection


@contextmanager
def time_limit(connection: psycopg.AsyncConnection, limit: timedelta) -> Iterator[None]:
    """Cut the connection's wire when the block takes longer, so that what waits on it fails at once.

    Not asyncio.timeout: psycopg answers a cancellation by asking the server to cancel and waiting for that, and a
    server that hangs never does.
    """
    timer = asyncio.get_running_loop().call_later(limit.total_seconds(), hang_up, connection)
    try:
        yield
    finally:
        timer.cancel()


def hang_up(connection: psycopg.AsyncConnection) -> None:
    """Cut the wire, whatever the connection is doing."""
    with contextlib.suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)


def first_line(error: BaseException) -> str:
    """The first line of what an error says, or its class's name."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


class Database:
    """The history's writing connection. `on_change` is called when it is made or lost."""

    def __init__(self, dsn: str, telemetry: Telemetry, on_change: Callable[[], None]) -> None:
        self._dsn = dsn
        self._telemetry = telemetry
        self._on_change = on_change
        self._connection: psycopg.AsyncConnection | None = None
        self._lost = asyncio.Event()
        self._lost.set()
        self._turn = asyncio.Lock()
        self.problem = "not connected yet"

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, as far as known."""
        return self._connection is not None

    @property
    def is_free(self) -> bool:
        """Whether a batch would be written at once."""
        return self.is_connected and not self._turn.locked()

    async def keep_connected(self) -> None:
        """Make the connection, again whenever it is lost, for ever."""
        pause = FIRST_RETRY
        while True:
            await self._lost.wait()
            try:
                await self._connect()
                pause = FIRST_RETRY
            except StorageError as error:
                self.problem = str(error)
                await asyncio.sleep(pause.total_seconds())
                pause = min(pause * 2, LONGEST_RETRY)

    async def _connect(self) -> None:
        connection = await connect(self._dsn, "firewatch history")
        try:
            with time_limit(connection, CONNECT_TIMEOUT):
                await connection.execute(QUERIES["create_incoming_observation"])
        except psycopg.Error as error:
            await connection.close()
            raise StorageError(f"the database cannot take rows: {first_line(error)}") from error
        self._connection = connection
        self._lost.clear()
        self._on_change()

    async def write(self, records: Sequence[Record]) -> bool:
        """Write records in one transaction and say whether they are safe. A record that the database refuses for
        what is in it is kept as a rejection, and counts as written.
        """
        started = asyncio.get_running_loop().time()
        async with self._turn:
            connection = self._connection
            if connection is None:
                return False
            try:
                with time_limit(connection, WRITE_TIMEOUT):
                    await self._write_or_divide(connection, records)
            except Exception as error:
                if not isinstance(error, psycopg.Error):
                    log.exception("Writing into the database failed in an unforeseen way; it is tried again.")
                await self._lose(connection, first_line(error))
                return False
        seconds = asyncio.get_running_loop().time() - started
        self._telemetry.emit(HistoryWritten(rows=len(records), seconds=seconds))
        return True

    async def _lose(self, connection: psycopg.AsyncConnection, problem: str) -> None:
        self.problem = problem
        self._connection = None
        await connection.close()
        self._lost.set()
        self._on_change()

    async def close(self) -> None:
        """End the connection; a batch on its way is broken off."""
        if self._connection is not None and self._turn.locked():
            hang_up(self._connection)
        async with self._turn:
            if self._connection is not None:
                await self._connection.close()

    async def _write_or_divide(self, connection: psycopg.AsyncConnection, records: Sequence[Record]) -> None:
        """All at once; if a row is at fault, halves, until it stands alone."""
        try:
            await _insert(connection, records)
        except Exception as error:
            if not _is_rows_fault(error):
                raise
            if len(records) > 1:
                middle = len(records) // 2
                await self._write_or_divide(connection, records[:middle])
                await self._write_or_divide(connection, records[middle:])
            else:
                await self._put_aside(connection, records[0], first_line(error))

    async def _put_aside(self, connection: psycopg.AsyncConnection, record: Record, error: str) -> None:
        await _insert(connection, [refused_record(record, error)])
        self._telemetry.emit(RowIsolated(table=table_of(record), error=error))


def _is_rows_fault(error: Exception) -> bool:
    """Whether another attempt cannot cure it: a row is wrong (or this program's handling of it), not the database."""
    if isinstance(error, psycopg.Error):
        return isinstance(error, psycopg.DataError | psycopg.IntegrityError | psycopg.errors.ProgramLimitExceeded)
    return not isinstance(error, OSError)


async def _insert(connection: psycopg.AsyncConnection, records: Sequence[Record]) -> None:
    slices = Slices()
    observations: list[Row] = []
    others: dict[str, list[Row]] = {}
    for number, record in enumerate(records, start=1):
        if isinstance(record, EngineInput) and record.observation is not None:
            observations.append(observation_row(record, record.observation))
        else:
            for insertion in insertions(record):
                others.setdefault(insertion.query, []).append(insertion.values)
        if number % ROWS_BETWEEN_LOOKS == 0:
            await slices.rest()
    async with connection.transaction(), connection.cursor() as cursor:
        if observations:
            await _copy(cursor, observations, slices)
            await cursor.execute(QUERIES["insert_observations"])
        for query, rows in others.items():
            await cursor.executemany(QUERIES[query], rows)


async def _copy(cursor: psycopg.AsyncCursor, rows: Sequence[Row], slices: Slices) -> None:
    async with cursor.copy(QUERIES["copy_observations"]) as copy:
        copy.set_types(OBSERVATION_TYPES)
        for number, row in enumerate(rows, start=1):
            await copy.write_row(row)
            if number % ROWS_BETWEEN_LOOKS == 0:
                await slices.rest()
