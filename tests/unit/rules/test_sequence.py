from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from firewatch.rules.coincidence import CoincidenceEvaluator
from firewatch.rules.sequence import OmissionEvaluator, SequenceEvaluator
from firewatch.rules.spec import StateSpec
from firewatch.rules.state import StateEvaluator
from tests.unit.rules.drive import BAD, SILENCE, Drive, seconds

A, B = "s/a/alarm", "s/b/alarm"
WITHIN = timedelta(seconds=60)
TRUE = StateSpec.model_validate({"signal": "alarm", "is": True})


def then() -> Drive:
    return Drive(SequenceEvaluator(StateEvaluator(A, TRUE), StateEvaluator(B, TRUE), WITHIN))


def without() -> Drive:
    return Drive(OmissionEvaluator(StateEvaluator(A, TRUE), StateEvaluator(B, TRUE), WITHIN))


QUIET = [(0, A, False, ""), (0, B, False, "inactive")]
FOLLOWED: dict[str, list[tuple[Any, ...]]] = {
    "the one, then in time the other": [(10, A, True, ""), (70, B, True, "active"), (200, B, False, "inactive")],
    "the other came too late": [(10, A, True, ""), (70.1, B, True, ""), (80, B, False, "")],
    "the other was there already": [(10, B, True, ""), (20, A, True, ""), (30, B, False, "")],
    "the wrong order": [(10, B, True, ""), (11, B, False, ""), (12, A, True, "")],
    "at the same instant is in time": [(10, A, True, ""), (10, B, True, "active")],
    "the first may be over by then": [(10, A, True, ""), (11, A, False, ""), (30, B, True, "active")],
    "its end does not end the sequence": [(10, A, True, ""), (30, B, True, "active"), (40, A, False, "")],
    "it is active again if the other comes again in time": [
        (10, A, True, ""),
        (20, B, True, "active"),
        (30, B, False, "inactive"),
        (40, B, True, "active"),
        (41, B, False, "inactive"),
        (71, B, True, ""),
    ],
    "a first that lasts does not begin again": [(10, A, True, ""), (60, A, True, ""), (75, B, True, "")],
    "what cannot be judged any more does not clear": [
        (10, A, True, ""),
        (20, B, True, "active"),
        (30, B, BAD, "unknown"),
        (40, B, True, "active"),
        (50, A, BAD, ""),
        (60, B, False, "inactive"),
    ],
    "nobody knows when something began that was seen after it could not be judged": [
        (10, A, BAD, ""),
        (20, B, True, "unknown"),
        (30, A, False, "inactive"),
    ],
    "the first is known again, but did not begin again": [
        (10, A, True, ""),
        (60, A, BAD, ""),
        (65, A, True, ""),
        (75, B, True, ""),
    ],
}


@pytest.mark.parametrize("steps", FOLLOWED.values(), ids=FOLLOWED)
def test_one_then_another(steps: list[tuple[Any, ...]]) -> None:
    drive = then()
    drive.play(QUIET)
    drive.play(steps)


def test_it_began_when_the_second_did() -> None:
    drive = then()
    drive.play([*QUIET, (10, A, True, ""), (30, B, True, "active")])
    assert seconds(drive.told[-1].onset_time) == 30
    assert drive.told[-1].evidence.signal == B


def test_a_first_that_is_heard_of_late_completes_the_sequence() -> None:
    drive = then()
    drive.play([*QUIET, (30, B, True, "")])
    assert drive.hear(40, True, signal=A, event=20) == ["active"]
    assert seconds(drive.told[-1].onset_time) == 30


def test_the_beginnings_remembered_are_bounded() -> None:
    drive = then()
    for now in range(100):
        drive.hear(now, now % 2 == 0, signal=A)
    assert len(drive.state.first_times) == 16


