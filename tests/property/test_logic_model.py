"""`all`, `any` and `not` beside a model of their own: truth as -1, 0 and 1, and its least, greatest and opposite."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firewatch.model.alarm import ConditionState
from firewatch.rules.evaluator import Phase
from tests.unit.rules.compiled import A1, A2, B, C, compiled, on
from tests.unit.rules.drive import BAD, Drive, at, reading

pytestmark = pytest.mark.slow

SIGNALS = {"a": (A1, A2), "b": (B,), "c": (C,)}
WORDS = {ConditionState.INACTIVE: -1, ConditionState.UNKNOWN: 0, ConditionState.ACTIVE: 1}

leaves = st.sampled_from([on(kind) for kind in SIGNALS])


def combined(part: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(part, min_size=1, max_size=3)
    return st.one_of(
        several.map(lambda parts: {"all": parts}), several.map(lambda parts: {"any": parts}), part.map(negated)
    )


def negated(part: dict[str, Any]) -> dict[str, Any]:
    return {"not": part}


trees = combined(st.recursive(leaves, combined, max_leaves=8))
stories = st.lists(st.tuples(st.sampled_from([A1, A2, B, C]), st.sampled_from([True, False, BAD])), max_size=25)


def truth(tree: dict[str, Any], values: dict[str, int]) -> int:
    ((kind, inside),) = tree.items()
    if kind == "all":
        return min(truth(part, values) for part in inside)
    if kind == "any":
        return max(truth(part, values) for part in inside)
    if kind == "not":
        return -truth(inside, values)
    return max(values[signal] for signal in SIGNALS[inside["signal"][0]])


def drive_of(tree: dict[str, Any]) -> Drive:
    evaluator = compiled(tree)
    assert evaluator is not None
    return Drive(evaluator)


@settings(max_examples=300, deadline=None)
@given(tree=trees, story=stories)
def test_a_tree_is_what_kleene_says_of_its_leaves(tree: dict[str, Any], story: list[tuple[str, bool | str]]) -> None:
    drive = drive_of(tree)
    values = dict.fromkeys([A1, A2, B, C], 0)
    began: float | None = None
    for now, (signal, value) in enumerate(story):
        values[signal] = {True: 1, False: -1, BAD: 0}[value]
        if signal in drive.evaluator.signals:
            drive.hear(now, value, signal=signal)
        answer = truth(tree, values)
        assert WORDS[drive.condition] == answer
        began = None if answer == -1 else now if began is None and answer == 1 else began
        assert (drive.state.onset_time is None) is (began is None)
        assert began is None or drive.state.onset_time <= at(began)


@settings(max_examples=200, deadline=None)
@given(tree=trees, story=stories)
def test_what_is_always_known_began_when_it_became_true(
    tree: dict[str, Any], story: list[tuple[str, bool | str]]
) -> None:
    drive = drive_of(tree)
    values = dict.fromkeys([A1, A2, B, C], -1)
    for signal in drive.evaluator.signals:
        drive.hear(0, False, signal=signal)
    before, began = truth(tree, values), 0
    for now, (signal, value) in enumerate(story, 1):
        if value == BAD or signal not in drive.evaluator.signals:
            continue
        values[signal] = 1 if value else -1
        drive.hear(now, value, signal=signal)
        began, before = (now if truth(tree, values) != before else began), truth(tree, values)
        if before == 1:
            assert drive.state.onset_time == at(began)
    begins = [change for change in drive.told if change.phase is Phase.ACTIVE]
    assert all(change.onset_time == change.event_time for change in begins)


@settings(max_examples=200, deadline=None)
@given(
    tree=trees,
    story=stories,
    late=st.lists(st.tuples(st.sampled_from([A1, A2, B, C]), st.booleans(), st.integers(1, 30)), max_size=4),
)
def test_late_readings_never_lower_it_nor_does_what_follows_them_without_a_reading_of_their_own(
    tree: dict[str, Any], story: list[tuple[str, bool | str]], late: list[tuple[str, bool, int]]
) -> None:
    drive, other = drive_of(tree), drive_of(tree)
    for now, (signal, value) in enumerate(story):
        if signal in drive.evaluator.signals:
            drive.hear(now, value, signal=signal)
            other.hear(now, value, signal=signal)
    end = len(story)
    for signal in drive.evaluator.signals:
        for each in (drive, other):
            each.hear(end, False, signal=signal)
    for signal, value, by in late:
        if signal in drive.evaluator.signals:
            drive.hear(end, value, signal=signal, event=end - by)
    assert WORDS[drive.condition] >= WORDS[other.condition]
    for signal in drive.evaluator.signals:  # a reading of bad quality, or nothing: neither bears out what came late
        _, changes = drive.evaluator.observe(drive.state, reading(signal, BAD, end + 1), at(end + 1))
        assert ConditionState.INACTIVE not in [change.condition for change in changes]
