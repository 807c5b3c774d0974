"""Conversion between the units people and devices write.

A unit is a product of names with small exponents: `MPa`, `mg/m3`, `%/m`, `kgf/cm2`, `L/s`. The text is checked
against that form before it reaches the unit library, because it may come from a device.
"""

from __future__ import annotations

import functools
import re
from typing import Any

_FACTOR = r"(?:[A-Za-zµμΩ°℃%]+|[cm]?mH2O)(?:-?[1-4]|[²³])?"
_FORM = re.compile(rf"{_FACTOR}(?:[/*·.]{_FACTOR})*")
_EXPONENT = re.compile(r"(?<=[A-Za-zµμΩ])(-?[1-4]|[²³])(?![A-Za-z0-9])")
_SPELLINGS = {"℃": "degC", "°C": "degC", "°F": "degF", "·": "*", "²": "2", "³": "3", "μ": "µ"}


def converter(from_unit: str, to_unit: str) -> tuple[float, float]:
    """The `(scale, offset)` for which `value * scale + offset` is the value in `to_unit`.

    The same unit, or none on both sides, gives `(1.0, 0.0)`.

    Raises:
        ValueError: a unit is unknown, or the two measure different things; the message says why.
    """
    if from_unit == to_unit:
        return 1.0, 0.0
    found = _convert(from_unit, to_unit)
    if isinstance(found, str):
        raise ValueError(found)
    return found


def is_known(unit: str) -> bool:
    """Whether the unit can be converted from and to at all; no unit counts as known."""
    return not unit or _parse(unit) is not None


@functools.lru_cache(maxsize=1024)
def _convert(from_unit: str, to_unit: str) -> tuple[float, float] | str:
    """The conversion, or why there is none; refusals are kept too, because devices repeat their mistakes."""
    if not from_unit or not to_unit:
        return f"{_shown(from_unit)} does not convert to {_shown(to_unit)}"
    source, target = _parse(from_unit), _parse(to_unit)
    if source is None:
        return f'unknown unit "{from_unit}"'
    if target is None:
        return f'unknown unit "{to_unit}"'
    registry = _registry()
    try:
        zero, one = (float(registry.Quantity(value, source).to(target).magnitude) for value in (0.0, 1.0))
    except registry.DimensionalityError:
        return f'"{from_unit}" does not convert to "{to_unit}": {_reason(registry, source, target, to_unit)}'
    except Exception:  # the library also fails assertions on logarithmic units; the text may come from a device
        return f'"{from_unit}" does not convert to "{to_unit}" by a factor'
    offset = _rounded(zero)
    return _rounded(one - zero if offset else one), offset


def _parse(unit: str) -> Any | None:
    """The library's unit, None if it is unknown."""
    if len(unit) > 16 or not _FORM.fullmatch(unit):
        return None
    text = unit
    for written, meant in _SPELLINGS.items():
        text = text.replace(written, meant)
    registry = _registry()
    try:
        return registry.parse_units(_EXPONENT.sub(r"**\1", text))
    except Exception:  # many kinds, of which all mean the same here
        return None


def _reason(registry: Any, source: Any, target: Any, to_unit: str) -> str:
    concentration = {"[mass] / [length] ** 3", "dimensionless"}
    if {str(source.dimensionality), str(target.dimensionality)} == concentration:
        return (
            "one counts molecules and the other weighs them, so the factor depends on the gas and its temperature "
            "(carbon monoxide at 20 degC and 101.3 kPa: 1 ppm is 1.16 mg/m3)"
        )
    if source == registry.coulomb and target == registry.degC:
        return "C is the coulomb, write degC"
    return f'"{to_unit}" measures {_quantity_name(str(target.dimensionality))}, this measures ' + _quantity_name(
        str(source.dimensionality)
    )


_QUANTITIES = {
    "[mass] / [length] / [time] ** 2": "a pressure",
    "[mass] / [length] ** 3": "a mass concentration",
    "[temperature]": "a temperature",
    "[length]": "a length",
    "[time]": "a time",
    "[current]": "an electric current",
    "[mass] * [length] ** 2 / [time] ** 3": "a power",
    "[mass] * [length] ** 2 / [time] ** 3 / [current]": "a voltage",
    "[length] ** 3 / [time]": "a flow",
    "1 / [length]": "something per length",
    "dimensionless": "a share",
}


def _quantity_name(dimensionality: str) -> str:
    return _QUANTITIES.get(dimensionality, dimensionality)


def _shown(unit: str) -> str:
    return f'"{unit}"' if unit else "a number without a unit"


def _rounded(number: float) -> float:
    """Drop the last digits, which are the library's arithmetic and not the unit's."""
    return float(f"{number:.12g}") if abs(number) > 1e-9 else 0.0


@functools.cache
def _registry() -> Any:
    """The library's definitions; loaded when first needed, because that takes most of a second."""
    import pint

    registry: Any = pint.UnitRegistry()
    registry.DimensionalityError = pint.DimensionalityError
    return registry
