"""What conditions say about one another: tables of what is sure and of what is not."""

from __future__ import annotations

from typing import Any

import pytest

from firewatch.config.condition_logic import excludes, has_time, implies, signals_of
from firewatch.config.document import parse_document
from firewatch.rules.spec import ConditionSpec, ScheduleSpec


def condition(text: str) -> ConditionSpec:
    document, _ = parse_document("a.yaml", text)
    assert document is not None
    return ConditionSpec.model_validate(document.data)


HIGH_5, HIGH_9 = "high: {signal: p, limit: 5}", "high_high: {signal: p, limit: 9}"
LOW_5, LOW_2 = "low: {signal: p, limit: 5}", "low_low: {signal: p, limit: 2}"
OPEN, SHUT, MOVED = (f"state: {{signal: v, in: [{values}]}}" for values in ("open", "shut", "open, shut"))


@pytest.mark.parametrize(
    ("first", "second", "answer"),
    [
        (HIGH_9, HIGH_5, True),
        (HIGH_5, HIGH_9, False),
        (HIGH_5, HIGH_5, True),
        (LOW_2, LOW_5, True),
        (LOW_5, LOW_2, False),
        (HIGH_9, LOW_5, False),
        (HIGH_9, "high: {signal: q, limit: 5}", False),
        ("high: {signal: p, limit: 9, deadband: 6}", HIGH_5, False),
        (HIGH_9, "high: {signal: p, limit: 5, deadband: 3}", True),
        (OPEN, MOVED, True),
        (MOVED, OPEN, False),
        ("absence: {after: 1min}", "absence: {after: 15s}", True),
        ("absence: {after: 15s}", "absence: {after: 1min}", False),
        ("absence: {after: 1min, signal: p}", "absence: {after: 15s}", False),
        (f"all: [{{{HIGH_9}}}, {{{OPEN}}}]", HIGH_5, True),
        (f"any: [{{{HIGH_9}}}, {{{OPEN}}}]", HIGH_5, False),
        (f"any: [{{{HIGH_9}}}, {{high: {{signal: p, limit: 6}}}}]", HIGH_5, True),
        (HIGH_9, f"any: [{{{OPEN}}}, {{{HIGH_5}}}]", True),
        (HIGH_9, f"all: [{{{OPEN}}}, {{{HIGH_5}}}]", False),
        (f"not: {{{HIGH_5}}}", f"not: {{{HIGH_9}}}", True),
        (f"not: {{{HIGH_9}}}", f"not: {{{HIGH_5}}}", False),
        (HIGH_9, f"k_of_n: {{k: 1, within: 1min, of: [{{{HIGH_5}}}, {{{OPEN}}}]}}", True),
        (HIGH_9, f"k_of_n: {{k: 2, within: 1min, of: [{{{HIGH_5}}}, {{{OPEN}}}]}}", False),
        ("stuck: {signal: p, after: 2h}", "stuck: {signal: p, after: 1h}", True),
        ("stuck: {signal: p, after: 2h, band: 2}", "stuck: {signal: p, after: 1h, band: 1}", False),
        ("chatter: {signal: v, changes: 9, within: 1min}", "chatter: {signal: v, changes: 5, within: 2min}", True),
        ("chatter: {signal: v, changes: 5, within: 1min}", "chatter: {signal: v, changes: 9, within: 1min}", False),
        (
            f"count: {{of: {{{OPEN}}}, at_least: 5, within: 1h}}",
            f"count: {{of: {{{OPEN}}}, at_least: 3, within: 1h}}",
            True,
        ),
        (
            f"duty_cycle: {{of: {{{OPEN}}}, share: 0.2, within: 1h}}",
            f"duty_cycle: {{of: {{{OPEN}}}, share: 0.5, within: 1h}}",
            False,
        ),
    ],
)
def test_one_condition_implies_another_where_that_is_sure(first: str, second: str, answer: bool) -> None:
    assert implies(condition(first), condition(second)) is answer


@pytest.mark.parametrize(
    ("first", "second", "answer"),
    [
        (OPEN, SHUT, True),
        (OPEN, MOVED, False),
        (OPEN, "state: {signal: w, is: shut}", False),
        (HIGH_5, LOW_2, True),
        (HIGH_5, LOW_5, True),
        ("high: {signal: p, limit: 5, deadband: 4}", LOW_2, False),
        ("high: {signal: p, limit: 1}", LOW_5, False),
        (HIGH_5, "low: {signal: q, limit: 2}", False),
        (HIGH_9, f"not: {{{HIGH_5}}}", True),
        (HIGH_5, f"not: {{{HIGH_9}}}", False),
        (f"any: [{{{SHUT}}}, {{{HIGH_5}}}]", OPEN, False),
        (f"any: [{{{SHUT}}}, {{{SHUT}}}]", OPEN, True),
        (f"all: [{{{SHUT}}}, {{{HIGH_5}}}]", OPEN, True),
    ],
)
def test_two_conditions_exclude_each_other_where_that_is_sure(first: str, second: str, answer: bool) -> None:
    assert excludes(condition(first), condition(second), lambda name: True) is answer
    assert excludes(condition(second), condition(first), lambda name: True) is answer


def test_what_several_devices_say_excludes_nothing_but_its_own_opposite() -> None:
    assert not excludes(condition(OPEN), condition(SHUT), lambda name: False)
    assert excludes(condition(OPEN), condition(f"not: {{{OPEN}}}"), lambda name: False)


@pytest.mark.parametrize(
    ("schedule", "answer"),
    [
        ({"windows": [{}]}, True),
        ({"windows": [{"from": "08:00", "to": "08:00"}]}, False),
        ({"windows": [{"from": "22:00", "to": "06:00"}]}, True),
        ({"windows": [{"days": []}]}, False),
        ({"windows": [{"dates": ["2026-10-01"]}]}, True),
        ({"windows": [{"dates": ["2026-10-01"], "days": ["thu"]}]}, True),
        ({"windows": [{"dates": ["2026-10-01"], "days": ["fri"]}]}, False),
        ({"windows": [{"dates": [{"first": "2026-10-01", "last": "2026-10-02"}], "days": ["fri"]}]}, True),
        ({"windows": [{"dates": ["2026-10-01"]}], "except": ["2026-10-01"]}, False),
        ({"windows": [{}], "except": [{"first": "0001-01-01", "last": "9999-12-31"}]}, True),
        (
            {
                "windows": [{"dates": [{"first": "0001-01-01", "last": "9999-12-31"}]}],
                "except": [{"first": "0001-01-01", "last": "9999-12-31"}],
            },
            False,
        ),
    ],
)
def test_a_window_of_a_schedule_holds_some_time_or_none(schedule: dict[str, Any], answer: bool) -> None:
    spec = ScheduleSpec.model_validate(schedule)
    assert has_time(spec.windows[0], spec.except_) is answer


def test_the_signals_of_a_condition_are_those_of_its_parts() -> None:
    whole = condition(f"all: [{{{HIGH_5}}}, {{not: {{{OPEN}}}}}, {{absence: {{after: 1s}}}}]")
    assert list(signals_of(whole)) == ["p", "v", ""]
