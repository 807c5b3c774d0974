"""Stuck values beside a model of their own: the longest still end of the whole list of readings."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from firewatch.rules.spec import StuckSpec
from firewatch.rules.stuck import StuckEvaluator
from tests.unit.rules.drive import BAD, Drive

pytestmark = pytest.mark.slow

AFTER = 10.0
Heard = list[tuple[float, float | str]]


def readings(*values: float | str) -> st.SearchStrategy[Heard]:
    return st.lists(st.tuples(st.sampled_from([1.0, 3.0, 6.0, 9.5, 10.0, 25.0]), st.sampled_from(values)), max_size=40)


def stuck(band: float) -> Drive:
    form = {"signal": "x", "after": f"{AFTER}s", "band": band}
    return Drive(StuckEvaluator("s/d/x", StuckSpec.model_validate(form)))


@settings(max_examples=300, deadline=None)
@given(story=readings(1.0, 1.0, 1.5, 2.0, 2.5, BAD), band=st.sampled_from([0.0, 0.5, 1.0]))
def test_it_is_active_where_nothing_moved_further_than_the_band_for_long_enough(story: Heard, band: float) -> None:
    drive = stuck(band)
    now, stands = 0.0, False
    heard: list[tuple[float, float]] = []
    for after, value in story:
        now += after
        drive.hear(now, value)
        if value == BAD:
            assert drive.condition == "unknown"
            continue
        if heard and now - heard[-1][0] >= AFTER and not stands:
            heard = []
        heard.append((now, float(value)))
        still = [heard[start:] for start in range(len(heard)) if span(heard[start:]) <= band]
        stands = now - still[0][0][0] >= AFTER
        assert drive.condition == ("active" if stands else "inactive")


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(st.tuples(st.floats(0.01, 1.0), st.sampled_from([1.0, 1.2, 1.5, 1.9, 2.6])), max_size=200))
def test_read_often_it_is_never_told_wrongly_and_one_slice_late_at_the_most(steps: list[tuple[float, float]]) -> None:
    drive = stuck(1.0)
    now = 0.0
    heard: list[tuple[float, float]] = []
    for after, value in steps:
        now += after
        heard.append((now, value))
        drive.hear(now, value)
        long = [time for index, (time, _) in enumerate(heard) if span(heard[index:]) <= 1.0 and now - time >= AFTER]
        if drive.condition == "active":
            assert long
        else:
            assert not long or now - long[0] < AFTER * 33 / 32 + 1e-6
        assert len(drive.state.slices) <= 34


def span(heard: list[tuple[float, float]]) -> float:
    values = [value for _, value in heard]
    return max(values) - min(values)
