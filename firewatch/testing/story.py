"""What happens in a rule test, line by line, so that a failure can show what came around it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from firewatch.engine.explanation import Explanation
from firewatch.model.alarm import AlarmTransition, TransitionReason
from firewatch.model.duration import write_duration
from firewatch.model.effect import Annunciate, Effect, RecordTransition, SendCommand
from firewatch.model.observation import Observation, Quality, Value
from firewatch.rules.evaluator import Finding

LINES = 12
"""Lines of a story that a failure shows."""


class Judged(NamedTuple):
    """A rule and one of its subjects."""

    rule: str
    subject: str

    def __str__(self) -> str:
        return f"{self.rule} of {self.subject}"


class _Line(NamedTuple):
    """`about` is the signal heard, or the rule and the subject; None is about everything."""

    time: timedelta
    text: str
    about: Hashable
    is_expectation: bool = False


def not_done(effects: Sequence[Effect], done: frozenset[Hashable]) -> list[Effect]:
    """The effects that were not carried out before; people are told again only of what is recorded anew."""
    anew = [effect for effect in effects if not isinstance(effect, Annunciate) and _key(effect) not in done]
    alarms = [effect.transition.alarm for effect in anew if isinstance(effect, RecordTransition)]
    told = [effect for effect in effects if isinstance(effect, Annunciate) and effect.alarm in alarms]
    return [*told, *anew]


def _key(effect: RecordTransition | SendCommand) -> Hashable:
    if isinstance(effect, SendCommand):
        return effect.command.command_id
    return effect.transition.alarm_id, effect.transition.number


class Story:
    """Gathers the lines; values are told when they change."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._lines: list[_Line] = []
        self._said: dict[str, tuple[Value | None, Quality]] = {}
        self._done: set[Hashable] = set()
        self._signals: dict[Judged, frozenset[str]] = {}
        self._steps: defaultdict[Judged, set[int]] = defaultdict(set)

    def heard(self, observation: Observation) -> None:
        """Something was heard; it is told if it is other than before."""
        said = (observation.value, observation.quality)
        if self._said.get(observation.signal) == said:
            return
        self._said[observation.signal] = said
        value = "bad" if observation.quality is Quality.BAD else _shown(observation.value)
        uncertain = "uncertain " if observation.quality is Quality.UNCERTAIN else ""
        behind = observation.receive_time - observation.source_time
        late = f", {write_duration(behind)} late" if behind else ""
        self._add(observation.receive_time, f"{observation.signal}: {uncertain}{value}{late}", observation.signal)

    def effects(self, effects: Sequence[Effect]) -> None:
        """The engine wants something done."""
        told = {effect.alarm.alarm_id for effect in effects if isinstance(effect, Annunciate)}
        for effect in effects:
            if not isinstance(effect, Annunciate):
                self._done.add(_key(effect))
            if isinstance(effect, RecordTransition):
                self._changed(effect.transition, is_told=effect.transition.alarm_id in told)
            elif isinstance(effect, SendCommand):
                command = effect.command
                self._add(command.issued_time, f"command: {command.device} {command.action}", command.rule)

    def note(self, now: datetime, text: str, about: Judged | None = None) -> None:
        """Something else happened."""
        self._add(now, text, about)

    def expected(self, now: datetime, difference: str, about: Judged, explanation: Explanation | None) -> None:
        """An expectation was not met."""
        if explanation is not None:
            self._signals[about] = frozenset(explanation.signals)
            findings = [step.finding for step in explanation.steps if step.finding is not None]
            difference += "".join(f"; {self._found(finding)}" for finding in findings)
        self._lines.append(_Line(now - self._start, difference, about, is_expectation=True))

    def done(self) -> frozenset[Hashable]:
        """The keys of what was done so far."""
        return frozenset(self._done)

    def steps_reached(self) -> dict[Judged, frozenset[int]]:
        """The ladder's steps at which each rule's alarms began."""
        return {about: frozenset(steps) for about, steps in self._steps.items()}

    def around(self, time: timedelta, about: Judged) -> tuple[str, ...]:
        """What happened to a rule and its signals, as far as it lies near that time."""
        concerned = (None, about, about.rule, *self._signals.get(about, ()))
        lines = sorted((line for line in self._lines if line.about in concerned), key=lambda line: line.time)
        middle = next((place for place, line in enumerate(lines) if line.is_expectation and line.time == time), 0)
        begin = max(0, min(middle - LINES // 2, len(lines) - LINES))
        shown = lines[begin : begin + LINES]
        return tuple(
            f"{'>' if line.is_expectation else ' '} {write_duration(line.time):>8}  {line.text}" for line in shown
        )

    def _changed(self, transition: AlarmTransition, *, is_told: bool) -> None:
        alarm = transition.alarm
        about = Judged(alarm.rule, alarm.subject)
        if transition.reason is TransitionReason.CONDITION_ACTIVE:
            self._steps[about].add(alarm.step)
        by = "" if transition.by == "firewatch" else f" by {transition.by}"
        told = ", annunciated" if is_told else ", hidden" if alarm.hidden else ""
        reason = transition.reason.replace("_", " ")
        self._add(transition.transition_time, f"alarm {alarm.priority} {alarm.state}: {reason}{by}{told}", about)

    def _add(self, time: datetime, text: str, about: Hashable) -> None:
        self._lines.append(_Line(time - self._start, text, about))

    def _found(self, finding: Finding) -> str:
        return " < ".join(self._findings(finding))

    def _findings(self, finding: Finding) -> Iterator[str]:
        since = f" since {write_duration(finding.onset_time - self._start)}" if finding.onset_time else ""
        due = f", due at {write_duration(finding.due - self._start)}" if finding.due else ""
        yield f"{finding.kind} {finding.condition}{since}{due}"
        if len(finding.parts) == 1:
            yield from self._findings(finding.parts[0])


def _shown(value: Value | None) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
