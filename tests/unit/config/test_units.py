"""Units: what converts, what is refused, and that nothing a device sends can do harm."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firewatch.config.units import converter, is_known


@pytest.mark.parametrize(
    ("value", "unit", "expected", "target"),
    [
        (312.5, "kPa", 0.3125, "MPa"),
        (0.7, "bar", 0.07, "MPa"),
        (1, "kgf/cm2", 0.0980665, "MPa"),
        (7, "mH2O", 0.06864655, "MPa"),
        (0.07, "MPa", 70, "kPa"),
        (50, "cm", 0.5, "m"),
        (140, "degF", 60, "degC"),
        (333.15, "K", 60, "degC"),
        (60, "℃", 60, "degC"),
        (60, "°C", 60, "degC"),
        (500, "µg/m³", 0.5, "mg/m3"),
        (0.03, "A", 30, "mA"),
        (7000, "W", 7, "kW"),
        (5, "%/m", 5, "%/m"),
        (15, "L/s", 54, "m3/h"),
        (0.55, "", 0.55, ""),
    ],
)
def test_a_value_in_one_unit_is_the_same_in_another(value: float, unit: str, expected: float, target: str) -> None:
    scale, offset = converter(unit, target)
    assert value * scale + offset == pytest.approx(expected)


@pytest.mark.parametrize(
    ("unit", "target", "reason"),
    [
        ("ppm", "mg/m3", "depends on the gas"),
        ("mg/m3", "ppm", "depends on the gas"),
        ("m", "MPa", "measures a pressure"),
        ("C", "degC", "write degC"),
        ("Mpaa", "MPa", 'unknown unit "Mpaa"'),
        ("dB/m", "%/m", "dB/m"),
        ("", "MPa", "without a unit"),
        ("kPa", "", "without a unit"),
        ("9**9**9", "MPa", "unknown unit"),
        ("__import__", "MPa", "unknown unit"),
        ("kPa" * 10, "MPa", "unknown unit"),
    ],
)
def test_what_does_not_convert_is_refused_with_the_reason(unit: str, target: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        converter(unit, target)
    assert reason in str(refused.value)


@given(st.text(max_size=20) | st.from_regex(r"[A-Za-z%/*0-9]{1,12}", fullmatch=True))
@example("dB")
@example("1")
@example("%%")
def test_any_text_as_unit_converts_or_is_refused_and_nothing_else(unit: str) -> None:
    try:
        scale, offset = converter(unit, "MPa")
    except ValueError:
        return
    assert is_known(unit)
    assert isinstance(scale, float)
    assert isinstance(offset, float)


@given(
    st.sampled_from([("kPa", "MPa"), ("bar", "MPa"), ("degF", "degC"), ("K", "degC"), ("cm", "m"), ("A", "mA")]),
    st.floats(min_value=-1e6, max_value=1e6),
)
def test_there_and_back_is_where_one_began(units: tuple[str, str], value: float) -> None:
    there, shift = converter(*units)
    back, shift_back = converter(units[1], units[0])
    assert (value * there + shift) * back + shift_back == pytest.approx(value, rel=1e-9, abs=1e-6)
