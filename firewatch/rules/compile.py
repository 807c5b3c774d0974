"""From a rule and the inventory to the instances that judge: one for every subject the rule speaks about.

`firewatch.config` has checked names and brought every quantity into its signal's own unit; here nothing is looked up
twice and nothing is judged. A subject for which the rule finds none of its signals gets no instance.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from firewatch.model.alarm import alarm_id
from firewatch.model.observation import signal_id
from firewatch.model.site import Device, DeviceKind, Inventory, SignalType
from firewatch.model.text import LocalText
from firewatch.rules.absence import AbsenceEvaluator
from firewatch.rules.camera_session import CameraSessionEvaluator
from firewatch.rules.change import ChatterEvaluator, StateChangedEvaluator
from firewatch.rules.coincidence import CoincidenceEvaluator
from firewatch.rules.count import CountEvaluator
from firewatch.rules.delay import DelayEvaluator
from firewatch.rules.deviation import DeviationEvaluator
from firewatch.rules.difference import DifferenceEvaluator
from firewatch.rules.duty_cycle import DutyCycleEvaluator
from firewatch.rules.evaluator import Evaluator, Phase
from firewatch.rules.expression import ExpressionEvaluator
from firewatch.rules.ladder import LadderEvaluator
from firewatch.rules.limit import LimitEvaluator
from firewatch.rules.logic import Formula, LogicEvaluator
from firewatch.rules.parameter import completed
from firewatch.rules.rate_of_change import RateOfChangeEvaluator
from firewatch.rules.schedule import ScheduleEvaluator
from firewatch.rules.scope import Subject, Subjects
from firewatch.rules.sequence import OmissionEvaluator, SequenceEvaluator
from firewatch.rules.spec import (
    AbsenceSpec,
    ActionSpec,
    ActionsSpec,
    CameraSessionSpec,
    ChatterSpec,
    CoincidenceSpec,
    ConditionSpec,
    CountSpec,
    DeviationSpec,
    DifferenceSpec,
    DutyCycleSpec,
    ExpressionSpec,
    LimitSpec,
    Mode,
    RateOfChangeSpec,
    Reach,
    RuleSpec,
    ScheduleSpec,
    SequenceSpec,
    StateChangedSpec,
    StateSpec,
    StepSpec,
    StuckSpec,
)
from firewatch.rules.state import StateEvaluator
from firewatch.rules.stuck import StuckEvaluator

AnyEvaluator = Evaluator[Any]
MOST_CHOICES = 64
"""Of devices for the names in an expression, for one subject; more are left out, and `firewatch check` says so."""

_NO_TIME = timedelta(0)
_NO_ACTIONS = ActionsSpec()


class Target(msgspec.Struct, frozen=True, omit_defaults=True):
    """A command that a phase of the rule asks for; `device` is `site/device`. `every` asks for it again and again."""

    device: str
    action: str
    parameters: dict[str, str | float | bool]
    every: timedelta | None = None


def beside(targets: tuple[Target, ...], others: Iterable[Target]) -> tuple[Target, ...]:
    """The targets, and those of the others that are for devices that these are not for."""
    named = {target.device for target in targets}
    return (*targets, *(other for other in others if other.device not in named))


class RuleInstance(msgspec.Struct, frozen=True):
    """One rule for one subject, with everything known beforehand about the alarms it may raise.

    `steps` are the rule's, `subject` is `site/asset` or `site/device`, `devices` are those it may listen to. `places`
    are where it stands, for each reach of a suppression; empty where the rule takes part in none. `fingerprint` changes
    when a state kept from before would no longer fit.
    """

    rule: RuleSpec
    steps: tuple[StepSpec, ...]
    site: str
    subject: str
    building: str
    system: str
    place: LocalText
    evaluator: AnyEvaluator
    devices: tuple[Device, ...]
    kinds: dict[str, DeviceKind]
    targets: dict[Phase, tuple[Target, ...]]
    fingerprint: str
    places: dict[Reach, tuple[str, ...]] = {}

    @property
    def is_shadow(self) -> bool:
        """Whether it judges without telling anybody."""
        return self.rule.mode is Mode.SHADOW

    def unit(self, signal: str) -> str:
        """The unit of one of the evaluator's signals, empty if it has none."""
        device = self._device(signal)
        found = self.kinds[device.kind].signal(signal.rpartition("/")[2]) if device is not None else None
        return found.unit if found is not None else ""

    def label(self, signal: str) -> LocalText:
        """What the device of one of the evaluator's signals is called; the place if it is none of them."""
        device = self._device(signal)
        return device.label if device is not None else self.place

    def _device(self, signal: str) -> Device | None:
        _, _, name = signal.rpartition("/")[0].partition("/")
        return next((device for device in self.devices if device.id == name), None)

    def alarm_id(self, onset_time: datetime) -> str:
        """The identity of the alarm that begins then; a shadow's is another than that of the rule when live."""
        return alarm_id(f"shadow {self.rule.id}" if self.is_shadow else self.rule.id, self.subject, onset_time)


