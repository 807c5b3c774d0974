from __future__ import annotations

from datetime import timedelta

import pytest

from firewatch.rules.coincidence import CoincidenceEvaluator
from firewatch.rules.spec import StateSpec
from firewatch.rules.state import StateEvaluator
from tests.unit.rules.drive import BAD, SILENCE, Drive, seconds

A, B, C = "s/a/alarm", "s/b/alarm", "s/c/alarm"
TRIPPED = StateSpec.model_validate({"signal": "alarm", "is": True})


def k_of_n(k: int, *, n: int = 3, within: float = 60, tell_each: bool = False) -> Drive:
    leaves = [StateEvaluator(signal, TRIPPED) for signal in (A, B, C)[:n]]
    return Drive(CoincidenceEvaluator(leaves, k, timedelta(seconds=within), tell_each=tell_each))


QUIET = [(0, A, False, ""), (0, B, False, "inactive"), (0, C, False, "")]
STORIES = {
    "one trigger alone is no coincidence": [(10, A, True, ""), (1000, SILENCE, "")],
    "two that are active together are one, however far apart they began": [
        (10, A, True, ""),
        (500, B, True, "active"),
        (510, B, False, ""),
    ],
    "a short trip counts for as long as the window": [
        (10, A, True, ""),
        (12, A, False, ""),
        (71.9, B, True, "active"),
        (72, SILENCE, "inactive"),
    ],
    "a short trip that is older than the window does not count": [
        (10, A, True, ""),
        (12, A, False, ""),
        (72, B, True, ""),
    ],
    "it ends when too few are left, after the window": [
        (10, A, True, ""),
        (11, B, True, "active"),
        (20, A, False, ""),
        (79, SILENCE, ""),
        (80, SILENCE, "inactive"),
    ],
    "a detector that cannot be judged any more does not clear it": [
        (10, A, True, ""),
        (11, B, True, "active"),
        (20, A, BAD, ""),
        (80, SILENCE, "unknown"),
        (90, A, True, "active"),
    ],
    "one tripped and one unknown may be two": [(10, A, True, ""), (11, B, BAD, "unknown"), (12, B, False, "inactive")],
    "one unknown and one tripped may be two": [
        (10, B, BAD, ""),
        (11, A, True, "unknown"),
        (12, A, False, ""),
        (72, SILENCE, "inactive"),
    ],
}


@pytest.mark.parametrize("steps", STORIES.values(), ids=STORIES)
def test_two_of_three(steps: list[tuple[float, str, object, str]]) -> None:
    drive = k_of_n(2)
    drive.play(QUIET)
    drive.play(steps)


def test_the_onset_is_when_the_last_one_needed_joined() -> None:
    drive = k_of_n(2)
    drive.play([*QUIET, (10, A, True, ""), (30, B, True, "active")])
    assert seconds(drive.told[-1].onset_time) == 30
    assert drive.told[-1].evidence.signal == B


def test_a_late_trip_makes_a_coincidence_that_was() -> None:
    drive = k_of_n(2)
    drive.play([*QUIET, (10, A, True, ""), (20, A, False, ""), (200, B, False, "")])
    assert drive.hear(201, True, signal=B, event=40) == ["active", "inactive"]


def test_a_late_trip_never_lowers_the_count() -> None:
    drive = k_of_n(2)
    drive.play([*QUIET, (100, A, True, ""), (101, B, True, "active"), (102, A, False, ""), (103, B, False, "")])
    assert drive.hear(104, True, signal=C, event=-30) == []
    assert drive.condition == "active"


def test_any_of_several_devices_tells_each_onset() -> None:
    drive = k_of_n(1, within=0, tell_each=True)
    drive.play(
        [
            (0, A, False, ""),
            (0, B, False, ""),
            (0, C, False, "inactive"),
            (10, A, True, "active"),
            (11, A, True, ""),
            (20, B, True, "active"),
            (30, A, False, ""),
            (40, B, False, "inactive"),
        ]
    )
    assert [seconds(change.onset_time) for change in drive.told[1:3]] == [10, 20]


def test_any_of_several_devices_does_not_begin_anew_when_one_is_known_again() -> None:
    drive = k_of_n(1, n=1, within=0, tell_each=True)
    drive.play([(10, A, True, "active"), (11, A, BAD, "unknown"), (12, A, True, "active")])
    assert [change.phase for change in drive.told] == ["active", None, None]
