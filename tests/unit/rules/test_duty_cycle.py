from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from firewatch.rules.duty_cycle import DutyCycleEvaluator
from firewatch.rules.spec import DutyCycleSpec, StateSpec
from firewatch.rules.state import StateEvaluator
from tests.unit.rules.drive import BAD, SILENCE, Drive, seconds

A = "s/a/running"
RUNNING = StateSpec.model_validate({"signal": "running", "is": True})
TICK = 1e-6


def duty(share: float = 0.5, within: str = "100s") -> Drive:
    spec = DutyCycleSpec.model_validate(
        {"of": {"state": {"signal": "running", "is": True}}, "share": share, "within": within}
    )
    return Drive(DutyCycleEvaluator(StateEvaluator(A, RUNNING), spec))


RESTED = [(0, False, ""), (50, SILENCE, "inactive"), (100, SILENCE, "")]
STORIES: dict[str, list[tuple[Any, ...]]] = {
    "a pump that runs on and on": [(200, True, ""), (250, SILENCE, ""), (250 + TICK, SILENCE, "active")],
    "half of the time is not more than half": [(200, True, ""), (250, False, ""), (1000, SILENCE, "")],
    "several runs add up": [
        (200, True, ""),
        (230, False, ""),
        (250, True, ""),
        (270, SILENCE, ""),
        (270 + TICK, SILENCE, "active"),
    ],
    "it is over when enough rest is in the window": [
        (200, True, ""),
        (260, False, "active"),
        (309.9, SILENCE, ""),
        (310, SILENCE, "inactive"),
    ],
    "time in which nobody saw it may have been active": [
        (200, True, ""),
        (230, BAD, ""),
        (250, SILENCE, ""),
        (250 + TICK, SILENCE, "unknown"),
        (260, False, ""),
        (310, SILENCE, "inactive"),
    ],
    "bad quality does not clear it, and time does not either": [
        (200, True, ""),
        (260, BAD, "active"),
        (310, SILENCE, "unknown"),
        (500, SILENCE, ""),
        (501, True, ""),
        (551 + TICK, SILENCE, "active"),
    ],
    "bad quality for a moment matters little": [(200, BAD, ""), (201, False, ""), (1000, SILENCE, "")],
}


@pytest.mark.parametrize("steps", STORIES.values(), ids=STORIES)
def test_more_than_half_of_the_time(steps: list[tuple[Any, ...]]) -> None:
    drive = duty()
    drive.play([*RESTED, *steps])


def test_nothing_is_known_until_half_of_the_time_was_seen() -> None:
    drive = duty()
    drive.play([(10, False, ""), (59, SILENCE, ""), (60, SILENCE, "inactive")])


def test_it_is_active_as_soon_as_the_share_seen_is_enough() -> None:
    drive = duty()
    drive.play([(10, True, ""), (60, SILENCE, ""), (60 + TICK, SILENCE, "active")])


def test_it_began_when_the_share_was_passed() -> None:
    drive = duty()
    drive.play([*RESTED, (200, True, ""), (900, SILENCE, "active")])
    told = drive.told[-1]
    assert (seconds(told.onset_time), seconds(told.event_time)) == (250 + TICK, 250 + TICK)
    assert (told.evidence.signal, told.evidence.value) == (A, None)


def test_readings_that_come_in_a_batch_count_at_their_times() -> None:
    drive = duty()
    drive.play(RESTED)
    drive.hear(250, True, event=210)
    drive.hear(250, False, event=240)
    drive.play([(270, True, ""), (290, SILENCE, ""), (290 + TICK, SILENCE, "active")])


def test_a_run_that_is_heard_of_late_counts_from_what_was_known() -> None:
    drive = duty()
    drive.play([*RESTED, (200, True, ""), (220, False, "")])
    drive.hear(230, True, event=190)
    drive.play([(249, SILENCE, ""), (251, SILENCE, "active")])


def test_with_too_many_changes_neighbours_are_joined_and_the_time_active_stays_the_same() -> None:
    drive = duty(within="1000s")
    now = 0.0
    for _ in range(500):
        drive.hear(now, True)
        drive.hear(now + 0.4, False)
        now += 1
    assert len(drive.state.spans) <= 256
    active = drive.evaluator.explain(drive.state).facts["active"]
    assert active == timedelta(seconds=200)


def test_the_explanation_says_for_how_long_it_was_active() -> None:
    drive = duty()
    drive.play([*RESTED, (200, True, ""), (210, BAD, ""), (230, False, "")])
    finding = drive.evaluator.explain(drive.state)
    assert finding.facts["active"] == timedelta(seconds=10)
    assert finding.facts["unknown"] == timedelta(seconds=20)
    assert [part.kind for part in finding.parts] == ["state"]
