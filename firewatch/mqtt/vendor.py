"""Reads a vendor's JSON by the decoder in the site file: dotted paths, units, scales, named values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from firewatch.model.observation import Quality, Value
from firewatch.model.site import Decoder, FieldMapping, SignalType, TimeFormat
from firewatch.mqtt.rejection import RejectionReason
from firewatch.mqtt.signal import RefusedError, SignalReader

_MISSING: Any = object()
_SEQUENCE_LIMIT = 2**63 - 1


class VendorMessage(msgspec.Struct, frozen=True):
    """What a vendor's payload said: good readings and refused ones. `time` is None where it cannot be read."""

    time: datetime | None
    sequence: int | None
    readings: list[tuple[SignalReader, Value | None, Quality]]
    refused: list[RefusedError]


class VendorReader:
    """Reads the payloads of one device."""

    def __init__(self, decoder: Decoder, signals: Mapping[str, SignalReader]) -> None:
        """Resolve every path and unit once.

        Raises:
            RefusedError: a unit of the decoder does not convert to its signal's; `firewatch check` finds it before.
        """
        self._fields = [_Field(mapping, signals[name]) for name, mapping in decoder.readings.items()]
        self._time_path = _path(decoder.time_path)
        self._time_format = decoder.time_format
        self._sequence_path = _path(decoder.sequence_path)

    def read(self, payload: bytes, receive_time: datetime) -> VendorMessage:
        """Take a payload apart.

        Raises:
            msgspec.DecodeError, UnicodeDecodeError, RecursionError: it is not JSON.
            RefusedError: it holds none of the readings.
        """
        data = msgspec.json.decode(payload)
        readings: list[tuple[SignalReader, Value | None, Quality]] = []
        refused: list[RefusedError] = []
        for field in self._fields:
            raw = _walk(data, field.path)
            if raw is _MISSING:
                continue
            try:
                readings.append(field.take(raw))
            except RefusedError as error:
                refused.append(error)
        if not readings and not refused:
            paths = ", ".join(".".join(field.path) for field in self._fields)
            raise RefusedError(RejectionReason.MISSING_FIELD, f"none of the decoder's paths is there: {paths}")
        return VendorMessage(self._time(data, receive_time), self._sequence(data), readings, refused)

    def _time(self, data: Any, receive_time: datetime) -> datetime | None:
        if self._time_path is None:
            return receive_time
        raw = _walk(data, self._time_path)
        try:
            if self._time_format is TimeFormat.ISO8601:
                time = msgspec.convert(raw, datetime)
                return time if time.tzinfo is not None else None
            seconds = _number(raw) / (1000 if self._time_format is TimeFormat.UNIX_MILLISECONDS else 1)
            return datetime.fromtimestamp(seconds, UTC)
        except (msgspec.ValidationError, TypeError, ValueError, OverflowError, OSError):
            return None

    def _sequence(self, data: Any) -> int | None:
        raw = _MISSING if self._sequence_path is None else _walk(data, self._sequence_path)
        return raw if type(raw) is int and 0 <= raw <= _SEQUENCE_LIMIT else None


class _Field:
    """Where one signal stands, and how its raw value becomes the signal's."""

    __slots__ = ("_enum", "_number_offset", "_number_scale", "path", "reader")

    def __init__(self, mapping: FieldMapping, reader: SignalReader) -> None:
        self.path = tuple(mapping.path.split("."))
        self.reader = reader
        self._enum = {name: float(value) if type(value) is int else value for name, value in mapping.enum.items()}
        scale, offset = reader.scale(mapping.unit) if mapping.unit else (1.0, 0.0)
        self._number_scale = mapping.scale * scale
        self._number_offset = offset

    def take(self, raw: Any) -> tuple[SignalReader, Value | None, Quality]:
        reader = self.reader
        if raw is None:
            return reader, None, Quality.BAD
        is_number = reader.signal.type is SignalType.NUMBER
        if self._enum and not isinstance(raw, dict | list):
            named = self._enum.get(str(raw).lower() if isinstance(raw, bool) else str(raw))
            if named is not None:
                return reader, reader.take(named, None, Quality.GOOD), Quality.GOOD
            if not is_number:
                known = ", ".join(self._enum)
                raise RefusedError(
                    RejectionReason.BAD_STATE_VALUE, f"{reader.signal.name}: {str(raw)[:80]!r} is not one of {known}"
                )
        if not is_number:
            return reader, reader.take(raw, None, Quality.GOOD), Quality.GOOD
        try:
            number = _number(raw)
        except OverflowError:
            number = float("inf")
        except (TypeError, ValueError):
            raise reader.wrong_type(raw) from None
        return reader, reader.finite(number * self._number_scale + self._number_offset), Quality.GOOD


def _number(raw: Any) -> float:
    """A number, or one that a vendor wrote as text."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str) or raw == "":
        raise TypeError
    return float(raw)


def _path(dotted: str | None) -> tuple[str, ...] | None:
    return None if dotted is None else tuple(dotted.split("."))


def _walk(data: Any, path: tuple[str, ...]) -> Any:
    """What stands at a path; a segment of digits is a place in a list."""
    for segment in path:
        if isinstance(data, dict):
            data = data.get(segment, _MISSING)
        elif isinstance(data, list) and segment.isdecimal() and int(segment) < len(data):
            data = data[int(segment)]
        else:
            return _MISSING
    return data
