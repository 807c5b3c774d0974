"""Plays rule tests: the same engine as in service, driven by a test's observations and steps instead of a broker.

An instant of a test goes in this order: what time alone decides, what is heard, what people do, and then what is
expected. A kill is what it is in service: the last snapshot is restored and everything heard and commanded since is
replayed; what was told and sent before is not told and sent again. A snapshot is taken at the beginning, and whenever
the engine asks for one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from firewatch.config.document import Path_
from firewatch.config.problem import Place, Problem
from firewatch.engine.engine import Engine
from firewatch.engine.explanation import Explanation
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Alarm, AlarmState
from firewatch.model.command import OperatorCommand
from firewatch.model.duration import write_duration
from firewatch.model.effect import Annunciate, Effect, SendCommand
from firewatch.model.observation import Observation
from firewatch.rules.spec import RuleSpec
from firewatch.testing.operator import arguments, command, read_argument
from firewatch.testing.scenario import Rules, Scenario
from firewatch.testing.scenario_spec import ExpectSpec, StepSpec
from firewatch.testing.series import Trouble
from firewatch.testing.story import Judged, Story, not_done


@dataclass(frozen=True)
class Failure:
    """Something that did not come as expected, and what happened around it, line by line."""

    problem: Problem
    story: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join([str(self.problem), *(f"    {line}" for line in self.story)])


@dataclass(frozen=True)
class Sighting:
    """How a rule stood for a subject when the test held an expectation against it.

    `step` is the ladder's step that its alarm stood at, None if there was none. `troubles` are what the test let be
    missing from the signals that the rule reads, by signal.
    """

    spec: RuleSpec
    subject: str
    explanation: Explanation
    step: int | None
    troubles: dict[str, Trouble]


@dataclass(frozen=True)
class Outcome:
    """How a test went; it passed if there are no failures. `steps_reached` are the steps at which each rule's alarms
    began, by rule and subject.
    """

    name: str
    place: Place
    failures: tuple[Failure, ...]
    sightings: tuple[Sighting, ...]
    steps_reached: dict[Judged, frozenset[int]]


def play(scenario: Scenario) -> Outcome:
    """Play the test up to its last expectation; if it fails, up to its last observation, to see what comes later."""
    player = _Player(scenario)
    player.run()
    return Outcome(
        name=scenario.case.name,
        place=scenario.document.place(*scenario.path),
        failures=tuple(player.told()),
        sightings=tuple(player.sightings),
        steps_reached=player.story.steps_reached(),
    )


@dataclass
class _Fault:
    """A failure before its story is told."""

    at: Path_
    what: str
    time: timedelta
    about: Judged | None = None


@dataclass
class _Player:
    scenario: Scenario
    sightings: list[Sighting] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._case = self.scenario.case
        self._rules: Rules = self.scenario.rules
        self._engine = Engine(self._rules.specs, self.scenario.inventory)
        self._now = self.scenario.start
        self._snapshot = b""
        self._since: list[Callable[[Engine], list[Effect]]] = []
        self._effects: list[Effect] = []
        self._faults: list[_Fault] = []
        self.story = Story(self.scenario.start)

    def run(self) -> None:
        start = self.scenario.start
        self._take(self._engine.start(start))
        self._snapshot = self._engine.snapshot()
        heard = _by_instant(self.scenario.observations)
        instants = {*heard, *(start + step.at for step in self._case.steps), *(start + e.at for e in self._case.expect)}
        end = start + max(expect.at for expect in self._case.expect)
        for now in sorted(instants):
            if now > end and not self._faults:
                break
            self._advance(now)
            for observation in heard.get(now, ()):
                self.story.heard(observation)
                self._do(partial(_observe, observation, now))
            self._advance(now)
            self._take_steps(now)
            self._advance(now)
            self._hold_expectations(now)
        for failure in self._engine.failures():
            what = f"the rule failed for {failure.subject}: {failure.error}"
            self._fail((), what, Judged(failure.rule, failure.subject))

    def told(self) -> Iterable[Failure]:
        """The failures, once everything is over; the last one about a rule tells the story from around the first."""
        first = {fault.about: fault.time for fault in reversed(self._faults)}
        last = {fault.about: fault for fault in self._faults}
        for fault in self._faults:
            problem = self.scenario.document.problem((*self.scenario.path, *fault.at), fault.what)
            if fault.about is None or fault is not last[fault.about]:
                yield Failure(problem)
            else:
                yield Failure(problem, self.story.around(first[fault.about], fault.about))

    # -- what happens ----------------------------------------------------------------------------------------------

    def _do(self, what: Callable[[Engine], list[Effect]]) -> None:
        self._since.append(what)
        self._take(what(self._engine))

    def _take(self, effects: Sequence[Effect]) -> None:
        self.story.effects(effects)
        self._effects += effects

    def _advance(self, now: datetime) -> None:
        """Let the engine decide everything that time alone decides by now, at the instants it asks for."""
        while (wake := self._engine.next_wake()) is not None and wake <= now:
            self._take(self._engine.advance(wake))
        self._now = now

    def _take_steps(self, now: datetime) -> None:
        for index, step in enumerate(self._case.steps):
            if self.scenario.start + step.at != now:
                continue
            if step.verb is not None:
                self._command(("steps", index), step, step.verb)
            elif step.reload:
                self._reload(self.scenario.reloads[index])
            elif step.restart is not None:
                self.story.note(now, f"firewatch restarts, down for {write_duration(step.restart)}")
                self._snapshot, self._since = self._engine.snapshot(), []
                self._come_up(now + step.restart)
            elif step.kill is not None:
                self.story.note(now, f"firewatch is killed, down for {write_duration(step.kill)}")
                self._kill(("steps", index), now + step.kill)

    def _command(self, at: Path_, step: StepSpec, verb: str) -> None:
        about = Judged(step.rule, self._subject((*at, verb)))
        alarm = self._alarm(about)
        given = {
            name: read_argument(argument, step.given[name], self._now)
            for name, argument in arguments(verb).items()
            if name in step.given
        }
        built = command(verb, *about, alarm=alarm, given=given)
        if built is None:
            if not step.refused:
                self._fail((*at, verb), f"there is no alarm of {about} to {verb}", about)
            return
        now = self._now
        try:
            self._do(partial(_carry_out, built, now))
        except RefusedCommandError as error:
            self._since.pop()
            self.story.note(now, f"refused: {verb}", about)
            if not step.refused:
                self._fail((*at, verb), str(error), about)
            return
        if step.refused:
            self._fail((*at, "refused"), f"expected that {verb} is refused, but it was carried out", about)

    def _reload(self, rules: Rules) -> None:
        effects, report = self._engine.reload(rules.specs, self.scenario.inventory, self._now)
        changes = ", ".join(f"{rule.rule} {rule.difference}" for rule in report.rules)
        self.story.note(self._now, f"the rules are loaded again: {changes or 'nothing differs'}")
        self._rules = rules
        self._take(effects)
        self._snapshot, self._since = self._engine.snapshot(), []

    def _kill(self, at: Path_, up_again: datetime) -> None:
        stood, done = self._engine.alarms(), self.story.done()
        self._engine = self._restored()
        effects = [effect for what in self._since for effect in what(self._engine)]
        effects += self._engine.advance(self._now)
        if self._engine.alarms() != stood:
            self._fail((*at, "kill"), "the alarms after the replay are not those before the kill")
        effects += self._engine.resume(up_again)
        self._take(not_done(effects, done))
        self._snapshot, self._since = self._engine.snapshot(), []

    def _come_up(self, up_again: datetime) -> None:
        self._engine = self._restored()
        self._take(self._engine.resume(up_again))
        self._snapshot = self._engine.snapshot()

    def _restored(self) -> Engine:
        engine = Engine(self._rules.specs, self.scenario.inventory)
        engine.restore(self._snapshot)
        return engine

    # -- what is expected ------------------------------------------------------------------------------------------

    def _hold_expectations(self, now: datetime) -> None:
        for index, expect in enumerate(self._case.expect):
            if self.scenario.start + expect.at == now:
                self._hold(("expect", index), expect)
                self._effects.clear()

    def _hold(self, at: Path_, expect: ExpectSpec) -> None:
        for rule, state in expect.states.items():
            about = Judged(rule, self._subject((*at, rule)))
            alarm = self._alarm(about)
            came = alarm.state if alarm is not None else AlarmState.NORMAL
            if came is not state:
                self._differs((*at, rule), about, state, came)
            for key, wanted, found in self._facts(expect, about, alarm):
                if wanted is not None and wanted != found:
                    self._differs((*at, key), about, f"{key} {_worded(wanted)}", _worded(found))
            self._see(about, alarm)
        if expect.commands is not None and (sent := self._sent(expect)) != expect.commands:
            rules = tuple(expect.states)
            whose = Judged(rules[0], self._subject((*at, rules[0]))) if len(rules) == 1 else None
            self._differs((*at, "commands"), whose, f"commands {_listed(expect.commands)}", _listed(sent))
        if expect.nothing and (something := self._something()):
            self._differs((*at, "nothing"), None, "nothing", something)

    def _facts(
        self, expect: ExpectSpec, about: Judged, alarm: Alarm | None
    ) -> Iterable[tuple[str, object | None, object | None]]:
        yield "condition", expect.condition, alarm.condition if alarm is not None else None
        yield "priority", expect.priority, alarm.priority if alarm is not None else None
        yield "activations", expect.activations, alarm.activations if alarm is not None else 0
        yield "shelved", expect.shelved, alarm is not None and alarm.shelf is not None
        yield "suppressed", expect.suppressed, alarm is not None and alarm.suppressed_by is not None
        yield "out_of_service", expect.out_of_service, alarm is not None and alarm.out_of_service is not None
        yield "annunciated", expect.annunciated, self._was_annunciated(about)

    def _alarm(self, about: Judged) -> Alarm | None:
        alarms = [alarm for alarm in self._engine.alarms() if (alarm.rule, alarm.subject) == about]
        return max(alarms, key=lambda alarm: alarm.onset_time, default=None)

    def _was_annunciated(self, about: Judged) -> bool:
        alarms = (effect.alarm for effect in self._effects if isinstance(effect, Annunciate))
        return any((alarm.rule, alarm.subject) == about for alarm in alarms)

    def _sent(self, expect: ExpectSpec) -> tuple[str, ...]:
        commands = (effect.command for effect in self._effects if isinstance(effect, SendCommand))
        return tuple(
            f"{command.device.split('/')[1]} {command.action}"
            for command in commands
            if not expect.states or command.rule in expect.states
        )

    def _something(self) -> str:
        """What is there where nothing should be, in words."""
        told = [f"{e.alarm.rule} annunciated" for e in self._effects if isinstance(e, Annunciate)]
        sent = [f"{e.command.device} {e.command.action}" for e in self._effects if isinstance(e, SendCommand)]
        stands = [f"{alarm.rule} of {alarm.subject} {alarm.state}" for alarm in self._engine.alarms()]
        return ", ".join([*told, *sent, *stands])

    def _see(self, about: Judged, alarm: Alarm | None) -> None:
        spec = self._rules.judging.get(about.rule, {}).get(about.subject)
        if spec is None:  # a reload took it away
            return
        explanation = self._engine.explain(*about)
        since_start = self._now - self.scenario.start
        troubles = {
            signal: trouble
            for signal in explanation.signals
            if (series := self.scenario.series.get(signal)) is not None
            and (trouble := series.trouble(since_start)) is not None
        }
        stands = alarm is not None and alarm.state is not AlarmState.NORMAL
        self.sightings.append(
            Sighting(spec, about.subject, explanation, alarm.step if alarm is not None and stands else None, troubles)
        )

    def _subject(self, at: Path_) -> str:
        return self.scenario.subjects[(*self.scenario.path, *at)]

    def _differs(self, at: Path_, about: Judged | None, wanted: object, found: object) -> None:
        difference = f"expected {wanted}, came {found}"
        if about is not None:
            self.story.expected(self._now, difference, about, self._explanation(about))
        where = f" {about}:" if about is not None else ""
        self._fail(at, f"at {write_duration(self._now - self.scenario.start)}{where} {difference}", about)

    def _explanation(self, about: Judged) -> Explanation | None:
        known = about.subject in self._rules.judging.get(about.rule, {})
        return self._engine.explain(*about) if known else None

    def _fail(self, at: Path_, what: str, about: Judged | None = None) -> None:
        self._faults.append(_Fault(at, what, self._now - self.scenario.start, about))


def _observe(observation: Observation, now: datetime, engine: Engine) -> list[Effect]:
    return engine.observe(observation, now)


def _carry_out(command: OperatorCommand, now: datetime, engine: Engine) -> list[Effect]:
    return engine.command(command, now)


def _by_instant(observations: Iterable[Observation]) -> dict[datetime, list[Observation]]:
    instants: dict[datetime, list[Observation]] = {}
    for observation in observations:
        instants.setdefault(observation.receive_time, []).append(observation)
    return instants


def _worded(value: object | None) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value if value is not None else "no alarm")


def _listed(commands: Sequence[str]) -> str:
    return f"[{', '.join(commands)}]"
