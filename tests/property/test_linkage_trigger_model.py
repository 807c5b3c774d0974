"""What is said to take two triggers takes two: held against trying out every detector alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firewatch.model.site import Device, DeviceKind, Signal, SignalType
from firewatch.model.text import LocalText
from firewatch.rules.spec import ConditionSpec
from firewatch.rules.witness import NOBODY, alone, fire_trigger

NAME = LocalText(zh="名", en="name")
SIGNALS = (
    Signal("alarm", SignalType.BOOLEAN, NAME, trigger=True),
    Signal("fault", SignalType.BOOLEAN, NAME),
    Signal("heat", SignalType.NUMBER, NAME, trigger=True),
)
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


def witnesses(written: Any) -> frozenset[str]:
    return alone(ConditionSpec.model_validate(written), DEVICES, KINDS, fire_trigger)


def active(written: Any, alarming: set[str]) -> list[bool]:
    """Whether it can be active while only these devices alarm, and any may be at fault: one answer for each device that
    is judged by itself.
    """
    (kind, form), *_ = written.items()
    if kind == "state":
        whose, _, signal = form["signal"].partition("/")
        return [signal == "fault" or device.id in alarming for device in DEVICES if device.kind == whose]
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


NOT_EVEN_ONE: set[str] = set()


@settings(max_examples=300, deadline=None)
@given(written=conditions)
def test_a_condition_rests_on_the_detectors_each_of_which_makes_it_true_alone(written: Any) -> None:
    expected = {device.id for device in DEVICES if any(active(written, {device.id}))}
    if any(active(written, NOT_EVEN_ONE)):
        expected.add(NOBODY)
    assert witnesses(written) == expected


@settings(max_examples=300, deadline=None)
@given(written=with_not)
def test_what_is_said_to_take_two_takes_two_whatever_is_denied_in_it(written: Any) -> None:
    if not witnesses(written):
        one_or_none = [NOT_EVEN_ONE, *({device.id} for device in DEVICES)]
        assert not any(any(active(written, alarming)) for alarming in one_or_none)


SMOKE = {"state": {"signal": "smoke/alarm", "is": True}}
EVERYBODY = {NOBODY, *(device.id for device in DEVICES)}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"state": {"signal": "smoke/alarm", "is": False}}, EVERYBODY),
        ({"state": {"signal": "smoke/fault", "is": True}}, EVERYBODY),
        ({"state": {"signal": "smoke/online", "is": True}}, EVERYBODY),
        ({"high": {"signal": "smoke/heat", "limit": 60}}, {"smoke-1", "smoke-2"}),
        ({"low": {"signal": "smoke/heat", "limit": 5}}, EVERYBODY),
        ({"absence": {"signal": "smoke/alarm", "after": "1min"}}, EVERYBODY),
        ({"chatter": {"signal": "smoke/alarm", "changes": 5, "within": "1min"}}, EVERYBODY),
        ({"schedule": {"windows": [{"from": "22:00", "to": "06:00"}]}}, EVERYBODY),
        ({"all": [SMOKE, {"state": {"signal": "heat/alarm", "is": False}}]}, {"smoke-1", "smoke-2"}),
        ({"k_of_n": {"k": 2, "within": "1min", "of": [SMOKE]}}, set()),
        (
            {"expression": {"cel": "a && b", "signals": {"a": "smoke/alarm", "b": "heat/alarm"}}},
            {"smoke-1", "smoke-2", "heat-1", "heat-2"},
        ),
        ({"state_changed": {"signal": "smoke/alarm", "to": [False]}}, EVERYBODY),
    ],
)
def test_what_is_no_trigger_does_not_count_as_one(written: Any, expected: set[str]) -> None:
    assert witnesses(written) == expected
