"""Whether a condition can be true only with two independent triggers (GB 50116-2013 4.1.6): what fire practice calls
linkage may be asked for by no other.

A trigger is a device that reports something: a value beyond a limit, a state, a change, what a camera sees. Two of them
are independent where they are two devices. That something is false, silent or stuck, and the time of day, are no
triggers. Sure means sure: an expression counts as one trigger, whatever it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from firewatch.model.site import Device, DeviceKind
from firewatch.rules.spec import (
    CameraSessionSpec,
    CoincidenceSpec,
    ConditionSpec,
    CountSpec,
    DeviationSpec,
    DifferenceSpec,
    DutyCycleSpec,
    ExpressionSpec,
    LimitSpec,
    RateOfChangeSpec,
    SequenceSpec,
    StateChangedSpec,
    StateSpec,
)


@dataclass(frozen=True)
class Trigger:
    """What can make a condition active without a second device: nothing at all (`none`), or one device `alone`."""

    none: bool = False
    alone: frozenset[str] = frozenset()

    @property
    def is_two(self) -> bool:
        """Whether it takes two."""
        return not self.none and not self.alone


_NOTHING_NEEDED = Trigger(none=True)
_NEVER = Trigger()


def trigger_of(condition: ConditionSpec, devices: Iterable[Device], kinds: Mapping[str, DeviceKind]) -> Trigger:
    """What can make a condition active that is judged for a subject with these devices."""
    return _any(_Reader(tuple(devices), kinds).leaves(condition))


@dataclass(frozen=True)
class _Reader:
    devices: tuple[Device, ...]
    kinds: Mapping[str, DeviceKind]

    def leaves(self, condition: ConditionSpec) -> list[Trigger]:
        """One for each device where a condition is judged for each, as `k_of_n` counts them."""
        form = condition.form
        match form:
            case StateSpec() | StateChangedSpec():
                values = form.values if isinstance(form, StateSpec) else form.to
                if values and set(values) == {False}:
                    return [_NOTHING_NEEDED]
                return self._each(form.signal)
            case LimitSpec() | RateOfChangeSpec() | DeviationSpec() | CameraSessionSpec():
                return self._each(form.signal)
            case DifferenceSpec():
                return [_any([*self._each(form.signal), *self._each(form.minus)])]
            case ExpressionSpec():
                return [_any([trigger for signal in form.signals.values() for trigger in self._each(signal)])]
            case CoincidenceSpec():
                return [_at_least(form.k, [leaf for part in form.of for leaf in self.leaves(part)])]
            case SequenceSpec():
                return [_all([self._one(part) for part in (form.first, form.then) if part is not None])]
            case CountSpec() | DutyCycleSpec():
                return [self._one(form.of)]
            case tuple():
                parts = [self._one(part) for part in form]
                return [_all(parts) if condition.kind == "all" else _any(parts)]
        return [_NOTHING_NEEDED]

    def _one(self, condition: ConditionSpec) -> Trigger:
        return _any(self.leaves(condition))

    def _each(self, name: str) -> list[Trigger]:
        whose, _, signal = name.rpartition("/")
        kind, _, tag = whose.partition(".")
        found: list[Trigger] = []
        for device in self.devices:
            if kind in ("", device.kind) and (not tag or tag in device.tags):
                known = self.kinds[device.kind].signal(signal)
                if known is not None:
                    found.append(_NOTHING_NEEDED if known.supervisory else Trigger(alone=frozenset({device.id})))
        return found


def _any(parts: Iterable[Trigger]) -> Trigger:
    parts = tuple(parts)
    return Trigger(any(part.none for part in parts), frozenset().union(*(part.alone for part in parts)))


def _all(parts: list[Trigger]) -> Trigger:
    return _at_least(len(parts), parts)


def _at_least(k: int, parts: list[Trigger]) -> Trigger:
    """Active as soon as k of the parts are: how many of them can be with nothing, or with one device alone?"""
    if len(parts) < k:
        return _NEVER
    free = sum(part.none for part in parts)
    if free >= k:
        return Trigger(none=True, alone=_any(parts).alone)
    names = _any(parts).alone
    return Trigger(alone=frozenset(n for n in names if sum(part.none or n in part.alone for part in parts) >= k))
