"""What is said about two conditions, beside the two of them judging the same readings."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given, settings

from firewatch.config.condition_logic import excludes, implies
from firewatch.model.alarm import ConditionState
from firewatch.model.site import Device, DeviceKind
from firewatch.rules.compile import compile_rules
from firewatch.rules.spec import ConditionSpec, RuleSpec
from tests.inventory import one_site
from tests.unit.config.world import LABEL, signal, states
from tests.unit.rules.drive import Drive, reading

pytestmark = pytest.mark.slow

KIND = DeviceKind("meter", LABEL, "water", (signal("p"), states("v", "a", "b", "c")))
INVENTORY = one_site(Device(id="m", kind="meter", label=LABEL, building="b"), kinds=(KIND,))

limits = st.builds(
    lambda kind, limit, deadband: {kind: {"signal": "p", "limit": limit, "deadband": deadband}},
    st.sampled_from(["high", "high_high", "low", "low_low"]),
    st.integers(0, 4),
    st.integers(0, 2),
)
values = st.builds(
    lambda chosen, split: {"state": {"signal": "v", "in": chosen[:split] or chosen, "until": chosen[split:]}},
    st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True),
    st.sampled_from([1, 2, 3, 3, 3]),
)
conditions = st.recursive(
    limits | values,
    lambda inner: st.one_of(
        st.builds(lambda part: {"not": part}, inner),
        st.builds(
            lambda kind, parts: {kind: parts}, st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3)
        ),
        st.builds(
            lambda parts: {"k_of_n": {"k": 1, "within": "0s", "of": parts}}, st.lists(inner, min_size=1, max_size=2)
        ),
    ),
    max_leaves=4,
)
readings = st.lists(
    st.tuples(st.just("p"), st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 3.5, 4.0, 5.0, "bad"]))
    | st.tuples(st.just("v"), st.sampled_from(["a", "b", "c", "bad"])),
    max_size=20,
)


def driven(when: ConditionSpec) -> Drive:
    said: dict[str, Any] = {"id": "r", "scope": {"device": "meter"}, "priority": "low", "class": "trouble"}
    text = {"zh": "文", "en": "text"}
    spec = RuleSpec.model_validate({**said, "when": when, "text": text, "advice": text})
    (instance,) = compile_rules([spec], INVENTORY)
    return Drive(instance.evaluator)


def judged_together(
    first: ConditionSpec, second: ConditionSpec, said: list[tuple[str, Any]]
) -> list[tuple[bool, bool]]:
    one, other = driven(first), driven(second)
    both = []
    for number, (name, value) in enumerate(said, 1):
        for drive in (one, other):
            if f"sample/m/{name}" in drive.evaluator.signals:
                drive.take(reading(f"sample/m/{name}", value, number), number)
        both.append((one.condition is ConditionState.ACTIVE, other.condition is ConditionState.ACTIVE))
    return both


@settings(max_examples=300, deadline=None)
@given(one=conditions, other=conditions, said=readings)
def test_what_is_implied_is_active_too_and_what_is_excluded_is_not(
    one: dict[str, Any], other: dict[str, Any], said: list[tuple[str, Any]]
) -> None:
    first, second = ConditionSpec.model_validate(one), ConditionSpec.model_validate(other)
    implied, excluded = implies(first, second), excludes(first, second, lambda name: True)
    assume(implied or excluded)
    for is_first, is_second in judged_together(first, second, said):
        assert not (implied and is_first and not is_second)
        assert not (excluded and is_first and is_second)
