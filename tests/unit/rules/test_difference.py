from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from firewatch.rules.difference import DifferenceEvaluator
from firewatch.rules.spec import DifferenceSpec
from tests.unit.rules.drive import BAD, SILENCE, Drive, at, seconds

MAIN, STANDBY = "s/main/pressure", "s/standby/pressure"


def difference(**spec: Any) -> Drive:
    form = {"signal": "main/pressure", "minus": "standby/pressure", **spec}
    return Drive(DifferenceEvaluator(MAIN, STANDBY, DifferenceSpec.model_validate(form)))


STORIES = {
    "the first is above the second": (
        {"above": 0.1},
        [(0, MAIN, 0.5, ""), (1, STANDBY, 0.5, "inactive"), (2, MAIN, 0.61, "active"), (3, STANDBY, 0.55, "inactive")],
    ),
    "the first is above, and not below the second": (
        {"above": 0.1},
        [(0, MAIN, 0.5, ""), (1, STANDBY, 0.9, "inactive")],
    ),
    "the first is below the second": (
        {"below": -0.1},
        [(0, MAIN, 0.5, ""), (1, STANDBY, 0.65, "active"), (2, MAIN, 0.56, "inactive"), (3, MAIN, 0.9, "")],
    ),
    "the two are apart, whichever is above": (
        {"apart": 0.1},
        [(0, MAIN, 0.5, ""), (1, STANDBY, 0.65, "active"), (2, MAIN, 0.6, "inactive"), (3, MAIN, 0.8, "active")],
    ),
    "a difference that equals the limit is not beyond it": (
        {"apart": 0.1},
        [(0, MAIN, 0.8, ""), (1, STANDBY, 0.7, "inactive"), (2, STANDBY, 0.699, "active")],
    ),
    "it is over when the difference has come back by the deadband": (
        {"above": 0.1, "deadband": 0.05},
        [(0, MAIN, 0.7, ""), (1, STANDBY, 0.5, "active"), (2, MAIN, 0.58, ""), (3, MAIN, 0.55, "inactive")],
    ),
    "below, with a deadband": (
        {"below": -0.1, "deadband": 0.05},
        [(0, MAIN, 0.5, ""), (1, STANDBY, 0.7, "active"), (2, MAIN, 0.62, ""), (3, MAIN, 0.65, "inactive")],
    ),
    "one signal alone says nothing": ({"apart": 0.1}, [(0, MAIN, 0.7, ""), (1, MAIN, 0.1, "")]),
    "where one is of bad quality nothing can be said": (
        {"apart": 0.1},
        [
            (0, MAIN, 0.7, ""),
            (1, STANDBY, 0.5, "active"),
            (2, STANDBY, BAD, "unknown"),
            (3, MAIN, 0.7, ""),
            (4, STANDBY, 0.7, "inactive"),
        ],
    ),
    "a value too old by the other's time says nothing": (
        {"apart": 0.1, "max_age": "10s"},
        [
            (0, MAIN, 0.7, ""),
            (5, STANDBY, 0.5, "active"),
            (10, STANDBY, 0.7, "inactive"),
            (11, STANDBY, 0.7, "unknown"),
            (12, MAIN, 0.7, "inactive"),
        ],
    ),
    "silence of both changes nothing": (
        {"apart": 0.1},
        [(0, MAIN, 0.7, ""), (1, STANDBY, 0.5, "active"), (86400, SILENCE, "")],
    ),
    "what is no number cannot be compared": (
        {"apart": 0.1},
        [(0, MAIN, 0.7, ""), (1, STANDBY, True, ""), (2, STANDBY, float("nan"), ""), (3, STANDBY, 0.7, "inactive")],
    ),
}


@pytest.mark.parametrize(("spec", "steps"), STORIES.values(), ids=STORIES)
def test_differences(spec: dict[str, Any], steps: list[tuple[float, str, object, str]]) -> None:
    difference(**spec).play(steps)


def test_two_devices_are_judged_as_of_the_newer_reading() -> None:
    drive = difference(apart=0.1)
    drive.hear(10, 0.5, signal=MAIN)
    drive.hear(11, 0.9, signal=STANDBY, event=8)
    assert seconds(drive.told[-1].onset_time) == 10


def test_a_late_reading_that_was_beyond_the_limit_raises() -> None:
    drive = difference(apart=0.1)
    drive.play([(0, STANDBY, 0.5, ""), (1, MAIN, 0.5, "inactive"), (9, MAIN, 0.5, "")])
    assert drive.hear(10, 0.9, signal=MAIN, event=5) == ["active"]
    assert seconds(drive.told[-1].onset_time) == 5
    assert drive.hear(11, 0.5, signal=MAIN) == ["inactive"]


def test_a_late_reading_is_not_held_against_what_the_other_became_after_it() -> None:
    drive = difference(apart=0.1)
    drive.play([(0, MAIN, 0.5, ""), (1, STANDBY, 0.5, "inactive"), (5, MAIN, 0.55, ""), (6, STANDBY, 0.64, "")])
    before = drive.state
    assert drive.hear(7, 0.5, signal=MAIN, event=0) == []
    assert drive.state is before


def test_a_late_reading_does_not_clear() -> None:
    drive = difference(apart=0.1)
    drive.play([(0, STANDBY, 0.5, ""), (9, MAIN, 0.9, "active")])
    assert drive.hear(10, 0.5, signal=MAIN, event=5) == []
    assert drive.condition == "active"


def test_it_explains_both_readings_and_their_difference() -> None:
    drive = difference(below=-0.25, deadband=0.125)
    drive.play([(0, MAIN, 0.5, ""), (1, STANDBY, 1.0, "active")])
    finding = drive.evaluator.explain(drive.state)
    assert (finding.kind, finding.signals, finding.onset_time) == ("difference", (MAIN, STANDBY), at(1))
    assert finding.facts == {
        "below": -0.25,
        "returns_at": -0.125,
        "max_age": timedelta(minutes=1),
        "signal_time": at(0),
        "signal_value": 0.5,
        "minus_time": at(1),
        "minus_value": 1.0,
        "difference": -0.5,
    }
