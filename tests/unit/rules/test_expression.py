from __future__ import annotations

from typing import Any

import pytest

from firewatch.model.site import SignalType
from firewatch.rules.expression import ExpressionEvaluator
from firewatch.rules.spec import ExpressionSpec
from tests.unit.rules.drive import BAD, SILENCE, Drive, seconds

SUPPLY, RETURN, VALVE = "s/a/pressure", "s/b/pressure", "s/v/position"


def expression(cel: str = "supply - back > 0.3 && valve == 'open'") -> Drive:
    signals = {"supply": SUPPLY, "back": RETURN, "valve": VALVE}
    types = {"supply": SignalType.NUMBER, "back": SignalType.NUMBER, "valve": SignalType.STATE}
    used = [name for name in signals if name in cel]
    spec = ExpressionSpec.model_validate({"cel": cel, "signals": {name: name for name in used}, "max_age": "60s"})
    chosen = {name: signals[name] for name in used}
    return Drive(ExpressionEvaluator(spec, chosen, {name: types[name] for name in used}))


OPEN = [(0, VALVE, "open", ""), (0, RETURN, 0.5, "")]
STORIES: dict[str, list[tuple[Any, ...]]] = {
    "true and false": [(1, SUPPLY, 0.9, "active"), (2, SUPPLY, 0.7, "inactive"), (3, RETURN, 0.2, "active")],
    "unknown while one was never heard": [(1, SUPPLY, BAD, ""), (2, SUPPLY, 0.9, "active")],
    "unknown while one is of bad quality": [
        (1, SUPPLY, 0.9, "active"),
        (2, RETURN, BAD, "unknown"),
        (3, SUPPLY, 0.1, ""),
        (4, RETURN, 0.5, "inactive"),
    ],
    "unknown while one is of another type": [
        (1, SUPPLY, "open", ""),
        (2, SUPPLY, True, ""),
        (3, SUPPLY, 0.9, "active"),
    ],
    "a whole number is a number": [(1, SUPPLY, 2, "active")],
    "unknown while one is older than the newest by more than its age may be": [
        (1, SUPPLY, 0.9, "active"),
        (50, SUPPLY, 0.9, ""),
        (61, SUPPLY, 0.9, "unknown"),
        (62, RETURN, 0.5, ""),
        (63, VALVE, "open", "active"),
    ],
    "time alone changes nothing": [(1, SUPPLY, 0.9, "active"), (10_000, SILENCE, "")],
}


@pytest.mark.parametrize("steps", STORIES.values(), ids=STORIES)
def test_an_expression(steps: list[tuple[Any, ...]]) -> None:
    drive = expression()
    drive.play([*OPEN, *steps])


def test_it_began_with_the_newest_of_its_values() -> None:
    drive = expression()
    drive.play([(10, VALVE, "open", ""), (12, SUPPLY, 0.9, "")])
    assert drive.hear(13, 0.5, signal=RETURN, event=11) == ["active"]
    assert seconds(drive.told[-1].onset_time) == 12
    assert drive.told[-1].evidence.signal == RETURN


def test_a_late_reading_is_passed_over() -> None:
    drive = expression()
    drive.play([*OPEN, (10, SUPPLY, 0.6, "inactive")])
    assert drive.hear(11, 2.0, signal=SUPPLY, event=5) == []


def test_one_signal_may_have_two_names() -> None:
    spec = ExpressionSpec.model_validate({"cel": "a > b", "signals": {"a": "x", "b": "x"}})
    numbers = {"a": SignalType.NUMBER, "b": SignalType.NUMBER}
    drive = Drive(ExpressionEvaluator(spec, {"a": SUPPLY, "b": SUPPLY}, numbers))
    assert drive.hear(1, 0.5) == ["inactive"]
    assert drive.evaluator.signals == (SUPPLY,)


def test_the_explanation_has_the_values_it_was_judged_by() -> None:
    drive = expression()
    drive.play([*OPEN, (1, SUPPLY, 0.9, "active")])
    facts = drive.evaluator.explain(drive.state).facts
    assert (facts["supply"], facts["back"], facts["valve"]) == (0.9, 0.5, "open")


def test_an_expression_that_is_wrong_is_refused_before_it_runs() -> None:
    with pytest.raises(ValueError, match="does not go with a number and a state"):
        expression("supply > valve")
