"""The history: what it takes becomes safe in the database or, while that cannot, in a spill file on disk.

`write` only puts records into a queue in memory, and hands them to the thread that writes the tail. One task makes
batches of them: one starts at once when none was written lately, else when `BATCH_INTERVAL` has passed or
`BATCH_RECORDS` wait. A batch goes to the database; if that is away, or has not committed after `PATIENCE`, it goes to
the spill. Either way it is then on disk, and `on_safe` is called. While anything waits in the spill everything new goes
there too, so order is kept; a second task takes it out into the database. Records stay in the queue until they are
safe, so whatever goes wrong they are written again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar

import structlog

from firewatch.errors import StorageError
from firewatch.ports import EngineInput, PartStatus, Record
from firewatch.storage.database import LONGEST_RETRY, Database, Slices, connect
from firewatch.storage.migrate import Server, migrate
from firewatch.storage.reader import PostgresReader
from firewatch.storage.spill import Spill
from firewatch.storage.tail import Tail
from firewatch.telemetry import Telemetry
from firewatch.telemetry.events import HistoryCaughtUp, HistoryDelayed, InputsGivenUp

BATCH_RECORDS = 5000
OUTLIVE_LIMIT = timedelta(milliseconds=20)
"""How long an alarm may be held back to be known after a kill -9; on a disk that works it is a fraction of one."""

BATCH_INTERVAL = timedelta(milliseconds=20)
"""Between the starts of two batches that are not full. A broker that keeps n messages in flight delivers at most
n / BATCH_INTERVAL a second, so this is short."""
PATIENCE = timedelta(seconds=1)
"""How long a batch may wait for the database before it is made safe in the spill instead."""
ROOM_RECORDS = 50_000
"""Records waiting in memory beyond which telemetry should be left with the broker."""
SPILL_LIMIT_BYTES = 2 * 1024**3
"""About eight million readings."""
START_TIMEOUT = timedelta(seconds=30)
DISK_RETRY = timedelta(seconds=1)

_P = ParamSpec("_P")
_T = TypeVar("_T")

log = structlog.get_logger("firewatch.history")


async def open_history(
    dsn: str, directory: Path, *, telemetry: Telemetry, spill_limit_bytes: int = SPILL_LIMIT_BYTES
) -> PostgresHistory:
    """Bring the database to its schema, write into it what an earlier run left in the spill (`directory`), and be
    ready. Nothing of the spill is left when this returns, so that recovery reads everything.

    Raises:
        StorageError: the database cannot be reached or used.
    """
    server = await _prepare(dsn)
    log.info("The history is open.", kept_in=str(server))
    spill = await asyncio.to_thread(Spill, directory, spill_limit_bytes)
    if spill.damaged_bytes:
        log.warning(
            "The end of the spill file was cut short when firewatch last stopped; what had been acknowledged is whole.",
            bytes=spill.damaged_bytes,
        )
    tail = await asyncio.to_thread(Tail, directory)
    left = await asyncio.to_thread(tail.left)
    if left:
        log.info("firewatch was stopped without a warning; its last moments are on disk.", records=len(left))
        await asyncio.to_thread(spill.append, left)
    await asyncio.to_thread(tail.clear)
    tail.start()
    history = PostgresHistory(dsn, server, spill, tail, telemetry)
    try:
        async with asyncio.timeout(START_TIMEOUT.total_seconds()):
            await history.connected()
        await history.drained()
    except TimeoutError:
        await history.close()
        raise StorageError("the database could be opened but takes no rows; look into its log") from None
    except BaseException:
        await history.close()
        raise
    return history


async def _prepare(dsn: str) -> Server:
    deadline = asyncio.get_running_loop().time() + START_TIMEOUT.total_seconds()
    while True:
        try:
            connection = await connect(dsn, "firewatch migrations")
            break
        except StorageError:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.5)
    async with connection:
        return await migrate(connection)


class _Piece(NamedTuple):
    """What one call of `write` brought, or at most `BATCH_RECORDS` of it; the last piece has the `on_safe`."""

    records: Sequence[Record]
    on_safe: Callable[[], None] | None


class PostgresHistory(PostgresReader):
    """Implements `ports.History` and `ports.HistoryReader`. Made by `open_history`, ended by `close`."""

    def __init__(self, dsn: str, server: Server, spill: Spill, tail: Tail, telemetry: Telemetry) -> None:
        super().__init__(dsn)
        self._server = server
        self._spill = spill
        self._tail = tail
        self._telemetry = telemetry
        self._database = Database(dsn, telemetry, on_change=lambda: self._database_changed.set())
        self._files = ThreadPoolExecutor(max_workers=1, thread_name_prefix="firewatch-spill")
        self._waiting: deque[_Piece] = deque()
        self._waiting_records = 0
        self._some_wait = asyncio.Event()
        self._many_wait = asyncio.Event()
        self._database_changed = asyncio.Event()
        self._spilled = asyncio.Event()
        self._spill_read = asyncio.Lock()
        self._spilling = spill.waiting > 0
        if self._spilling:
            self._spilled.set()
        self._task = asyncio.get_running_loop().create_task(self._run(), name="firewatch history")

    # What callers see.

    def write(self, records: Sequence[Record], on_safe: Callable[[], None] | None = None) -> None:
        """Take records for writing, in order; `on_safe` is called in the event loop once all are on disk.

        Never waits for anything. The records are handed to a thread at once and are normally on their way to disk
        within a millisecond; from then on they survive kill -9 of this process, though not yet a power cut.
        """
        self._tail.keep(records)
        last = max(len(records) - 1, 0) // BATCH_RECORDS * BATCH_RECORDS
        for start in range(0, last, BATCH_RECORDS):
            self._waiting.append(_Piece(records[start : start + BATCH_RECORDS], None))
        self._waiting.append(_Piece(records[last:], on_safe))
        self._waiting_records += len(records)
        self._some_wait.set()
        if self._waiting_records >= BATCH_RECORDS:
            self._many_wait.set()

    def outlive(self) -> None:
        """Wait, at most `OUTLIVE_LIMIT`, until what was taken survives kill -9 of this process."""
        self._tail.until_written(OUTLIVE_LIMIT)

    def room(self) -> bool:
        """False while so much is waiting that telemetry should be left with the broker for now."""
        return self._waiting_records < ROOM_RECORDS

    async def flush(self) -> None:
        """Return when everything taken so far is safe."""
        safe = asyncio.Event()
        self.write((), on_safe=safe.set)
        await safe.wait()

    def status(self) -> PartStatus:
        """How the history is."""
        waiting = self._spill.waiting
        if self._database.is_connected and not self._spilling:
            return PartStatus(name="database", ready=True, detail=str(self._server))
        reason = "catching up" if self._database.is_connected else self._database.problem
        return PartStatus(name="database", ready=False, detail=f"{reason}; {waiting} records wait on disk")

    async def inputs_after(self, ordinal: int) -> AsyncIterator[EngineInput]:
        """What the engine took after that ordinal, in order: from the database, then from the spill."""
        async with self._spill_read:
            async for each in super().inputs_after(ordinal):
                ordinal = each.ordinal
                yield each
            frames = self._spill.inputs()
            while (frame := await self._in_thread(next, frames, None)) is not None:
                for record in frame:
                    if isinstance(record, EngineInput) and record.ordinal > ordinal:
                        ordinal = record.ordinal
                        yield record

    async def connected(self) -> None:
        """Return when there is a connection."""
        while not self._database.is_connected:
            self._database_changed.clear()
            await self._database_changed.wait()

    async def drained(self) -> None:
        """Return when nothing waits in the spill.

        Raises:
            StorageError: the database was lost meanwhile.
        """
        while self._spilling:
            if not await self._drain_some():
                raise StorageError(f"the database was lost while it took what had waited: {self._database.problem}")

    async def close(self) -> None:
        """Make everything taken safe, and end."""
        await self.flush()
        await self._database.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await super().close()
        self._files.shutdown()
        await asyncio.to_thread(self._tail.close)

    # The tasks.

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._database.keep_connected())
                    tasks.create_task(self._keep_writing(tasks))
                    tasks.create_task(self._keep_draining())
            except* Exception:
                log.exception("Writing the history failed and is started again; what was taken is written again.")
            await asyncio.sleep(DISK_RETRY.total_seconds())

    async def _keep_writing(self, tasks: asyncio.TaskGroup) -> None:
        running_loop = asyncio.get_running_loop()
        earliest = running_loop.time()
        while True:
            await self._some_wait.wait()
            if running_loop.time() < earliest and not self._many_wait.is_set():
                timer = running_loop.call_at(earliest, self._many_wait.set)
                await self._many_wait.wait()
                timer.cancel()
            earliest = running_loop.time() + BATCH_INTERVAL.total_seconds()
            pieces, records = self._next_batch()
            if records:
                await self._make_safe(records, tasks)
            slices = Slices()
            for _ in range(pieces):
                self._let_go()
                await slices.rest()

    def _next_batch(self) -> tuple[int, list[Record]]:
        """How many pieces from the head of the queue make a batch, and their records; they stay in the queue."""
        records: list[Record] = []
        for pieces, piece in enumerate(self._waiting):
            if len(records) + len(piece.records) > BATCH_RECORDS:
                return pieces, records
            records += piece.records
        return len(self._waiting), records

    def _let_go(self) -> None:
        """Take the head out of the queue: it is safe."""
        records, on_safe = self._waiting.popleft()
        self._waiting_records -= len(records)
        self._tail.let_go(len(records))
        if not self._waiting:
            self._some_wait.clear()
        if self._waiting_records < BATCH_RECORDS:
            self._many_wait.clear()
        if on_safe is not None:
            try:
                on_safe()
            except Exception:
                log.exception("Records are safe, but telling so failed.")

    async def _make_safe(self, records: Sequence[Record], tasks: asyncio.TaskGroup) -> None:
        while True:
            if not self._spilling and self._database.is_free and await self._committed_soon(records, tasks):
                return
            try:
                given_up = await self._in_thread(self._spill.append, records)
            except OSError as error:
                log.error(
                    "Neither the database nor the disk takes records; telemetry stays with the broker.",
                    error=str(error),
                )
                await asyncio.sleep(DISK_RETRY.total_seconds())
                continue
            self._note_spilled(given_up)
            return

    async def _committed_soon(self, records: Sequence[Record], tasks: asyncio.TaskGroup) -> bool:
        writing = tasks.create_task(self._database.write(records))
        done, _ = await asyncio.wait({writing}, timeout=PATIENCE.total_seconds())
        return writing in done and writing.result()

    def _note_spilled(self, given_up: int) -> None:
        if not self._spilling:
            self._spilling = True
            reason = "it is slow" if self._database.is_connected else self._database.problem
            self._telemetry.emit(HistoryDelayed(reason=reason, waiting=self._spill.waiting))
        if given_up:
            self._telemetry.emit(InputsGivenUp(count=given_up))
        self._spilled.set()

    async def _keep_draining(self) -> None:
        while True:
            await self._spilled.wait()
            drained = 0
            while self._spilling:
                await self.connected()
                before = self._spill.waiting
                if not await self._drain_some():
                    await asyncio.sleep(LONGEST_RETRY.total_seconds() / 5)
                drained += max(before - self._spill.waiting, 0)
            self._spilled.clear()
            self._telemetry.emit(HistoryCaughtUp(rows=drained))

    async def _drain_some(self) -> bool:
        """Write the head of the spill into the database; False if that does not take it."""
        async with self._spill_read:
            taken = await self._in_thread(self._spill.read, BATCH_RECORDS)
            if taken.records and not await self._database.write(taken.records):
                return False
            await self._in_thread(self._spill.remove, taken.until)
            self._spilling = self._spill.waiting > 0
            return True

    async def _in_thread(self, function: Callable[_P, _T], *arguments: _P.args, **keywords: _P.kwargs) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._files, lambda: function(*arguments, **keywords))
