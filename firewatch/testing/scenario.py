"""Rule tests as they are read: every name in them known, every reading worked out. `play` runs them.

What devices send while firewatch is down arrives when it is up again, as with a persistent MQTT session.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from firewatch.config.document import Document, Path_, read_document
from firewatch.config.problem import Problem, ProblemsError, did_you_mean
from firewatch.config.project import TEST_SUFFIX, load_rules
from firewatch.config.shape import validate_header, validate_items
from firewatch.model.observation import Observation
from firewatch.model.site import Device, Inventory, Signal
from firewatch.rules.scope import Subjects
from firewatch.rules.spec import Mode, RuleSpec
from firewatch.testing.clock import START
from firewatch.testing.operator import arguments, read_argument
from firewatch.testing.scenario_spec import ABOUT_ALARMS, CaseSpec, ExpectSpec, ScenarioFile, SeriesSpec, StepSpec
from firewatch.testing.series import READINGS_LIMIT, Series, SeriesReader, read_part


@dataclass(frozen=True)
class Rules:
    """Some rule files' rules, and which of a rule's specs judges which subject: an override makes several of one id.

    A shadow rule is tested as if it were live, so that its tests stay as they are when it goes live.
    """

    specs: tuple[RuleSpec, ...]
    judging: Mapping[str, Mapping[str, RuleSpec]]
    """By the rule's id and the subject."""


@dataclass(frozen=True)
class Scenario:
    """One test, ready to run: every name in it is known."""

    document: Document
    path: Path_
    case: CaseSpec
    files: tuple[Path, ...]
    """The rule files it is about."""
    rules: Rules
    inventory: Inventory
    start: datetime
    series: Mapping[str, Series]
    """By the signal's identity."""
    observations: tuple[Observation, ...]
    subjects: Mapping[Path_, str]
    """The subject meant at a place of the file, `site/asset` or `site/device`."""
    reloads: Mapping[int, Rules]
    """The rules that a step goes on with."""


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
    rule_book = _RuleBook(document, inventory)
    rules = rule_book.rules(("rules",), header.rules)
    if rules is None:
        raise ProblemsError(rule_book.problems)
    files = tuple(file.parent / name for name in header.rules)
    scenarios = []
    for path, case in cases:
        reader = _Reader(document, path, case, rules, rule_book, inventory)
        scenarios.append(reader.scenario(files))
        problems += reader.problems
    problems += rule_book.problems
    if problems:
        raise ProblemsError(problems)
    return tuple(scenarios)


class _RuleBook:
    """The rule files named in a test file, each set of them read once."""

    def __init__(self, document: Document, inventory: Inventory) -> None:
        self._document = document
        self._folder = Path(document.file).parent
        self._inventory = inventory
        self._known: dict[tuple[str, ...], Rules] = {}
        self.problems: list[Problem] = []

    def rules(self, at: Path_, names: tuple[str, ...]) -> Rules | None:
        """The rules of the files named there; None if one is not there or is wrong."""
        if names not in self._known:
            wrong = [index for index, name in enumerate(names) if not (self._folder / name).exists()]
            for index in wrong:
                self.problems.append(
                    self._document.problem((*at, index), f'there is no file "{names[index]}" beside this one')
                )
            if wrong:
                return None
            try:
                specs = load_rules([self._folder / name for name in names], self._inventory)
            except ProblemsError as error:
                self.problems += error.problems
                return None
            self._known[names] = _judging(specs, self._inventory)
        return self._known[names]


def _judging(specs: Iterable[RuleSpec], inventory: Inventory) -> Rules:
    subjects = Subjects(inventory)
    judging: dict[str, dict[str, RuleSpec]] = {}
    listed = tuple(spec.model_copy(update={"mode": Mode.LIVE}) for spec in specs)
    for spec in listed:
        judging.setdefault(spec.id, {}).update((subject.name, spec) for subject in subjects.within(spec.scope))
    return Rules(listed, judging)


