"""The tail: what was taken and is not safe yet survives the death of the process."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from firewatch.ports import Rejection
from firewatch.storage.tail import Tail

START = datetime(2026, 3, 1, tzinfo=UTC)


def record(number: int) -> Rejection:
    return Rejection(receive_time=START, source="test", reason="broken_json", detail=str(number), payload="")


def left_by_a_dead_process(folder: Path) -> set[str]:
    """What a new process finds; the old one's descriptors are simply left alone, as by kill -9."""
    tail = Tail(folder)
    found = {each.detail for each in tail.left() if isinstance(each, Rejection)}
    tail.close()
    return found


def test_what_was_appended_is_found_by_the_next_process(tmp_path: Path) -> None:
    Tail(tmp_path).append([record(1), record(2)])
    assert left_by_a_dead_process(tmp_path) == {"1", "2"}


def test_a_torn_end_costs_only_itself(tmp_path: Path) -> None:
    tail = Tail(tmp_path)
    tail.append([record(1)])
    tail.append([record(2)])
    [file] = [file for file in tmp_path.iterdir() if file.stat().st_size]
    os.truncate(file, file.stat().st_size - 3)
    assert left_by_a_dead_process(tmp_path) == {"1"}


def test_a_full_disk_is_told_and_costs_nothing_that_was_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tail = Tail(tmp_path)
    tail.append([record(1)])
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, data: write(file, data[:7]))
        with pytest.raises(OSError, match="No space left"):
            tail.append([record(2)])
    tail.append([record(3)])
    assert left_by_a_dead_process(tmp_path) == {"1", "3"}


class TailMachine(RuleBasedStateMachine):
    """A writer that makes batches safe, or fails and tries again, beside a plain set of what is not safe."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.tail = Tail(self.folder)
        self.count = 0
        self.unsafe: set[str] = set()
        self.being_made_safe: set[str] = set()

    @rule(how_many=st.integers(0, 3))
    def append(self, how_many: int) -> None:
        numbers = range(self.count, self.count + how_many)
        self.count += how_many
        self.tail.append([record(number) for number in numbers])
        self.unsafe |= {str(number) for number in numbers}

    @rule()
    def turn(self) -> None:
        """A batch begins; an earlier one that never became safe is part of it."""
        self.tail.turn()
        self.being_made_safe = set(self.unsafe)

    @precondition(lambda self: self.being_made_safe)
    @rule()
    def safe(self) -> None:
        self.tail.forget()
        self.unsafe -= self.being_made_safe
        self.being_made_safe = set()

    @invariant()
    def nothing_unsafe_is_missing(self) -> None:
        assert left_by_a_dead_process(self.folder) >= self.unsafe

    def teardown(self) -> None:
        self.tail.close()


TestTailMachine = TailMachine.TestCase
TestTailMachine.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
