from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from firewatch.app.certainty import certainty
from firewatch.engine.engine import Engine
from firewatch.model.alarm import ConditionState
from firewatch.rules.spec import RuleSpec
from tests.unit.broadcast.alarms import smoke
from tests.unit.rules.compiled import TEXT, on, room

TWO = {"k_of_n": {"k": 2, "within": "1min", "of": [on("a"), on("b")]}}
UNUSUAL = {"deviation": {"signal": "b/level", "apart": 3}}
ALARM = replace(smoke(), rule="rule", subject="s/room")


def engine(**judged: Any) -> Engine:
    written = {"id": "rule", "scope": {"asset": "room"}, "class": "fire", "text": TEXT, "advice": TEXT}
    return Engine([RuleSpec.model_validate(written | judged)], room())


@pytest.mark.parametrize(
    ("condition", "expected"),
    [(on("b"), "Likely"), (on("a"), "Likely"), (TWO, "Observed"), (UNUSUAL, "Possible")],
)
def test_how_certain_an_alarm_is_follows_from_what_its_rule_asks_for(condition: dict[str, Any], expected: str) -> None:
    judge = engine(when=condition, priority="high")
    assert certainty(ALARM, judge.instance(ALARM)) == expected


def test_on_a_ladder_the_step_that_decides_says_how_certain_it_is() -> None:
    judge = engine(ladder=[{"when": on("a"), "priority": "high"}, {"when": TWO, "priority": "highest"}])
    mild, severe = ALARM, replace(ALARM, step=1)
    assert certainty(mild, judge.instance(mild)) == "Likely"
    assert certainty(severe, judge.instance(severe)) == "Observed"


def test_what_is_not_known_any_more_is_possible() -> None:
    judge = engine(when=TWO, priority="high")
    unknown = replace(ALARM, condition=ConditionState.UNKNOWN)
    assert certainty(unknown, judge.instance(unknown)) == "Possible"


def test_a_rule_that_is_gone_is_thought_to_have_had_one_sensor() -> None:
    gone = replace(ALARM, rule="gone")
    assert certainty(gone, engine(when=TWO, priority="high").instance(gone)) == "Likely"
