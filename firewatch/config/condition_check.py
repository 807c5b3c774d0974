"""Conditions held against the inventory: names known, quantities in their signals' own units, nothing impossible."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from firewatch.config.condition_logic import excludes, has_time
from firewatch.config.document import Path_
from firewatch.config.inventory import VALUE_TYPES
from firewatch.config.problem import Problem, Severity, did_you_mean
from firewatch.config.rule_files import RuleFiles, Written
from firewatch.config.units import converter, is_known
from firewatch.model.site import DeviceKind, Signal, SignalType
from firewatch.rules.cel_language import check_expression
from firewatch.rules.compile import MOST_CHOICES
from firewatch.rules.scope import Subject
from firewatch.rules.spec import (
    AbsenceSpec,
    CalendarSpec,
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
    Quantity,
    RateOfChangeSpec,
    RuleSpec,
    ScheduleSpec,
    SequenceSpec,
    SpecModel,
    StateChangedSpec,
    StateSpec,
    StuckSpec,
)

_AT_LEAST_0 = ("rises_by", "falls_by", "apart", "deadband", "band")
"""Quantities that say how far, and not where."""

Form = TypeVar("Form", bound=SpecModel)


@dataclass
class ConditionChecker:
    """Checks the conditions of one rule for `subjects`; `problems` grows with every call.

    `scope` are the subjects that the rule speaks about before overrides part them. `rule` changes too: in the place of
    a calendar's name it says what the calendar says, in its places there.
    """

    rule: Written[RuleSpec]
    kinds: dict[str, DeviceKind]
    files: RuleFiles
    scope: Sequence[Subject]
    subjects: Sequence[Subject]
    problems: list[Problem]

    def fitted(self, at: Path_, condition: ConditionSpec) -> ConditionSpec:
        """The condition with its quantities in the signals' own units and its calendars written out."""
        form, below = condition.form, (*at, condition.kind)
        match form:
            case ConditionSpec():
                return condition.with_form(self.fitted(below, form))
            case tuple():
                return condition.with_form(self._all_or_any(condition.kind, below, form))
            case LimitSpec():
                return condition.with_form(self._limit(condition.kind, below, form))
            case RateOfChangeSpec() | DeviationSpec():
                return condition.with_form(self._change(below, form))
            case DifferenceSpec():
                return condition.with_form(self._difference(below, form))
            case StuckSpec():
                return condition.with_form(self._stuck(below, form))
            case StateSpec():
                self._check_values(below, form.signal, "is" if form.is_ is not None else "in", form.values)
                if form.until:
                    self._check_values(below, form.signal, "until", form.until)
                if both := [value for value in form.until if value in form.values]:
                    what = f"{_shown(both[0])} would begin it and end it"
                    self._add((*below, "until"), what, "leave it out in one of the places")
            case StateChangedSpec():
                self._check_change(below, form)
            case ChatterSpec():
                self._check_chatter(below, form)
            case AbsenceSpec():
                self._check_absence(below, form)
            case CoincidenceSpec():
                return condition.with_form(self._coincidence(below, form))
            case SequenceSpec() | CountSpec() | DutyCycleSpec():
                return condition.with_form(self._parts(below, form))
            case CameraSessionSpec():
                return condition.with_form(self._camera_session(below, form))
            case ScheduleSpec():
                return condition.with_form(self._schedule(below, form))
            case ExpressionSpec():
                self._check_expression(below, form)
        return condition

    # -- limits and other quantities -------------------------------------------------------------------------------

    def _limit(self, kind: str, at: Path_, form: LimitSpec) -> LimitSpec:
        signal = self._number((*at, "signal"), form.signal, "has no limits")
        if signal is None:
            return form
        fitted = self._in_own_unit(at, form, signal)
        if signal.range is not None and fitted.limit.unit == signal.unit:
            self._check_within(kind, at, fitted, signal.range)
        return fitted

    def _check_within(self, kind: str, at: Path_, form: LimitSpec, span: tuple[float, float]) -> None:
        """Whether values within the signal's range can be beyond the limit, and can come back from there."""
        least, most = span
        limit, deadband, unit = form.limit.value, form.deadband.value, form.limit.unit
        told = f"{form.signal} is {_span(span, unit)}"
        is_high = kind.startswith("high")
        if limit >= most if is_high else limit <= least:
            what = f"{told}, never {'above' if is_high else 'below'} {_number(limit, unit)}"
            self._add((*at, "limit"), what, "correct the limit, or the signal's `range`")
        elif (limit < least) if is_high else (limit > most):
            what = f"{told}, always {'above' if is_high else 'below'} {_number(limit, unit)}"
            self._add((*at, "limit"), what, "correct the limit, or the signal's `range`")
        elif (limit - deadband < least) if is_high else (limit + deadband > most):
            back = limit - deadband if is_high else limit + deadband
            what = f"{told} and never comes back to {_number(back, unit)}"
            self._add((*at, "deadband"), what, "write a smaller deadband")

    def _change(self, at: Path_, form: RateOfChangeSpec | DeviationSpec) -> RateOfChangeSpec | DeviationSpec:
        signal = self._number((*at, "signal"), form.signal, "does not rise or fall")
        if signal is None:
            return form
        fitted = self._in_own_unit(at, form, signal)
        self._check_reachable(at, fitted, signal.range)
        return fitted

    def _difference(self, at: Path_, form: DifferenceSpec) -> DifferenceSpec:
        signal = self._number((*at, "signal"), form.signal, "cannot be subtracted from")
        minus = self._number((*at, "minus"), form.minus, "cannot be subtracted")
        if signal is None or minus is None:
            return form
        if signal.unit != minus.unit:
            what = f'"{form.signal}" is in {signal.unit or "no unit"} and "{form.minus}" in {minus.unit or "no unit"}'
            self._add((*at, "minus"), what, "give both the same `unit` in their kinds of device")
            return form
        if form.signal == form.minus and self._is_single(form.signal):
            self._add((*at, "minus"), f'"{form.minus}" less itself is always 0', "name another signal")
        return self._in_own_unit(at, form, signal)

    def _check_reachable(self, at: Path_, form: SpecModel, span: tuple[float, float] | None) -> None:
        if span is None:
            return
        for name in ("rises_by", "falls_by", "apart"):
            far = getattr(form, name, None)
            if far is not None and far.value >= span[1] - span[0]:
                what = f"the signal is {_span(span, far.unit)} and never moves by {_number(far.value, far.unit)}"
                self._add((*at, name), what, "correct it, or the signal's `range`")

    def _stuck(self, at: Path_, form: StuckSpec) -> StuckSpec:
        signal = self._signal((*at, "signal"), form.signal)
        if signal is None:
            return form
        if signal.type is not SignalType.NUMBER:
            if "band" in form.model_fields_set:
                self._add((*at, "band"), f'the signal "{form.signal}" is of type {signal.type}', "leave the band out")
            return form
        fitted = self._in_own_unit(at, form, signal)
        if signal.range is not None and fitted.band.value >= signal.range[1] - signal.range[0]:
            what = f"{form.signal} is {_span(signal.range, fitted.band.unit)}, always within that band"
            self._add((*at, "band"), what, "write a smaller band")
        return fitted

    def _in_own_unit(self, at: Path_, form: Form, signal: Signal) -> Form:
        """The form with every quantity that was written brought into the signal's unit."""
        fitted: dict[str, Quantity] = {}
        for name in sorted(form.model_fields_set):
            written = getattr(form, name)
            if isinstance(written, Quantity):
                if name in _AT_LEAST_0 and written.value < 0:
                    word = "a deadband is" if name == "deadband" else "it is"
                    self._add((*at, name), f"{word} at least 0, found {written.value:g}")
                fitted[name] = self._quantity((*at, name), written, signal, is_place=name == "limit")
        return form.model_copy(update=fitted)

    def _quantity(self, at: Path_, written: Quantity, signal: Signal, *, is_place: bool) -> Quantity:
        """The quantity in the signal's unit; one that says how far, and not where, is scaled, not shifted."""
        if signal.unit and not written.unit:
            what = f'the number has no unit, and "{signal.name}" is in {signal.unit}'
            self._add(at, what, f'write "{written.value:g} {signal.unit}"')
            return written
        try:
            scale, offset = converter(written.unit, signal.unit)
        except ValueError as error:
            hint = "" if signal.unit else f'leave the unit out, "{signal.name}" has none'
            self._add(at, str(error), hint if is_known(written.unit) else f'"{signal.name}" is in {signal.unit}')
            return written
        if written.unit == signal.unit:
            return written
        value = written.value * scale + (offset if is_place else 0.0)
        return Quantity(value=float(f"{value:.12g}"), unit=signal.unit)

    # -- states and silence ----------------------------------------------------------------------------------------

    def _check_values(self, at: Path_, name: str, key: str, values: Iterable[str | bool | float]) -> None:
        signal = self._signal((*at, "signal"), name)
        if signal is None:
            return
        expected = VALUE_TYPES[signal.type]
        for index, value in enumerate(values):
            place = (*at, key) if key == "is" else (*at, key, index)
            if not isinstance(value, expected) or (expected is float and isinstance(value, bool)):
                words = {float: "a number", bool: "true or false", str: f"one of {', '.join(signal.states)}"}
                self._add(place, f'the signal "{name}" is {words[expected]}, found {_shown(value)}')
            elif signal.states and value not in signal.states:
                what = f'the signal "{name}" has no state "{value}"'
                self._add(place, what, did_you_mean(str(value), signal.states))
            elif signal.range is not None and not signal.range[0] <= float(value) <= signal.range[1]:
                self._add(place, f"{name} is {_span(signal.range, signal.unit)}, never {_shown(value)}")

    def _check_change(self, at: Path_, form: StateChangedSpec) -> None:
        self._check_values(at, form.signal, "from", form.from_)
        self._check_values(at, form.signal, "to", form.to)
        if form.from_ and form.to and len({*form.from_, *form.to}) == 1:
            what = f"a change from {_shown(form.from_[0])} to {_shown(form.to[0])} is none"
            self._add((*at, "to"), what, "name another value")

    def _check_chatter(self, at: Path_, form: ChatterSpec) -> None:
        signal = self._signal((*at, "signal"), form.signal)
        if signal is not None and signal.type is SignalType.NUMBER:
            what = f'the signal "{form.signal}" is a number and changes with every reading'
            self._add((*at, "signal"), what, "use `count` of a limit")

    def _check_absence(self, at: Path_, form: AbsenceSpec) -> None:
        if form.signal is not None:
            self._signal((*at, "signal"), form.signal)
        elif not self.rule.spec.scope.device:
            what = "an asset is not silent as a whole"
            self._add(at, what, "name a `signal`, or give the rule a device kind as scope")
        if not form.after:
            self._add((*at, "after"), "a device is always silent for 0s", "write a duration such as 15s")

    # -- conditions of conditions ----------------------------------------------------------------------------------

    def _all_or_any(self, kind: str, at: Path_, conditions: tuple[ConditionSpec, ...]) -> tuple[ConditionSpec, ...]:
        fitted = tuple(self.fitted((*at, index), condition) for index, condition in enumerate(conditions))
        if kind == "all":
            for earlier, later in itertools.combinations(range(len(fitted)), 2):
                if excludes(fitted[earlier], fitted[later], self._is_single):
                    what = f"it is never active together with condition {earlier + 1}, so `all` of them never is"
                    self._add((*at, later), what, "use `any`, or correct one of the two")
        return fitted

    def _parts(self, at: Path_, form: Form) -> Form:
        """The form with every condition in it fitted."""
        fitted = {
            name: self.fitted((*at, name), part)
            for name in type(form).model_fields
            if isinstance(part := getattr(form, name), ConditionSpec)
        }
        return form.model_copy(update=fitted)

    def _coincidence(self, at: Path_, form: CoincidenceSpec) -> CoincidenceSpec:
        known = len(self.problems)
        fitted = tuple(self.fitted((*at, "of", index), condition) for index, condition in enumerate(form.of))
        if len(self.problems) > known:
            return form
        counts = {subject: sum(self.leaves(subject, each) for each in form.of) for subject in self.subjects}
        most = max(counts.values(), default=form.k)
        few = [subject for subject, count in counts.items() if count < form.k]
        if form.k > most:
            what = f"k is {form.k}, but no subject has more than {most} of these conditions (one a device)"
            self._add((*at, "k"), what, "lower k, or add conditions")
        elif few:
            what = f"fewer than {form.k} of these conditions belong to {named(few)}, where it never becomes active"
            self._add((*at, "k"), what, "add devices there, or narrow the scope", Severity.LINT)
        return form.model_copy(update={"of": fitted})

    def _camera_session(self, at: Path_, form: CameraSessionSpec) -> CameraSessionSpec:
        signal = self._signal((*at, "signal"), form.signal)
        if signal is not None and (signal.type is not SignalType.NUMBER or signal.unit):
            what = f'"{form.signal}" is no detector score (a number from 0 to 1 without a unit)'
            self._add((*at, "signal"), what)
        if form.stay > form.enter:
            self._add((*at, "stay"), f"stay {form.stay:g} is above enter {form.enter:g}", "it is the lower of the two")
        if form.while_ is None:
            return form
        return form.model_copy(update={"while_": self.fitted((*at, "while"), form.while_)})

    # -- schedules and expressions ---------------------------------------------------------------------------------

    def _schedule(self, at: Path_, form: ScheduleSpec) -> ScheduleSpec:
        if form.calendar is not None:
            return self._written_out(at, form, form.calendar)
        self.problems += window_problems(self.rule, at, form)
        return form

    def _written_out(self, at: Path_, form: ScheduleSpec, name: str) -> ScheduleSpec:
        """The schedule with the named calendar's windows; the places of the rule's values lead to the calendar."""
        if form.windows or form.except_:
            self._add(at, "it names a calendar and has times of its own", "write one of the two")
            return form
        calendar = self.files.calendars.get(name)
        if calendar is None:
            if name not in self.files.known_calendars:
                hint = did_you_mean(name, self.files.known_calendars) or "write its windows here"
                self._add((*at, "calendar"), f'there is no calendar "{name}"', hint)
            return form
        document = self.rule.document.with_value((*self.rule.path, *at), calendar.document, calendar.path)
        self.rule = replace(self.rule, document=document)
        return form.model_copy(update={"windows": calendar.spec.windows, "except_": calendar.spec.except_})

    def _check_expression(self, at: Path_, form: ExpressionSpec) -> None:
        signals = {name: self._signal((*at, "signals", name), written) for name, written in form.signals.items()}
        types = {name: signal.type for name, signal in signals.items() if signal is not None}
        if len(types) < len(signals):
            return
        for what in check_expression(form.cel, types):
            self._add((*at, "cel"), what)
        many = [subject for subject in self.subjects if self._choices(subject, form) > MOST_CHOICES]
        if many:
            what = f"there are more than {MOST_CHOICES} choices of devices for its signals at {named(many)}"
            self._add((*at, "signals"), what, "narrow them by a tag, such as kind.tag/signal")

    # -- names -----------------------------------------------------------------------------------------------------

    def _matching(self, subject: Subject, name: str) -> list[str]:
        """The ids of the subject's devices that a signal's name matches."""
        kind, tag, signal = _parted(name)
        return [
            device.id
            for device in subject.devices
            if kind in ("", device.kind)
            and (not tag or tag in device.tags)
            and self.kinds[device.kind].signal(signal) is not None
        ]

    def _pairs(self, subject: Subject, form: DifferenceSpec) -> int:
        """How many times two signals are held against each other: a device's own two, else each with each other."""
        signals, others = self._matching(subject, form.signal), self._matching(subject, form.minus)
        is_same = _parted(form.signal)[2] == _parted(form.minus)[2]
        if signals == others and not is_same:
            return len(signals)
        pairs = {(one, other) for one in signals for other in others if one != other or not is_same}
        return len({frozenset(pair) for pair in pairs} if form.apart is not None and is_same else pairs)

    def _choices(self, subject: Subject, form: ExpressionSpec) -> int:
        """How many choices of devices there are for an expression: names of one kind of device speak of the same."""
        groups: dict[str, int] = {}
        for written in form.signals.values():
            whose, count = written.rpartition("/")[0], len(self._matching(subject, written))
            groups[whose] = min(count, groups.get(whose, count))
        return math.prod(groups.values())

    def leaves(self, subject: Subject, condition: ConditionSpec) -> int:
        """How many times the condition counts for a subject, as `compile_rules` sees it: once a device (or choice of
        devices) for one about signals, else once; 0 where the subject lacks what it needs.
        """
        form = condition.form
        match form:
            case ConditionSpec():
                return min(1, self.leaves(subject, form))
            case tuple():
                counts = [self.leaves(subject, part) for part in form]
                return min(1, *counts) if condition.kind == "all" else min(1, sum(counts))
            case SequenceSpec():
                return min(1, *(self.leaves(subject, part) for part in (form.first, form.then or form.without) if part))
            case CountSpec() | DutyCycleSpec():
                return min(1, self.leaves(subject, form.of))
            case CoincidenceSpec():
                return min(1, sum(self.leaves(subject, part) for part in form.of))
            case ScheduleSpec():
                return 1
            case ExpressionSpec():
                return self._choices(subject, form)
            case DifferenceSpec():
                return self._pairs(subject, form)
            case AbsenceSpec(signal=None):
                return len(subject.devices)
        return len(self._matching(subject, str(getattr(form, "signal", ""))))

    def _is_single(self, name: str) -> bool:
        """Whether a signal's name matches one device of every subject, so that it has one value at a time."""
        return all(len(self._matching(subject, name)) == 1 for subject in self.subjects)

    def _number(self, at: Path_, written: str, otherwise: str) -> Signal | None:
        """The signal of that name if it is a number; None (and a problem) if it is not."""
        signal = self._signal(at, written)
        if signal is not None and signal.type is not SignalType.NUMBER:
            what = f'the signal "{written}" is of type {signal.type} and {otherwise}'
            self._add(at, what, "use `state`")
            return None
        return signal

    def _signal(self, at: Path_, written: str) -> Signal | None:
        """The signal that a rule means by a name; None (and a problem) if there is none."""
        scope = self.rule.spec.scope
        if scope.device:
            if "/" in written:
                what = f'"{written}" names a device kind, and the scope already does'
                self._add(at, what, f'write "{written.rsplit("/", 1)[1]}"')
                return None
            return self._alike(at, [self._signal_of(at, self.kinds[kind], written) for kind in scope.device])
        kind_name, tag, name = _parted(written)
        present = {device.kind for subject in self.scope for device in subject.devices}
        if not kind_name:
            carriers = sorted(kind for kind in present if self.kinds[kind].signal(written))
            hint = f'write "{carriers[0]}/{written}"' if len(carriers) == 1 else "write device-kind/signal"
            self._add(at, f'"{written}" does not say whose signal it is', hint)
            return None
        kind = self.kinds.get(kind_name)
        if kind is None:
            self._add(at, f'there is no kind of device "{kind_name}"', did_you_mean(kind_name, present or self.kinds))
            return None
        tags = {each for subject in self.scope for d in subject.devices if d.kind == kind_name for each in d.tags}
        if present and kind_name not in present:
            what = f"no {' or '.join(scope.asset)} in the scope has a device of kind {kind_name}"
            self._add(at, what, did_you_mean(kind_name, present))
            return None
        if present and tag and tag not in tags:
            self._add(at, f'no {kind_name} in the scope has the tag "{tag}"', did_you_mean(tag, tags))
            return None
        return self._signal_of(at, kind, name)

    def _signal_of(self, at: Path_, kind: DeviceKind, name: str) -> Signal | None:
        signal = kind.signal(name)
        if signal is None:
            names = [each.name for each in kind.signals]
            self._add(at, f'a {kind.kind} has no signal "{name}"', did_you_mean(name, names))
        return signal

    def _alike(self, at: Path_, signals: Sequence[Signal | None]) -> Signal | None:
        """The one signal that the kinds of a scope have in common; None (and a problem) if they mean different ones."""
        first, *others = signals
        for other in others:
            if first is None or other is None:
                return None
            if (first.type, first.unit, first.states) != (other.type, other.unit, other.states):
                what = f'"{first.name}" is not the same in all kinds of the scope (its type, unit or states differ)'
                self._add(at, what, "write a rule for each kind")
                return None
        return first

    def _add(self, at: Path_, what: str, hint: str = "", severity: Severity = Severity.WRONG) -> None:
        self.problems.append(self.rule.problem(at, what, hint, severity=severity))


def window_problems(written: Written[Any], at: Path_, schedule: ScheduleSpec | CalendarSpec) -> Iterator[Problem]:
    """A problem for each window of a schedule that holds no time at all."""
    for index, window in enumerate(schedule.windows):
        if not has_time(window, schedule.except_):
            yield written.problem((*at, "windows", index), "there is no time in it", "correct it, or remove it")


def named(subjects: Sequence[Subject]) -> str:
    """The first by name, the others by number."""
    return f"{subjects[0].name} and {len(subjects) - 1} more" if len(subjects) > 1 else subjects[0].name


def _parted(name: str) -> tuple[str, str, str]:
    """`kind.tag/signal` as its three parts, those left out empty."""
    kind, _, signal = name.rpartition("/")
    kind, _, tag = kind.partition(".")
    return kind, tag, signal


def _span(span: tuple[float, float], unit: str) -> str:
    return f"from {span[0]:g} to {_number(span[1], unit)}"


def _number(value: float, unit: str) -> str:
    return f"{value:g} {unit}".rstrip()


def _shown(value: str | bool | float) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else value
