"""Duty cycles beside a model of their own: for how long of the window it was on, added up over all that was told."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from math import inf
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firewatch.model.observation import Observation
from firewatch.rules.duty_cycle import DutyCycleEvaluator
from firewatch.rules.spec import DutyCycleSpec, StateSpec
from firewatch.rules.state import StateEvaluator
from tests.unit.rules.drive import BAD, START, Drive, reading

pytestmark = pytest.mark.slow

WITHIN, LONG = 20.0, 1000.0
SIGNAL = "s/a/on"
ON = {"signal": "on", "is": True}


@dataclass(frozen=True)
class Step:
    """After `pause` seconds, with firewatch down if it `restarts`, a reading comes that is `late_by` old; or one
    of those heard before comes `again`.
    """

    pause: float
    restarts: bool
    value: bool | str
    late_by: float
    again: int | None


stories = st.lists(
    st.builds(
        Step,
        pause=st.sampled_from([0.25, 0.5, 1.0, 2.0, 5.0, 9.0, 19.75, 20.0, 30.0]),
        restarts=st.booleans(),
        value=st.sampled_from([True, False, True, False, BAD]),
        late_by=st.sampled_from([0.0, 0.0, 0.0, 0.25, 3.0, 10.0]),
        again=st.sampled_from([None, None, None, 0, 1, 2]),
    ),
    max_size=30,
)
Edges = list[tuple[float, str]]
"""From when on the condition inside stood how."""


def inner() -> StateEvaluator:
    return StateEvaluator(SIGNAL, StateSpec.model_validate(ON))


def duty(share: float, within: float = WITHIN) -> Drive:
    spec = DutyCycleSpec.model_validate({"of": {"state": ON}, "share": share, "within": f"{within:g}s"})
    return Drive(DutyCycleEvaluator(inner(), spec))


def edges_of(inside: Drive) -> Edges:
    """What the condition inside told; what it told late counts from what was known by then on."""
    edges: Edges = [(-inf, "unknown")]
    for change in inside.told:
        edges.append((max((change.event_time - START).total_seconds(), edges[-1][0]), str(change.condition)))
    return edges


def lasted(edges: Edges, now: float, within: float) -> dict[str, float]:
    """For how long of the window it stood how."""
    total = {"active": 0.0, "inactive": 0.0, "unknown": 0.0}
    for (start, word), (end, _) in itertools.pairwise([*edges, (now, "")]):
        total[word] += max(0.0, min(end, now) - max(start, now - within))
    return total


def check(drive: Drive, inside: Drive, share: float, now: float, within: float = WITHIN) -> None:
    total = lasted(edges_of(inside), now, within)
    if total["active"] > share * within:
        assert drive.condition == "active"
    elif total["active"] + total["unknown"] <= share * within:
        assert drive.condition == "inactive"
    else:
        assert drive.condition == "unknown"


@settings(max_examples=200, deadline=None)
@given(story=stories, share=st.sampled_from([0.25, 0.5, 0.8]), looks=st.sampled_from([0.25, 3.0, 25.0]))
def test_a_duty_cycle_is_the_share_of_the_window(story: list[Step], share: float, looks: float) -> None:
    drive, inside = duty(share), Drive(inner())
    heard: list[Observation] = []
    now = 0.0
    for step in story:
        if looks < step.pause and not step.restarts:
            drive.advance(now + looks)
            check(drive, inside, share, now + looks)
        now += step.pause
        if step.restarts:
            drive.restart(now)
            drive.advance(now)
            check(drive, inside, share, now)
        heard.append(reading(SIGNAL, step.value, now, event=now - step.late_by))
        if step.again is not None:
            heard[-1] = heard[-1 - step.again % len(heard)]
        for each in (inside, drive):
            each.take(heard[-1], now)
        check(drive, inside, share, now)


@settings(max_examples=5, deadline=None)
@given(chance=st.randoms(use_true_random=False), changes=st.integers(260, 400), share=st.sampled_from([0.11, 0.13]))
def test_with_more_changes_than_are_remembered_it_is_exact_while_they_all_lie_in_the_window(
    chance: Random, changes: int, share: float
) -> None:
    drive, inside = duty(share, LONG), Drive(inner())
    now = 0.0
    for index in range(changes):
        for each in (inside, drive):
            each.hear(now, index % 2 == 1)
        check(drive, inside, share, now, LONG)
        now += chance.choice([0.25, 0.5, 1.0, 1.5]) if index else LONG
    assert len(drive.state.spans) <= 256
