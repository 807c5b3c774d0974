from __future__ import annotations

from typing import Any

import pytest

from firewatch.rules.logic import Formula, LogicEvaluator
from firewatch.rules.spec import StateSpec
from firewatch.rules.state import StateEvaluator
from tests.unit.rules.drive import BAD, Drive, seconds

A, B, C = "s/a/alarm", "s/b/alarm", "s/c/alarm"
TRIPPED = StateSpec.model_validate({"signal": "alarm", "is": True})
LEAVES = tuple(Formula(leaf=place) for place in range(3))


def all_of(*parts: Formula) -> Formula:
    return Formula("all", parts)


def any_of(*parts: Formula) -> Formula:
    return Formula("any", parts)


def no(part: Formula) -> Formula:
    return Formula("not", (part,))


def drive(formula: Formula) -> Drive:
    return Drive(LogicEvaluator(formula, [StateEvaluator(signal, TRIPPED) for signal in (A, B, C)]))


a, b, c = LEAVES
STORIES: dict[str, tuple[Formula, list[tuple[Any, ...]]]] = {
    "all needs every part": (
        all_of(a, b, c),
        [(1, A, True, ""), (2, B, True, ""), (3, C, True, "active"), (4, B, False, "inactive")],
    ),
    "all is inactive as soon as one part is, whatever the others are": (all_of(a, b, c), [(1, A, False, "inactive")]),
    "all is unknown while a part that decides is": (
        all_of(a, b, c),
        [(1, A, True, ""), (1, B, True, ""), (1, C, True, "active"), (2, B, BAD, "unknown"), (3, B, True, "active")],
    ),
    "an unknown part does not keep all from being inactive": (
        all_of(a, b, c),
        [(1, A, True, ""), (1, B, BAD, ""), (1, C, False, "inactive"), (2, A, BAD, "")],
    ),
    "any needs one part": (any_of(a, b, c), [(1, A, True, "active"), (2, B, True, ""), (3, A, False, "")]),
    "any is inactive when every part is": (
        any_of(a, b, c),
        [(1, A, False, ""), (1, B, False, ""), (1, C, False, "inactive"), (2, B, BAD, "unknown")],
    ),
    "any goes from one part to the next without a gap": (
        any_of(a, b, c),
        [(1, A, False, ""), (1, B, True, "active"), (1, C, False, ""), (2, A, True, ""), (3, B, False, "")],
    ),
    "not turns it around": (no(a), [(1, A, False, "active"), (2, A, True, "inactive"), (3, A, BAD, "unknown")]),
    "not not is the same": (no(no(a)), [(1, A, False, "inactive"), (2, A, True, "active"), (3, A, BAD, "unknown")]),
    "neither of two": (
        no(any_of(a, b)),
        [(1, A, False, ""), (2, B, False, "active"), (3, A, True, "inactive"), (4, B, BAD, "")],
    ),
    "one without the other": (
        all_of(a, no(b)),
        [(1, A, True, ""), (2, B, False, "active"), (3, B, BAD, "unknown"), (4, B, True, "inactive")],
    ),
    "nested as deep as one likes": (
        any_of(all_of(a, no(b)), no(any_of(a, no(c)))),
        [
            (1, A, False, ""),
            (2, C, True, "active"),
            (3, B, False, ""),
            (4, C, False, "inactive"),
            (5, A, True, "active"),
        ],
    ),
}


@pytest.mark.parametrize(("formula", "steps"), STORIES.values(), ids=STORIES)
def test_three_valued_logic(formula: Formula, steps: list[tuple[Any, ...]]) -> None:
    drive(formula).play(steps)


ONSETS = {
    "all began when the last part did": (all_of(a, b), [(1, A, True), (5, B, True)], 5),
    "any began when the first part did": (any_of(no(a), b), [(1, A, True), (2, B, True)], 2),
    "any that is known late began when its first part did": (
        any_of(all_of(a, b), c),
        [(1, C, BAD), (2, A, True), (3, B, True), (4, C, True)],
        3,
    ),
    "not began when the part ended": (no(a), [(1, A, True), (7, A, False), (9, A, False)], 7),
    "not any began when the last part ended": (no(any_of(a, b)), [(1, A, False), (4, B, False)], 4),
    "not all began when the first part ended": (no(all_of(a, b)), [(1, B, True), (4, A, False)], 4),
    "all but began when that was so": (all_of(a, no(b)), [(1, B, False), (6, A, True)], 6),
}


@pytest.mark.parametrize(("formula", "steps", "onset"), ONSETS.values(), ids=ONSETS)
def test_when_it_began(formula: Formula, steps: list[tuple[Any, ...]], onset: float) -> None:
    driven = drive(formula)
    for now, signal, value in steps:
        driven.hear(now, value, signal=signal)
    assert driven.condition == "active"
    assert seconds(driven.told[-1].onset_time) == onset


def test_it_is_known_again_with_the_onset_it_had() -> None:
    driven = drive(any_of(a, b))
    driven.play([(1, A, True, "active"), (2, A, BAD, "unknown"), (3, B, True, "active")])
    assert [seconds(change.onset_time) for change in driven.told] == [1, 1, 1]
    assert [change.phase for change in driven.told] == ["active", None, None]


def test_one_reading_that_changes_two_parts_is_judged_once() -> None:
    leaves = [StateEvaluator(A, TRIPPED), StateEvaluator(A, TRIPPED)]
    driven = Drive(LogicEvaluator(all_of(a, no(b)), leaves))
    driven.play([(1, A, False, "inactive"), (2, A, True, ""), (3, A, False, ""), (4, A, BAD, "unknown")])


def test_what_decided_is_the_reading_that_completed_it() -> None:
    driven = drive(all_of(a, no(b)))
    driven.play([(1, B, False, ""), (2, A, True, "active")])
    assert driven.told[-1].evidence.signal == A


def test_a_late_trip_under_a_not_does_not_clear_and_the_next_reading_may() -> None:
    driven = drive(no(a))
    driven.play([(10, A, False, "active")])
    assert driven.hear(11, True, signal=A, event=5) == []
    assert driven.condition == "active"
    assert driven.hear(12, True, signal=A) == ["inactive"]


def test_a_late_trip_under_a_not_is_forgotten_when_the_next_reading_does_not_bear_it_out() -> None:
    driven = drive(no(any_of(a, b)))
    driven.play([(1, B, False, ""), (10, A, False, "active")])
    driven.hear(11, True, signal=A, event=5)
    driven.play([(12, B, False, ""), (13, B, BAD, "unknown"), (14, B, False, "active"), (15, A, False, "")])


def test_the_explanation_has_the_form_of_the_rule_and_how_each_part_stands() -> None:
    driven = drive(no(all_of(a, any_of(b, c))))
    driven.play([(1, A, True, ""), (2, B, False, "")])
    whole = driven.evaluator.explain(driven.state)
    assert (whole.kind, whole.condition) == ("not", "unknown")
    (inner,) = whole.parts
    assert (inner.kind, inner.condition) == ("all", "unknown")
    assert [(part.kind, part.condition) for part in inner.parts] == [("state", "active"), ("any", "unknown")]
    assert [part.signals for part in inner.parts[1].parts] == [(B,), (C,)]
