"""Runs rule tests: the same engine as in service, driven by a timeline instead of a broker.

An instant of a test goes in this order: what time alone decides, what is heard, what people do, and then what is
expected. What devices send while firewatch is down arrives when it is up again, as with a persistent MQTT session.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from firewatch.config.document import Document, Path_, read_document
from firewatch.config.problem import Place, Problem, ProblemsError, did_you_mean
from firewatch.config.project import TEST_SUFFIX, load_rules
from firewatch.config.shape import validate_header, validate_items
from firewatch.engine.engine import Engine
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Alarm, AlarmState
from firewatch.model.command import Acknowledge
from firewatch.model.effect import Annunciate, Effect, SendCommand
from firewatch.model.observation import Observation, signal_id
from firewatch.model.site import Device, Inventory, Signal
from firewatch.rules.scope import Subjects
from firewatch.rules.spec import RuleSpec
from firewatch.testing.clock import START
from firewatch.testing.scenario_spec import CaseSpec, ExpectSpec, ScenarioFile, StepSpec
from firewatch.testing.timeline import read_timeline

OPERATOR = "operator"
"""Who acknowledges in a test."""


@dataclass(frozen=True)
class Outcome:
    """How a test went; it passed if there are no failures."""

    name: str
    place: Place
    failures: tuple[Problem, ...]


@dataclass(frozen=True)
class Scenario:
    """One test, ready to run: every name in it is known."""

    document: Document
    path: Path_
    case: CaseSpec
    rules: tuple[RuleSpec, ...]
    inventory: Inventory
    observations: tuple[Observation, ...]
    subjects: dict[Path_, str]
    """The subject meant at a place of the file, `site/asset` or `site/device`."""

    def run(self) -> Outcome:
        """Play the test up to its last expectation."""
        return Outcome(self.case.name, self.document.place(*self.path), tuple(_Run(self).failures()))


def scenario_files(paths: Iterable[Path]) -> list[Path]:
    """The files named, and the test files in the folders named."""
    found: list[Path] = []
    for path in paths:
        found += sorted(path.rglob(f"*{TEST_SUFFIX}")) if path.is_dir() else [path]
    return list(dict.fromkeys(found))


def load_scenarios(file: Path, inventory: Inventory) -> tuple[Scenario, ...]:
    """Read a test file and the rule files it names.

    Raises:
        ProblemsError: with every problem found.
    """
    document, problems = read_document(file)
    if document is None:
        raise ProblemsError(problems)
    header, wrong = validate_header(document, ScenarioFile, "tests")
    cases, broken = validate_items(document, CaseSpec, "tests")
    problems += [*wrong, *broken]
    if header is None:
        raise ProblemsError(problems)
    if not cases and not problems:
        raise ProblemsError([document.problem(("tests",), "there are no tests")])
    for index, name in enumerate(header.rules):
        if not (file.parent / name).is_file():
            raise ProblemsError([document.problem(("rules", index), f'there is no file "{name}" beside this one')])
    rules = load_rules([file.parent / name for name in header.rules], inventory)
    scenarios = []
    for path, case in cases:
        reader = _Reader(document, path, case, rules, inventory)
        scenarios.append(reader.read())
        problems += reader.problems
    if problems:
        raise ProblemsError(problems)
    return tuple(scenarios)


class _Reader:
    """Holds one test against the rules and the inventory."""

    def __init__(
        self, document: Document, path: Path_, case: CaseSpec, rules: Sequence[RuleSpec], inventory: Inventory
    ) -> None:
        self._document = document
        self._path = path
        self._case = case
        self._rules = {rule.id: rule for rule in rules}
        self._inventory = inventory
        self._devices = {f"{site.id}/{each.id}": each for site in inventory.sites for each in site.devices}
        self._heard: set[str] = set()
        self._subjects: dict[Path_, str] = {}
        self.problems: list[Problem] = []

    def read(self) -> Scenario:
        observations = [each for key, text in self._case.observations.items() for each in self._timeline(key, text)]
        observations.sort(key=lambda observation: observation.receive_time)
        for index, step in enumerate(self._case.steps):
            if step.acknowledge is not None:
                self._find_subject(("steps", index), "acknowledge", step.acknowledge, step.subject)
        latest = timedelta(0)
        for index, expect in enumerate(self._case.expect):
            self._check_expectation(("expect", index), expect, latest)
            latest = max(latest, expect.at)
        return Scenario(
            document=self._document,
            path=self._path,
            case=self._case,
            rules=tuple(self._rules.values()),
            inventory=self._inventory,
            observations=tuple(observations),
            subjects=self._subjects,
        )

    def _timeline(self, key: str, written: str | float | bool) -> Iterator[Observation]:
        at: Path_ = ("observations", key)
        device_name, _, signal_name = key.rpartition("/")
        names = [name for name in self._devices if name == device_name or name.split("/")[1] == device_name]
        if len(names) != 1:
            what = f'there is no device "{device_name}"' if not names else f'several sites have a "{device_name}"'
            short = [name.split("/")[1] for name in self._devices]
            self._add(at, what, did_you_mean(device_name, short) if not names else f"write {names[0]}/{signal_name}")
            return
        device = self._devices[names[0]]
        signal = self._signal(at, device, signal_name)
        if signal is None:
            return
        self._heard.add(names[0])
        text = str(written).lower() if isinstance(written, bool) else str(written)
        try:
            ticks = read_timeline(text, signal)
        except ValueError as error:
            self._add(at, str(error))
            return
        site, device_id = names[0].split("/")
        for tick in ticks:
            sent = self._case.every * tick.number
            source_time = START + sent - tick.late_by
            yield Observation(
                signal=signal_id(site, device_id, signal_name),
                value=tick.value,
                quality=tick.quality,
                source_time=source_time,
                receive_time=START + self._heard_when(sent),
                event_time=source_time,
            )

    def _heard_when(self, sent: timedelta) -> timedelta:
        """What is sent while firewatch is down is heard when it is up again."""
        for step in self._case.steps:
            if step.restart and step.at < sent < step.at + step.restart:
                return step.at + step.restart
        return sent

    def _signal(self, at: Path_, device: Device, name: str) -> Signal | None:
        kind = self._inventory.kinds[device.kind]
        signal = kind.signal(name)
        if signal is None:
            self._add(at, f'a {kind.kind} has no signal "{name}"', did_you_mean(name, (s.name for s in kind.signals)))
        return signal

    def _check_expectation(self, at: Path_, expect: ExpectSpec, latest: timedelta) -> None:
        if expect.at < latest:
            self._add((*at, "at"), "it lies before the expectation above", "write expectations in the order of time")
        if any(step.restart and step.at <= expect.at < step.at + step.restart for step in self._case.steps):
            self._add((*at, "at"), "firewatch is down then")
        if not expect.states and expect.commands is None:
            self._add(at, "nothing is expected", "name a rule and the state of its alarm, or `commands`")
        if (expect.annunciated is not None or expect.condition is not None) and not expect.states:
            self._add(at, "it does not say of which rule")
        for rule in expect.states:
            self._find_subject(at, rule, rule, expect.subject)

    def _find_subject(self, at: Path_, key: str, rule_id: str, written: str | None) -> None:
        """Note which subject is meant: the one written, else the one that the test's observations are about."""
        rule = self._rules.get(rule_id)
        if rule is None:
            self._add((*at, key), f'there is no rule "{rule_id}"', did_you_mean(rule_id, self._rules))
            return
        subjects = {subject.name: subject for subject in Subjects(self._inventory).within(rule.scope)}
        wanted = written or self._case.subject
        named = [name for name in subjects if wanted in (name, name.split("/")[1])]
        heard = [
            name
            for name, subject in subjects.items()
            if any(f"{subject.site.id}/{device.id}" in self._heard for device in subject.devices)
        ]
        meant = named or ([] if written else heard)
        if len(meant) == 1:
            self._subjects[(*self._path, *at, key)] = meant[0]
        elif written:
            self._add((*at, "subject"), f'the rule "{rule_id}" does not speak of "{written}"')
        elif not self.problems:
            listed = ", ".join(meant or list(subjects)[:6]) or "none"
            self._add((*at, key), f"it does not say of which subject ({listed})", "add `subject`")

    def _add(self, at: Path_, what: str, hint: str = "") -> None:
        self.problems.append(self._document.problem((*self._path, *at), what, hint))


