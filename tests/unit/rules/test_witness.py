from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firewatch.model.alarm import ConditionState
from firewatch.model.observation import Observation, Quality
from firewatch.rules.spec import ConditionSpec
from firewatch.rules.witness import NOBODY, alone, rests_on_habit
from tests.unit.rules.compiled import compiled, on, room

ROOM = room()
DEVICES = ROOM.sites[0].devices
START = datetime(2026, 3, 1, tzinfo=UTC)


def witnesses(condition: dict[str, Any]) -> set[str]:
    return set(alone(ConditionSpec.model_validate(condition), DEVICES, ROOM.kinds))


EVERYBODY = {NOBODY, *(device.id for device in DEVICES)}
LIMIT = {"high": {"signal": "a/level", "limit": 3}}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (on("a"), {"a1", "a2"}),
        (LIMIT, {"a1", "a2"}),
        ({"any": [on("a"), on("b")]}, {"a1", "a2", "b"}),
        ({"all": [on("a"), on("b")]}, set()),
        ({"all": [on("a"), LIMIT]}, {"a1", "a2"}),
        ({"all": [on("b"), {"not": on("c")}]}, {"b"}),
        ({"all": [on("b"), {"schedule": {"windows": [{}]}}]}, {"b"}),
        ({"not": on("a")}, EVERYBODY),
        ({"k_of_n": {"k": 2, "within": "1min", "of": [on("a")]}}, set()),
        ({"k_of_n": {"k": 1, "within": "1min", "of": [on("a")]}}, {"a1", "a2"}),
        ({"k_of_n": {"k": 2, "within": "1min", "of": [on("a"), on("b")]}}, set()),
        ({"k_of_n": {"k": 2, "within": "1min", "of": [on("a"), LIMIT]}}, {"a1", "a2"}),
        ({"k_of_n": {"k": 2, "within": "1min", "of": [{"all": [on("a"), on("b")]}, on("a")]}}, set()),
        ({"any": [{"all": [on("a"), on("b")]}, on("c")]}, {"c"}),
        ({"sequence": {"first": on("a"), "then": on("b"), "within": "1min"}}, set()),
        ({"sequence": {"first": on("a"), "without": on("b"), "within": "1min"}}, {"a1", "a2"}),
        ({"count": {"of": {"all": [on("a"), on("b")]}, "at_least": 2, "within": "1min"}}, set()),
        ({"duty_cycle": {"of": on("b"), "share": 0.5, "within": "1min"}}, {"b"}),
        ({"difference": {"signal": "a/level", "minus": "b/level", "apart": 3}}, {"a1", "a2", "b"}),
        ({"absence": {"after": "1min"}}, EVERYBODY),
        ({"absence": {"after": "1min", "signal": "b/on"}}, {"b"}),
        ({"camera_session": {"signal": "c/level", "while": on("b")}}, {"c"}),
        ({"expression": {"cel": "x > 3 && y", "signals": {"x": "a/level", "y": "b/on"}}}, {"a1", "a2", "b"}),
    ],
)
def test_whose_word_is_enough(condition: dict[str, Any], expected: set[str]) -> None:
    assert witnesses(condition) == expected


LEAVES = st.sampled_from([on("a"), on("b"), on("c")])


def _composed(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(inner, min_size=1, max_size=3)
    coincidence = st.tuples(st.integers(1, 3), several).map(
        lambda drawn: {"k_of_n": {"k": drawn[0], "within": "1min", "of": drawn[1]}}
    )
    return several.map(lambda parts: {"all": parts}) | several.map(lambda parts: {"any": parts}) | coincidence


def active_with(condition: dict[str, Any], devices: set[str]) -> bool:
    """What the rule itself says once these devices are on, and all others off."""
    evaluator = compiled(condition, ROOM)
    assert evaluator is not None
    state, now = evaluator.arm(evaluator.initial(), START), START
    for device in DEVICES:
        now += timedelta(milliseconds=1)
        reading = Observation(f"s/{device.id}/on", device.id in devices, Quality.GOOD, now, now, now)
        if reading.signal in evaluator.signals:
            state, _ = evaluator.observe(state, reading, now)
    return evaluator.explain(state).condition is ConditionState.ACTIVE


@pytest.mark.slow
@given(st.recursive(LEAVES, _composed, max_leaves=6))
def test_it_is_what_the_rule_itself_says_when_one_device_alone_is_on(condition: dict[str, Any]) -> None:
    assert witnesses(condition) == {device.id for device in DEVICES if active_with(condition, {device.id})}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"deviation": {"signal": "a/level", "apart": 3}}, True),
        ({"all": [{"deviation": {"signal": "a/level", "apart": 3}}, {"schedule": {"windows": [{}]}}]}, True),
        ({"any": [{"deviation": {"signal": "a/level", "apart": 3}}, LIMIT]}, False),
        ({"schedule": {"windows": [{}]}}, False),
        (LIMIT, False),
    ],
)
def test_what_rests_on_habit_is_known(condition: dict[str, Any], expected: bool) -> None:
    assert rests_on_habit(ConditionSpec.model_validate(condition)) is expected