@dataclass
class _Reader:
    """Holds one test against the rules and the inventory."""

    document: Document
    path: Path_
    case: CaseSpec
    rules: Rules
    rule_book: _RuleBook
    inventory: Inventory
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._devices = {f"{site.id}/{each.id}": each for site in self.inventory.sites for each in site.devices}
        self._heard: set[str] = set()
        self._subjects: dict[Path_, str] = {}

    def scenario(self, files: tuple[Path, ...]) -> Scenario:
        """The test; whole only if there are no problems."""
        series = {
            signal: one for key, spec in self.case.observations.items() for signal, one in self._series(key, spec)
        }
        start = self._start()
        observations = [each for signal, one in series.items() for each in self._observations(signal, one, start)]
        if len(observations) > READINGS_LIMIT:
            self._add(("observations",), f"more than {READINGS_LIMIT} readings in one test")
        observations.sort(key=lambda observation: observation.receive_time)
        reloads = {
            index: rules
            for index, step in enumerate(self.case.steps)
            if step.reload and (rules := self.rule_book.rules((*self.path, "steps", index, "reload"), step.reload))
        }
        for index, step in enumerate(self.case.steps):
            self._check_step(("steps", index), step, reloads)
        latest = timedelta(0)
        for index, expect in enumerate(self.case.expect):
            self._check_expectation(("expect", index), expect, latest, reloads)
            latest = max(latest, expect.at)
        return Scenario(
            document=self.document,
            path=self.path,
            case=self.case,
            files=files,
            rules=self.rules,
            inventory=self.inventory,
            start=start,
            series=series,
            observations=tuple(observations),
            subjects=self._subjects,
            reloads=reloads,
        )

    # -- what is heard ---------------------------------------------------------------------------------------------

    def _series(self, key: str, spec: SeriesSpec) -> Iterator[tuple[str, Series]]:
        at: Path_ = ("observations", key)
        device_name, _, signal_name = key.rpartition("/")
        names = [name for name in self._devices if device_name in (name, name.split("/")[1])]
        if len(names) != 1:
            what = f'there is no device "{device_name}"' if not names else f'several sites have a "{device_name}"'
            short = [name.split("/")[1] for name in self._devices]
            self._add(at, what, did_you_mean(device_name, short) if not names else f"write {names[0]}/{signal_name}")
            return
        signal = self._signal(at, self._devices[names[0]], signal_name)
        if signal is None:
            return
        self._heard.add(names[0])
        reader = SeriesReader(signal, spec.every or self.case.every)
        for index, written in enumerate(spec.values):
            try:
                reader.take(read_part(str(written).lower() if isinstance(written, bool) else str(written)))
            except ValueError as error:
                self._add(self._part(at, index), str(error))
        yield f"{names[0]}/{signal_name}", reader.series()

    def _part(self, at: Path_, index: int) -> Path_:
        """Where that part of a series stands, whichever way the series is written."""
        return self.document.resolve((*self.path, *at, "values", index))[len(self.path) :]

    def _signal(self, at: Path_, device: Device, name: str) -> Signal | None:
        kind = self.inventory.kinds[device.kind]
        signal = kind.signal(name)
        if signal is None:
            self._add(at, f'a {kind.kind} has no signal "{name}"', did_you_mean(name, (s.name for s in kind.signals)))
        return signal

    def _start(self) -> datetime:
        if self.case.start is None:
            return START
        heard = {name.split("/")[0] for name in self._heard}
        zones = {site.time_zone for site in self.inventory.sites if site.id in heard or not heard}
        if len(zones) != 1:
            self._add(("start",), "the sites heard lie in different time zones", "write one test for each")
        return self.case.start.replace(tzinfo=ZoneInfo(min(zones))).astimezone(START.tzinfo)

    def _observations(self, signal: str, series: Series, start: datetime) -> Iterator[Observation]:
        for reading in series.readings:
            source_time = start + reading.at - reading.late_by
            yield Observation(
                signal=signal,
                value=reading.value,
                quality=reading.quality,
                source_time=source_time,
                receive_time=start + self._heard_when(reading.at),
                event_time=source_time,
            )

    def _heard_when(self, sent: timedelta) -> timedelta:
        """What is sent while firewatch is down is heard when it is up again."""
        for step in self.case.steps:
            if step.down is not None and step.at < sent < step.at + step.down:
                return step.at + step.down
        return sent

    # -- what happens and what is expected -------------------------------------------------------------------------

    def _check_step(self, at: Path_, step: StepSpec, reloads: Mapping[int, Rules]) -> None:
        if self._is_down(step.at, step):
            self._add((*at, "at"), "firewatch is down then")
        if step.verb is None:
            return
        self._find_subject(at, step.verb, step.rule, step.subject, reloads)
        for name, argument in arguments(step.verb).items():
            if name in step.given:
                try:
                    read_argument(argument, step.given[name], START + step.at)
                except ValueError as error:
                    self._add((*at, name), str(error))

    def _is_down(self, at: timedelta, but: StepSpec | None = None) -> bool:
        return any(
            step.down is not None and step is not but and step.at <= at < step.at + step.down
            for step in self.case.steps
        )

    def _check_expectation(
        self, at: Path_, expect: ExpectSpec, latest: timedelta, reloads: Mapping[int, Rules]
    ) -> None:
        if expect.at < latest:
            self._add((*at, "at"), "it lies before the expectation above", "write expectations in the order of time")
        if self._is_down(expect.at):
            self._add((*at, "at"), "firewatch is down then")
        if not expect.states and expect.commands is None and expect.nothing is None:
            self._add(
                at, "nothing is expected", "name a rule and the state of its alarm, `commands`, or `nothing: true`"
            )
        if not expect.states and (keys := sorted(ABOUT_ALARMS & expect.model_fields_set)):
            self._add((*at, keys[0]), "it does not say of which rule")
        for rule in expect.states:
            self._find_subject(at, rule, rule, expect.subject, reloads)

    def _find_subject(
        self, at: Path_, key: str, rule_id: str, written: str | None, reloads: Mapping[int, Rules]
    ) -> None:
        """Note which subject is meant: the one written, else the one that the test's observations are about."""
        judging: dict[str, dict[str, RuleSpec]] = {}
        for rules in (self.rules, *reloads.values()):
            for rule, specs in rules.judging.items():
                judging.setdefault(rule, {}).update(specs)
        if rule_id not in judging:
            self._add((*at, key), f'there is no rule "{rule_id}"', did_you_mean(rule_id, judging))
            return
        subjects = list(judging[rule_id])
        wanted = written or self.case.subject
        named = [name for name in subjects if wanted in (name, name.split("/")[1])]
        meant = named or ([] if written else [name for name in subjects if self._is_heard(name)])
        if len(meant) == 1:
            self._subjects[(*self.path, *at, key)] = meant[0]
        elif written:
            self._add((*at, "subject"), f'the rule "{rule_id}" does not speak of "{written}"')
        elif not self.problems:
            listed = ", ".join(meant or subjects[:6]) or "none"
            self._add((*at, key), f"it does not say of which subject ({listed})", "add `subject`")

    def _is_heard(self, subject: str) -> bool:
        """Whether the observations are of that device, or of one of that asset's."""
        site = subject.split("/")[0]
        return any(
            subject in (name, f"{site}/{self._devices[name].asset}")
            for name in self._heard
            if name.split("/")[0] == site
        )

    def _add(self, at: Path_, what: str, hint: str = "") -> None:
        self.problems.append(self.document.problem((*self.path, *at), what, hint))