_NO_TARGETS: dict[Phase, tuple[Target, ...]] = dict.fromkeys(Phase, ())
_NO_PLACES: dict[Reach, tuple[str, ...]] = {}


def compile_rules(rules: Iterable[RuleSpec], inventory: Inventory) -> tuple[RuleInstance, ...]:
    """All instances of all rules, in the order of rules, sites and subjects."""
    subjects = Subjects(inventory)
    rules = tuple(rules)
    suppressing = {each.rule for rule in rules for each in rule.suppressed_by}
    builders = (
        _Builder(plan, inventory, subject)
        for plan in (_Plan(rule, is_placed=bool(rule.suppressed_by) or rule.id in suppressing) for rule in rules)
        for subject in subjects.within(plan.rule.scope)
    )
    return tuple(instance for builder in builders if (instance := builder.instance()) is not None)


class _Plan:
    """What is the same for all instances of a rule.

    `judged` is what the fingerprint is of, and nothing else: texts, priorities and actions may change while the rule
    goes on.
    """

    def __init__(self, rule: RuleSpec, *, is_placed: bool) -> None:
        self.rule = rule
        self.steps = rule.steps
        self.is_placed = is_placed
        steps = [step.model_dump_json(include={"when", "on_delay", "off_delay"}, by_alias=True) for step in self.steps]
        self.judged = "|".join(["ladder" if rule.ladder else "when", *steps])


