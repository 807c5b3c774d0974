"""Series: `[0.30 MPa for 5s, 0.30 to 0.05 over 10s, bad x3, silence for 1min]`."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firewatch.model.duration import parse_duration, write_duration
from firewatch.model.observation import Quality, Value
from firewatch.model.site import Signal, SignalType
from firewatch.model.text import LocalText
from firewatch.testing.series import Part, Reading, Series, SeriesReader, Trouble, read_part

LABEL = LocalText(zh="信号", en="Signal")
NUMBER = Signal(name="pressure", type=SignalType.NUMBER, label=LABEL, unit="MPa")
BARE = Signal(name="floor", type=SignalType.NUMBER, label=LABEL)
BOOLEAN = Signal(name="fault", type=SignalType.BOOLEAN, label=LABEL)
STATE = Signal(name="door", type=SignalType.STATE, label=LABEL, states=("open", "half open", "closed"))
SECOND = timedelta(seconds=1)


def series(*parts: str, signal: Signal = NUMBER, every: timedelta = SECOND) -> Series:
    reader = SeriesReader(signal, every)
    for part in parts:
        reader.take(read_part(part))
    return reader.series()


def heard(*parts: str, signal: Signal = NUMBER, every: timedelta = SECOND) -> list[tuple[float, Value | None]]:
    return [(one.at.total_seconds(), one.value) for one in series(*parts, signal=signal, every=every).readings]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("0.3", Part("0.3")),
        ("0.05 MPa for 20s", Part("0.05 MPa", lasts=timedelta(seconds=20))),
        ("half open x3", Part("half open", count=3)),
        ("0.30 MPa to 50 kPa over 1min30s", Part("0.30 MPa", to="50 kPa", lasts=timedelta(seconds=90))),
        ("uncertain 0.3 late 3s twice for 5s", Part("0.3", None, True, 3 * SECOND, True, 1, 5 * SECOND)),
        ("closed for 5s late 3s", Part("closed", late_by=3 * SECOND, lasts=5 * SECOND)),
        ("bad", Part("bad")),
        ("bad late 3s for 5s", Part("bad", late_by=3 * SECOND, lasts=5 * SECOND)),
        ("silence for 1min", Part("silence", lasts=timedelta(minutes=1))),
        ("-2.5e3", Part("-2.5e3")),
    ],
)
def test_a_part_is_read_word_by_word(text: str, part: Part) -> None:
    assert read_part(text) == part


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a part such as"),
        ("for 5s", "expected a part such as"),
        ("uncertain", "expected a part such as"),
        ("0.3 for", 'ends after "for"'),
        ("0.3 late for 5s", 'ends after "late"'),
        ("0.3 for soon", "expected a duration"),
        ("0.3 for 999999999999d", "is too long for a duration"),
        ("0.3 for 5s x3", "says more than once how long it lasts"),
        ("0.3 for 5s over 5s", "says more than once how long it lasts"),
        ("0.3 twice twice", "says more than once twice"),
        ("0.3 x0", "lasts no time at all"),
        ("0.3 for 0s", "lasts no time at all"),
        ("0.3, 0.4", "write several as a list: [0.3, 0.4]"),
        ("silence twice", "silence has only a length"),
        ("silence to bad", "silence has only a length"),
        ("uncertain silence", "silence has only a length"),
        ("uncertain bad", "bad has only a length"),
        ("bad to 0.3", "bad has only a length"),
    ],
)
def test_a_part_that_cannot_be_read_says_why(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        read_part(text)
    assert message in str(refused.value)


durations = st.integers(1, 31 * 86_400_000_000).map(lambda micros: timedelta(microseconds=micros))
lengths = st.one_of(
    st.fixed_dictionaries({"count": st.integers(1, 999_999)}), st.fixed_dictionaries({"lasts": durations})
)
lateness = st.one_of(st.just(timedelta(0)), durations)
values = st.sampled_from(["0.3", "0.05 MPa", "-1e3", "open", "half open", "true", "20 mg/m3"])
said = st.builds(
    lambda value, to, uncertain, late_by, twice, length: Part(value, to, uncertain, late_by, twice, **length),
    values,
    st.none() | values,
    st.booleans(),
    lateness,
    st.booleans(),
    lengths,
)
missing = st.one_of(
    st.builds(lambda length: Part("silence", **length), lengths),
    st.builds(
        lambda late_by, twice, length: Part("bad", None, False, late_by, twice, **length),
        lateness,
        st.booleans(),
        lengths,
    ),
)


@given(said | missing)
def test_a_part_that_is_written_is_read_back(part: Part) -> None:
    assert read_part(str(part)) == part


@given(durations)
def test_a_duration_that_is_written_is_read_back(duration: timedelta) -> None:
    assert parse_duration(write_duration(duration)) == duration


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(seconds=90), "1min30s"),
        (timedelta(milliseconds=200), "0.2s"),
        (timedelta(hours=25), "1d1h"),
        (timedelta(seconds=59.999999), "59.999999s"),
    ],
)
def test_a_duration_is_written_as_people_write_it(duration: timedelta, text: str) -> None:
    assert write_duration(duration) == text


@pytest.mark.parametrize(
    ("parts", "signal", "expected"),
    [
        (["0.3"], NUMBER, [(0, 0.3)]),
        (["0.3 x2", "0.4"], NUMBER, [(0, 0.3), (1, 0.3), (2, 0.4)]),
        (["silence for 3s", "0.3"], NUMBER, [(3, 0.3)]),
        (["silence for 1.5s", "0.3 x2"], NUMBER, [(1.5, 0.3), (2.5, 0.3)]),
        (["0.3 for 1.5s", "0.4"], NUMBER, [(0, 0.3), (1, 0.3), (1.5, 0.4)]),
        (["3 bar", "0.5", "0.06 MPa", "0.07"], NUMBER, [(0, 0.3), (1, 0.05), (2, 0.06), (3, 0.07)]),
        (["0.30 to 0.05 over 5s", "0.05"], NUMBER, [(0, 0.3), (1, 0.25), (2, 0.2), (3, 0.15), (4, 0.1), (5, 0.05)]),
        (["3 bar to 50 kPa over 2s", "50"], NUMBER, [(0, 0.3), (1, 0.175), (2, 0.05)]),
        (["0 to 4 x4"], BARE, [(0, 0), (1, 1), (2, 2), (3, 3)]),
        (["true", "false"], BOOLEAN, [(0, True), (1, False)]),
        (["half open x2", "bad", "closed"], STATE, [(0, "half open"), (1, "half open"), (2, None), (3, "closed")]),
        (["0.3 twice", "0.4"], NUMBER, [(0, 0.3), (0, 0.3), (1, 0.4)]),
    ],
)
def test_parts_follow_one_another(parts: list[str], signal: Signal, expected: list[tuple[float, Value | None]]) -> None:
    assert heard(*parts, signal=signal) == expected


def test_quality_and_lateness_go_with_the_reading() -> None:
    assert series("uncertain 0.3 late 3s", "bad").readings == (
        Reading(timedelta(0), 0.3, Quality.UNCERTAIN, 3 * SECOND),
        Reading(SECOND, None, Quality.BAD, timedelta(0)),
    )


@pytest.mark.parametrize(
    ("part", "signal", "message"),
    [
        ("high", NUMBER, '"pressure" is a number, found "high"'),
        ("nan", NUMBER, '"pressure" is a number, found "nan"'),
        ("1e999", NUMBER, '"pressure" is a number, found "1e999"'),
        ("0.3x5", NUMBER, 'expected a space before the count, "0.3 x5"'),
        ("0.3 m", NUMBER, '"m" does not convert to "MPa"'),
        ("0.3 furlong", NUMBER, "does not convert"),
        ("3 m", BARE, "does not convert"),
        ("1", BOOLEAN, '"fault" is true or false, found "1"'),
        ("ajar", STATE, '"door" is one of open, half open, closed, found "ajar"'),
        ("open to closed over 5s", STATE, "only a number goes from one value to another"),
        ("0.3 to high over 5s", NUMBER, '"pressure" is a number, found "high"'),
        ("0.3 x999999", NUMBER, "more than 100000 readings"),
        ("0.3 twice x50001", NUMBER, "more than 100000 readings"),
        ("silence x999999 late 5s", NUMBER, "silence has only a length"),
        ("silence for 32d", NUMBER, "a series lasts at most 31d"),
    ],
)
def test_a_part_that_does_not_fit_its_signal_says_why(part: str, signal: Signal, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        series(part, signal=signal)
    assert message in str(refused.value)


def test_the_limits_hold_for_all_parts_together() -> None:
    with pytest.raises(ValueError, match="more than 100000 readings"):
        series("0.3 x60000", "0.3 x60000")
    with pytest.raises(ValueError, match="at most 31d"):
        series("silence for 20d", "silence for 20d")


@given(
    st.lists(st.tuples(st.sampled_from(["silence", "bad", "0.5"]), st.integers(1, 400)), min_size=1, max_size=8),
    st.integers(1, 60),
)
def test_a_reading_comes_as_a_part_begins_and_then_every_interval(words: list[tuple[str, int]], every: int) -> None:
    expected = []
    begin = 0
    for word, lasts in words:
        expected += [at for at in range(begin, begin + lasts) if word != "silence" and (at - begin) % every == 0]
        begin += lasts
    parts = [f"{word} for {lasts}s" for word, lasts in words]
    assert [at for at, _ in heard(*parts, every=every * SECOND)] == expected


@pytest.mark.parametrize(
    ("at", "trouble"),
    [(0, None), (4.9, None), (5, Trouble.BAD), (9, Trouble.BAD), (10, Trouble.SILENCE), (20, None), (1e6, None)],
)
def test_a_series_knows_what_it_lets_be_missing(at: float, trouble: Trouble | None) -> None:
    written = series("0.3 for 5s", "bad for 5s", "silence for 10s", "0.3")
    assert written.trouble(timedelta(seconds=at)) is trouble


def test_the_last_part_of_a_series_goes_on() -> None:
    assert series("0.3", "silence for 1s").trouble(timedelta(hours=1)) is Trouble.SILENCE
