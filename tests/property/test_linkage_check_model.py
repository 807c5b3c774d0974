"""What is said to take two triggers takes two: held against trying out every detector alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firewatch.config.linkage_check import Trigger, trigger_of
from firewatch.model.site import Device, DeviceKind, Signal, SignalType
from firewatch.model.text import LocalText
from firewatch.rules.spec import ConditionSpec

NAME = LocalText(zh="名", en="name")
SIGNALS = tuple(Signal(name, SignalType.BOOLEAN, NAME) for name in ("alarm", "fault"))
KINDS = {kind: DeviceKind(kind, NAME, "garage", SIGNALS) for kind in ("smoke", "heat", "none")}
DEVICES = tuple(Device(f"{kind}-{n}", kind, NAME, "garage") for kind in ("smoke", "heat") for n in (1, 2))

leaf = st.builds(
    lambda kind, signal: {"state": {"signal": f"{kind}/{signal}", "is": True}},
    st.sampled_from(["smoke", "heat", "none"]),
    st.sampled_from(["alarm", "fault"]),
)


def combined(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(parts, min_size=1, max_size=3)
    return st.one_of(
        st.builds(lambda of: {"all": of}, several),
        st.builds(lambda of: {"any": of}, several),
        st.builds(lambda k, of: {"k_of_n": {"k": k, "within": "1min", "of": of}}, st.integers(1, 4), several),
        st.builds(lambda one, other: {"sequence": {"first": one, "then": other, "within": "1min"}}, parts, parts),
        st.builds(lambda of: {"count": {"of": of, "at_least": 2, "within": "1min"}}, parts),
    )


conditions = st.recursive(leaf, combined, max_leaves=8)
with_not = st.recursive(leaf, lambda parts: st.one_of(combined(parts), st.builds(lambda of: {"not": of}, parts)))


def active(written: Any, alarming: set[str]) -> list[bool]:
    """Whether it can be active while only these devices alarm: one answer for each device that is judged by itself."""
    (kind, form), *_ = written.items()
    if kind == "state":
        return [device.id in alarming for device in DEVICES if device.kind == form["signal"].partition("/")[0]]
    if kind == "k_of_n":
        leaves = [leaf for part in form["of"] for leaf in active(part, alarming)]
        return [sum(leaves) >= form["k"]] if leaves else []
    if kind == "sequence":
        return [any(active(form["first"], alarming)) and any(active(form["then"], alarming))]
    if kind == "count":
        return [any(active(form["of"], alarming))]
    if kind == "not":
        return [not any(active(form, alarming))]
    parts = [any(active(part, alarming)) for part in form]
    return [all(parts) if kind == "all" else any(parts)]


def true_by_fewer_than_two(written: Any) -> bool:
    alone: list[set[str]] = [set(), *({device.id} for device in DEVICES)]
    return any(any(active(written, alarming)) for alarming in alone)


@settings(max_examples=300, deadline=None)
@given(written=conditions)
def test_a_condition_takes_two_triggers_if_and_only_if_no_detector_alone_makes_it_true(written: Any) -> None:
    trigger = trigger_of(ConditionSpec.model_validate(written), DEVICES, KINDS)
    assert trigger.is_two is not true_by_fewer_than_two(written)


@settings(max_examples=300, deadline=None)
@given(written=with_not)
def test_what_is_said_to_take_two_takes_two_whatever_is_denied_in_it(written: Any) -> None:
    if trigger_of(ConditionSpec.model_validate(written), DEVICES, KINDS).is_two:
        assert not true_by_fewer_than_two(written)


@pytest.mark.parametrize(
    ("written", "trigger"),
    [
        ({"state": {"signal": "smoke/alarm", "is": False}}, Trigger(none=True)),
        ({"state": {"signal": "smoke/online", "is": True}}, Trigger(none=True)),
        ({"absence": {"signal": "smoke/alarm", "after": "1min"}}, Trigger(none=True)),
        ({"chatter": {"signal": "smoke/alarm", "changes": 5, "within": "1min"}}, Trigger(none=True)),
        ({"schedule": {"windows": [{"from": "22:00", "to": "06:00"}]}}, Trigger(none=True)),
        (
            {
                "all": [
                    {"state": {"signal": "smoke/alarm", "is": True}},
                    {"state": {"signal": "heat/fault", "is": False}},
                ]
            },
            Trigger(alone=frozenset({"smoke-1", "smoke-2"})),
        ),
        (
            {"expression": {"cel": "a && b", "signals": {"a": "smoke/alarm", "b": "heat/alarm"}}},
            Trigger(alone=frozenset({"smoke-1", "smoke-2", "heat-1", "heat-2"})),
        ),
        ({"state_changed": {"signal": "smoke/alarm", "to": [False]}}, Trigger(none=True)),
    ],
)
def test_what_is_no_trigger_does_not_count_as_one(written: Any, trigger: Trigger) -> None:
    assert trigger_of(ConditionSpec.model_validate(written), DEVICES, KINDS) == trigger