class _Builder:
    """Builds the instance of one rule for one subject."""

    def __init__(self, plan: _Plan, inventory: Inventory, subject: Subject) -> None:
        self._plan = plan
        self._rule = plan.rule
        self._kinds = inventory.kinds
        self._subject = subject
        self._devices = subject.devices
        self._found: list[str] = []

    # -- the evaluator ---------------------------------------------------------------------------------------------

    def _evaluator(self) -> AnyEvaluator | None:
        """The rule's ladder, without the steps whose signals the subject does not have; None if it has none at all."""
        plan = self._plan
        judged = [_any_of([self._delayed(leaf, step) for leaf in self._leaves(step.when)]) for step in plan.steps]
        steps = {place: step for place, step in enumerate(judged) if step is not None}
        if plan.rule.ladder and steps:
            return LadderEvaluator(steps)
        return steps.get(0)

    def _delayed(self, evaluator: AnyEvaluator, step: StepSpec) -> AnyEvaluator:
        if step.on_delay == _NO_TIME and step.off_delay == _NO_TIME:
            return evaluator
        return DelayEvaluator(evaluator, step.on_delay, step.off_delay)

    def _leaves(self, condition: ConditionSpec) -> list[AnyEvaluator]:
        """One evaluator for each device that the condition's signal name matches."""
        form = condition.form
        if isinstance(form, LimitSpec):
            return [LimitEvaluator(condition.kind, signal, form) for signal in self._signals(form.signal)]
        if isinstance(form, StateSpec):
            return [StateEvaluator(signal, form) for signal in self._signals(form.signal)]
        if isinstance(form, AbsenceSpec):
            return [AbsenceEvaluator(signals, form) for signals in self._listened(form)]
        if isinstance(form, CoincidenceSpec):
            leaves = [leaf for one in form.of for leaf in self._leaves(one)]
            return [CoincidenceEvaluator(leaves, form.k, form.within)] if leaves else []
        if isinstance(form, RateOfChangeSpec):
            return [RateOfChangeEvaluator(signal, form) for signal in self._signals(form.signal)]
        if isinstance(form, DifferenceSpec):
            return [DifferenceEvaluator(signal, minus, form) for signal, minus in self._pairs(form)]
        if isinstance(form, DeviationSpec):
            zone = ZoneInfo(self._subject.site.time_zone)
            return [DeviationEvaluator(signal, form, zone) for signal in self._signals(form.signal)]
        if isinstance(form, StateChangedSpec):
            return [StateChangedEvaluator(signal, form) for signal in self._signals(form.signal)]
        if isinstance(form, StuckSpec):
            return [StuckEvaluator(signal, form) for signal in self._signals(form.signal)]
        if isinstance(form, ChatterSpec):
            return [ChatterEvaluator(signal, form) for signal in self._signals(form.signal)]
        if isinstance(form, CameraSessionSpec):
            guard = self._part(form.while_)
            return [CameraSessionEvaluator(signal, form, guard) for signal in self._signals(form.signal)]
        return self._composed(condition)

    def _composed(self, condition: ConditionSpec) -> list[AnyEvaluator]:
        """What is one evaluator however many devices it is about; none where the subject lacks what it needs."""
        form = condition.form
        if isinstance(form, SequenceSpec):
            first, then, without = self._part(form.first), self._part(form.then), self._part(form.without)
            if first is not None and then is not None:
                return [SequenceEvaluator(first, then, form.within)]
            return [OmissionEvaluator(first, without, form.within)] if first is not None and without is not None else []
        if isinstance(form, CountSpec):
            part = self._part(form.of)
            return [CountEvaluator(part, form)] if part is not None else []
        if isinstance(form, DutyCycleSpec):
            part = self._part(form.of)
            return [DutyCycleEvaluator(part, form)] if part is not None else []
        if isinstance(form, ScheduleSpec):
            return [ScheduleEvaluator(form, self._subject.site.time_zone)]
        if isinstance(form, ExpressionSpec):
            return self._expressions(form)
        leaves: list[AnyEvaluator] = []
        formula = self._formula(condition, leaves)
        return [LogicEvaluator(formula, leaves)] if formula is not None else []

    def _part(self, condition: ConditionSpec | None) -> AnyEvaluator | None:
        """A condition within another one: active for any of the devices that it matches."""
        return _any_of(self._leaves(condition)) if condition is not None else None

    def _formula(self, condition: ConditionSpec, leaves: list[AnyEvaluator]) -> Formula | None:
        """How `all`, `any` and `not` combine the evaluators in them, which are added to `leaves`."""
        form = condition.form
        if isinstance(form, ConditionSpec | tuple):
            within = [self._formula(part, leaves) for part in ((form,) if isinstance(form, ConditionSpec) else form)]
            parts = tuple(part for part in within if part is not None)
            needed = 1 if condition.kind == "any" else len(within)
            return Formula(condition.kind, parts) if len(parts) >= needed else None
        own = self._leaves(condition)
        alone = tuple(Formula(leaf=len(leaves) + place) for place in range(len(own)))
        leaves += own
        if len(alone) > 1:
            return Formula("any", alone)
        return alone[0] if alone else None

    def _expressions(self, form: ExpressionSpec) -> list[AnyEvaluator]:
        """One for each choice of devices; names that begin with the same kind of device speak of the same device."""
        groups: dict[str, list[str]] = {}
        for name, written in form.signals.items():
            groups.setdefault(written.rpartition("/")[0], []).append(name)
        choices = []
        for names in groups.values():
            signals = [self._signals(form.signals[name]) for name in names]
            choices.append([dict(zip(names, of_one, strict=True)) for of_one in zip(*signals, strict=False)])
        found: list[AnyEvaluator] = []
        for choice in itertools.islice(itertools.product(*choices), MOST_CHOICES):
            chosen = {name: signal for part in choice for name, signal in part.items()}
            types = {name: self._type(signal) for name, signal in chosen.items()}
            found.append(ExpressionEvaluator(form, chosen, types))
        return found

    def _type(self, signal: str) -> SignalType:
        _, device, name = signal.split("/")
        (kind,) = (each.kind for each in self._devices if each.id == device)
        found = self._kinds[kind].signal(name)
        assert found is not None
        return found.type

    def _signals(self, name: str) -> list[str]:
        """The signals of that name: `signal`, `kind/signal` or `kind.tag/signal`."""
        whose, _, signal = name.rpartition("/")
        kind, _, tag = whose.partition(".")
        found = [
            signal_id(self._subject.site.id, device.id, signal)
            for device in self._devices
            if kind in ("", device.kind)
            and (not tag or tag in device.tags)
            and self._kinds[device.kind].signal(signal) is not None
        ]
        self._found.append(" ".join(found))
        return found

    def _pairs(self, form: DifferenceSpec) -> list[tuple[str, str]]:
        """Which signals are held against each other: each device's own two if they are the same devices, else each
        signal of the one name against each of the other.
        """
        signals, others = self._signals(form.signal), self._signals(form.minus)
        if signals != others and [_device_of(one) for one in signals] == [_device_of(one) for one in others]:
            return list(zip(signals, others, strict=True))
        pairs = {(signal, other): None for signal in signals for other in others if signal != other}
        if form.apart is None:
            return list(pairs)
        return [(signal, other) for signal, other in pairs if signal < other or (other, signal) not in pairs]

    def _listened(self, form: AbsenceSpec) -> list[tuple[str, ...]]:
        if form.signal is not None:
            return [(signal,) for signal in self._signals(form.signal)]
        # The derived signals are firewatch's own words: a will, sent by the broker, is no sign of life.
        spoken = [
            tuple(
                signal_id(self._subject.site.id, device.id, signal.name)
                for signal in self._kinds[device.kind].signals
                if not signal.supervisory
            )
            for device in self._devices
        ]
        return [signals for signals in spoken if signals]

    # -- what alarms and actions need ------------------------------------------------------------------------------

    def instance(self) -> RuleInstance | None:
        """The instance, None where the subject has none of the rule's signals."""
        evaluator = self._evaluator()
        if evaluator is None:
            return None
        subject = self._subject
        return RuleInstance(
            rule=self._rule,
            steps=self._plan.steps,
            site=subject.site.id,
            subject=subject.name,
            building=subject.item.building,
            system=subject.system,
            place=_place(subject.labels),
            evaluator=evaluator,
            devices=subject.devices,
            kinds=self._kinds,
            targets=self._all_targets(),
            fingerprint=_fingerprint(self._plan.judged, *self._found, *evaluator.signals, subject.site.time_zone),
            places={reach: subject.place(reach) for reach in Reach} if self._plan.is_placed else _NO_PLACES,
        )

    def _all_targets(self) -> dict[Phase, tuple[Target, ...]]:
        actions = self._rule.actions
        if actions == _NO_ACTIONS:
            return _NO_TARGETS
        targets = {phase: self._targets(getattr(actions, phase)) for phase in Phase}
        undone = self._undoing(actions.suspected)
        targets[Phase.REJECTED] = beside(targets[Phase.REJECTED], undone)
        targets[Phase.INACTIVE] = beside(targets[Phase.INACTIVE], beside(self._undoing(actions.active), undone))
        return targets

    def _targets(self, actions: Sequence[ActionSpec]) -> tuple[Target, ...]:
        return tuple(
            Target(f"{self._subject.site.id}/{device.id}", action.action, self._parameters(action), action.every)
            for action in actions
            for device in self._subject.reached(action)
        )

    def _parameters(self, action: ActionSpec) -> dict[str, str | float | bool]:
        kind = self._kinds.get(action.device)
        known = kind.action(action.action) if kind is not None else None
        return completed(known, action.parameters) if known is not None else action.parameters

    def _undoing(self, actions: Sequence[ActionSpec]) -> tuple[Target, ...]:
        """What ends these actions, for those whose kind of device says so."""
        known = [(spec, self._kinds[spec.device].action(spec.action)) for spec in actions if spec.device in self._kinds]
        return self._targets(
            [
                ActionSpec(device=spec.device, action=action.undo, same=spec.same)
                for spec, action in known
                if action and action.undo
            ]
        )


def _any_of(evaluators: list[AnyEvaluator]) -> AnyEvaluator | None:
    if len(evaluators) > 1:
        return CoincidenceEvaluator(evaluators, k=1, within=_NO_TIME, tell_each=True)
    return evaluators[0] if evaluators else None


def _device_of(signal: str) -> str:
    return signal.rpartition("/")[0]


def _place(labels: Sequence[LocalText]) -> LocalText:
    return LocalText(zh=_joined("·", [label.zh for label in labels]), en=_joined(", ", [label.en for label in labels]))


def _joined(separator: str, parts: list[str]) -> str:
    """Outer to inner, leaving out a part that the next one already begins with ("Tower A", "Tower A lift 1")."""
    following = [*parts[1:], ""]
    return separator.join(part for part, after in zip(parts, following, strict=True) if not after.startswith(part))


def _fingerprint(*judged: str) -> str:
    return hashlib.blake2s("|".join(judged).encode(), digest_size=8).hexdigest()
