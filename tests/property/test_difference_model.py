"""Differences beside a model of their own: the newest of each signal, looked up in the whole list of readings."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from firewatch.rules.difference import DifferenceEvaluator
from firewatch.rules.spec import DifferenceSpec
from tests.unit.rules.drive import BAD, Drive

pytestmark = pytest.mark.slow

MAX_AGE, DEADBAND = 6.0, 1.5
Heard = list[tuple[float, str, float | str]]

readings = st.lists(
    st.tuples(
        st.sampled_from([0.5, 1.0, 3.0, 7.0]),
        st.sampled_from(["s/d/x", "s/e/x"]),
        st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, BAD]),
    ),
    max_size=40,
)
limits = st.tuples(st.sampled_from(["above", "below", "apart"]), st.sampled_from([2.0, 3.0]))


def judged(heard: Heard, word: str, limit: float, *, stood: bool) -> bool | None:
    newest = {signal: (time, value) for time, signal, value in heard}
    if len(newest) < 2 or BAD in [value for _, value in newest.values()]:
        return None
    (one, signal), (other, minus) = newest["s/d/x"], newest["s/e/x"]
    if abs(one - other) > MAX_AGE:
        return None
    difference = float(signal) - float(minus)
    less = DEADBAND if stood else 0.0
    if word == "above":
        return difference > limit - less
    if word == "below":
        return difference < -limit + less
    return abs(difference) > limit - less


@settings(max_examples=200, deadline=None)
@given(story=readings, limit=limits)
def test_it_is_active_where_the_newest_of_both_are_too_different(story: Heard, limit: tuple[str, float]) -> None:
    word, size = limit
    written = {word: -size if word == "below" else size}
    form = {"signal": "x", "minus": "y", "deadband": DEADBAND, "max_age": f"{MAX_AGE}s", **written}
    drive = Drive(DifferenceEvaluator("s/d/x", "s/e/x", DifferenceSpec.model_validate(form)))
    now, stands = 0.0, False
    heard: Heard = []
    for after, signal, value in story:
        now += after
        heard.append((now, signal, value))
        drive.hear(now, value, signal=signal)
        found = judged(heard, word, size, stood=stands)
        stands = stands if found is None else found
        assert drive.condition == ("unknown" if found is None else "active" if found else "inactive")
