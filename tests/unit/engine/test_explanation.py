from __future__ import annotations

from datetime import timedelta

import pytest

from firewatch.engine.explanation import UnknownSubjectError
from firewatch.model.alarm import ConditionState
from firewatch.rules.evaluator import Phase
from tests.unit.engine.test_ladder import CO
from tests.unit.engine.world import ALL, E_BIKE, LOW, SLOW_LOW, SMOKE, World, at


def test_it_says_why_a_rule_does_not_alarm_yet() -> None:
    world = World(SLOW_LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.advance(4)
    explanation = world.engine.explain("slow-low", "s/hydrant-1")
    (step,) = explanation.steps
    assert step.finding is not None
    assert (step.finding.condition, step.finding.due, explanation.next_wake) == ("unknown", at(11), at(11))
    assert step.finding.facts["on_delay"] == timedelta(seconds=10)
    assert (explanation.alarm, explanation.decides, explanation.now) == (None, None, at(4))
    assert {identity: label.en for identity, label in explanation.signals.items()} == {
        "s/hydrant-1/pressure": "roof hydrant"
    }


def test_it_says_why_a_rule_alarms() -> None:
    world = World(E_BIKE)
    world.hear(1, "cam/e_bike", 0.9)
    assert world.engine.explain("e-bike", "s/lift").engaged is Phase.SUSPECTED
    world.hear(1.2, "cam/e_bike", 0.9)
    explanation = world.engine.explain("e-bike", "s/lift")
    assert (explanation.alarm, explanation.decides) == (world.alarm("e-bike"), 0)
    assert explanation.engaged is Phase.ACTIVE


def test_it_says_which_step_of_a_ladder_decides_and_how_the_others_stand() -> None:
    world = World(CO)
    world.hear(1, "hydrant-1/pressure", 60.0)
    explanation = world.engine.explain("co", "s/hydrant-1")
    assert explanation.decides == 0
    assert [step.priority for step in explanation.steps] == ["low", "medium", "highest"]
    conditions = [step.finding.condition for step in explanation.steps if step.finding is not None]
    assert conditions == [ConditionState.ACTIVE, ConditionState.UNKNOWN, ConditionState.INACTIVE]


def test_it_says_that_a_rule_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(LOW)
    monkeypatch.setattr(world.engine._running[0], "observe", lambda *_: 1 / 0)
    world.hear(2, "hydrant-1/pressure", 0.05)
    failure = world.engine.explain("low", "s/hydrant-1").failure
    assert failure is not None
    assert failure.error == "ZeroDivisionError: division by zero"
    assert world.engine.explain("low", "s/hydrant-2").failure is None
    assert world.engine.explain("rule-failed-low", "s/hydrant-1").alarm == world.alarm("rule-failed-low")


def test_a_device_is_explained_by_every_rule_that_listens_to_it() -> None:
    world = World(*ALL)
    assert [one.rule for one in world.engine.explanations_for("s/smoke-1")] == ["smoke", "confirmed"]
    assert [one.rule for one in world.engine.explanations_for("s/hydrant-1")] == ["low", "slow-low", "silent"]
    assert world.engine.explanations_for("s/smoke") == []


MISTAKES = {
    "a rule misspelt": ("smok", "s/zone", 'no rule "smok".*did you mean "smoke"'),
    "no rule at all": ("zzz", "s/zone", 'no rule "zzz".*`firewatch rules show`'),
    "a subject misspelt": ("low", "s/hydrant1", 'does not judge "s/hydrant1"; did you mean "s/hydrant-1"'),
    "a subject of another rule": ("low", "zzz", "for 2 others, such as s/hydrant-1"),
}


@pytest.mark.parametrize(("rule", "subject", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_the_way_out(rule: str, subject: str, message: str) -> None:
    with pytest.raises(UnknownSubjectError, match=message):
        World(LOW, SMOKE).engine.explain(rule, subject)
