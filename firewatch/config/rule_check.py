"""From rule files to `RuleSpec`s that fit the inventory: every name known, every quantity in its signal's own unit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from firewatch.config.document import Document, Path_
from firewatch.config.inventory import VALUE_TYPES
from firewatch.config.problem import Place, Problem, Severity, did_you_mean
from firewatch.config.shape import validate_header, validate_items
from firewatch.config.units import converter
from firewatch.model.site import DeviceKind, Inventory, Signal, SignalType
from firewatch.rules.scope import Subject, Subjects
from firewatch.rules.spec import (
    AbsenceSpec,
    ActionSpec,
    CameraSessionSpec,
    CoincidenceSpec,
    ConditionSpec,
    LimitSpec,
    Quantity,
    RuleFile,
    RuleSpec,
    StateSpec,
)

PLACEHOLDERS = ("value", "unit", "place", "device")
"""What a rule's text may hold in braces."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def read_rules(
    documents: Sequence[Document], inventory: Inventory, *, inventory_whole: bool
) -> tuple[tuple[RuleSpec, ...], list[Problem]]:
    """The rules that could be understood, and every problem with the others.

    `inventory_whole` is False where site or kind files have problems themselves: then nobody is told that a rule
    names what does not exist, because it may be among what could not be read.
    """
    rules: list[RuleSpec] = []
    problems: list[Problem] = []
    places: dict[str, Place] = {}
    subjects = Subjects(inventory)
    for document in documents:
        problems += validate_header(document, RuleFile, "rules")[1]
        specs, wrong = validate_items(document, RuleSpec, "rules")
        problems += wrong
        for path, spec in specs:
            place = document.place(*path, "id")
            first = places.setdefault(spec.id, place)
            if first != place:
                what = f'another rule is called "{spec.id}"'
                problems.append(document.problem((*path, "id"), what, "rename one", other=first))
            checker = _RuleChecker(document, path, spec, inventory, subjects)
            checker.check_itself()
            if inventory_whole:
                rules.append(checker.fit())
            problems += checker.problems
    return tuple(rules), problems


