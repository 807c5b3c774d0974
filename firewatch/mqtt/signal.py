"""What one signal accepts: a value of its type, converted to its unit, one of its states."""

from __future__ import annotations

import math
from collections.abc import Callable

from firewatch.model.observation import Quality, Value, signal_id
from firewatch.model.site import Signal, SignalType
from firewatch.mqtt.rejection import RejectionReason

Converter = Callable[[str, str], tuple[float, float]]
"""`(from_unit, to_unit)` to the `(scale, offset)` between them; ValueError if there is none."""

_TYPES: dict[SignalType, type] = {SignalType.NUMBER: float, SignalType.BOOLEAN: bool, SignalType.STATE: str}
_EXPECTED = {
    SignalType.NUMBER: "a number",
    SignalType.BOOLEAN: "true or false",
    SignalType.STATE: "the name of a state as text",
}


class RefusedError(Exception):
    """One reading or one message cannot be used."""

    def __init__(self, reason: RejectionReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class SignalReader:
    """Checks the values of one device's signal."""

    __slots__ = ("_convert", "_states", "_type", "id", "signal", "unit")

    def __init__(self, site: str, device: str, signal: Signal, convert: Converter) -> None:
        self.id = signal_id(site, device, signal.name)
        self.signal = signal
        self.unit = signal.unit
        self._type = _TYPES[signal.type]
        self._states = frozenset(signal.states) if signal.type is SignalType.STATE else None
        self._convert = convert

    def take(self, value: Value | None, unit: str | None, quality: Quality) -> Value | None:
        """The value as observations carry it.

        Raises:
            RefusedError: it is not of the signal's type, its unit does not convert, or no state is called so.
        """
        if type(value) is self._type:
            if self._states is not None and value not in self._states:
                raise RefusedError(
                    RejectionReason.BAD_STATE_VALUE,
                    f'{self.signal.name}: "{value}" is not one of {", ".join(self.signal.states)}',
                )
            return value if unit is None or unit == self.unit else self._converted(value, unit)
        if value is None and quality is Quality.BAD:
            return None
        raise self.wrong_type(value)

    def wrong_type(self, value: object) -> RefusedError:
        """What to say of a value of another type than the signal's."""
        hint = ""
        if value is None:
            hint = '; null needs quality "bad"'
        elif self._type is bool and value in (0, 1):
            hint = "; write true and false instead of 1 and 0"
        shown = "null" if value is None else str(value).lower() if value is True or value is False else repr(value)
        expected = _EXPECTED[self.signal.type]
        return RefusedError(
            RejectionReason.WRONG_TYPE, f"{self.signal.name}: expected {expected}, found {shown[:80]}{hint}"
        )

    def scale(self, unit: str) -> tuple[float, float]:
        """The `(scale, offset)` from `unit` to the signal's.

        Raises:
            RefusedError: there is none.
        """
        try:
            return self._convert(unit, self.unit)
        except ValueError as error:
            raise RefusedError(RejectionReason.UNKNOWN_UNIT, f"{self.signal.name}: {error}") from None

    def finite(self, value: float) -> float:
        """The value itself.

        Raises:
            RefusedError: it is NaN or infinite, be it after conversion.
        """
        if math.isfinite(value):
            return value
        raise RefusedError(RejectionReason.NOT_FINITE, f"{self.signal.name}: the value is out of range")

    def _converted(self, value: Value | None, unit: str) -> float:
        if not isinstance(value, float):
            raise RefusedError(
                RejectionReason.UNKNOWN_UNIT, f'{self.signal.name} has no unit, found "{unit}"; leave it out'
            )
        scale, offset = self.scale(unit)
        return self.finite(value * scale + offset)
