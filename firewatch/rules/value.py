"""Values as conditions compare them."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeGuard

from firewatch.model.observation import Observation, Quality, Value

_BAD = Quality.BAD
_LARGEST = 1e300
"""Beyond it differences and sums are no numbers any more; nothing measures so much."""


def value_of(observation: Observation) -> Value | None:
    """What was read, whole numbers as floats; None if it is of bad quality, or a number not to be reckoned with."""
    value = observation.value
    if observation.quality is _BAD:
        return None
    if type(value) is float or type(value) is int:
        return float(value) if -_LARGEST <= value <= _LARGEST else None
    return value


def number_of(observation: Observation) -> float | None:
    """The number that was read; None if it is of bad quality, not to be reckoned with, or no number."""
    value = value_of(observation)
    return value if is_number(value) else None


def is_number(value: Value | None) -> TypeGuard[float]:
    """Whether it is a number; true and false are none."""
    return type(value) is float


def are_same(value: Value, other: Value) -> bool:
    """Whether two values are equal; true is not 1."""
    return type(value) is type(other) and value == other


def thresholds(limit: float, deadband: float = 0.0) -> tuple[float, float]:
    """What a difference has to be above to make a condition active, and to keep it so.

    Both lie a billionth higher than written, since in binary 0.8 less 0.7 is more than 0.1.
    """
    # In decimals, as written: in binary 0.07 less 0.005 is less than 0.065.
    kept = float(Decimal(repr(limit)) - Decimal(repr(abs(deadband))))
    return limit + abs(limit) * 1e-9, kept + abs(kept) * 1e-9
