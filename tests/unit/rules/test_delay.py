from __future__ import annotations

from datetime import timedelta

import pytest

from firewatch.rules.absence import AbsenceEvaluator
from firewatch.rules.camera_session import CameraSessionEvaluator
from firewatch.rules.delay import DelayEvaluator
from firewatch.rules.spec import AbsenceSpec, CameraSessionSpec, StateSpec
from firewatch.rules.state import StateEvaluator
from tests.unit.rules.drive import BAD, SILENCE, Drive, seconds


def delayed(on_delay: float = 10, off_delay: float = 5) -> Drive:
    inner = StateEvaluator("s/d/x", StateSpec.model_validate({"signal": "x", "is": True}))
    return Drive(DelayEvaluator(inner, timedelta(seconds=on_delay), timedelta(seconds=off_delay)))


STORIES = {
    "what lasts counts, after the delay": [
        (0, False, "inactive"),
        (1, True, ""),
        (10, True, ""),
        (11, SILENCE, "active"),
    ],
    "what does not last does not count": [
        (0, False, "inactive"),
        (1, True, ""),
        (5, False, "rejected"),
        (100, SILENCE, ""),
    ],
    "a new beginning gets the whole delay": [
        (1, True, ""),
        (5, False, "rejected inactive"),
        (6, True, ""),
        (15.9, SILENCE, ""),
        (16, SILENCE, "active"),
    ],
    "a device that falls silent during the delay still alarms": [(1, True, ""), (11, SILENCE, "active")],
    "a device that cannot measure any more during the delay still alarms, and it is unknown since": [
        (1, True, ""),
        (3, BAD, ""),
        (11, SILENCE, "active unknown"),
    ],
    "it is over after the off-delay": [
        (1, True, ""),
        (12, True, "active"),
        (20, False, ""),
        (25, SILENCE, "inactive"),
    ],
    "it is not over if it comes back during the off-delay": [
        (1, True, ""),
        (12, True, "active"),
        (20, False, ""),
        (24, True, ""),
        (100, SILENCE, ""),
    ],
    "unknown during the off-delay does not clear": [
        (1, True, ""),
        (12, True, "active"),
        (20, False, ""),
        (22, BAD, "unknown"),
        (100, SILENCE, ""),
        (101, False, ""),
        (106, SILENCE, "inactive"),
    ],
    "known again is not a new beginning": [
        (1, True, ""),
        (12, True, "active"),
        (20, BAD, "unknown"),
        (21, True, "active"),
    ],
}


@pytest.mark.parametrize("steps", STORIES.values(), ids=STORIES)
def test_delays(steps: list[tuple[float, object, str]]) -> None:
    delayed().play(steps)


def test_the_onset_is_before_the_delay_and_the_first_reading_is_the_evidence() -> None:
    drive = delayed()
    drive.play([(1, True, ""), (6, True, ""), (12, True, "active")])
    change = drive.told[-1]
    assert (seconds(change.onset_time), seconds(change.event_time)) == (1, 11)
    assert seconds(change.evidence.source_time) == 1


def test_readings_in_a_batch_judge_as_they_would_have_one_by_one() -> None:
    drive = delayed()
    told = [
        word for value, event in [(True, 50), (True, 55), (False, 65)] for word in drive.hear(66, value, event=event)
    ]
    assert told == ["active"]
    assert drive.advance(70) == ["inactive"]


def test_a_delay_around_absence_is_counted_by_firewatchs_clock_alone() -> None:
    inner = AbsenceEvaluator(("s/d/x",), AbsenceSpec.model_validate({"after": "15s"}))
    drive = Drive(DelayEvaluator(inner, timedelta(seconds=10), timedelta(0)))
    drive.play([(15, SILENCE, "")])
    assert drive.hear(20, 1.0, event=100) == ["rejected", "inactive"]
    drive.play([(44, SILENCE, ""), (45, SILENCE, "active")])


def test_a_session_that_ends_during_the_delay_is_rejected_so_that_the_door_is_released() -> None:
    spec = CameraSessionSpec.model_validate({"signal": "e_bike", "hold": "2s"})
    drive = Drive(DelayEvaluator(CameraSessionEvaluator("s/c/e_bike", spec, None), timedelta(seconds=10), timedelta(0)))
    drive.play(
        [
            (0.0, 0.9, "suspected"),
            (0.5, 0.9, ""),
            (1.0, 0.0, ""),
            (2.5, 0.0, "rejected inactive"),
        ]
    )
