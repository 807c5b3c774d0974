"""The tail: what was taken and is not safe yet survives the death of the process."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from firewatch.ports import Rejection
from firewatch.storage import tail as module
from firewatch.storage.tail import Tail

START = datetime(2026, 3, 1, tzinfo=UTC)
DEADLINE_SECONDS = 20


def record(number: int) -> Rejection:
    return Rejection(receive_time=START, source="test", reason="broken_json", detail=str(number), payload="")


def records(numbers: range) -> list[Rejection]:
    return [record(number) for number in numbers]


def files(folder: Path) -> list[list[int]]:
    """What a new process finds in each file; the old one's descriptors are simply left alone, as by kill -9."""
    tail = Tail(folder)
    found = [tail._current.records(), tail._other.records()]
    tail.close()
    return [[int(each.detail) for each in file if isinstance(each, Rejection)] for file in found]


def left_by_a_dead_process(folder: Path) -> list[int]:
    return sorted(chain.from_iterable(files(folder)))


def is_soon(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def settle(tail: Tail) -> None:
    """Do what the thread would do, until there is nothing to do."""
    while tail._has_work():
        tail.step()


def short_write(file: int, data: bytes, place: int, write: Callable[[int, bytes, int], int] = os.pwrite) -> int:
    """A disk that is full after the seventh byte."""
    return write(file, data[:7], place)


def test_what_was_kept_is_found_by_the_next_process(tmp_path: Path) -> None:
    tail = Tail(tmp_path)
    tail.start()
    tail.keep([record(1), record(2)])
    tail.keep([record(3)])
    assert is_soon(lambda: left_by_a_dead_process(tmp_path) == [1, 2, 3])
    tail.close()


def test_what_is_safe_leaves_the_files(tmp_path: Path) -> None:
    tail = Tail(tmp_path)
    tail.start()
    tail.keep([record(1), record(2)])
    assert is_soon(lambda: left_by_a_dead_process(tmp_path) == [1, 2])
    tail.let_go(2)
    assert is_soon(lambda: [file.stat().st_size for file in tmp_path.iterdir()] == [0, 0])
    tail.close()


@pytest.mark.parametrize("unsafe", [10, 20, 50])
def test_the_files_stay_small_though_something_always_waits(tmp_path: Path, unsafe: int) -> None:
    tail = Tail(tmp_path)
    sizes: list[int] = []
    for start in range(0, 2000, 10):
        tail.keep(records(range(start, start + 10)))
        settle(tail)
        sizes.append(sum(map(len, files(tmp_path))))
        if start >= unsafe:
            tail.let_go(10)
    assert max(sizes) <= 2 * (unsafe + 10)
    tail.close()


def test_a_torn_end_costs_only_itself(tmp_path: Path) -> None:
    tail = Tail(tmp_path)
    for number in range(3):
        tail.keep([record(number)])
        settle(tail)
    file = max(tmp_path.iterdir(), key=lambda file: file.stat().st_size)
    os.truncate(file, file.stat().st_size - 3)
    assert left_by_a_dead_process(tmp_path) == [0, 1]
    tail.close()


def test_a_full_disk_costs_nothing_that_was_kept_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tail = Tail(tmp_path)
    tail.keep([record(1)])
    settle(tail)
    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", short_write)
        tail.keep([record(2)])
        with pytest.raises(OSError, match="No space left"):
            tail.step()
        assert left_by_a_dead_process(tmp_path) == [1]
    tail.keep([record(3)])
    settle(tail)
    assert left_by_a_dead_process(tmp_path) == [1, 2, 3]
    tail.close()


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), RuntimeError("nobody foresaw this")])
def test_the_thread_outlives_a_disk_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(module, "RETRY", timedelta(milliseconds=1))
    attempts: list[int] = []

    def fails(file: int, data: bytes, place: int) -> int:
        attempts.append(place)
        raise error

    tail = Tail(tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr(os, "pwrite", fails)
        tail.start()
        tail.keep([record(1)])
        assert is_soon(lambda: len(attempts) >= 3)
    assert is_soon(lambda: left_by_a_dead_process(tmp_path) == [1])
    tail.close()


def test_a_disk_that_stalls_holds_up_nobody_and_what_is_safe_meanwhile_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stalled, goes_on = threading.Event(), threading.Event()

    def stalls(file: int, data: bytes, place: int, write: Callable[[int, bytes, int], int] = os.pwrite) -> int:
        stalled.set()
        assert goes_on.wait(DEADLINE_SECONDS)
        return write(file, data, place)

    monkeypatch.setattr(os, "pwrite", stalls)
    tail = Tail(tmp_path)
    tail.start()
    tail.keep([record(0)])
    assert stalled.wait(DEADLINE_SECONDS)
    tail.keep(records(range(1, 100_000)))
    tail.let_go(99_998)
    assert len(tail._waiting) == 2
    goes_on.set()
    assert is_soon(lambda: left_by_a_dead_process(tmp_path) == [99_998, 99_999])
    tail.close()


class TailMachine(RuleBasedStateMachine):
    """A writer whose batches become safe in order, whenever they do, beside a plain list of what is not safe."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.tail = Tail(self.folder)
        self.taken = 0
        self.safe = 0
        self.most_unsafe = 0

    @rule(how_many=st.integers(0, 7))
    def keep(self, how_many: int) -> None:
        self.tail.keep(records(range(self.taken, self.taken + how_many)))
        self.taken += how_many
        self.most_unsafe = max(self.most_unsafe, self.taken - self.safe)

    @rule(data=st.data())
    def let_go(self, data: st.DataObject) -> None:
        """A batch that failed, or was taken up again, is simply not let go yet."""
        how_many = data.draw(st.integers(0, self.taken - self.safe))
        self.tail.let_go(how_many)
        self.safe += how_many

    @rule()
    def the_thread_gets_a_turn(self) -> None:
        self.tail.step()

    @rule()
    def the_disk_is_full(self) -> None:
        with pytest.MonkeyPatch.context() as full:
            full.setattr(os, "pwrite", short_write)
            if self.tail._waiting:
                with pytest.raises(OSError, match="No space left"):
                    self.tail.step()

    @rule()
    def the_thread_has_done_everything(self) -> None:
        settle(self.tail)
        unsafe = range(self.safe, self.taken)
        found = left_by_a_dead_process(self.folder)
        assert set(found) >= set(unsafe)
        assert len(found) <= len(unsafe) + self.most_unsafe
        assert any(set(file) <= set(unsafe) for file in files(self.folder))
        if not unsafe:
            assert found == []

    @invariant()
    def what_is_missing_is_the_end_alone(self) -> None:
        found = [number for number in left_by_a_dead_process(self.folder) if number >= self.safe]
        assert found == list(range(self.safe, self.safe + len(found)))

    @invariant()
    def no_more_waits_in_memory_than_is_not_safe(self) -> None:
        assert len(self.tail._waiting) <= self.taken - self.safe

    def teardown(self) -> None:
        self.tail.close()


TestTailMachine = TailMachine.TestCase
TestTailMachine.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


def test_what_was_waited_for_is_written(tmp_path: Path) -> None:
    tail = Tail(tmp_path)
    tail.start()
    tail.keep([record(number) for number in range(3)])
    assert tail.until_written(timedelta(seconds=10))
    assert left_by_a_dead_process(tmp_path) == [0, 1, 2]
    tail.close()


def test_a_stalled_disk_is_waited_for_once_until_it_has_caught_up(tmp_path: Path) -> None:
    tail = Tail(tmp_path)
    tail.keep([record(0)])  # nobody writes yet
    assert not tail.until_written(timedelta(milliseconds=1))
    assert not tail.until_written(timedelta(days=1)), "this one did not wait"
    tail.start()
    tail.keep([record(1)])
    tail.close()
    assert left_by_a_dead_process(tmp_path) == [0, 1]
    assert tail.until_written(timedelta(milliseconds=1))
