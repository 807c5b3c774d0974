"""Inside firewatch time never runs backwards and never stands still."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from firewatch.app import clock as module
from firewatch.app.clock import CATCHING_UP, SystemClock

START = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


class Machine:
    """A wall clock that can be set, and the seconds that really pass."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        machine = self
        self.wall = START
        self.passed = 0.0

        class Wall(datetime):
            @classmethod
            def now(cls, tz=None):  # type: ignore[no-untyped-def]
                return machine.wall

        monkeypatch.setattr(module, "datetime", Wall)
        monkeypatch.setattr(time, "monotonic", lambda: machine.passed)

    def wait(self, seconds: float) -> None:
        self.passed += seconds
        self.wall += timedelta(seconds=seconds)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def test_it_follows_the_wall_clock(machine: Machine) -> None:
    clock = SystemClock()
    machine.wait(2.5)
    assert clock.now() == START + timedelta(seconds=2.5)


def test_a_step_forward_is_taken(machine: Machine) -> None:
    clock = SystemClock()
    machine.wall += timedelta(hours=1)
    assert clock.now() == START + timedelta(hours=1)


def test_after_a_step_back_time_goes_on_slowly_until_the_wall_clock_has_caught_up(machine: Machine) -> None:
    clock = SystemClock()
    machine.wall -= timedelta(hours=1)
    before = clock.now()
    assert before == START
    hours = 0
    while clock.now() != machine.wall:
        machine.wait(3600)
        hours += 1
        now = clock.now()
        assert now >= before + timedelta(hours=1) / CATCHING_UP, "delays still run out"
        before = now
    assert hours == CATCHING_UP
