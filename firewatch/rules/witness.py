"""Whose word a condition rests on: whether one device can make it active, or it takes two.

What fire practice calls linkage needs two independent triggers (GB 50116-2013, 4.1.6), and what two sensors say is more
certain than what one does. Two are independent where they are two devices. Where it cannot be told, one device is
thought to be able to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from firewatch.model.site import Device, DeviceKind, Signal
from firewatch.rules.spec import (
    CoincidenceSpec,
    ConditionSpec,
    CountSpec,
    DifferenceSpec,
    DutyCycleSpec,
    ExpressionSpec,
    ScheduleSpec,
    SequenceSpec,
    StateChangedSpec,
    StateSpec,
)

Devices = frozenset[str]
"""Ids, within the site."""

NOBODY = ""
"""Stands among the devices where a condition needs nobody's word."""

Counts = Callable[[Signal, ConditionSpec], bool]
"""Whether a signal that makes the condition active is its device's word; if not, the condition needs nobody's."""

_ALARMING = frozenset(
    {"state", "state_changed", "high", "high_high", "rate_of_change", "deviation", "expression", "camera_session"}
)


def any_word(signal: Signal, condition: ConditionSpec) -> bool:
    """Whatever a device says, its silence too, is its word."""
    del signal, condition
    return True


def fire_trigger(signal: Signal, condition: ConditionSpec) -> bool:
    """What fire practice counts as a trigger: that a signal which its kind calls one is there, or too high. That it is
    false, low, silent or stuck says nothing of a fire.
    """
    if not signal.trigger or condition.kind not in _ALARMING:
        return False
    form = condition.form
    values = form.values if isinstance(form, StateSpec) else form.to if isinstance(form, StateChangedSpec) else ()
    return set(values) != {False}


def alone(
    condition: ConditionSpec, devices: Sequence[Device], kinds: Mapping[str, DeviceKind], counts: Counts = any_word
) -> Devices:
    """The devices each of which can make the condition active while no other one says anything, with `NOBODY` where it
    needs none; empty where it takes two. `devices` are those that the rule may listen to.
    """
    return _Reader(devices, kinds, counts).alone(condition)


def rests_on_habit(condition: ConditionSpec) -> bool:
    """Whether it compares with what was usual only: then nothing was measured that is wrong in itself."""
    form = condition.form
    if isinstance(form, tuple):
        judged = [part for part in form if part.kind not in ("schedule", "not")]
        return bool(judged) and all(map(rests_on_habit, judged))
    return condition.kind == "deviation"


class _Reader:
    def __init__(self, devices: Sequence[Device], kinds: Mapping[str, DeviceKind], counts: Counts) -> None:
        self._devices = devices
        self._kinds = kinds
        self._counts = counts
        self._all = frozenset({NOBODY, *(device.id for device in devices)})

    def alone(self, condition: ConditionSpec) -> Devices:
        return _any(self._leaves(condition))

    def _leaves(self, condition: ConditionSpec) -> list[Devices]:
        """One for each device where a condition is judged for each, as `k_of_n` counts them."""
        form = condition.form
        match form:
            case tuple():
                parts = [self.alone(part) for part in form]
                return [self._all.intersection(*parts) if condition.kind == "all" else _any(parts)]
            case CoincidenceSpec():
                leaves = [leaf for part in form.of for leaf in self._leaves(part)]
                return [frozenset(one for one in self._all if sum(one in leaf for leaf in leaves) >= form.k)]
            case SequenceSpec():
                return [self._all.intersection(*(self.alone(part) for part in (form.first, form.then) if part))]
            case CountSpec() | DutyCycleSpec():
                return [self.alone(form.of)]
            case DifferenceSpec():
                return [_any([*self._named(condition, form.signal), *self._named(condition, form.minus)])]
            case ExpressionSpec():
                return [_any(leaf for signal in form.signals.values() for leaf in self._named(condition, signal))]
            case None | ConditionSpec() | ScheduleSpec():
                return [self._all]
            case _:
                return self._named(condition, form.signal) if form.signal is not None else [self._all]

    def _named(self, condition: ConditionSpec, name: str) -> list[Devices]:
        """What the devices that a signal's name means say: `signal`, `kind/signal` or `kind.tag/signal`."""
        whose, _, signal_name = name.rpartition("/")
        kind, _, tag = whose.partition(".")
        return [
            frozenset({device.id}) if self._counts(signal, condition) else self._all
            for device in self._devices
            if kind in ("", device.kind)
            and (not tag or tag in device.tags)
            and (signal := self._kinds[device.kind].signal(signal_name)) is not None
        ]


def _any(parts: Iterable[Devices]) -> Devices:
    return frozenset().union(*parts)