class _Run:
    """Plays one test."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._case = scenario.case
        self._engine = Engine(scenario.rules, scenario.inventory)
        self._effects: list[Effect] = []
        self._failures: list[Problem] = []

    def failures(self) -> list[Problem]:
        """What did not come as expected."""
        self._effects += self._engine.start(START)
        heard = _by_instant(self._scenario.observations)
        instants = {*heard, *(START + step.at for step in self._case.steps), *(START + e.at for e in self._case.expect)}
        end = START + max(expect.at for expect in self._case.expect)
        for now in sorted(instant for instant in instants if instant <= end):
            self._advance(now)
            for observation in heard.get(now, ()):
                self._effects += self._engine.observe(observation, now)
            self._advance(now)
            self._take_steps(now)
            self._advance(now)
            for index, expect in enumerate(self._case.expect):
                if START + expect.at == now:
                    self._check(("expect", index), expect)
                    self._effects.clear()
        return self._failures

    def _advance(self, now: datetime) -> None:
        """Let the engine decide everything that time alone decides by now, at the instants it asks for."""
        while (wake := self._engine.next_wake()) is not None and wake <= now:
            self._effects += self._engine.advance(wake)

    def _take_steps(self, now: datetime) -> None:
        for index, step in enumerate(self._case.steps):
            if START + step.at != now:
                continue
            if step.restart is not None:
                self._restart(now + step.restart)
            else:
                self._acknowledge(("steps", index), step, now)

    def _restart(self, up_again: datetime) -> None:
        snapshot = self._engine.snapshot()
        self._engine = Engine(self._scenario.rules, self._scenario.inventory)
        self._engine.restore(snapshot)
        self._effects += self._engine.resume(up_again)

    def _acknowledge(self, at: Path_, step: StepSpec, now: datetime) -> None:
        rule = step.acknowledge or ""
        alarm = self._alarm(rule, self._subject((*at, "acknowledge")))
        if alarm is None:
            self._fail((*at, "acknowledge"), f"there is no alarm of {rule} to acknowledge")
            return
        try:
            self._effects += self._engine.command(Acknowledge(alarm.alarm_id, OPERATOR), now)
        except RefusedCommandError as error:
            self._fail((*at, "acknowledge"), str(error))

    def _check(self, at: Path_, expect: ExpectSpec) -> None:
        time = f"at {expect.at.total_seconds():g}s"
        for rule, state in expect.states.items():
            subject = self._subject((*at, rule))
            alarm = self._alarm(rule, subject)
            came = alarm.state if alarm else AlarmState.NORMAL
            if came is not state:
                self._fail((*at, rule), f"{time} {rule} of {subject}: expected {state}, came {came}")
            if expect.condition is not None and (alarm is None or alarm.condition is not expect.condition):
                found = alarm.condition if alarm else "no alarm"
                self._fail((*at, "condition"), f"{time} {rule} of {subject}: expected {expect.condition}, came {found}")
            if expect.annunciated is not None and self._was_annunciated(rule, subject) is not expect.annunciated:
                came_word = "it was not" if expect.annunciated else "it was"
                self._fail((*at, "annunciated"), f"{time} {rule} of {subject}: annunciated {came_word}")
        if expect.commands is not None and (sent := self._sent(expect)) != expect.commands:
            wanted = f"expected the commands {_listed(expect.commands)}, came {_listed(sent)}"
            self._fail((*at, "commands"), f"{time} {wanted}")

    def _alarm(self, rule: str, subject: str) -> Alarm | None:
        standing = [alarm for alarm in self._engine.alarms() if (alarm.rule, alarm.subject) == (rule, subject)]
        return max(standing, key=lambda alarm: alarm.onset_time, default=None)

    def _was_annunciated(self, rule: str, subject: str) -> bool:
        alarms = (effect.alarm for effect in self._effects if isinstance(effect, Annunciate))
        return any((alarm.rule, alarm.subject) == (rule, subject) for alarm in alarms)

    def _sent(self, expect: ExpectSpec) -> tuple[str, ...]:
        commands = (effect.command for effect in self._effects if isinstance(effect, SendCommand))
        return tuple(
            f"{command.device.split('/')[1]} {command.action}"
            for command in commands
            if not expect.states or command.rule in expect.states
        )

    def _subject(self, at: Path_) -> str:
        return self._scenario.subjects[(*self._scenario.path, *at)]

    def _fail(self, at: Path_, what: str) -> None:
        self._failures.append(self._scenario.document.problem((*self._scenario.path, *at), what))


def _by_instant(observations: Iterable[Observation]) -> dict[datetime, list[Observation]]:
    instants: dict[datetime, list[Observation]] = {}
    for observation in observations:
        instants.setdefault(observation.receive_time, []).append(observation)
    return instants


def _listed(commands: Sequence[str]) -> str:
    return f"[{', '.join(commands)}]"
