"""The on-delay beside a model of its own: arithmetic over the whole list of readings, with no timers and no states."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from firewatch.model.effect import Annunciate
from tests.unit.engine.world import SLOW_LOW, World, at

DELAY = 10.0
BELOW, ABOVE = 0.05, 0.5

pytestmark = pytest.mark.slow

readings = st.lists(
    st.tuples(st.sampled_from([0.5, 1.0, 3.0, 7.0, 10.0, 12.0]), st.sampled_from([BELOW, BELOW, ABOVE])), max_size=30
)


def expected(heard: list[tuple[float, float]], until: float) -> list[tuple[float, float]]:
    """(onset, told) of every run of low readings that lasted for the delay before a high one came."""
    runs: list[tuple[float, float]] = []
    onset: float | None = None
    for time, value in [*heard, (until, ABOVE)]:
        if value == BELOW and onset is None:
            onset = time
        if value == ABOVE and onset is not None:
            if time - onset >= DELAY:
                runs.append((onset, onset + DELAY))
            onset = None
    return runs


@settings(max_examples=60, deadline=None)
@given(story=readings, silence=st.sampled_from([0.0, 5.0, 100.0]))
def test_what_lasts_for_the_delay_is_told_once_and_at_its_time(
    story: list[tuple[float, float]], silence: float
) -> None:
    world = World(SLOW_LOW)
    now = 0.0
    heard = []
    for after, value in story:
        now += after
        heard.append((now, value))
        world.hear(now, "hydrant-1/pressure", value)
    world.advance(now + silence)
    told = [
        (effect.alarm.onset_time if effect.alarm.activations == 1 else None, effect.alarm.clock.decided_time)
        for effect in world.effects
        if isinstance(effect, Annunciate)
    ]
    runs = expected(heard, now + silence)
    assert len(told) == len(runs)
    for index, (onset, decided) in enumerate(told):
        if onset is not None:
            assert (onset, decided) == (at(runs[index][0]), at(runs[index][1]))


@settings(max_examples=40, deadline=None)
@given(story=readings)
def test_readings_delivered_in_one_batch_tell_the_same_onsets(story: list[tuple[float, float]]) -> None:
    now = 0.0
    heard = []
    for after, value in story:
        now += after
        heard.append((now, value))
    live, batch = World(SLOW_LOW), World(SLOW_LOW)
    for time, value in heard:
        live.hear(time, "hydrant-1/pressure", value)
        batch.hear(now, "hydrant-1/pressure", value, event=time)
    live.advance(now)
    batch.advance(now)
    count = [sum(isinstance(effect, Annunciate) for effect in world.effects) for world in (live, batch)]
    # A run that is still going when the batch arrives is told earlier than readings could prove, never later.
    assert count[1] >= count[0] == len(expected(heard, now))