CALM = [(0, A, False, "inactive"), (0, B, False, "")]
OMITTED: dict[str, list[tuple[Any, ...]]] = {
    "it did not follow": [(10, A, True, ""), (69.9, SILENCE, ""), (70, SILENCE, "active"), (80, B, True, "inactive")],
    "it followed in time": [(10, A, True, ""), (30, B, True, ""), (200, SILENCE, "")],
    "it followed and is over": [(10, A, True, ""), (30, B, True, ""), (31, B, False, ""), (200, SILENCE, "")],
    "at the last instant is too late": [(10, A, True, ""), (70, B, True, "active inactive")],
    "it was so already": [(5, B, True, ""), (10, A, True, ""), (20, B, False, ""), (200, SILENCE, "")],
    "the first was over before the time was": [(10, A, True, ""), (60, A, False, ""), (200, SILENCE, "")],
    "the end of the first ends it": [(10, A, True, ""), (70, SILENCE, "active"), (90, A, False, "inactive")],
    "it begins anew with the first": [
        (10, A, True, ""),
        (20, B, True, ""),
        (30, B, False, ""),
        (40, A, False, ""),
        (50, A, True, ""),
        (110, SILENCE, "active"),
    ],
    "what cannot be seen may have followed": [(10, A, True, ""), (20, B, BAD, ""), (70, SILENCE, "unknown")],
    "it turns out that it did not": [
        (10, A, True, ""),
        (20, B, BAD, ""),
        (70, SILENCE, "unknown"),
        (80, B, False, "active"),
    ],
    "it turns out that it did": [
        (10, A, True, ""),
        (20, B, BAD, ""),
        (70, SILENCE, "unknown"),
        (80, B, True, "inactive"),
    ],
    "a first that cannot be seen any more is told, and then unknown": [
        (10, A, True, ""),
        (20, A, BAD, ""),
        (70, SILENCE, "active unknown"),
        (80, A, True, "active"),
    ],
    "a first that is known again did not begin again": [
        (10, A, True, ""),
        (20, B, True, ""),
        (30, B, False, ""),
        (40, A, BAD, "unknown"),
        (50, A, True, ""),
        (60, A, False, "inactive"),
        (300, SILENCE, ""),
    ],
    "bad quality does not clear it": [(10, A, True, ""), (70, SILENCE, "active"), (80, B, BAD, "unknown")],
}


@pytest.mark.parametrize("steps", OMITTED.values(), ids=OMITTED)
def test_one_without_another(steps: list[tuple[Any, ...]]) -> None:
    drive = without()
    drive.play(CALM)
    drive.play(steps)


def test_an_omission_began_when_the_time_was_over() -> None:
    drive = without()
    drive.play([*CALM, (10, A, True, ""), (500, SILENCE, "active")])
    told = drive.told[-1]
    assert (seconds(told.onset_time), seconds(told.event_time)) == (70, 70)
    assert (told.evidence.signal, told.evidence.value) == (B, None)


def test_what_followed_is_believed_though_it_is_heard_late() -> None:
    drive = without()
    drive.play([*CALM, (10, A, True, ""), (40, B, False, "")])
    assert drive.hear(50, True, signal=B, event=30) == []
    drive.play([(200, SILENCE, "")])


def test_what_is_heard_late_does_not_clear_an_omission_until_a_reading_in_time_does() -> None:
    drive = without()
    drive.play([*CALM, (10, A, True, ""), (80, B, False, "active")])
    assert drive.hear(81, True, signal=B, event=75) == []
    assert drive.hear(82, True, signal=B) == ["inactive"]


def test_a_second_device_of_the_first_condition_starts_the_time_anew_once_the_first_was_answered() -> None:
    devices = [StateEvaluator(signal, TRUE) for signal in ("s/a1/alarm", "s/a2/alarm")]
    any_of = CoincidenceEvaluator(devices, 1, timedelta(0), tell_each=True)
    drive = Drive(OmissionEvaluator(any_of, StateEvaluator(B, TRUE), WITHIN))
    for signal in ("s/a1/alarm", "s/a2/alarm", B):
        drive.hear(0, False, signal=signal)
    drive.play([(10, "s/a1/alarm", True, ""), (20, B, True, ""), (30, B, False, ""), (40, "s/a2/alarm", True, "")])
    drive.play([(99, SILENCE, ""), (100, SILENCE, "active")])


def test_the_explanation_says_until_when_it_has_to_follow() -> None:
    drive = without()
    drive.play([*CALM, (10, A, True, "")])
    finding = drive.evaluator.explain(drive.state)
    assert (finding.kind, finding.condition, seconds(finding.due)) == ("sequence", "inactive", 70)
    assert [part.kind for part in finding.parts] == ["state", "not"]
