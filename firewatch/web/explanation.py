"""Puts together why a rule alarms, or why it does not: the engine's findings, the newest readings, and plain sentences.

A question runs where the engine is, between two of its inputs, so that readings and findings fit each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from firewatch.engine.engine import Engine
from firewatch.engine.explanation import Explanation, UnknownSubjectError
from firewatch.model.alarm import Alarm, AlarmState, ConditionState, Maintenance
from firewatch.model.text import LocalText
from firewatch.ports import Clock, LiveView
from firewatch.rules.evaluator import Finding
from firewatch.rules.spec import Mode
from firewatch.rules.text import render
from firewatch.web.document import (
    AlarmExplanation,
    ExplanationList,
    ExplanationView,
    FailureList,
    FindingView,
    InputView,
    ShadowList,
    ShadowRule,
    StepView,
)
from firewatch.web.overview import Overview
from firewatch.web.phrases import same, say, sentences, word
from firewatch.web.reasons import Pending, Reasons

_VALUE_IN_BRACKETS = re.compile(r" ?[(（][^()（）]*\{value\}[^()（）]*[)）]")
_LATCHED = (AlarmState.LATCHED_UNACKNOWLEDGED, AlarmState.LATCHED_ACKNOWLEDGED)

T = TypeVar("T")


class EngineQuestions(Protocol):
    """How a question reaches the engine, which one task owns."""

    async def ask(self, question: Callable[[Engine], T]) -> T:
        """Let a question look at the engine, which it must not change. What the question raises is raised."""
        ...


class Explainer:
    """Answers from the engine and from memory; the history is not needed."""

    def __init__(self, engine: EngineQuestions, overview: Overview, live: LiveView, clock: Clock) -> None:
        self._engine = engine
        self._overview = overview
        self._live = live
        self._clock = clock
        self._zones = {site.id: ZoneInfo(site.time_zone) for site in overview.sites()}

    async def rule(self, rule: str, subject: str) -> ExplanationView:
        """How it stands with one rule for one subject.

        Raises:
            UnknownSubjectError: there is no such rule, or it does not speak about that subject.
        """
        return await self._engine.ask(lambda engine: self._view(engine.explain(rule, subject), engine))

    async def device(self, device: str) -> ExplanationList:
        """How it stands with every rule that listens to a device or speaks about it; also with those about an asset."""
        return await self._engine.ask(
            lambda engine: ExplanationList([self._view(one, engine) for one in engine.explanations_for(device)])
        )

    async def alarm(self, alarm: Alarm) -> AlarmExplanation:
        """Why an alarm stands, or how it stands now with what it was about."""
        try:
            found = await self.rule(alarm.rule, alarm.subject)
        except UnknownSubjectError:
            over = [] if alarm.stands else [self._over(alarm)]
            return AlarmExplanation(alarm, sentences([*over, say("alarm.no_rule")]), None)
        if found.alarm is not None and found.alarm.alarm_id == alarm.alarm_id:
            return AlarmExplanation(alarm, found.verdict, found)
        return AlarmExplanation(alarm, sentences([self._over(alarm), found.verdict]), found)

    async def shadow_alarm(self, alarm_id: str) -> Alarm | None:
        """A standing alarm of a shadow rule."""
        return await self._engine.ask(
            lambda engine: next((one for one in engine.shadow_alarms() if one.alarm_id == alarm_id), None)
        )

    async def shadows(self) -> ShadowList:
        """What the shadow rules would say."""
        return await self._engine.ask(
            lambda engine: ShadowList(
                [ShadowRule(rule, count) for rule, count in engine.shadow_counts().items()],
                sorted(engine.shadow_alarms(), key=lambda alarm: alarm.onset_time, reverse=True),
            )
        )

    async def failures(self) -> FailureList:
        """The rules out of service."""
        return await self._engine.ask(lambda engine: FailureList(engine.failures()))

    # -- one explanation -------------------------------------------------------------------------------------------

    def _view(self, told: Explanation, engine: Engine) -> ExplanationView:
        now = self._clock.now()
        inputs = {signal: self._input(signal, device) for signal, device in told.signals.items()}
        reasons = Reasons(inputs, now, self._zone(told.subject))
        suppressor = _suppressor(told.alarm, engine)
        return ExplanationView(
            now=now,
            rule=told.rule,
            subject=told.subject,
            place=told.place,
            text=_title(told, inputs),
            alarm_class=told.alarm_class,
            mode=told.mode,
            verdict=_Verdict(told, reasons, suppressor).sentences(),
            steps=[
                StepView(
                    step.priority,
                    place == told.decides,
                    _finding(step.finding, reasons) if step.finding is not None else None,
                )
                for place, step in enumerate(told.steps)
            ],
            inputs=list(inputs.values()),
            alarm=told.alarm,
            suppressor=suppressor,
            failure=told.failure,
            is_carried=told.is_carried,
            engaged=told.engaged,
            next_repetition=told.next_repetition,
            next_wake=told.next_wake,
        )

    def _input(self, signal: str, device: LocalText) -> InputView:
        described = self._overview.signal(signal)
        return InputView(
            signal=signal,
            device=device,
            label=described.label,
            type=described.type,
            unit=described.unit,
            last=described.last,
        )

    def _zone(self, subject: str) -> tzinfo:
        return self._zones.get(subject.partition("/")[0], UTC)

    def _over(self, alarm: Alarm) -> LocalText:
        reasons = Reasons({}, self._clock.now(), self._zone(alarm.subject))
        since = reasons.time(alarm.onset_time)
        if alarm.cleared_time is None:
            return say("alarm.gone.soon", since=since)
        return say("alarm.gone", since=since, until=reasons.time(alarm.cleared_time))


class _Verdict:
    """The answer in plain sentences."""

    def __init__(self, told: Explanation, reasons: Reasons, suppressor: Alarm | None) -> None:
        self._told = told
        self._reasons = reasons
        self._suppressor = suppressor
        self._findings = [step.finding for step in told.steps if step.finding is not None]

    def sentences(self) -> LocalText:
        """What is the case, what follows by itself, and why nobody is told."""
        told = self._told
        parts = [self._failed()] if told.failure is not None else []
        if told.alarm is not None and told.alarm.state is not AlarmState.NORMAL:
            parts += [self._standing(told.alarm), *self._rising()]
        elif told.failure is None:
            parts.append(self._quiet())
        if told.mode is Mode.SHADOW:
            parts.append(say("shadow"))
        if told.alarm is not None:
            parts += self._hidden(told.alarm)
        return sentences(parts)

    def _failed(self) -> LocalText:
        failure = self._told.failure
        assert failure is not None
        return say("failed", time=self._reasons.time(failure.failed_time), error=failure.error)

    def _standing(self, alarm: Alarm) -> LocalText:
        reasons, since = self._reasons, self._reasons.time(alarm.onset_time)
        if self._told.is_carried:
            return say("alarm.carried", since=since)
        finding = self._deciding()
        if finding is None:
            return say("alarm", since=since, why=alarm.text)
        why = reasons.why(_inside(finding))
        if alarm.state in _LATCHED:
            return say("alarm.latched", since=since, why=why)
        if alarm.state is AlarmState.RTN_UNACKNOWLEDGED:
            return say("alarm.returned", since=since, why=why)
        if finding.kind == "delay" and finding.due is not None:
            return say("alarm.ending", since=since, why=why, left=reasons.left(finding.due))
        if alarm.condition is ConditionState.UNKNOWN:
            return say("alarm.unknown", since=since, why=why)
        return say("alarm", since=since, why=why)

    def _deciding(self) -> Finding | None:
        told = self._told
        step = told.decides if told.decides is not None else told.alarm.step if told.alarm is not None else 0
        found = told.steps[step].finding if step < len(told.steps) else None
        return found or (self._findings[0] if self._findings else None)

    def _rising(self) -> list[LocalText]:
        """What makes it more urgent by time alone."""
        alarm = self._told.alarm
        assert alarm is not None
        above = [
            (one.due, step.priority)
            for step in self._told.steps[alarm.step + 1 :]
            if step.finding is not None and (one := self._reasons.pending(step.finding)) is not None
        ]
        if not above:
            return []
        due, priority = min(above)
        return [say("alarm.rises", left=self._reasons.left(due), priority=word(priority))]

    def _quiet(self) -> LocalText:
        if not self._findings:
            return say("none", why=say("no_signals"))
        pending = [one for each in self._findings if (one := self._reasons.pending(each)) is not None]
        if pending:
            return self._waiting(min(pending, key=lambda one: one.due))
        mildest = self._findings[0]
        key = "none.unknown" if mildest.condition is ConditionState.UNKNOWN else "none"
        return say(key, why=self._reasons.why(mildest))

    def _waiting(self, pending: Pending) -> LocalText:
        reasons, (finding, due) = self._reasons, pending
        if finding.kind == "absence":
            return say("none.silence", what=reasons.why(finding), left=reasons.left(due))
        onset = finding.onset_time or (finding.parts[0].onset_time if finding.parts else None) or self._told.now
        since = reasons.time(onset)
        if finding.kind == "camera_session":
            return say("none.suspected", since=since, left=reasons.left(due))
        what = reasons.why(finding.parts[0]) if finding.parts else reasons.demand(finding)
        return say("none.pending", what=what, since=since, left=reasons.left(due))

    def _hidden(self, alarm: Alarm) -> list[LocalText]:
        time = self._reasons.time
        parts: list[LocalText] = []
        if alarm.shelf is not None:
            shelf = alarm.shelf
            parts.append(say("hidden.shelf", by=shelf.by, until=time(shelf.until_time), reason=shelf.reason))
        if alarm.out_of_service is not None:
            parts.append(self._out_of_service(alarm.out_of_service))
        if alarm.suppressed_by is not None:
            by = self._suppressor.text if self._suppressor is not None else same(alarm.suppressed_by)
            parts.append(say("hidden.suppressed", alarm=by))
        return parts

    def _out_of_service(self, out: Maintenance) -> LocalText:
        since = self._reasons.time(out.since_time)
        reason = f"{out.work_order}: {out.reason}" if out.work_order else out.reason
        if out.until_time is None:
            return say("hidden.out", by=out.by, since=since, reason=reason)
        until = self._reasons.time(out.until_time)
        return say("hidden.out.until", by=out.by, since=since, until=until, reason=reason)


def _inside(finding: Finding) -> Finding:
    """What is judged, without the delay around it."""
    return finding.parts[0] if finding.kind == "delay" else finding


def _suppressor(alarm: Alarm | None, engine: Engine) -> Alarm | None:
    if alarm is None or alarm.suppressed_by is None:
        return None
    return next((one for one in engine.alarms() if one.alarm_id == alarm.suppressed_by), None)


def _title(told: Explanation, inputs: dict[str, InputView]) -> LocalText:
    """What the alarm says, or would say."""
    if told.alarm is not None:
        return told.alarm.text
    first = next(iter(inputs.values()), None)
    text = LocalText(zh=_VALUE_IN_BRACKETS.sub("", told.text.zh), en=_VALUE_IN_BRACKETS.sub("", told.text.en))
    unit = first.unit if first is not None else ""
    return render(text, value="…", unit=unit, place=told.place, device=first.device if first else told.place)


def _finding(finding: Finding, reasons: Reasons) -> FindingView:
    return FindingView(
        kind=finding.kind,
        condition=finding.condition,
        text=reasons.demand(finding),
        note=reasons.note(finding),
        signals=finding.signals,
        onset_time=finding.onset_time,
        due=finding.due,
        facts={name: _fact(value) for name, value in finding.facts.items()},
        parts=[_finding(part, reasons) for part in finding.parts],
    )


def _fact(value: float | bool | str | datetime | timedelta) -> float | bool | str:
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(msgspec.to_builtins(value)) if isinstance(value, datetime) else value
