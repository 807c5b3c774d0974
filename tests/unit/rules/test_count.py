from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from firewatch.rules.coincidence import CoincidenceEvaluator
from firewatch.rules.count import CountEvaluator
from firewatch.rules.spec import CountSpec, StateSpec
from firewatch.rules.state import StateEvaluator
from tests.unit.rules.drive import BAD, SILENCE, Drive, seconds

A, B = "s/a/running", "s/b/running"
RUNNING = StateSpec.model_validate({"signal": "running", "is": True})


def starts(at_least: int = 3, within: str = "60s", *, signals: tuple[str, ...] = (A,)) -> Drive:
    spec = CountSpec.model_validate(
        {"of": {"state": {"signal": "running", "is": True}}, "at_least": at_least, "within": within}
    )
    pumps = [StateEvaluator(signal, RUNNING) for signal in signals]
    inner = pumps[0] if len(pumps) == 1 else CoincidenceEvaluator(pumps, 1, timedelta(0), tell_each=True)
    return Drive(CountEvaluator(inner, spec))


OFF = [(0, A, False, "inactive")]


def runs(*times: float) -> list[tuple[Any, ...]]:
    """A run of one second at each of the times, of which nothing is told."""
    return [step for time in times for step in ((time, A, True, ""), (time + 1, A, False, ""))]


STORIES: dict[str, list[tuple[Any, ...]]] = {
    "too few": [*runs(10, 20), (500, SILENCE, "")],
    "enough, until the first of them is too old": [
        *runs(10, 20),
        (30, A, True, "active"),
        (31, A, False, ""),
        (70, SILENCE, "inactive"),
    ],
    "enough, but not within the time": [*runs(10, 40, 70, 100, 130), (500, SILENCE, "")],
    "each further one keeps it active": [
        *runs(10, 20),
        (30, A, True, "active"),
        (31, A, False, ""),
        (69, A, True, ""),
        (70, SILENCE, ""),
        (80, SILENCE, "inactive"),
    ],
    "one that lasts is one": [*runs(10), (20, A, True, ""), (25, A, True, ""), (30, A, True, "")],
    "being known again is no beginning": [
        *runs(10),
        (20, A, True, ""),
        (21, A, BAD, "unknown"),
        (22, A, True, ""),
        (23, A, False, "inactive"),
        (24, A, True, "active"),
    ],
    "there may have been enough while nobody saw": [*runs(10, 20), (30, A, BAD, "unknown"), (40, A, False, "inactive")],
    "bad quality does not end it, and time does not clear it": [
        *runs(10, 20),
        (30, A, True, "active"),
        (31, A, BAD, ""),
        (70, SILENCE, "unknown"),
        (75, A, False, "inactive"),
    ],
}


@pytest.mark.parametrize("steps", STORIES.values(), ids=STORIES)
def test_three_starts_in_a_minute(steps: list[tuple[Any, ...]]) -> None:
    drive = starts()
    drive.play([*OFF, *steps])


def test_a_pump_that_runs_when_it_is_first_seen_has_started_once() -> None:
    drive = starts(1)
    drive.play([(10, A, True, "active"), (70, SILENCE, "inactive")])


def test_it_began_with_the_last_one_needed() -> None:
    drive = starts()
    drive.play([*OFF, *runs(10, 20), (30, A, True, "active")])
    assert seconds(drive.told[-1].onset_time) == 30


def test_a_start_that_is_heard_of_late_counts_at_its_time() -> None:
    drive = starts()
    drive.play([*OFF, *runs(10), (30, A, True, ""), (32, A, False, "")])
    assert drive.hear(33, True, signal=A, event=20) == ["active"]
    drive.play([(69, SILENCE, ""), (70, SILENCE, "inactive")])


def test_starts_that_were_enough_and_are_heard_of_late_are_told() -> None:
    drive = starts()
    drive.play([*OFF, *runs(10), (12, A, False, "")])
    drive.hear(500, True, signal=A, event=20)
    drive.hear(500, False, signal=A, event=21)
    assert drive.hear(500, True, signal=A, event=22) == ["active", "inactive"]


def test_starts_of_every_device_count() -> None:
    drive = starts(2, signals=(A, B))
    drive.play([(0, A, False, ""), (0, B, False, "inactive"), (10, A, True, ""), (20, B, True, "active")])


def test_no_more_beginnings_are_remembered_than_it_takes() -> None:
    drive = starts(5)
    for now in range(100):
        drive.hear(now * 10, now % 2 == 0, signal=A)
    assert [seconds(time) for time in drive.state.times] == [900, 920, 940, 960, 980]


def test_the_explanation_says_how_many_there_are() -> None:
    drive = starts()
    drive.play([*OFF, *runs(10, 80, 90)])
    facts = drive.evaluator.explain(drive.state).facts
    assert (facts["counted"], facts["at_least"]) == (2, 3)
