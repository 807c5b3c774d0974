"""What can be wrong with any device, whatever it measures: pinned values, silence, bad quality, a wrong clock.

These are the verbs that every device understands in a scenario; `normal` ends them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from firewatch.model.contract import Reading
from firewatch.model.observation import Quality, Value
from simulators.scenario import Step

FAULT_VERBS = frozenset(
    {"set", "normal", "fall_silent", "go_offline", "report_quality", "shift_clock", "send_raw"},
)


class RawMessage(msgspec.Struct, frozen=True):
    """A payload sent as it is; `topic` is relative to the prefix, None for the device's own."""

    payload: bytes
    topic: str | None
    retain: bool


class Faults(msgspec.Struct, frozen=True):
    """What is wrong with one device at this moment; the default is nothing."""

    silent: bool = False
    offline: bool = False
    pinned: dict[str, Value] = {}
    quality: Quality = Quality.GOOD
    clock_offset: timedelta = timedelta(0)

    def after(self, step: Step) -> Faults:
        """What is wrong once the step was played; a step that is no fault changes nothing."""
        match step.do:
            case "normal":
                return Faults()
            case "set" if step.signal is not None and step.value is not None:
                return msgspec.structs.replace(self, pinned=self.pinned | {step.signal: step.value})
            case "fall_silent":
                return msgspec.structs.replace(self, silent=True)
            case "go_offline":
                return msgspec.structs.replace(self, offline=True)
            case "report_quality":
                return msgspec.structs.replace(self, quality=step.quality)
            case "shift_clock":
                return msgspec.structs.replace(self, clock_offset=step.by)
            case _:
                return self

    def device_time(self, now: datetime) -> datetime:
        """What the device's clock shows."""
        return now + self.clock_offset

    def report(self, readings: Sequence[Reading]) -> list[Reading]:
        """What the device reports instead of what it measures; a bad reading carries no value."""
        return [self._report(reading) for reading in readings]

    def _report(self, measured: Reading) -> Reading:
        value, unit = measured.value, measured.unit
        if measured.signal in self.pinned:
            value, unit = self.pinned[measured.signal], None
        if self.quality is Quality.BAD:
            value = None
        return Reading(signal=measured.signal, value=value, unit=unit, quality=self.quality)


def raw_message(step: Step, now: datetime) -> RawMessage:
    """What a `send_raw` step sends: `$now` in its payload stands for the time."""
    text = step.payload.replace("$now", now.isoformat())
    return RawMessage(payload=text.encode() * step.repeat, topic=step.topic, retain=step.retain)
