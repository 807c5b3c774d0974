"""From files of drill plans to plans that can be run, and what can be wrong between them and everything else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import timedelta

from firewatch.config.document import Document, Path_, claim
from firewatch.config.drill_spec import DrillFile, ExpectationSpec, PlanSpec, ReadingSpec
from firewatch.config.inventory import VALUE_TYPES
from firewatch.config.notification_spec import NotificationFile
from firewatch.config.problem import Place, Problem, Severity, did_you_mean
from firewatch.config.rule_files import Written
from firewatch.config.shape import validate_header, validate_items
from firewatch.config.units import converter, is_known
from firewatch.model.drill import DrillPlan, Expectation, PlannedReading
from firewatch.model.observation import Value
from firewatch.model.site import Device, Inventory, Signal, SignalType
from firewatch.model.text import LocalText
from firewatch.rules.scope import Subjects
from firewatch.rules.spec import WRITTEN_QUANTITY, Mode, RuleSpec

READINGS_LIMIT = 5_000
"""Readings of one drill, repeated ones included."""


class Known:
    """What plans may name. Rules and targets are None where nobody can tell which there are."""

    def __init__(
        self, inventory: Inventory, rules: Iterable[RuleSpec] | None = None, told: NotificationFile | None = None
    ) -> None:
        self.inventory = inventory
        self.sites = {site.id: site for site in inventory.sites}
        self.judged = None if rules is None else _judged(rules, inventory)
        self.targets = None if told is None else {target.id: target for target in told.targets}


def read_drills(documents: Iterable[Document], known: Known | None) -> tuple[tuple[DrillPlan, ...], list[Problem]]:
    """The plans that can be run, and every problem with the others. Without `known`, because the inventory is wrong
    itself, there is none, and only their shape is looked at.
    """
    plans: list[DrillPlan] = []
    problems: list[Problem] = []
    places: dict[str, Place] = {}
    for document in documents:
        _, wrong = validate_header(document, DrillFile, "drills")
        specs, broken = validate_items(document, PlanSpec, "drills")
        problems += [*wrong, *broken]
        for path, spec in specs:
            problems += claim(places, spec.id, document, (*path, "id"), "drill")
            if known is not None:
                reader = _Reader(Written(document, path, spec), known)
                plan = reader.plan()
                problems += reader.problems
                if not any(problem.severity is Severity.WRONG for problem in reader.problems):
                    plans.append(plan)
    return tuple(plans), problems


class _Reader:
    """One plan."""

    def __init__(self, written: Written[PlanSpec], known: Known) -> None:
        self._written = written
        self._known = known
        self.problems: list[Problem] = []
        site = known.sites.get(written.spec.site)
        self._devices: Mapping[str, Device] = {} if site is None else {each.id: each for each in site.devices}
        if site is None:
            self._add(
                ("site",), f'there is no site "{written.spec.site}"', did_you_mean(written.spec.site, known.sites)
            )

    def plan(self) -> DrillPlan:
        spec = self._written.spec
        may_ask = frozenset(self._may_ask())
        readings = self._readings()
        self._check_targets()
        for index, expectation in enumerate(spec.expect):
            if spec.site in self._known.sites:
                self._check_expectation(("expect", index), expectation, may_ask)
        return DrillPlan(
            plan=spec.id,
            label=LocalText(zh=spec.label.zh, en=spec.label.en),
            site=spec.site,
            readings=tuple(readings),
            may_ask=may_ask,
            may_tell=frozenset(spec.may_tell),
            expect=tuple(_expectation(each, spec.site) for each in spec.expect),
            longest=spec.longest,
        )

    # -- readings --------------------------------------------------------------------------------------------------

    def _readings(self) -> list[PlannedReading]:
        found: list[PlannedReading] = []
        for index, spec in enumerate(self._written.spec.readings):
            at = ("readings", index)
            value = self._value(at, spec)
            for after in _times(spec):
                if len(found) >= READINGS_LIMIT:
                    self._add(at, f"more than {READINGS_LIMIT} readings in one drill", "repeat less often")
                    return found
                found.append(PlannedReading(after, spec.device, spec.signal, value))
                if after > self._written.spec.longest:
                    self._add((*at, "after"), "it comes after the longest time of the drill", "make `longest` longer")
                    break
        return sorted(found, key=lambda reading: reading.after)

    def _value(self, at: Path_, spec: ReadingSpec) -> Value:
        device = self._device((*at, "device"), spec.device)
        if device is None:
            return spec.value
        kind = self._known.inventory.kinds[device.kind]
        signal = next((each for each in kind.signals if each.name == spec.signal), None)
        if signal is None:
            names = [each.name for each in kind.signals]
            self._add(
                (*at, "signal"), f'a {device.kind} has no signal "{spec.signal}"', did_you_mean(spec.signal, names)
            )
            return spec.value
        value = self._in_own_unit((*at, "value"), spec.value, signal)
        expected = VALUE_TYPES[signal.type]
        if not isinstance(value, expected) or (expected is float and isinstance(value, bool)):
            words = {float: "a number", bool: "true or false", str: f"one of {', '.join(signal.states)}"}
            self._add((*at, "value"), f'the signal "{signal.name}" is {words[expected]}')
        elif signal.states and value not in signal.states:
            hint = did_you_mean(str(value), signal.states)
            self._add((*at, "value"), f'the signal "{signal.name}" has no state "{value}"', hint)
        elif signal.range is not None and not signal.range[0] <= float(value) <= signal.range[1]:
            least, most = signal.range
            self._add(
                (*at, "value"), f'the signal "{signal.name}" is between {least:g} and {most:g} {signal.unit}'.strip()
            )
        return value

    def _in_own_unit(self, at: Path_, value: Value, signal: Signal) -> Value:
        if signal.type is not SignalType.NUMBER or isinstance(value, bool):
            return value
        number, unit = value, ""
        if isinstance(value, str):
            match = WRITTEN_QUANTITY.match(value.strip())
            if not match:
                return value
            number, unit = float(match[1]), match[2].strip()
        if signal.unit and not unit:
            what = f'the number has no unit, and "{signal.name}" is in {signal.unit}'
            self._add(at, what, f'write "{number:g} {signal.unit}"')
            return float(number)
        try:
            scale, offset = converter(unit, signal.unit)
        except ValueError as error:
            self._add(at, str(error), f'"{signal.name}" is in {signal.unit or "no unit"}' if is_known(unit) else "")
            return float(number)
        return float(f"{float(number) * scale + offset:.12g}")

    # -- what may really happen ------------------------------------------------------------------------------------

    def _may_ask(self) -> Iterator[str]:
        spec, kinds = self._written.spec, self._known.inventory.kinds
        for index, name in enumerate(spec.may_ask.devices):
            device = self._device(("may_ask", "devices", index), name)
            if device is None:
                continue
            if not kinds[device.kind].actions:
                self._add(("may_ask", "devices", index), f'a {device.kind} has no actions, "{name}" cannot be asked')
            yield f"{spec.site}/{name}"
        for index, kind in enumerate(spec.may_ask.kinds):
            acting = {name for name, each in kinds.items() if each.actions}
            if kind not in acting:
                what = f'there is no kind of device "{kind}" with actions'
                self._add(("may_ask", "kinds", index), what, did_you_mean(kind, acting))
            yield from (f"{spec.site}/{device.id}" for device in self._devices.values() if device.kind == kind)

    def _check_targets(self) -> None:
        targets = self._known.targets
        if targets is None:
            return
        for index, name in enumerate(self._written.spec.may_tell):
            if name not in targets:
                what = f'there is no notification target "{name}"'
                self._add(("may_tell", index), what, did_you_mean(name, targets))
            elif not targets[name].drills:
                what, hint = f'the target "{name}" takes no drills', "give it `drills: true`, or leave it out here"
                self._add(("may_tell", index), what, hint, severity=Severity.LINT)

    # -- what is expected ------------------------------------------------------------------------------------------

    def _check_expectation(self, at: Path_, spec: ExpectationSpec, may_ask: Set[str]) -> None:
        plan = self._written.spec
        if spec.within > plan.longest:
            self._add((*at, "within"), "the drill is over before that", "make `longest` longer")
        if spec.alarm is not None and self._known.judged is not None:
            self._check_rule(at, spec.alarm, f"{plan.site}/{spec.subject}")
        if spec.device is not None and spec.action is not None:
            self._check_action(at, spec, may_ask)
        if spec.told is not None and spec.told not in plan.may_tell:
            self._add((*at, "told"), f'the plan does not let "{spec.told}" be told', "add it to `may_tell`")

    def _check_rule(self, at: Path_, rule: str, subject: str) -> None:
        judged = self._known.judged
        assert judged is not None
        if rule not in judged:
            self._add((*at, "alarm"), f'there is no live rule "{rule}"', did_you_mean(rule, judged))
        elif subject not in judged[rule]:
            hint = did_you_mean(subject, judged[rule])
            self._add((*at, "subject"), f'the rule "{rule}" does not judge {subject}', hint)

    def _check_action(self, at: Path_, spec: ExpectationSpec, may_ask: Set[str]) -> None:
        assert spec.device is not None
        device = self._device((*at, "device"), spec.device)
        if device is None:
            return
        kind = self._known.inventory.kinds[device.kind]
        action = kind.action(spec.action or "")
        if action is None:
            names = [each.name for each in kind.actions]
            what = f'a {device.kind} has no action "{spec.action}"'
            self._add((*at, "action"), what, did_you_mean(spec.action or "", names))
        elif spec.proven and action.proof is None:
            self._add((*at, "proven"), f'no second signal proves "{spec.action}" of a {device.kind}', "leave it out")
        if f"{self._written.spec.site}/{spec.device}" not in may_ask:
            what = f'the plan does not let "{spec.device}" be asked'
            self._add((*at, "device"), what, "add it to `may_ask`")

    def _device(self, at: Path_, name: str) -> Device | None:
        device = self._devices.get(name)
        if device is None and self._written.spec.site in self._known.sites:
            self._add(at, f'the site has no device "{name}"', did_you_mean(name, self._devices))
        return device

    def _add(self, at: Path_, what: str, hint: str = "", *, severity: Severity = Severity.WRONG) -> None:
        self.problems.append(self._written.problem(at, what, hint, severity=severity))


def _judged(rules: Iterable[RuleSpec], inventory: Inventory) -> dict[str, set[str]]:
    """The subjects that each live rule judges."""
    subjects, judged = Subjects(inventory), dict[str, set[str]]()
    for rule in rules:
        if rule.mode is not Mode.SHADOW:
            judged.setdefault(rule.id, set()).update(subject.name for subject in subjects.within(rule.scope))
    return judged


def _times(spec: ReadingSpec) -> Iterator[timedelta]:
    yield spec.after
    if spec.every is not None and spec.for_ is not None:
        for turn in range(1, spec.for_ // spec.every + 1):
            yield spec.after + turn * spec.every


def _expectation(spec: ExpectationSpec, site: str) -> Expectation:
    return Expectation(
        within=spec.within,
        rule=spec.alarm,
        subject=f"{site}/{spec.subject}" if spec.subject is not None else None,
        device=f"{site}/{spec.device}" if spec.device is not None else None,
        action=spec.action,
        proven=spec.proven,
        told=spec.told,
    )
