from __future__ import annotations

from datetime import timedelta

import pytest

from firewatch.model.alarm import ConditionState
from firewatch.rules.delay import DelayEvaluator
from firewatch.rules.evaluator import Change, Phase
from firewatch.rules.ladder import LadderEvaluator
from firewatch.rules.limit import LimitEvaluator
from firewatch.rules.spec import LimitSpec
from tests.unit.rules.drive import BAD, SILENCE, Drive, at, word
from tests.unit.rules.drive import seconds as seconds_of


def above(limit: float, signal: str = "s/d/x") -> LimitEvaluator:
    return LimitEvaluator("high", signal, LimitSpec.model_validate({"signal": "x", "limit": limit}))


def delayed(limit: float, on: float, off: float) -> DelayEvaluator:
    return DelayEvaluator(above(limit), timedelta(seconds=on), timedelta(seconds=off))


def plain() -> LadderEvaluator:
    return LadderEvaluator({0: above(20), 1: above(50), 2: above(80)})


def with_delays() -> LadderEvaluator:
    return LadderEvaluator({0: delayed(20, 2, 6), 1: delayed(50, 5, 3)})


def said(change: Change) -> str:
    begins = "+" if change.phase is Phase.ACTIVE else ""
    return f"{word(change)}{begins}:{change.step}"


PLAIN = {
    "each step up begins anew, each step down is only told": [
        (0, 10.0, "inactive:0"),
        (1, 30.0, "active+:0"),
        (2, 60.0, "active+:1"),
        (3, 90.0, "active+:2"),
        (4, 60.0, "active:1"),
        (5, 30.0, "active:0"),
        (6, 10.0, "inactive:0"),
    ],
    "a jump over several steps is told once, up and down": [
        (0, 10.0, "inactive:0"),
        (1, 90.0, "active+:2"),
        (2, 10.0, "inactive:0"),
    ],
    "stepping up again begins anew": [
        (0, 90.0, "active+:2"),
        (1, 30.0, "active:0"),
        (2, 90.0, "active+:2"),
    ],
    "unknown never steps down": [
        (0, 90.0, "active+:2"),
        (1, BAD, "unknown:2"),
        (2, 60.0, "active:1"),
    ],
    "what was unknown and is as severe as before is known again, not begun": [
        (0, 90.0, "active+:2"),
        (1, BAD, "unknown:2"),
        (2, 95.0, "active:2"),
    ],
    "what was unknown and is gone is told once": [
        (0, 90.0, "active+:2"),
        (1, BAD, "unknown:2"),
        (2, 10.0, "inactive:0"),
    ],
}


@pytest.mark.parametrize("steps", PLAIN.values(), ids=PLAIN)
def test_steps(steps: list[tuple[float, float | str, str]]) -> None:
    tell(Drive(plain()), steps)


DELAYED = {
    "each step has its own delay up": [
        (0, 60.0, ""),
        (1, 60.0, ""),
        (2, 60.0, "active+:0"),
        (4, 60.0, ""),
        (5, 60.0, "active+:1"),
    ],
    "each step has its own delay down": [
        (0, 60.0, ""),
        (10, SILENCE, "active+:0 active+:1"),
        (10, 10.0, ""),
        (12, SILENCE, ""),
        (13, SILENCE, "active:0"),
        (16, SILENCE, "inactive:0"),
    ],
    "a severe step that does not last its delay is not told": [
        (0, 30.0, ""),
        (2, SILENCE, "active+:0"),
        (3, 60.0, ""),
        (7, 30.0, "rejected:1"),
        (20, SILENCE, ""),
    ],
    "what cannot be seen runs through no delay down": [
        (0, 60.0, ""),
        (10, 60.0, "active+:0 active+:1"),
        (11, BAD, "unknown:1"),
        (1000, SILENCE, ""),
    ],
}


@pytest.mark.parametrize("steps", DELAYED.values(), ids=DELAYED)
def test_steps_with_delays(steps: list[tuple[float, float | str, str]]) -> None:
    tell(Drive(with_delays()), steps)


def tell(drive: Drive, steps: list[tuple[float, float | str, str]]) -> None:
    for now, value, expected in steps:
        before = len(drive.told)
        if value == SILENCE:
            drive.advance(now)
        else:
            drive.hear(now, value)
        assert [said(change) for change in drive.told[before:]] == expected.split(), f"at {now} s"


def test_a_milder_step_that_cannot_be_judged_keeps_the_condition_unknown() -> None:
    """Nobody can say that it is over while one step might still be."""
    drive = Drive(LadderEvaluator({0: above(20, "s/e/x"), 1: above(50)}))
    drive.hear(0, 60.0, signal="s/d/x")
    drive.hear(1, 10.0, signal="s/d/x")
    assert [said(change) for change in drive.told] == ["active+:1", "unknown:0"]


def test_a_step_is_told_by_its_place_in_the_rule() -> None:
    drive = Drive(LadderEvaluator({2: above(50)}))
    drive.hear(0, 60.0)
    assert [change.step for change in drive.told] == [2]


def test_the_onset_told_is_that_of_the_deciding_step() -> None:
    drive = Drive(plain())
    for now, value in ((1, 30.0), (2, 60.0), (3, 30.0)):
        drive.hear(now, value)
    assert [seconds_of(change.onset_time) for change in drive.told] == [1, 2, 1]


def test_it_explains_every_step_and_which_one_decides() -> None:
    drive = Drive(with_delays())
    drive.hear(0, 60.0)
    drive.advance(3)
    finding = drive.evaluator.explain(drive.state)
    assert (finding.kind, finding.condition, finding.facts, finding.onset_time) == (
        "ladder",
        ConditionState.ACTIVE,
        {"step": 0.0},
        at(0),
    )
    assert [part.due for part in finding.parts] == [None, at(5)]
