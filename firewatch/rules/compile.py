"""From a rule and the inventory to the instances that judge: one for every subject the rule speaks about.

`firewatch.config` has checked names and brought every quantity into its signal's own unit; here nothing is looked up
twice and nothing is judged. A subject for which the rule finds none of its signals gets no instance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Literal

import msgspec

from firewatch.model.observation import signal_id
from firewatch.model.site import Asset, Device, Inventory, Site
from firewatch.model.text import LocalText
from firewatch.rules.absence import AbsenceEvaluator
from firewatch.rules.camera_session import CameraSessionEvaluator
from firewatch.rules.coincidence import CoincidenceEvaluator
from firewatch.rules.delay import DelayEvaluator
from firewatch.rules.evaluator import Evaluator, Phase
from firewatch.rules.limit import LimitEvaluator
from firewatch.rules.spec import (
    AbsenceSpec,
    ActionSpec,
    CameraSessionSpec,
    CoincidenceSpec,
    ConditionSpec,
    LimitSpec,
    RuleSpec,
    StateSpec,
)
from firewatch.rules.state import StateEvaluator

AnyEvaluator = Evaluator[Any]
_NO_TIME = timedelta(0)


class Target(msgspec.Struct, frozen=True):
    """A command that a phase of the rule asks for; `device` is `site/device`."""

    device: str
    action: str
    parameters: dict[str, str | float | bool]


class RuleInstance(msgspec.Struct, frozen=True):
    """One rule for one subject, with everything known beforehand about the alarms it may raise.

    `subject` is `site/asset` or `site/device`. `units` and `labels` say, for each of the evaluator's signals, its
    unit and its device's label. `fingerprint` changes when a state kept from before would no longer fit.
    """

    rule: RuleSpec
    site: str
    subject: str
    building: str
    system: str
    place: LocalText
    evaluator: AnyEvaluator
    units: dict[str, str]
    labels: dict[str, LocalText]
    targets: dict[Phase, tuple[Target, ...]]
    fingerprint: str


def compile_rules(rules: Iterable[RuleSpec], inventory: Inventory) -> tuple[RuleInstance, ...]:
    """All instances of all rules, in the order of rules, sites and subjects."""
    return tuple(instance for rule in rules for instance in compile_rule(rule, inventory))


def compile_rule(rule: RuleSpec, inventory: Inventory) -> tuple[RuleInstance, ...]:
    """The instances of one rule; empty if it matches nothing."""
    return tuple(_instances(rule, inventory))


def _instances(rule: RuleSpec, inventory: Inventory) -> Iterator[RuleInstance]:
    for site in inventory.sites:
        if rule.scope.sites and site.id not in rule.scope.sites:
            continue
        subjects: tuple[Asset | Device, ...] = site.assets if rule.scope.device is None else site.devices
        for subject in subjects:
            if _in_scope(rule, subject):
                builder = _Builder(rule, inventory, site, subject)
                evaluator = builder.evaluator()
                if evaluator is not None:
                    yield builder.instance(evaluator)


def _in_scope(rule: RuleSpec, subject: Asset | Device) -> bool:
    scope = rule.scope
    return (
        subject.kind == (scope.device or scope.asset)
        and (not scope.buildings or subject.building in scope.buildings)
        and set(scope.tags) <= set(subject.tags)
    )


class _Builder:
    """Builds the instance of one rule for one subject."""

    def __init__(self, rule: RuleSpec, inventory: Inventory, site: Site, subject: Asset | Device) -> None:
        self._rule = rule
        self._kinds = inventory.kinds
        self._site = site
        self._subject = subject
        own = (subject,) if isinstance(subject, Device) else _of_asset(site, subject.id)
        self._devices = tuple(device for device in own if device.kind in inventory.kinds)

    # -- the evaluator ---------------------------------------------------------------------------------------------

    def evaluator(self) -> AnyEvaluator | None:
        """The rule's condition with its delays; None where the subject has none of the signals."""
        delayed = [self._delayed(leaf) for leaf in self._leaves(self._rule.when)]
        return _any_of(delayed)

    def _delayed(self, evaluator: AnyEvaluator) -> AnyEvaluator:
        on_delay, off_delay = self._rule.on_delay, self._rule.off_delay
        if on_delay == _NO_TIME and off_delay == _NO_TIME:
            return evaluator
        return DelayEvaluator(evaluator, on_delay, off_delay)

    def _leaves(self, condition: ConditionSpec) -> list[AnyEvaluator]:
        """One evaluator for each device that the condition's signal name matches."""
        form = condition.form
        if isinstance(form, LimitSpec):
            side: Literal["high", "low"] = "high" if condition.kind in ("high", "high_high") else "low"
            return [LimitEvaluator(signal, form, side) for signal in self._signals(form.signal)]
        if isinstance(form, StateSpec):
            return [StateEvaluator(signal, form) for signal in self._signals(form.signal)]
        if isinstance(form, AbsenceSpec):
            return [AbsenceEvaluator(signals, form) for signals in self._listened(form)]
        if isinstance(form, CoincidenceSpec):
            leaves = [leaf for one in form.of for leaf in self._leaves(one)]
            return [CoincidenceEvaluator(leaves, form.k, form.within)] if leaves else []
        assert isinstance(form, CameraSessionSpec)
        return [CameraSessionEvaluator(signal, form, self._guard(form)) for signal in self._signals(form.signal)]

    def _guard(self, form: CameraSessionSpec) -> AnyEvaluator | None:
        return _any_of(self._leaves(form.while_)) if form.while_ is not None else None

    def _signals(self, name: str) -> list[str]:
        kind, _, signal = name.rpartition("/")
        return [
            signal_id(self._site.id, device.id, signal)
            for device in self._devices
            if kind in ("", device.kind) and self._kinds[device.kind].signal(signal) is not None
        ]

    def _listened(self, form: AbsenceSpec) -> list[tuple[str, ...]]:
        if form.signal is not None:
            return [(signal,) for signal in self._signals(form.signal)]
        # The derived signals are firewatch's own words: a will, sent by the broker, is no sign of life.
        spoken = [
            tuple(
                signal_id(self._site.id, device.id, signal.name)
                for signal in self._kinds[device.kind].signals
                if not signal.supervisory
            )
            for device in self._devices
        ]
        return [signals for signals in spoken if signals]

    # -- what alarms and actions need ------------------------------------------------------------------------------

    def instance(self, evaluator: AnyEvaluator) -> RuleInstance:
        """Everything around the evaluator."""
        subject = self._subject
        units: dict[str, str] = {}
        labels: dict[str, LocalText] = {}
        for device in self._devices:
            for signal in self._kinds[device.kind].signals:
                identity = signal_id(self._site.id, device.id, signal.name)
                units[identity] = signal.unit
        for identity in evaluator.signals:
            device_id = identity.split("/")[1]
            labels[identity] = next(device.label for device in self._devices if device.id == device_id)
        return RuleInstance(
            rule=self._rule,
            site=self._site.id,
            subject=f"{self._site.id}/{subject.id}",
            building=subject.building,
            system=subject.system if isinstance(subject, Asset) else self._kinds[subject.kind].system,
            place=_place(self._site, subject),
            evaluator=evaluator,
            units={identity: units.get(identity, "") for identity in evaluator.signals},
            labels=labels,
            targets={phase: self._targets(getattr(self._rule.actions, phase)) for phase in Phase},
            fingerprint=_fingerprint(self._rule, evaluator),
        )

    def _targets(self, actions: Sequence[ActionSpec]) -> tuple[Target, ...]:
        return tuple(
            Target(device=f"{self._site.id}/{device.id}", action=action.action, parameters=action.parameters)
            for action in actions
            for device in self._reached(action.device)
        )

    def _reached(self, kind: str) -> list[Device]:
        """The nearest of that kind: the subject itself, else those of its asset, else those of its building."""
        subject = self._subject
        if subject.kind == kind and isinstance(subject, Device):
            return [subject]
        asset = subject.id if isinstance(subject, Asset) else subject.asset
        if asset is not None:
            near = _of_asset(self._site, asset)
        else:
            near = tuple(device for device in self._site.devices if device.building == subject.building)
        return [device for device in near if device.kind == kind]


