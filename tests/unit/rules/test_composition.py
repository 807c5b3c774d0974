"""Composed conditions from the words of a rule to what they say of a room."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rules.compiled import A1, A2, B, C, compiled, on, room
from tests.unit.rules.drive import BAD, SILENCE, Drive, at

STORIES: dict[str, tuple[dict[str, Any], list[tuple[Any, ...]]]] = {
    "a part is active for any of its devices": (
        {"all": [on("a"), {"not": on("b")}]},
        [(0, B, False, ""), (1, A1, False, ""), (2, A2, False, "inactive"), (3, A2, True, "active")],
    ),
    "no device of them": (
        {"not": on("a")},
        [(1, A1, False, ""), (2, A2, False, "active"), (3, A1, BAD, "unknown"), (4, A2, True, "inactive")],
    ),
    "k of n counts each device, of several kinds": (
        {"k_of_n": {"k": 2, "within": "60s", "of": [on("a"), {"all": [on("b"), on("c")]}]}},
        [
            (0, A1, False, ""),
            (0, A2, False, "inactive"),
            (0, B, False, ""),
            (0, C, False, ""),
            (1, A1, True, ""),
            (2, A2, True, "active"),
            (3, A1, False, ""),
            (4, A2, False, ""),
            (10, B, True, ""),
            (11, C, True, ""),
            (64, SILENCE, "inactive"),
        ],
    ),
    "a sequence of composed conditions": (
        {"sequence": {"first": {"any": [on("a"), on("b")]}, "then": on("c"), "within": "10s"}},
        [(0, B, True, ""), (0, C, False, "inactive"), (5, C, True, "active")],
    ),
    "a count of all devices, within a schedule": (
        {
            "all": [
                {"schedule": {"windows": [{"from": "16:00"}]}},
                {"count": {"of": on("a"), "at_least": 2, "within": "1h"}},
            ]
        },
        [(0, A1, False, ""), (0, A2, False, "inactive"), (1, A1, True, ""), (2, A2, True, "active")],
    ),
    "what should follow, out of hours": (
        {
            "all": [
                {"not": {"schedule": {"windows": [{"from": "08:00", "to": "18:00"}]}}},
                {"sequence": {"first": on("b"), "without": on("c"), "within": "10s"}},
            ]
        },
        [
            (7190, B, False, "inactive"),
            (7190, C, False, ""),
            (7191, B, True, ""),
            (7200, SILENCE, ""),
            (7201, SILENCE, "active"),
        ],
    ),
}


@pytest.mark.parametrize(("condition", "steps"), STORIES.values(), ids=STORIES)
def test_composed_conditions(condition: dict[str, Any], steps: list[tuple[Any, ...]]) -> None:
    evaluator = compiled(condition)
    assert evaluator is not None
    Drive(evaluator).play(steps)


LACKING = {
    "all": ({"all": [on("a"), on("c")]}, False),
    "any": ({"any": [on("a"), on("c")]}, True),
    "not": ({"not": on("c")}, False),
    "sequence": ({"sequence": {"first": on("a"), "then": on("c"), "within": "1s"}}, False),
    "omission": ({"sequence": {"first": on("a"), "without": on("c"), "within": "1s"}}, False),
    "count": ({"count": {"of": on("c"), "at_least": 1, "within": "1s"}}, False),
    "duty cycle": ({"duty_cycle": {"of": on("c"), "share": 0.5, "within": "1s"}}, False),
    "schedule": ({"schedule": {"windows": [{}]}}, True),
    "expression": ({"expression": {"cel": "x && y", "signals": {"x": "a/on", "y": "c/on"}}}, False),
    "nested": ({"any": [{"all": [on("a"), on("c")]}, on("c")]}, False),
}


@pytest.mark.parametrize(("condition", "exists"), LACKING.values(), ids=LACKING)
def test_a_room_that_lacks_what_a_condition_needs_gets_no_instance(condition: dict[str, Any], *, exists: bool) -> None:
    assert (compiled(condition, room([("a1", "a"), ("b", "b")])) is not None) is exists


def test_names_of_the_same_kind_speak_of_the_same_device_in_an_expression() -> None:
    condition = {
        "expression": {"cel": "on && level > limit", "signals": {"on": "a/on", "level": "a/level", "limit": "b/level"}}
    }
    evaluator = compiled(condition)
    assert evaluator is not None
    drive = Drive(evaluator)
    for signal, value in (
        ("s/b/level", 5.0),
        ("s/a1/on", True),
        ("s/a1/level", 1.0),
        ("s/a2/on", False),
        ("s/a2/level", 9.0),
    ):
        drive.hear(1, value, signal=signal)
    assert drive.condition == "inactive"
    assert drive.hear(2, True, signal="s/a2/on") == ["active"]


def test_names_of_different_kinds_speak_of_every_choice_of_devices_up_to_a_limit() -> None:
    condition = {"expression": {"cel": "x > y", "signals": {"x": "a/level", "y": "b/level"}}}
    devices = [(f"{kind}{number}", kind) for kind in ("a", "b") for number in range(10)]
    evaluator = compiled(condition, room(devices))
    assert evaluator is not None
    assert len(evaluator.explain(evaluator.initial()).parts) == 64


def test_a_named_calendar_that_was_written_out_is_a_schedule() -> None:
    evaluator = compiled({"schedule": {"calendar": "nights", "windows": [{"from": "16:00", "to": "17:00"}]}})
    assert evaluator is not None
    state = evaluator.arm(evaluator.initial(), at(0))
    state, changes = evaluator.wake(state, at(0))
    assert [change.condition for change in changes] == ["active"]
    assert evaluator.next_wake(state) == at(3600)
