"""A control room driven at random, beside a model that knows only what was heard, asked, told, recorded and sent.

The rules under it are latched or not, on a ladder, delayed, explained by one another, told again, of one incident, and
two of them want one lift door. The model knows no table of states: it holds against firewatch what must never be, as
somebody in the control room would. A twin hears and is asked the same and is neither restarted, reloaded nor told the
time in between; both must tell one story.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from firewatch.engine.engine import Engine
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import (
    Alarm,
    AlarmClass,
    AlarmTransition,
    ConditionState,
    Priority,
    TransitionReason,
    Verdict,
)
from firewatch.model.command import (
    Acknowledge,
    AcknowledgeIncident,
    ActuatorCommand,
    Confirm,
    OperatorCommand,
    OutOfService,
    Reset,
    ReturnSubjectToService,
    ReturnToService,
    Shelve,
    Unshelve,
)
from firewatch.model.effect import Annunciate, Effect, RecordTransition, SendCommand
from firewatch.rules.spec import RuleSpec
from tests.unit.engine import world
from tests.unit.engine.world import BAD, INVENTORY, act, at, reading

QUIET = timedelta(minutes=10)
REALARM = timedelta(minutes=2)
AT_MOST = timedelta(minutes=5)
LONGEST = timedelta(days=31)
DELAY = 5
DOOR = "s/door"

SMOKE = {"state": {"signal": "alarm", "is": True}}
SHELVED = {"shelving": {"at_most": "5min"}}


def door(seconds: float) -> dict[str, Any]:
    return {
        "active": [act("door_controller", "hold_door", max_seconds=seconds)],
        "inactive": [act("door_controller", "release_door")],
    }


def low(limit: float) -> dict[str, Any]:
    return {"low": {"signal": "pressure", "limit": limit}}


def hydrant(name: str, number: int, when: dict[str, Any] | None, **fields: Any) -> RuleSpec:
    scope = {"device": "pressure_transmitter", "subjects": [f"hydrant-{number}"]}
    return world.rule(name, scope, when, **{"class": "supervisory"} | SHELVED | fields)


STEPS = [{"when": low(0.1), "priority": "low"}, {"when": low(0.05), "priority": "highest"}]
RULES = (
    world.rule("smoke", {"device": "smoke_detector"}, SMOKE, latched=True, realarm_after="2min"),
    world.rule("late", {"device": "smoke_detector"}, SMOKE, on_delay=f"{DELAY}s", priority="low", **SHELVED),
    hydrant("steps", 1, None, ladder=STEPS),
    hydrant("cause", 2, low(0.1), realarm_after="2min"),
    hydrant("effect", 2, low(0.05), priority="medium", suppressed_by=[{"rule": "cause", "same": "site"}]),
    world.rule(
        "lift-burns",
        {"asset": "lift"},
        {"state": {"signal": "lift_controller/door", "is": "open"}},
        latched=True,
        actions=door(120.0),
    ),
    world.rule(
        "e-bike",
        {"asset": "lift"},
        {"high": {"signal": "lift_camera/e_bike", "limit": 0.5}},
        actions=door(60.0),
        **{"class": "supervisory"} | SHELVED,
    ),
)
LATCHED = {"smoke", "lift-burns"}
NEVER_SHELVED = {"smoke", "lift-burns"}
WISHES = {"lift-burns": 120.0, "e-bike": 60.0}

VALUES: dict[str, list[Any]] = {
    "smoke-1/alarm": [True, False, BAD],
    "smoke-2/alarm": [True, False, BAD],
    "hydrant-1/pressure": [0.5, 0.08, 0.03, BAD],
    "hydrant-2/pressure": [0.5, 0.08, 0.03, BAD],
    "controller/door": ["open", "closed", BAD],
    "cam/e_bike": [0.0, 0.9, BAD],
}

Name = tuple[str, str]


@dataclass
class Facts:
    """What is so about one rule and one subject. `level` is how far it is from well, 0 well, as far as anybody saw."""

    level: int = 0
    is_known: bool = False
    pending: float | None = None
    told: bool = False
    seen: bool = False
    wants: bool = False
    hidden: bool = False
    shelved_until: datetime | None = None
    out_until: datetime | None = None

    def become(self, level: int) -> None:
        """Anything worse than before has to be told and seen anew."""
        if level > self.level:
            self.told = self.seen = False
        self.level, self.pending = level, None

    def hear(self, level: int | None, delayed_from: float | None) -> None:
        self.is_known = level is not None
        if level is None:
            return
        if level > self.level and delayed_from is not None:
            self.pending = delayed_from if self.pending is None else self.pending
        else:
            self.become(level)

    def let_time_pass(self, now: float) -> None:
        if self.pending is not None and self.pending + DELAY <= now:
            self.become(1)
        if self.shelved_until is not None and self.shelved_until <= at(now):
            self.shelved_until = None
        if self.out_until is not None and self.out_until <= at(now):
            self.out_until = None


def levels(signal: str, value: Any) -> dict[Name, int | None]:
    """What a reading says about each rule that hears it; None where nobody can tell."""
    device, _, _ = signal.partition("/")
    subject = f"s/{device}"

    def level(is_so: Callable[[Any], int]) -> int | None:
        return None if value == BAD else int(is_so(value))

    if device.startswith("smoke"):
        return {("smoke", subject): level(bool), ("late", subject): level(bool)}
    if device == "hydrant-1":
        return {("steps", subject): level(lambda bar: (bar < 0.1) + (bar < 0.05))}
    if device == "hydrant-2":
        return {
            ("cause", subject): level(lambda bar: bar < 0.1),
            ("effect", subject): level(lambda bar: bar < 0.05),
        }
    if device == "controller":
        return {("lift-burns", "s/lift"): level(lambda position: position == "open")}
    return {("e-bike", "s/lift"): level(lambda score: score > 0.5)}


NAMES = sorted({name for signal, values in VALUES.items() for name in levels(signal, values[0])})
WHICH = st.integers(0, 8)
SHELVES = [None, timedelta(0), timedelta(seconds=90), AT_MOST, AT_MOST + timedelta(seconds=1)]


def urgency(alarm: Alarm) -> tuple[bool, int]:
    """The smaller the more urgent."""
    return alarm.alarm_class is not AlarmClass.FIRE, list(Priority).index(alarm.priority)


def waits(alarm: Alarm) -> bool:
    return alarm.state.value.endswith("unacknowledged")


@dataclass
class Story:
    """All that was told, recorded and sent, as far as it is needed again."""

    numbers: dict[str, tuple[int, str]] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    calls: list[tuple[datetime, Alarm]] = field(default_factory=list)
    commands: set[str] = field(default_factory=set)
    asked: ActuatorCommand | None = None

    def take(self, effects: list[Effect], before: list[Alarm], after: list[Alarm]) -> list[Alarm]:
        """The alarms that stood before the call and after it. Returns those that people were told of."""
        changes = [effect.transition for effect in effects if isinstance(effect, RecordTransition)]
        for change in changes:
            number, state = self.numbers.get(change.alarm_id, (0, "normal"))
            assert change.alarm_id not in self.over, "an alarm that was over goes on"
            assert (change.number, change.previous_state) == (number + 1, state), "a gap, or a number used twice"
            self.numbers[change.alarm_id] = (change.number, change.alarm.state)
            if not change.alarm.stands:
                self.over.add(change.alarm_id)
        told = [effect for effect in effects if isinstance(effect, Annunciate)]
        whys = _changes_told(told, changes)
        self.calls += [
            (why.transition_time, why.alarm) for effect, why in zip(told, whys, strict=True) if not effect.grouped
        ]
        for effect, why in zip(told, whys, strict=True):
            assert not effect.alarm.hidden
            if effect.grouped:
                others = [alarm for alarm in after if alarm.alarm_id != effect.alarm.alarm_id]
                self._somebody_calls(why, [*before, *others])
        for effect in effects:
            if isinstance(effect, SendCommand):
                assert effect.command.command_id not in self.commands, "one id for two commands"
                self.commands.add(effect.command.command_id)
                self.asked = effect.command
        return [effect.alarm for effect in told]

    def _somebody_calls(self, why: AlarmTransition, others: list[Alarm]) -> None:
        alarm = why.alarm
        within = REALARM if why.reason is TransitionReason.REALARMED else QUIET
        assert any(
            call.incident == alarm.incident
            and urgency(call) <= urgency(alarm)
            and time <= why.transition_time < time + within
            for time, call in self.calls
        ), f"{alarm.rule} of {alarm.subject} is shown without a sound in an incident that calls for nobody"
        assert any(
            other.incident == alarm.incident and urgency(other) <= urgency(alarm) and waits(other) and not other.hidden
            for other in others
        ), f"{alarm.rule} of {alarm.subject} is shown without a sound in an incident that was answered"


def _changes_told(told: list[Annunciate], changes: list[AlarmTransition]) -> list[AlarmTransition]:
    """The change behind each; an alarm that is told again and again looks the same each time."""
    left = list(changes)
    found = []
    for effect in told:
        place = next(place for place, change in enumerate(left) if change.alarm == effect.alarm)
        found.append(left.pop(place))
    return found


class ControlRoom(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.now = 0.0
        self.engine, self.twin = Engine(RULES, INVENTORY), Engine(RULES, INVENTORY)
        self.facts = {name: Facts() for name in NAMES}
        self.story = Story()
        self.of_engine: list[Effect] = []
        self.of_twin: list[Effect] = []
        self._let(lambda: self.engine.start(at(0)))
        self.of_twin += self.twin.start(at(0))

    # -- what happens --------------------------------------------------------------------------------------------------

    @rule(
        heard=st.sampled_from(sorted(VALUES)).flatmap(
            lambda signal: st.tuples(st.just(signal), st.lists(st.sampled_from(VALUES[signal]), min_size=1, max_size=3))
        ),
        pauses=st.lists(st.sampled_from([1, 1, 4, 30]), min_size=3, max_size=3),
        ticks=st.lists(st.floats(0, 1), max_size=2),
    )
    def hear(self, heard: tuple[str, list[Any]], pauses: list[int], ticks: list[float]) -> None:
        signal, values = heard
        for value, seconds in zip(values, pauses, strict=False):
            self._pass(seconds, ticks)
            self._hear(signal, value)

    @rule(
        door=st.sampled_from(VALUES["controller/door"]),
        e_bike=st.sampled_from(VALUES["cam/e_bike"]),
        door_first=st.booleans(),
    )
    def hear_of_the_lift(self, door: Any, e_bike: Any, door_first: bool) -> None:
        """Both of those who want its door."""
        both = [("controller/door", door), ("cam/e_bike", e_bike)]
        for signal, value in both if door_first else reversed(both):
            self._pass(1)
            self._hear(signal, value)

    def _hear(self, signal: str, value: Any) -> None:
        observation = reading(signal, value, self.now)
        for name, level in levels(signal, value).items():
            self.facts[name].hear(level, self.now if name[0] == "late" else None)
        before = {alarm.alarm_id: alarm for alarm in self.engine.alarms()}
        self._let(lambda: self.engine.observe(observation, at(self.now)))
        if value == BAD:
            after = {alarm.alarm_id: alarm for alarm in self.engine.alarms()}
            assert after.keys() == before.keys(), "no value ended an alarm, or began one"
            for identity, alarm in after.items():
                known = before[identity]
                is_shown_again = known.hidden and not alarm.hidden and alarm.state == "unacknowledged"
                assert alarm.state is known.state or is_shown_again, "no value moved an alarm"
        self.of_twin += self.twin.observe(observation, at(self.now))
        self._compare()
        self._hold()

    @rule(seconds=st.sampled_from([1, 5, 60, 121, 300, 301, 700, 4000]), ticks=st.lists(st.floats(0, 1), max_size=3))
    def wait(self, seconds: int, ticks: list[float]) -> None:
        self._pass(seconds, ticks)

    @rule(which=WHICH, operator=st.sampled_from(["li", "wang"]), missed=st.sampled_from([None, None, 0, 1]))
    def acknowledge(self, which: int, operator: str, missed: int | None) -> None:
        """Whoever looked before the last onset has not seen it."""
        alarm = self._standing(which)
        seen = None if missed is None or alarm is None else alarm.activations - missed
        if self._ask(Acknowledge(_id(alarm), operator, seen=seen)) and alarm is not None:
            assert not missed, "what was not seen is acknowledged"
            self._of(alarm).seen = True

    @rule(do_reset=st.booleans())
    def see_to_all(self, do_reset: bool) -> None:
        """What a calm moment looks like: whatever comes now comes after somebody has seen to everything."""
        for alarm in self.engine.alarms():
            facts = self._of(alarm)
            if waits(alarm) and self._ask(Acknowledge(alarm.alarm_id, "li")):
                facts.seen = True
                self._hold()
            if do_reset and self._ask(Reset(alarm.alarm_id, "li")):
                facts.wants = False
                self._hold()

    @rule(which=WHICH, seen=st.integers(0, 4))
    def acknowledge_incident(self, which: int, seen: int) -> None:
        self._pass(1)
        alarm = self._standing(which)
        incident = alarm.incident if alarm is not None else "none"
        before = {one.alarm_id: one for one in self.engine.alarms()}
        if self._ask(AcknowledgeIncident(incident, "li", seen), pause=0):
            for one in self.engine.alarms():
                if one.incident != incident or one.incident_number > seen:
                    assert one == before[one.alarm_id], "acknowledged unseen"
            for one in before.values():
                if one.incident == incident and one.incident_number <= seen and waits(one):
                    self._of(one).seen = True

    @rule(which=WHICH)
    def confirm(self, which: int) -> None:
        self._ask(Confirm(_id(self._standing(which)), "li", Verdict.FALSE))

    @rule(which=WHICH)
    def reset(self, which: int) -> None:
        alarm = self._standing(which)
        if self._ask(Reset(_id(alarm), "li")) and alarm is not None:
            facts = self._of(alarm)
            assert facts.level == 0, "what is not over was reset"
            assert facts.is_known, "nobody could tell, and it was reset"
            facts.wants = False

    @rule(which=WHICH, length=st.sampled_from(SHELVES), reason=st.sampled_from(["welding", "welding", " "]))
    def shelve(self, which: int, length: timedelta | None, reason: str) -> None:
        alarm = self._standing(which)
        if self._ask(Shelve(_id(alarm), "li", reason, length)) and alarm is not None:
            assert alarm.rule not in NEVER_SHELVED, "a fire was shelved"
            assert reason.strip()
            assert length is None or timedelta(0) < length <= AT_MOST
            self._of(alarm).shelved_until = at(self.now) + (length or AT_MOST)

    @rule(which=WHICH)
    def unshelve(self, which: int) -> None:
        alarm = self._standing(which)
        if self._ask(Unshelve(_id(alarm), "li")) and alarm is not None:
            self._of(alarm).shelved_until = None

    @rule(
        name=st.sampled_from([*NAMES, ("nobody", "s/nothing")]),
        whole=st.booleans(),
        length=st.sampled_from([0, 90, 3_000, 8_000, LONGEST.total_seconds(), LONGEST.total_seconds() + 2]),
        reason=st.sampled_from(["painting", "painting", ""]),
    )
    def take_out(self, name: Name, whole: bool, length: float, reason: str) -> None:
        until = at(self.now + 1 + length)
        if self._ask(OutOfService(None if whole else name[0], name[1], "li", reason, until_time=until)):
            assert reason.strip()
            assert 0 < length <= LONGEST.total_seconds()
            for other, facts in self.facts.items():
                if (whole and other[1] == name[1]) or other == name:
                    facts.out_until = max(until, facts.out_until or until)

    @rule(which=WHICH, whole=st.booleans())
    def return_to_service(self, which: int, whole: bool) -> None:
        alarm = self._standing(which)
        if alarm is None:
            return
        command = (
            ReturnSubjectToService(alarm.subject, "li", "done")
            if whole
            else ReturnToService(alarm.alarm_id, "li", "done")
        )
        if self._ask(command):
            for name, facts in self.facts.items():
                if (whole and name[1] == alarm.subject) or name == (alarm.rule, alarm.subject):
                    facts.out_until = None

    @rule(away=st.sampled_from([0, 0, 0, 50, 400, 4000]))
    def restart(self, away: int) -> None:
        """With no time away nothing at all may follow; what fell due meanwhile is told late, and once, so that from
        there on the twin has to go on from the same.
        """
        snapshot = self.engine.snapshot()
        self.engine = Engine(RULES, INVENTORY)
        report = self.engine.restore(snapshot)
        assert (report.added, report.changed, report.removed) == ((), (), ())
        assert self.engine.snapshot() == snapshot
        self._let_pass(self.now + away)
        effects = self._let(lambda: self.engine.resume(at(self.now)))
        if away:
            self.twin = Engine(RULES, INVENTORY)
            self.twin.restore(self.engine.snapshot())
            self.of_engine, self.of_twin = [], []
        else:
            assert effects == []

    @rule()
    def reload_the_same_rules(self) -> None:
        effects, _ = self.engine.reload(RULES, INVENTORY, at(self.now))
        assert effects == []

    # -- how it is carried out -----------------------------------------------------------------------------------------

    def _pass(self, seconds: float, ticks: Iterable[float] = ()) -> None:
        """Time passes; the engine is told of it at the end and at `ticks` of it, the twin when something happens."""
        begun = self.now
        for share in (*sorted(ticks), 1.0):
            self._let_pass(begun + seconds * share)
            self._let(lambda: self.engine.advance(at(self.now)))

    def _let_pass(self, now: float) -> None:
        self.now = now
        for facts in self.facts.values():
            facts.let_time_pass(now)

    def _ask(self, command: OperatorCommand, *, pause: float = 1) -> bool:
        """Whether it was carried out."""
        self._pass(pause)
        before = self.engine.snapshot()
        try:
            self._let(lambda: self.engine.command(command, at(self.now)))
        except RefusedCommandError:
            assert self.engine.snapshot() == before, "a refused command changed something"
            with pytest.raises(RefusedCommandError):
                self.twin.command(command, at(self.now))
            self.of_twin += self.twin.advance(at(self.now))
            self._compare()
            return False
        assert self.engine.snapshot() != before, "what was carried out changed nothing"
        self.of_twin += self.twin.command(command, at(self.now))
        self._compare()
        return True

    def _let(self, act: Callable[[], list[Effect]]) -> list[Effect]:
        before = self.engine.alarms()
        effects = act()
        self.of_engine += effects
        after = self.engine.alarms()
        for alarm in self.story.take(effects, before, after):
            self._of(alarm).told = True
        standing = {(alarm.rule, alarm.subject): alarm for alarm in after}
        for name, facts in self.facts.items():
            self._note(facts, standing.get(name), name[0])
        return effects

    def _note(self, facts: Facts, alarm: Alarm | None, rule_id: str) -> None:
        """What is shown again has to be told and seen anew; what is wanted of the door follows from what is known."""
        hidden = alarm is not None and alarm.hidden
        if facts.hidden and not hidden and facts.level:
            facts.seen = False
        if hidden:
            facts.told = False
        facts.hidden = hidden
        is_out = alarm is not None and alarm.out_of_service is not None
        if facts.level and facts.is_known and not is_out:
            facts.wants = rule_id in WISHES
        elif not facts.level and facts.is_known and rule_id not in LATCHED:
            facts.wants = False
        if alarm is None or alarm.shelf is None:
            facts.shelved_until = None  # one that was shelved once is back with its return

    def _compare(self) -> None:
        """Being restarted, reloaded and told the time in between makes no difference."""
        assert Counter(map(repr, self.of_engine)) == Counter(map(repr, self.of_twin))
        assert self.engine.snapshot() == self.twin.snapshot()
        self.of_engine, self.of_twin = [], []

    def _standing(self, which: int) -> Alarm | None:
        """One of the alarms; now and then none."""
        standing = self.engine.alarms()
        return standing[which % len(standing)] if standing and which else None

    def _of(self, alarm: Alarm) -> Facts:
        return self.facts[alarm.rule, alarm.subject]

    # -- what must never be --------------------------------------------------------------------------------------------

    @invariant()
    def hold_it_to_what_must_never_be(self) -> None:
        if hasattr(self, "story"):
            self._hold()

    def _hold(self) -> None:
        self._what_is_so_stands_as_it_is()
        self._nothing_unanswered_is_untold_unless_hidden()
        self._an_acknowledgement_covers_what_was_seen_and_nothing_after_it()
        self._nothing_is_hidden_without_a_reason_and_an_end()
        self._the_door_is_as_the_most_urgent_of_those_who_want_it_has_it()
        self._time_alone_changes_nothing_that_is_due_already()

    def _what_is_so_stands_as_it_is(self) -> None:
        for facts, alarm in self._pairs():
            if facts.level:
                assert alarm is not None, "what is active does not stand"
                assert alarm.state in ("unacknowledged", "acknowledged")
                assert alarm.condition is (ConditionState.ACTIVE if facts.is_known else ConditionState.UNKNOWN)
                assert alarm.rule != "steps" or alarm.priority == STEPS[facts.level - 1]["priority"]
            elif alarm is not None:
                assert alarm.state not in ("unacknowledged", "acknowledged"), "what is over stands as if it were not"

    def _nothing_unanswered_is_untold_unless_hidden(self) -> None:
        for facts, alarm in self._pairs():
            if alarm is not None and not alarm.hidden and alarm.state in ("unacknowledged", "latched_unacknowledged"):
                assert facts.told, f"nobody was told of {alarm.rule} of {alarm.subject}"

    def _an_acknowledgement_covers_what_was_seen_and_nothing_after_it(self) -> None:
        for facts, alarm in self._pairs():
            if alarm is not None and alarm.state in ("acknowledged", "latched_acknowledged"):
                assert facts.seen, f"{alarm.rule} of {alarm.subject} was not seen like this"

    def _nothing_is_hidden_without_a_reason_and_an_end(self) -> None:
        alarms = {(alarm.rule, alarm.subject): alarm for _, alarm in self._pairs() if alarm is not None}
        for facts, alarm in self._pairs():
            if alarm is None:
                assert facts.out_until is None
                continue
            out = alarm.out_of_service
            assert alarm.hidden == (alarm.shelf is not None or out is not None or alarm.suppressed_by is not None)
            assert (out.until_time if out is not None else None) == facts.out_until
            if alarm.shelf is not None:
                assert facts.shelved_until is not None
                assert at(self.now) < alarm.shelf.until_time <= facts.shelved_until
            if alarm.suppressed_by is not None:
                cause, explained = self.facts["cause", "s/hydrant-2"], alarms.get(("cause", "s/hydrant-2"))
                assert alarm.rule == "effect"
                assert explained is not None
                assert explained.alarm_id == alarm.suppressed_by
                assert cause.level, "hidden by what is over"
                assert cause.is_known, "hidden by what nobody can tell of"
                assert not explained.is_held, "hidden by what is hidden by an operator"

    def _the_door_is_as_the_most_urgent_of_those_who_want_it_has_it(self) -> None:
        asked = self.story.asked
        wish = next((name for name in WISHES if self.facts[name, "s/lift"].wants), None)
        if wish is not None:
            assert asked is not None, f"{wish} wants the door held, and nobody asked it"
            assert (asked.action, asked.parameters) == ("hold_door", {"max_seconds": WISHES[wish]}), wish
        else:
            assert asked is None or asked.action == "release_door", "the door is held for nobody"

    def _time_alone_changes_nothing_that_is_due_already(self) -> None:
        wake = self.engine.next_wake()
        assert wake is None or wake > at(self.now)
        assert self.engine.failures() == []

    def _pairs(self) -> list[tuple[Facts, Alarm | None]]:
        alarms = {(alarm.rule, alarm.subject): alarm for alarm in self.engine.alarms()}
        assert len(alarms) == len(self.engine.alarms()), "two alarms of one rule and subject"
        return [(facts, alarms.get(name)) for name, facts in self.facts.items()]


def _id(alarm: Alarm | None) -> str:
    return alarm.alarm_id if alarm is not None else "none"


TestControlRoom = pytest.mark.slow(ControlRoom.TestCase)
TestControlRoom.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