def _of_asset(site: Site, asset: str) -> tuple[Device, ...]:
    return tuple(device for device in site.devices if device.asset == asset)


def _any_of(evaluators: list[AnyEvaluator]) -> AnyEvaluator | None:
    if len(evaluators) > 1:
        return CoincidenceEvaluator(evaluators, k=1, within=_NO_TIME, tell_each=True)
    return evaluators[0] if evaluators else None


def _place(site: Site, subject: Asset | Device) -> LocalText:
    labels = [building.label for building in site.buildings if building.id == subject.building]
    if isinstance(subject, Device) and subject.asset is not None:
        labels += [asset.label for asset in site.assets if asset.id == subject.asset]
    labels.append(subject.label)
    return LocalText(zh=_joined("·", [label.zh for label in labels]), en=_joined(", ", [label.en for label in labels]))


def _joined(separator: str, parts: list[str]) -> str:
    """Outer to inner, leaving out a part that the next one already begins with ("Tower A", "Tower A lift 1")."""
    following = [*parts[1:], ""]
    return separator.join(part for part, after in zip(parts, following, strict=True) if not after.startswith(part))


def _fingerprint(rule: RuleSpec, evaluator: AnyEvaluator) -> str:
    judged = rule.model_dump_json(include={"when", "on_delay", "off_delay"}, by_alias=True)
    return hashlib.blake2s(f"{judged}|{' '.join(evaluator.signals)}".encode(), digest_size=8).hexdigest()
