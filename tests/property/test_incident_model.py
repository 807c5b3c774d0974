"""Incidents against a model of their own: which alarm joins which, and that none is grouped unless people are called.

The model sees only what the engine tells and records. It does not know how the engine decides, and works out from the
whole past each time what the engine keeps in a few fields.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firewatch.engine.engine import Engine
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Alarm, AlarmClass, AlarmTransition, Priority, TransitionReason
from firewatch.model.command import (
    Acknowledge,
    AcknowledgeIncident,
    OperatorCommand,
    OutOfService,
    Reset,
    ReturnToService,
    Shelve,
    Unshelve,
)
from firewatch.model.effect import Annunciate, Effect, RecordTransition
from firewatch.rules.spec import RuleSpec
from tests.unit.engine.world import BAD, INVENTORY, START, at, reading, rule

pytestmark = pytest.mark.slow
quick = settings(max_examples=150, deadline=None)

QUIET = timedelta(minutes=10)
REALARM = timedelta(minutes=4)
ASKS = {TransitionReason.CONDITION_ACTIVE, TransitionReason.REALARMED}


def smoke(name: str, priority: str, alarm_class: str, **fields: Any) -> RuleSpec:
    when = {"state": {"signal": "alarm", "is": True}}
    return rule(name, {"device": "smoke_detector"}, when, priority=priority, **{"class": alarm_class} | fields)


RULES = (
    smoke("mild", "low", "trouble"),
    smoke("grave", "high", "trouble", on_delay="30s", realarm_after="4min"),
    smoke("fire", "medium", "fire", latched=True, on_delay="2min"),
    rule(
        "steps",
        {"device": "pressure_transmitter"},
        None,
        **{
            "class": "trouble",
            "ladder": [
                {"when": {"low": {"signal": "pressure", "limit": 0.1}}, "priority": "medium"},
                {"when": {"low": {"signal": "pressure", "limit": 0.05}}, "priority": "highest"},
            ],
            "suppressed_by": [{"rule": "grave", "same": "site"}],
        },
    ),
)
SIGNALS: dict[str, list[Any]] = {
    "smoke-1/alarm": [True, True, False, BAD],
    "smoke-2/alarm": [True, True, False],
    "smoke-3/alarm": [True, False],
    "hydrant-1/pressure": [0.5, 0.08, 0.03],
    "hydrant-2/pressure": [0.5, 0.08, 0.03],
}
VERBS = ("acknowledge", "acknowledge", "incident", "incident", "reset", "shelve", "unshelve", "out", "in")


@dataclass(frozen=True)
class Step:
    """`after` seconds later a reading is heard, or an operator asks something of the n-th alarm, or it is restarted."""

    after: float
    signal: str = ""
    value: Any = None
    verb: str = ""
    which: int = 0
    restart: bool = False


pauses = st.sampled_from([0.0, 1.0, 1.0, 20.0, 250.0, 590.0, 600.0, 610.0])
readings = st.sampled_from(sorted(SIGNALS)).flatmap(
    lambda name: st.builds(Step, after=pauses, signal=st.just(name), value=st.sampled_from(SIGNALS[name]))
)
words = st.builds(Step, after=pauses, verb=st.sampled_from(VERBS), which=st.sampled_from([0, 1, 2, 9]))
restarts = st.builds(Step, after=pauses, restart=st.just(True))
stories = st.lists(st.one_of(readings, readings, readings, words, words, restarts), min_size=8, max_size=30)


def urgency(alarm: Alarm) -> tuple[bool, int]:
    return alarm.alarm_class is not AlarmClass.FIRE, list(Priority).index(alarm.priority)


def is_unanswered(alarm: Alarm) -> bool:
    return alarm.state.value.endswith("unacknowledged") and not alarm.hidden


@dataclass
class Model:
    """All that was ever told and recorded."""

    alarms: dict[str, Alarm] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    onsets: list[tuple[datetime, Alarm]] = field(default_factory=list)
    calls: list[tuple[datetime, Alarm]] = field(default_factory=list)
    joined: dict[str, str] = field(default_factory=dict)

    def take(self, effects: list[Effect], now: datetime) -> None:
        changes = [effect.transition for effect in effects if isinstance(effect, RecordTransition)]
        told = [effect for effect in effects if isinstance(effect, Annunciate)]
        before = self.unanswered()
        for change in changes:
            self._take(change)
        self.calls += [(now, effect.alarm) for effect in told if not effect.grouped]
        self.told |= {effect.alarm.alarm_id for effect in told}
        after = self.unanswered()
        for change in changes:
            if change.reason is TransitionReason.CONDITION_ACTIVE and not change.alarm.hidden:
                assert any(effect.alarm == change.alarm for effect in told)
        for effect in told:
            assert not effect.alarm.hidden
            if effect.grouped:
                others = [each for each in (*before, *after) if each.alarm_id != effect.alarm.alarm_id]
                self._must_call([*before, *others], effect.alarm, changes, now)

    def unanswered(self) -> list[Alarm]:
        return [alarm for alarm in self.alarms.values() if alarm.alarm_id in self.told and is_unanswered(alarm)]

    def _must_call(
        self, unanswered: list[Alarm], grouped: Alarm, changes: list[AlarmTransition], now: datetime
    ) -> None:
        """Somebody unanswered of its incident calls at least as urgently, and did so not long ago."""
        assert any(each.incident == grouped.incident and urgency(each) <= urgency(grouped) for each in unanswered), (
            f"{grouped.rule} of {grouped.subject} was told to nobody"
        )
        reason = next(change.reason for change in changes if change.alarm == grouped)
        within = REALARM if reason is TransitionReason.REALARMED else QUIET
        assert any(
            call.incident == grouped.incident and urgency(call) <= urgency(grouped) and now - time < within
            for time, call in self.calls
        ), f"people were called for {grouped.incident} too long ago"

    def _take(self, change: AlarmTransition) -> None:
        alarm = change.alarm
        known = self.alarms.get(alarm.alarm_id)
        if change.reason is TransitionReason.CONDITION_ACTIVE:
            if alarm.alarm_id not in self.joined:
                self.joined[alarm.alarm_id] = self._expected(alarm, change.transition_time)
            self.onsets.append((change.transition_time, alarm))
        assert alarm.incident == self.joined.get(alarm.alarm_id, "")
        assert known is None or known.incident in ("", alarm.incident)
        if change.reason is TransitionReason.ACKNOWLEDGED or not alarm.stands:
            self.told.discard(alarm.alarm_id)
        self.alarms[alarm.alarm_id] = alarm
        if not alarm.stands:
            del self.alarms[alarm.alarm_id]

    def _expected(self, alarm: Alarm, now: datetime) -> str:
        if alarm.suppressed_by is not None:
            return self.joined[alarm.suppressed_by]
        for time, other in reversed(self.onsets):
            first = next(each for _, each in self.onsets if each.alarm_id == other.incident)
            is_kin = _kin(first) == _kin(alarm)
            if now - time <= QUIET and is_kin and any(each.incident == other.incident for each in self.alarms.values()):
                return other.incident
        return alarm.alarm_id


def _kin(alarm: Alarm) -> tuple[str, ...]:
    return alarm.site, alarm.building, alarm.system, alarm.alarm_class


class Player:
    """Plays a story, one deadline at a time, so that the model knows when each thing happened."""

    def __init__(self) -> None:
        self.rules = RULES
        self.engine = Engine(self.rules, INVENTORY)
        self.model = Model()
        self.grouped = 0
        self.now = 0.0
        self._took(self.engine.start(START), START)

    def play(self, story: list[Step]) -> Player:
        for step in story:
            self.now += step.after
            while (wake := self.engine.next_wake()) is not None and wake <= at(self.now):
                self._took(self.engine.advance(wake), wake)
            if step.restart:
                snapshot = self.engine.snapshot()
                self.engine = Engine(self.rules, INVENTORY)
                self.engine.restore(snapshot)
                assert self.engine.snapshot() == snapshot
            elif step.signal:
                self._took(self.engine.observe(reading(step.signal, step.value, self.now), at(self.now)), at(self.now))
            else:
                self._ask(step)
            self._check_what_is_kept()
        return self

    def _took(self, effects: list[Effect], now: datetime) -> None:
        self.model.take(effects, now)
        self.grouped += sum(isinstance(effect, Annunciate) and effect.grouped for effect in effects)

    def _ask(self, step: Step) -> None:
        standing = self.engine.alarms()
        if not standing:
            return
        alarm = standing[step.which % len(standing)]
        before = self.engine.snapshot()
        try:
            effects = self.engine.command(_command(step, alarm), at(self.now))
        except RefusedCommandError:
            assert self.engine.snapshot() == before or self.engine.alarms() == standing
            return
        self._took(effects, at(self.now))
        if step.verb == "incident":
            self._check_acknowledged(effects, alarm.incident, step.which, standing)

    def _check_acknowledged(self, effects: list[Effect], incident: str, seen: int, before: list[Alarm]) -> None:
        """Exactly those of the first that waited for it."""
        done = {effect.transition.alarm_id for effect in effects if isinstance(effect, RecordTransition)}
        waited = {
            alarm.alarm_id
            for alarm in before
            if alarm.incident == incident
            and alarm.incident_number <= seen
            and alarm.state.value.endswith("unacknowledged")
        }
        assert done == waited

    def _check_what_is_kept(self) -> None:
        standing = [alarm for alarm in self.engine.alarms() if alarm.incident]
        kept = {incident.incident: incident for incident in self.engine.incidents()}
        assert set(kept) == {alarm.incident for alarm in standing}
        places = Counter((alarm.incident, alarm.incident_number) for alarm in standing)
        assert set(places.values()) <= {1}
        for alarm in standing:
            assert 1 <= alarm.incident_number <= kept[alarm.incident].count
            assert (alarm.incident_number == 1) == (alarm.incident == alarm.alarm_id)
        for incident in kept.values():
            joined = sum(of == incident.incident for of in self.model.joined.values())
            assert incident.count == joined


def _command(step: Step, alarm: Alarm) -> OperatorCommand:
    identity = alarm.alarm_id
    commands: dict[str, OperatorCommand] = {
        "acknowledge": Acknowledge(identity, "li"),
        "incident": AcknowledgeIncident(alarm.incident, "li", step.which),
        "reset": Reset(identity, "li"),
        "shelve": Shelve(identity, "li", "welding", timedelta(seconds=200)),
        "unshelve": Unshelve(identity, "li"),
        "out": OutOfService(alarm.rule, alarm.subject, "li", "painting"),
        "in": ReturnToService(identity, "li", "done"),
    }
    return commands[step.verb]


@quick
@given(story=stories)
def test_every_onset_calls_or_belongs_to_an_incident_that_calls_at_least_as_urgently(story: list[Step]) -> None:
    Player().play(story)


def test_the_model_meets_groups_and_calls() -> None:
    """So that the property above is not about nothing."""
    story = [
        Step(0, "smoke-1/alarm", True),
        Step(1, "smoke-2/alarm", True),
        Step(100, "hydrant-1/pressure", 0.03),
        Step(260, verb="incident", which=2),
        Step(1, "smoke-3/alarm", True),
    ]
    player = Player().play(story)
    assert player.grouped >= 2
    assert len({call.rule for _, call in player.model.calls}) >= 3
