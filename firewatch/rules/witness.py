"""Whose word a condition rests on: whether one device can make it active, or it takes two.

What fire practice calls linkage needs two independent triggers (GB 50116-2013, 4.1.6), and what two sensors say is more
certain than what one does. Where it cannot be told, one device is thought to be able to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from firewatch.model.site import Device, DeviceKind
from firewatch.rules.spec import (
    AbsenceSpec,
    CameraSessionSpec,
    CoincidenceSpec,
    ConditionSpec,
    CountSpec,
    DifferenceSpec,
    DutyCycleSpec,
    ExpressionSpec,
    ScheduleSpec,
    SequenceSpec,
)

Devices = frozenset[str]
"""Ids, within the site."""


def alone(condition: ConditionSpec, devices: Sequence[Device], kinds: Mapping[str, DeviceKind]) -> Devices:
    """The devices each of which can make the condition active while no other one says anything; empty where it takes
    two. `devices` are those that the rule may listen to.
    """
    return _Reader(devices, kinds).alone(condition)


def rests_on_habit(condition: ConditionSpec) -> bool:
    """Whether it compares with what was usual only: then nothing was measured that is wrong in itself."""
    form = condition.form
    if isinstance(form, tuple):
        judged = [part for part in form if part.kind not in ("schedule", "not")]
        return bool(judged) and all(map(rests_on_habit, judged))
    return condition.kind == "deviation"


class _Reader:
    def __init__(self, devices: Sequence[Device], kinds: Mapping[str, DeviceKind]) -> None:
        self._devices = devices
        self._kinds = kinds
        self._all = frozenset(device.id for device in devices)

    def alone(self, condition: ConditionSpec) -> Devices:
        form = condition.form
        match form:
            case tuple():
                parts = [self.alone(part) for part in form]
                return self._all.intersection(*parts) if condition.kind == "all" else frozenset().union(*parts)
            case ConditionSpec() | ScheduleSpec():
                return self._all  # holds without anybody's word
            case CoincidenceSpec():
                parts = [self.alone(part) for part in form.of]
                return frozenset(one for one in self._all if sum(one in part for part in parts) >= form.k)
            case SequenceSpec():
                return self.alone(form.first) & (self._all if form.then is None else self.alone(form.then))
            case CountSpec() | DutyCycleSpec():
                return self.alone(form.of)
            case DifferenceSpec():
                return self._named(form.signal) | self._named(form.minus)
            case ExpressionSpec():
                return frozenset().union(*map(self._named, form.signals.values()))
            case AbsenceSpec() if form.signal is None:
                return self._all
            case CameraSessionSpec() | AbsenceSpec():
                return self._named(form.signal or "")
            case None:
                return self._all
            case _:
                return self._named(form.signal)

    def _named(self, name: str) -> Devices:
        """Which devices a signal's name means: `signal`, `kind/signal` or `kind.tag/signal`."""
        whose, _, signal = name.rpartition("/")
        kind, _, tag = whose.partition(".")
        return frozenset(
            device.id
            for device in self._devices
            if kind in ("", device.kind)
            and (not tag or tag in device.tags)
            and self._kinds[device.kind].signal(signal) is not None
        )
