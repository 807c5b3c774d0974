"""The database away, slow, hanging and back: nothing lost, order kept, callers never held up."""

from __future__ import annotations

import asyncio
import os
import pkgutil
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psycopg
import pytest

from firewatch.app.embedded import EmbeddedDatabase
from firewatch.errors import StorageError
from firewatch.model.alarm import AlarmState
from firewatch.ports import AlarmFilter, EngineInput, Record
from firewatch.storage import database as writing
from firewatch.storage import history as module
from firewatch.storage.history import PostgresHistory, open_history
from firewatch.storage.spill import Spill
from firewatch.telemetry.events import HistoryCaughtUp, HistoryDelayed, RowIsolated

from .conftest import RecordingTelemetry
from .records import acknowledged, at, picture, rejection, taken, transition

pytestmark = pytest.mark.slow

DEADLINE_SECONDS = 60


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


async def write_safely(history: PostgresHistory, records: list[Record]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        history.write(records)
        await history.flush()


async def stored_ordinals(history: PostgresHistory) -> list[int]:
    return [each.ordinal async for each in history.inputs_after(0)]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedDatabase]:
    """A database server of the test's own, to be killed."""
    server = EmbeddedDatabase(tmp_path / "postgres")
    yield server
    await server.stop()


async def kill(server: EmbeddedDatabase, tmp_path: Path) -> None:
    """Kill -9 the server with everything it runs."""
    pid = int((tmp_path / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    os.killpg(pid, signal.SIGKILL)
    await server.stop()


async def writer_process(dsn: str) -> int:
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        cursor = await connection.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE application_name = 'firewatch history' AND datname = current_database()"
        )
        row = await cursor.fetchone()
        assert row
        return row[0]


async def test_a_killed_database_costs_nothing_and_is_caught_up_with_when_it_is_back(
    server: EmbeddedDatabase, opened, tmp_path: Path, telemetry
) -> None:
    history = await opened(await server.start())
    await write_safely(history, [taken(number) for number in range(1, 101)])
    await kill(server, tmp_path)

    for start in range(101, 1001, 100):
        await write_safely(history, [taken(number) for number in range(start, start + 100)])
    await write_safely(history, [acknowledged(1001), transition(1), transition(2, AlarmState.NORMAL), picture()])
    assert not history.status().ready
    assert "wait on disk" in history.status().detail
    assert len(telemetry.of(HistoryDelayed)) == 1

    await server.start()
    await until(lambda: history.status().ready)
    assert await stored_ordinals(history) == list(range(1, 1002))
    assert [each.state for each in await history.alarms(AlarmFilter())] == [AlarmState.NORMAL]
    assert await history.picture("p1") == picture()
    assert telemetry.of(HistoryCaughtUp) == [HistoryCaughtUp(rows=904)]
    await until(lambda: sum(file.stat().st_size for file in (tmp_path / "spill").iterdir()) == 0)


async def test_what_an_earlier_run_left_on_disk_is_in_the_database_before_recovery_reads(
    dsn: str, opened, tmp_path: Path
) -> None:
    first = await opened(dsn)
    await write_safely(first, [taken(1), taken(2)])
    spill = Spill(tmp_path / "spill", 2**20)
    spill.append([taken(2), taken(3), acknowledged(4), transition(1)])
    second = await open_history(dsn, tmp_path / "spill", telemetry=first._telemetry)
    try:
        assert await second.last_ordinal() == 4
        assert await stored_ordinals(second) == [1, 2, 3, 4]
        assert second.status().ready
    finally:
        await second.close()


async def test_a_database_that_hangs_does_not_keep_records_from_becoming_safe(dsn: str, opened, telemetry) -> None:
    history = await opened(dsn)
    await write_safely(history, [taken(1)])
    process = await writer_process(dsn)
    os.kill(process, signal.SIGSTOP)
    try:
        await write_safely(history, [taken(2)])
        await write_safely(history, [taken(3)])
        assert [each.reason for each in telemetry.of(HistoryDelayed)] == ["it is slow"]
        assert "wait on disk" in history.status().detail
    finally:
        os.kill(process, signal.SIGCONT)
    await until(lambda: history.status().ready)
    assert await stored_ordinals(history) == [1, 2, 3]


async def test_a_connection_that_hangs_for_good_is_given_up_for_a_new_one(
    dsn: str, opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "WRITE_TIMEOUT", writing.WRITE_TIMEOUT / 20)
    history = await opened(dsn)
    await write_safely(history, [taken(1)])
    process = await writer_process(dsn)
    os.kill(process, signal.SIGSTOP)
    try:
        await write_safely(history, [taken(2)])
        await until(lambda: history.status().ready)
        assert await stored_ordinals(history) == [1, 2]
    finally:
        os.kill(process, signal.SIGCONT)


async def test_inputs_are_read_in_order_across_the_database_and_the_spill(
    dsn: str, opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = await opened(dsn)
    await write_safely(history, [taken(number) for number in range(1, 1501)])

    async def is_away(_: object) -> bool:
        return False

    monkeypatch.setattr(history._database, "write", is_away)
    await write_safely(history, [taken(number) for number in range(1501, 3001)])
    await write_safely(history, [acknowledged(3001), taken(3002), rejection()])
    assert await stored_ordinals(history) == list(range(1, 3003))
    assert [each.ordinal async for each in history.inputs_after(3000)] == [3001, 3002]
    monkeypatch.undo()
    await until(lambda: history.status().ready)
    assert await stored_ordinals(history) == list(range(1, 3003))


async def test_closing_while_the_database_hangs_keeps_what_was_taken(dsn: str, tmp_path: Path, telemetry) -> None:
    history = await open_history(dsn, tmp_path / "spill", telemetry=telemetry)
    process = await writer_process(dsn)
    os.kill(process, signal.SIGSTOP)
    try:
        history.write([taken(1), transition(1)])
        async with asyncio.timeout(DEADLINE_SECONDS):
            await history.close()
    finally:
        os.kill(process, signal.SIGCONT)
    again = await open_history(dsn, tmp_path / "spill", telemetry=telemetry)
    assert await stored_ordinals(again) == [1]
    assert len(await again.transitions("a1")) == 1
    await again.close()


async def test_with_neither_database_nor_disk_nothing_is_called_safe_and_room_ends(
    dsn: str, opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = await opened(dsn)
    monkeypatch.setattr(module, "DISK_RETRY", module.DISK_RETRY / 50)

    async def is_away(_: object) -> bool:
        return False

    attempts: list[int] = []

    def is_full(records: list[Record]) -> int:
        attempts.append(len(records))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(history._database, "write", is_away)
    monkeypatch.setattr(history._spill, "append", is_full)
    safe: list[bool] = []
    history.write([taken(number) for number in range(1, module.ROOM_RECORDS + 2)], on_safe=lambda: safe.append(True))
    assert not history.room()
    await until(lambda: len(attempts) >= 3)
    assert safe == []
    monkeypatch.undo()
    await until(lambda: safe == [True])
    await until(history.room)
    await until(lambda: history.status().ready)
    assert await history.last_ordinal() == module.ROOM_RECORDS + 1


class Unforeseen:
    """A function that fails in a way nobody foresaw, the first `times` it is called."""

    def __init__(self, owner: object, name: str, times: int) -> None:
        self.times = times
        function = getattr(owner, name)

        def stand_in(*arguments: object) -> object:
            if self.times > 0:
                self.times -= 1
                raise RuntimeError("nobody foresaw this")
            return function(*arguments)

        self.stand_in = stand_in


@pytest.mark.parametrize(
    "failures",
    [
        {"firewatch.storage.database._insert": 1},
        {"firewatch.storage.database._insert": 6},
        {"firewatch.storage.database._insert": 6, "firewatch.storage.history.Spill.append": 1},
        {"firewatch.storage.history.PostgresHistory._committed_soon": 1},
        {"firewatch.storage.database._insert": 6, "firewatch.storage.history.Spill.read": 1},
    ],
    ids=["insert once", "insert and putting aside", "insert and spill", "writer", "insert and draining"],
)
async def test_an_error_nobody_foresaw_loses_nothing_and_everything_is_called_safe_in_the_end(
    dsn: str, opened, monkeypatch: pytest.MonkeyPatch, failures: dict[str, int]
) -> None:
    monkeypatch.setattr(module, "DISK_RETRY", module.DISK_RETRY / 50)
    history = await opened(dsn)
    stand_ins = []
    for path, times in failures.items():
        owner, _, name = path.rpartition(".")
        target = pkgutil.resolve_name(owner)
        stand_ins.append(Unforeseen(target, name, times))
        monkeypatch.setattr(target, name, stand_ins[-1].stand_in)
    safe: list[int] = []
    for start in (1, 11, 21):
        records = [taken(number) for number in range(start, start + 10)]
        history.write(records, on_safe=lambda start=start: safe.append(start))
    await until(lambda: safe == [1, 11, 21])
    await until(lambda: history.status().ready)
    assert [each.times for each in stand_ins] == [0] * len(failures)
    assert await stored_ordinals(history) == list(range(1, 31))


async def test_a_row_that_fails_in_a_way_nobody_foresaw_is_put_aside_alone(
    dsn: str, opened, monkeypatch: pytest.MonkeyPatch, telemetry
) -> None:
    history = await opened(dsn)
    as_row = writing.observation_row

    def fails_at_4(record: EngineInput, *rest: object) -> object:
        if record.ordinal == 4:
            raise RuntimeError("nobody foresaw this")
        return as_row(record, *rest)

    monkeypatch.setattr(writing, "observation_row", fails_at_4)
    await write_safely(history, [taken(number) for number in range(1, 11)])
    assert await stored_ordinals(history) == [1, 2, 3, 5, 6, 7, 8, 9, 10]
    assert telemetry.of(RowIsolated) == [RowIsolated(table="observation", error="nobody foresaw this")]


async def test_an_on_safe_that_fails_holds_up_no_other(dsn: str, opened) -> None:
    history = await opened(dsn)
    safe: list[int] = []

    def fails() -> None:
        raise RuntimeError("nobody foresaw this")

    history.write([taken(1)], on_safe=fails)
    history.write([taken(2)], on_safe=lambda: safe.append(2))
    await until(lambda: safe == [2])
    assert await stored_ordinals(history) == [1, 2]


async def test_one_very_large_write_goes_in_bounded_batches_in_order_and_is_safe_at_its_end(
    dsn: str, opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = await opened(dsn)
    write = history._database.write
    batches: list[list[Record]] = []
    safe: list[tuple[str, int]] = []

    async def watched(records: list[Record]) -> bool:
        batches.append(records)
        return await write(records)

    def note(name: str) -> Callable[[], None]:
        return lambda: safe.append((name, sum(map(len, batches))))

    monkeypatch.setattr(history._database, "write", watched)
    large = 2 * module.BATCH_RECORDS + 7
    history.write([taken(1)], on_safe=note("before"))
    history.write([taken(number) for number in range(2, large + 2)], on_safe=note("large"))
    history.write([taken(large + 2)], on_safe=note("after"))
    await until(lambda: len(safe) == 3)
    assert [each.ordinal for batch in batches for each in batch] == list(range(1, large + 3))
    assert max(map(len, batches)) <= module.BATCH_RECORDS
    assert [name for name, _ in safe] == ["before", "large", "after"]
    assert dict(safe)["large"] >= large + 1
    assert await stored_ordinals(history) == list(range(1, large + 3))


async def test_an_unreachable_database_is_named_with_the_way_out(
    tmp_path: Path, telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "START_TIMEOUT", module.START_TIMEOUT / 100)
    with pytest.raises(StorageError, match="cannot connect to the database"):
        await open_history(f"host={tmp_path} dbname=firewatch", tmp_path / "spill", telemetry=telemetry)


async def test_readers_say_so_when_the_database_is_away(server: EmbeddedDatabase, opened, tmp_path: Path) -> None:
    history = await opened(await server.start())
    assert await history.alarms(AlarmFilter()) == []
    await kill(server, tmp_path)
    with pytest.raises(StorageError):
        await history.observations("sample/tank-1/level", at(0), at(1), 10)
    await server.start()
    assert await history.alarms(AlarmFilter()) == []


async def test_what_was_taken_a_moment_before_kill_9_is_there_after_the_restart(
    dsn: str, opened: Callable[[str], Awaitable[PostgresHistory]], telemetry: RecordingTelemetry, tmp_path: Path
) -> None:
    dying = await open_history(dsn, tmp_path / "spill", telemetry=telemetry)
    dying._task.cancel()  # before it can write anything
    dying.write([taken(1), transition()])
    dying.write([taken(2)])
    await until(lambda: len(dying._tail.left()) == 3)
    restarted = await opened(dsn)
    assert await stored_ordinals(restarted) == [1, 2]
    assert [each.alarm_id for each in await restarted.alarms(AlarmFilter())] == [transition().alarm_id]
    await dying._database.close()
    dying._tail.close()


async def test_under_steady_load_the_tail_holds_no_more_than_what_is_not_safe_and_a_batch(
    dsn: str, opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = await opened(dsn)
    write = history._database.write
    ordinals = iter(range(1, 1_000_000))
    left: list[int] = []

    async def takes_while_more_comes(records: list[Record]) -> bool:
        if len(left) < 50:
            history.write([taken(next(ordinals)) for _ in range(20)])
            left.append(len(history._tail.left()))
        return await write(records)

    monkeypatch.setattr(history._database, "write", takes_while_more_comes)
    history.write([taken(next(ordinals))])
    await until(lambda: len(left) == 50)
    await history.flush()
    assert max(left) <= 100
    await until(lambda: history._tail.left() == [])


async def test_a_disk_that_stalls_holds_up_neither_the_writer_of_records_nor_the_database(
    dsn: str, opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = await opened(dsn)
    stalled, goes_on = threading.Event(), threading.Event()

    def stalls(*_: object) -> int:
        stalled.set()
        goes_on.wait(DEADLINE_SECONDS)
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as slow_disk:
        slow_disk.setattr(os, "pwrite", stalls)
        history.write([taken(1)])
        await until(stalled.is_set)
        await write_safely(history, [taken(2)])
        assert not goes_on.is_set()
        assert await stored_ordinals(history) == [1, 2]
    goes_on.set()