class _RuleChecker:
    """Checks one rule and rewrites its quantities into the signals' own units."""

    def __init__(
        self, document: Document, path: Path_, rule: RuleSpec, inventory: Inventory, subjects: Subjects
    ) -> None:
        self._document = document
        self._path = path
        self._rule = rule
        self._inventory = inventory
        self._kinds = inventory.kinds
        self._known_subjects = subjects
        self._subjects: tuple[Subject, ...] = ()
        self.problems: list[Problem] = []

    def check_itself(self) -> None:
        """Look for what is wrong whatever the inventory holds."""
        for key in ("text", "advice"):
            for language in ("zh", "en"):
                self._check_placeholders(key, language)
        kinds = [step.when.kind for step in self._rule.steps]
        if "camera_session" not in kinds:
            for phase in ("suspected", "rejected"):
                if getattr(self._rule.actions, phase):
                    what = f'"{phase}" exists for camera sessions only, this rule watches {", ".join(kinds)}'
                    self._add(("actions", phase), what, "use active and inactive")

    def fit(self) -> RuleSpec:
        """Hold the rule against the inventory; what is returned is of use only if no problem was found."""
        known = len(self.problems)
        self._check_scope()
        if len(self.problems) > known:
            return self._rule
        self._subjects = tuple(self._known_subjects.within(self._rule.scope))
        if not self._subjects:
            what = f"nothing in the sites matches, so the rule will never act: {self._scope_words()}"
            self._add(("scope",), what, "correct the scope, or remove the rule", Severity.LINT)
        fitted: dict[str, object] = {}
        if self._rule.when is not None:
            fitted["when"] = self._condition(("when",), self._rule.when)
        fitted["ladder"] = tuple(
            step.model_copy(update={"when": self._condition(("ladder", index, "when"), step.when)})
            for index, step in enumerate(self._rule.ladder)
        )
        for phase in ("suspected", "rejected", "active", "inactive"):
            for index, action in enumerate(getattr(self._rule.actions, phase)):
                self._check_action(("actions", phase, index), action)
        return self._rule.model_copy(update=fitted)

    # -- scope ---------------------------------------------------------------------------------------------------

    def _check_scope(self) -> None:
        scope = self._rule.scope
        sites = self._inventory.sites
        for name in scope.device:
            self._check_name(("scope", "device"), "kind of device", name, self._kinds)
        kinds = {asset.kind for site in sites for asset in site.assets}
        for name in scope.asset:
            self._check_name(("scope", "asset"), "kind of asset", name, kinds)
        for index, name in enumerate(scope.sites):
            self._check_name(("scope", "sites", index), "site", name, {site.id for site in sites})
        for index, name in enumerate(scope.buildings):
            buildings = {building.id for site in sites for building in site.buildings}
            self._check_name(("scope", "buildings", index), "building", name, buildings)
        tags = {tag for site in sites for device in site.devices for tag in device.tags}
        tags |= {tag for site in sites for asset in site.assets for tag in asset.tags}
        for index, name in enumerate(scope.tags):
            self._check_name(("scope", "tags", index), "tag", name, tags)

    def _scope_words(self) -> str:
        scope = self._rule.scope
        words = [f"{sort} kind {', '.join(kinds)}" for sort in ("device", "asset") if (kinds := getattr(scope, sort))]
        words += [
            f"{key} {', '.join(names)}" for key in ("sites", "buildings", "tags") if (names := getattr(scope, key))
        ]
        return ", ".join(words)

    # -- conditions ----------------------------------------------------------------------------------------------

    def _condition(self, at: Path_, condition: ConditionSpec) -> ConditionSpec:
        form, below = condition.form, (*at, condition.kind)
        match form:
            case LimitSpec():
                fitted: object = self._limit(below, form)
            case CoincidenceSpec():
                fitted = self._coincidence(below, form)
            case CameraSessionSpec():
                fitted = self._camera_session(below, form)
            case StateSpec():
                self._check_state(below, form)
                return condition
            case AbsenceSpec():
                self._check_absence(below, form)
                return condition
            case _:
                return condition
        return condition.with_form(fitted)

    def _limit(self, at: Path_, form: LimitSpec) -> LimitSpec:
        signal = self._signal((*at, "signal"), form.signal)
        if signal is None:
            return form
        if signal.type is not SignalType.NUMBER:
            what = f'the signal "{form.signal}" is of type {signal.type} and has no limits'
            self._add((*at, "signal"), what, "use `state`")
            return form
        if form.deadband.value < 0:
            self._add((*at, "deadband"), f"a deadband is at least 0, found {form.deadband.value:g}")
        deadband = form.deadband
        if "deadband" in form.model_fields_set:
            deadband = self._quantity((*at, "deadband"), form.deadband, signal, difference=True)
        limit = self._quantity((*at, "limit"), form.limit, signal)
        return form.model_copy(update={"limit": limit, "deadband": deadband})

    def _quantity(self, at: Path_, written: Quantity, signal: Signal, *, difference: bool = False) -> Quantity:
        """The quantity in the signal's unit; a difference (a deadband) is scaled, not shifted."""
        if signal.unit and not written.unit:
            what = f'the number has no unit, and "{signal.name}" is in {signal.unit}'
            self._add(at, what, f'write "{written.value:g} {signal.unit}"')
            return written
        try:
            scale, offset = converter(written.unit, signal.unit)
        except ValueError as error:
            self._add(at, str(error), "" if signal.unit else f'leave the unit out, "{signal.name}" has none')
            return written
        if written.unit == signal.unit:
            return written
        value = written.value * scale + (0.0 if difference else offset)
        return Quantity(value=float(f"{value:.12g}"), unit=signal.unit)

    def _check_state(self, at: Path_, form: StateSpec) -> None:
        signal = self._signal((*at, "signal"), form.signal)
        if signal is None:
            return
        expected = VALUE_TYPES[signal.type]
        for index, value in enumerate(form.values):
            place = (*at, "is") if form.is_ is not None else (*at, "in", index)
            if not isinstance(value, expected) or (expected is float and isinstance(value, bool)):
                words = {float: "a number", bool: "true or false", str: f"one of {', '.join(signal.states)}"}
                shown = (
                    str(value).lower()
                    if isinstance(value, bool)
                    else f"{value:g}"
                    if isinstance(value, float)
                    else value
                )
                self._add(place, f'the signal "{form.signal}" is {words[expected]}, found {shown}')
            elif signal.states and value not in signal.states:
                what = f'the signal "{form.signal}" has no state "{value}"'
                self._add(place, what, did_you_mean(str(value), signal.states))

    def _check_absence(self, at: Path_, form: AbsenceSpec) -> None:
        if form.signal is not None:
            self._signal((*at, "signal"), form.signal)
        elif not self._rule.scope.device:
            what = "an asset is not silent as a whole"
            self._add(at, what, "name a `signal`, or give the rule a device kind as scope")
        if not form.after:
            self._add((*at, "after"), "a device is always silent for 0s", "write a duration such as 15s")

    def _coincidence(self, at: Path_, form: CoincidenceSpec) -> CoincidenceSpec:
        fitted = tuple(self._condition((*at, "of", index), condition) for index, condition in enumerate(form.of))
        counts = [(sum(self._matches(subject, each) for each in form.of), subject) for subject in self._subjects]
        most = max((count for count, _ in counts), default=form.k)
        if form.k > most:
            what = f"k is {form.k}, but no subject has more than {most} of these conditions (one a device)"
            self._add((*at, "k"), what, "lower k, or add conditions")
        else:
            for count, subject in counts:
                if count < form.k:
                    what = f"{subject.name} has only {count} of the {form.k} needed and can never become active"
                    self._add((*at, "k"), what, "add devices there, or narrow the scope", Severity.LINT)
        return form.model_copy(update={"of": fitted})

    def _matches(self, subject: Subject, condition: ConditionSpec) -> int:
        """How many devices of the subject the condition watches."""
        name = getattr(condition.form, "signal", None)
        kind = name.split("/")[0] if name and not self._rule.scope.device else None
        return sum(1 for device in subject.devices if kind is None or device.kind == kind)

    def _camera_session(self, at: Path_, form: CameraSessionSpec) -> CameraSessionSpec:
        signal = self._signal((*at, "signal"), form.signal)
        if signal is not None and (signal.type is not SignalType.NUMBER or signal.unit):
            what = f'"{form.signal}" is no detector score (a number from 0 to 1 without a unit)'
            self._add((*at, "signal"), what)
        if form.stay > form.enter:
            self._add((*at, "stay"), f"stay {form.stay:g} is above enter {form.enter:g}", "it is the lower of the two")
        if form.while_ is None:
            return form
        return form.model_copy(update={"while_": self._condition((*at, "while"), form.while_)})

    # -- names ---------------------------------------------------------------------------------------------------

    def _signal(self, at: Path_, written: str) -> Signal | None:
        """The signal that a rule means by a name; None (and a problem) if there is none."""
        scope = self._rule.scope
        if scope.device:
            if "/" in written:
                what = f'"{written}" names a device kind, and the scope already does'
                self._add(at, what, f'write "{written.rsplit("/", 1)[1]}"')
                return None
            return next(self._signal_of(at, self._kinds[kind], written) for kind in scope.device)
        present = self._kinds_in_asset()
        kind_name, slash, name = written.partition("/")
        if not slash:
            carriers = [kind for kind in present if self._kinds[kind].signal(written)]
            hint = f'write "{carriers[0]}/{written}"' if len(carriers) == 1 else "write device-kind/signal"
            self._add(at, f'"{written}" does not say whose signal it is', hint)
            return None
        kind = self._kinds.get(kind_name)
        if kind is None:
            self._add(at, f'there is no kind of device "{kind_name}"', did_you_mean(kind_name, present or self._kinds))
            return None
        if present and kind_name not in present:
            what = f"no {' or '.join(scope.asset)} in the scope has a device of kind {kind_name}"
            self._add(at, what, did_you_mean(kind_name, present))
            return None
        return self._signal_of(at, kind, name)

    def _signal_of(self, at: Path_, kind: DeviceKind, name: str) -> Signal | None:
        signal = kind.signal(name)
        if signal is None:
            names = [each.name for each in kind.signals]
            self._add(at, f'a {kind.kind} has no signal "{name}"', did_you_mean(name, names))
        return signal

    def _kinds_in_asset(self) -> set[str]:
        return {device.kind for subject in self._subjects for device in subject.devices}

    def _check_action(self, at: Path_, action: ActionSpec) -> None:
        kind = self._kinds.get(action.device)
        if kind is None:
            what = f'there is no kind of device "{action.device}"'
            self._add((*at, "device"), what, did_you_mean(action.device, self._kinds))
            return
        if action.action not in kind.actions:
            hint = did_you_mean(action.action, kind.actions) or f"a {kind.kind} answers no commands"
            self._add((*at, "action"), f'a {kind.kind} does not answer "{action.action}"', hint)
        for subject in self._subjects:
            if not any(device.kind == kind.kind for device in subject.neighbours):
                what = f"{subject.name} has no device of kind {kind.kind}, so nothing will be done there"
                self._add((*at, "device"), what, severity=Severity.LINT)

    def _check_placeholders(self, key: str, language: str) -> None:
        text = getattr(getattr(self._rule, key), language)
        for name in _PLACEHOLDER.findall(text):
            if name not in PLACEHOLDERS:
                self._add((key, language), f"unknown placeholder {{{name}}}", did_you_mean(name, PLACEHOLDERS))

    def _check_name(self, at: Path_, noun: str, name: str, known: Iterable[str]) -> None:
        if name not in known:
            self._add(at, f'there is no {noun} "{name}"', did_you_mean(name, known))

    def _add(self, at: Path_, what: str, hint: str = "", severity: Severity = Severity.WRONG) -> None:
        self.problems.append(self._document.problem((*self._path, *at), what, hint, severity=severity))
