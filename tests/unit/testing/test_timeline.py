"""Timelines: `0.02x5 0.30x20 _x30`."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firewatch.model.observation import Quality
from firewatch.model.site import Signal, SignalType
from firewatch.model.text import LocalText
from firewatch.testing.timeline import Tick, read_timeline

LABEL = LocalText(zh="信号", en="Signal")
NUMBER = Signal(name="level", type=SignalType.NUMBER, label=LABEL)
BOOLEAN = Signal(name="fault", type=SignalType.BOOLEAN, label=LABEL)
STATE = Signal(name="door", type=SignalType.STATE, label=LABEL, states=("open", "closed"))
NOW = timedelta(0)


@pytest.mark.parametrize(
    ("text", "signal", "ticks"),
    [
        ("0.3", NUMBER, [Tick(0, 0.3, Quality.GOOD, NOW)]),
        ("0.3x2 1", NUMBER, [Tick(n, v, Quality.GOOD, NOW) for n, v in enumerate((0.3, 0.3, 1.0))]),
        ("_x3 -2", NUMBER, [Tick(3, -2.0, Quality.GOOD, NOW)]),
        ("0x2", NUMBER, [Tick(0, 0.0, Quality.GOOD, NOW), Tick(1, 0.0, Quality.GOOD, NOW)]),
        ("bad 0.3?", NUMBER, [Tick(0, None, Quality.BAD, NOW), Tick(1, 0.3, Quality.UNCERTAIN, NOW)]),
        ("0.3@-10s", NUMBER, [Tick(0, 0.3, Quality.GOOD, timedelta(seconds=10))]),
        ("0.3?@-1min30sx1", NUMBER, [Tick(0, 0.3, Quality.UNCERTAIN, timedelta(seconds=90))]),
        ("true false", BOOLEAN, [Tick(0, True, Quality.GOOD, NOW), Tick(1, False, Quality.GOOD, NOW)]),
        ("openx1 closed", STATE, [Tick(0, "open", Quality.GOOD, NOW), Tick(1, "closed", Quality.GOOD, NOW)]),
        ("", NUMBER, []),
    ],
)
def test_a_timeline_is_read_word_by_word(text: str, signal: Signal, ticks: list[Tick]) -> None:
    assert read_timeline(text, signal) == ticks


@pytest.mark.parametrize(
    ("text", "signal", "message"),
    [
        ("high", NUMBER, '"level" is a number, found "high"'),
        ("nan", NUMBER, '"level" is a number, found "nan"'),
        ("1", BOOLEAN, '"fault" is true or false, found "1"'),
        ("ajar", STATE, '"door" is one of open, closed, found "ajar"'),
        ("0.3x999999", NUMBER, "more than 100000 readings"),
        ("_x99999 1x2", NUMBER, "more than 100000 readings"),
        ("@-10s", NUMBER, "expected a value"),
        ("0.3@-soon", NUMBER, "expected a duration"),
    ],
)
def test_a_word_that_does_not_fit_is_named(text: str, signal: Signal, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        read_timeline(text, signal)
    assert message in str(refused.value)


@given(st.lists(st.tuples(st.sampled_from(["_", "bad", "0.5", "3?"]), st.integers(1, 20)), max_size=8))
def test_each_word_takes_exactly_its_count_of_intervals(words: list[tuple[str, int]]) -> None:
    ticks = read_timeline(" ".join(f"{value}x{count}" for value, count in words), NUMBER)
    expected: list[int] = []
    number = 0
    for value, count in words:
        if value != "_":
            expected += range(number, number + count)
        number += count
    assert [tick.number for tick in ticks] == expected
