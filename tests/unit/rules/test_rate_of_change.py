from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from firewatch.rules.rate_of_change import RateOfChangeEvaluator
from firewatch.rules.spec import RateOfChangeSpec
from tests.unit.rules.drive import BAD, SILENCE, Drive, at, reading, seconds


def rate(**spec: Any) -> Drive:
    form = {"signal": "x", "within": "60s", **spec}
    return Drive(RateOfChangeEvaluator("s/d/x", RateOfChangeSpec.model_validate(form)))


STORIES = {
    "a rise within the time": (
        {"rises_by": 10.0},
        [(0, 20.0, ""), (30, 25.0, "inactive"), (60, 30.5, "active"), (70, 31.0, "inactive")],
    ),
    "the same rise over a longer time is none": (
        {"rises_by": 10.0},
        [(0, 20.0, ""), (30, 25.0, "inactive"), (61, 30.5, ""), (90, 35.0, "")],
    ),
    "a fall is no rise": (
        {"rises_by": 10.0},
        [(0, 50.0, ""), (10, 20.0, "inactive"), (20, 29.0, ""), (30, 30.5, "active")],
    ),
    "a fall within the time": (
        {"falls_by": 0.1},
        [
            (0, 0.8, ""),
            (10, 0.9, "inactive"),
            (20, 0.85, ""),
            (30, 0.75, "active"),
            (70, 0.75, ""),
            (71, 0.75, "inactive"),
        ],
    ),
    "both directions": (
        {"rises_by": 10.0, "falls_by": 20.0},
        [(0, 50.0, ""), (10, 35.0, "inactive"), (20, 29.0, "active"), (71, 29.0, "inactive"), (80, 40.0, "active")],
    ),
    "a change that equals the limit is not more than it": (
        {"falls_by": 0.1},
        [(0, 0.8, ""), (10, 0.7, "inactive"), (20, 0.699, "active")],
    ),
    "it is over when the change is smaller by the deadband": (
        {"rises_by": 10.0, "deadband": 3.0},
        [(0, 20.0, ""), (10, 31.0, "active"), (20, 28.0, ""), (30, 27.0, "inactive")],
    ),
    "a rise that stops is over when what came before it is too long ago": (
        {"rises_by": 10.0},
        [(0, 20.0, ""), (10, 40.0, "active"), (60, 40.0, ""), (61, 40.0, "inactive")],
    ),
    "a number that stands alone in its window says nothing": (
        {"rises_by": 10.0},
        [(0, 20.0, ""), (61, 90.0, ""), (122, 20.0, ""), (123, 20.0, "inactive")],
    ),
    "an alarm is not ended by a number that stands alone": (
        {"rises_by": 10.0},
        [(0, 20.0, ""), (5, 40.0, "active"), (90, 40.0, "unknown"), (100, 40.0, "inactive")],
    ),
    "bad quality in between hides nothing of the rise": (
        {"rises_by": 10.0},
        [(0, 20.0, ""), (5, 20.0, "inactive"), (10, BAD, "unknown"), (20, 40.0, "active"), (30, BAD, "unknown")],
    ),
    "silence changes nothing": ({"rises_by": 10.0}, [(0, 20.0, ""), (1, 40.0, "active"), (86400, SILENCE, "")]),
    "what is no number cannot be judged": (
        {"rises_by": 10.0},
        [(0, 20.0, ""), (1, 40.0, "active"), (2, True, "unknown"), (3, float("nan"), ""), (4, float("inf"), "")],
    ),
}


@pytest.mark.parametrize(("spec", "steps"), STORIES.values(), ids=STORIES)
def test_rates_of_change(spec: dict[str, Any], steps: list[tuple[float, object, str]]) -> None:
    rate(**spec).play(steps)


def test_a_late_reading_can_be_the_end_of_a_rise() -> None:
    drive = rate(rises_by=10.0)
    drive.play([(0, 20.0, ""), (50, 25.0, "inactive")])
    assert drive.hear(55, 40.0, event=40) == ["active"]
    assert seconds(drive.told[-1].onset_time) == 40


def test_a_late_reading_can_be_the_beginning_of_a_rise() -> None:
    drive = rate(rises_by=10.0)
    drive.play([(0, 35.0, ""), (50, 35.0, "inactive")])
    assert drive.hear(55, 20.0, event=40) == ["active"]
    assert seconds(drive.told[-1].onset_time) == 50


def test_a_late_reading_ends_nothing_and_changes_nothing_when_it_comes_again() -> None:
    drive = rate(rises_by=10.0)
    drive.play([(0, 20.0, ""), (50, 40.0, "active")])
    assert drive.hear(55, 39.0, event=10) == []
    late = reading("s/d/x", 5.0, 56, event=20)
    drive.take(late, 56)
    before = drive.state
    assert drive.take(late, 57) == []
    assert drive.state is before


def test_a_late_reading_belongs_to_the_windows_that_follow() -> None:
    drive = rate(rises_by=10.0)
    drive.play([(0, 30.0, ""), (30, 30.0, "inactive")])
    assert drive.hear(31, 25.0, event=20) == []
    assert drive.hear(40, 36.0) == ["active"]


def test_a_reading_older_than_the_window_is_of_no_use() -> None:
    drive = rate(rises_by=10.0)
    drive.play([(0, 30.0, ""), (100, 30.0, ""), (110, 30.0, "inactive")])
    before = drive.state
    assert drive.hear(111, 5.0, event=10) == []
    assert drive.state is before


def test_however_many_readings_come_the_state_stays_small() -> None:
    drive = rate(rises_by=1e9, falls_by=1e9)
    for step in range(2000):
        drive.hear(step / 10, step * 1.0)
    for step in range(2000):
        drive.hear(200, 2000.0 - step / 7, event=200 - (step * 37 % 600) / 10)
    assert len(drive.state.lows) <= 33
    assert len(drive.state.highs) <= 33


def test_of_many_readings_the_window_is_shorter_by_one_slice_at_the_most() -> None:
    drive = rate(rises_by=10.0)
    for step in range(600):  # a tenth of a degree every 0.1 s: 60 within the window
        drive.hear(step / 10, step / 10)
    explained = drive.evaluator.explain(drive.state).facts["rose_by"]
    assert isinstance(explained, float)
    assert 60 * 31 / 32 - 0.2 <= explained <= 60


def test_it_explains_how_much_the_signal_moved() -> None:
    drive = rate(rises_by=10.0, falls_by=20.0, deadband=2.0)
    drive.play([(0, 20.0, ""), (10, 50.0, "active"), (20, 45.0, "")])
    finding = drive.evaluator.explain(drive.state)
    assert (finding.kind, finding.condition, finding.signals) == ("rate_of_change", "active", ("s/d/x",))
    assert finding.onset_time == at(10)
    assert finding.facts == {
        "within": timedelta(seconds=60),
        "rises_by": 10.0,
        "falls_by": 20.0,
        "deadband": 2.0,
        "rose_by": 25.0,
        "fell_by": 5.0,
        "heard_since": at(0),
    }
