"""The engine under random stories: the same inputs give the same effects, however time is told, restarts or not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firewatch.engine.engine import Engine
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import AlarmState, ConditionState
from firewatch.model.command import Acknowledge
from firewatch.model.effect import Annunciate, Effect, RecordTransition, SendCommand
from tests.unit.engine.world import ALL, BAD, INVENTORY, START, at, reading, rule

SMOKE_DELAYED = rule(
    "smoke-delayed",
    {"asset": "fire_zone"},
    {"state": {"signal": "smoke_detector/alarm", "is": True}},
    on_delay="3s",
    off_delay="2s",
)
RULES = (*ALL, SMOKE_DELAYED)
SIGNALS: dict[str, list[Any]] = {
    "cam/e_bike": [0.0, 0.05, 0.3, 0.9, 0.9, BAD],
    "controller/door": ["open", "closed", BAD],
    "hydrant-1/pressure": [0.5, 0.072, 0.05, BAD],
    "hydrant-2/pressure": [0.5, 0.05],
    "smoke-1/alarm": [True, False, BAD],
    "smoke-2/alarm": [True, False],
}

pytestmark = pytest.mark.slow
quick = settings(max_examples=25, deadline=None)


@dataclass(frozen=True)
class Step:
    """`after` seconds later a reading is heard that is `late_by` seconds old; or the operator acknowledges the n-th
    standing alarm.
    """

    after: float
    signal: str = ""
    value: Any = None
    late_by: float = 0.0
    acknowledge: int | None = None


pauses = st.sampled_from([0.0, 0.2, 0.2, 0.5, 1.0, 3.0, 8.0, 16.0, 70.0])
readings = st.sampled_from(sorted(SIGNALS)).flatmap(
    lambda name: st.builds(
        Step,
        after=pauses,
        signal=st.just(name),
        value=st.sampled_from(SIGNALS[name]),
        late_by=st.sampled_from([0.0, 0.0, 0.0, 0.3, 5.0]),
    )
)
acknowledgements = st.builds(Step, after=pauses, acknowledge=st.integers(0, 3))
stories = st.lists(st.one_of(readings, readings, readings, acknowledgements), max_size=30)


class Player:
    """Plays a story to an engine; `now` goes on from one call to the next."""

    def __init__(self) -> None:
        self.engine = Engine(RULES, INVENTORY)
        self.effects: list[Effect] = list(self.engine.start(START))
        self.now = 0.0

    def play(self, story: list[Step], *, ticks: tuple[float, ...] = ()) -> Player:
        for step in story:
            for tick in ticks:
                if tick < step.after:
                    self.effects += self.engine.advance(at(self.now + tick))
            self.now += step.after
            self._take(step)
        return self

    def restart(self) -> None:
        snapshot = self.engine.snapshot()
        self.engine = Engine(RULES, INVENTORY)
        report = self.engine.restore(snapshot)
        assert (report.added, report.changed, report.removed) == ((), (), ())
        assert self.engine.snapshot() == snapshot

    def _take(self, step: Step) -> None:
        now = at(self.now)
        if step.acknowledge is None:
            observation = reading(step.signal, step.value, self.now, event=self.now - step.late_by)
            self.effects += self.engine.observe(observation, now)
            return
        self.effects += self.engine.advance(now)
        standing = self.engine.alarms()
        if standing:
            alarm = standing[step.acknowledge % len(standing)]
            try:
                self.effects += self.engine.command(Acknowledge(alarm.alarm_id, "li"), now)
            except RefusedCommandError:
                assert alarm.state in (AlarmState.ACKNOWLEDGED, AlarmState.NORMAL)


def by_kind(effects: list[Effect]) -> list[Effect]:
    """Within a call effects are ordered by kind, and what calls for people comes before what is only shown; so how
    they fall into calls shows in their order. This does not.
    """
    return sorted(
        effects, key=lambda effect: (type(effect).__name__, isinstance(effect, Annunciate) and effect.grouped)
    )


@quick
@given(story=stories)
def test_the_same_inputs_give_the_same_effects(story: list[Step]) -> None:
    one, other = Player().play(story), Player().play(story)
    assert one.effects == other.effects
    assert one.engine.snapshot() == other.engine.snapshot()


@quick
@given(story=stories, ticks=st.lists(st.sampled_from([0.1, 0.7, 2.4, 9.0, 30.0]), max_size=4, unique=True).map(sorted))
def test_telling_the_time_in_between_makes_no_difference(story: list[Step], ticks: list[float]) -> None:
    live, replayed = Player().play(story, ticks=tuple(ticks)), Player().play(story)
    assert by_kind(live.effects) == by_kind(replayed.effects)
    assert live.engine.snapshot() == replayed.engine.snapshot()


@quick
@given(story=stories, cut=st.integers(0, 30))
def test_going_on_from_a_snapshot_is_going_on(story: list[Step], cut: int) -> None:
    straight = Player().play(story)
    restarted = Player().play(story[:cut])
    restarted.restart()
    restarted.play(story[cut:])
    assert restarted.effects == straight.effects
    assert restarted.engine.snapshot() == straight.engine.snapshot()


@quick
@given(story=stories, places=st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted))
def test_replaying_what_followed_an_older_snapshot_tells_the_same_again(story: list[Step], places: list[int]) -> None:
    """A crash loses what came after the snapshot; the inputs in the history are replayed, and life goes on."""
    snapshot_at, crash_at = places
    crashed = Player().play(story[:snapshot_at])
    replayed = Player()
    replayed.engine.restore(crashed.engine.snapshot())
    replayed.now, replayed.effects = crashed.now, []
    before = len(crashed.effects)
    crashed.play(story[snapshot_at:crash_at])
    replayed.play(story[snapshot_at:crash_at])
    assert replayed.effects == crashed.effects[before:]
    assert replayed.engine.snapshot() == crashed.engine.snapshot()


@quick
@given(story=stories)
def test_promises_that_hold_after_every_call(story: list[Step]) -> None:
    player = Player()
    commands: set[str] = set()
    numbers: set[tuple[str, int]] = set()
    for step in story:
        first_new = len(player.effects)
        player.play([step])
        effects = player.effects[first_new:]
        wake = player.engine.next_wake()
        assert wake is None or wake > at(player.now)
        for effect in effects:
            if isinstance(effect, SendCommand):
                assert effect.command.command_id not in commands
                commands.add(effect.command.command_id)
            if isinstance(effect, RecordTransition):
                key = (effect.transition.alarm_id, effect.transition.number)
                assert key not in numbers
                numbers.add(key)
    assert player.engine.failures() == []


@quick
@given(story=stories)
def test_no_alarm_stands_that_was_not_told_and_none_clears_without_good_news(story: list[Step]) -> None:
    player = Player()
    told: set[str] = set()
    for step in story:
        first_new = len(player.effects)
        player.play([step])
        for effect in player.effects[first_new:]:
            if isinstance(effect, Annunciate):
                told.add(effect.alarm.alarm_id)
            if isinstance(effect, RecordTransition) and effect.transition.previous_state is AlarmState.ACKNOWLEDGED:
                cleared = effect.transition.alarm.state is AlarmState.NORMAL
                assert not cleared or effect.transition.alarm.condition is ConditionState.INACTIVE
        assert {alarm.alarm_id for alarm in player.engine.alarms()} <= told


@quick
@given(story=stories)
def test_a_day_of_silence_clears_nothing_that_still_stands(story: list[Step]) -> None:
    """Off-delays and coincidence windows may still run out, on what was seen; nothing else may."""
    player = Player().play(story)
    player.effects += player.engine.advance(at(player.now + 61))
    before = {alarm.alarm_id: alarm.state for alarm in player.engine.alarms()}
    player.engine.advance(at(player.now + 86_400))
    after = {alarm.alarm_id: alarm.state for alarm in player.engine.alarms()}
    assert {identity: after.get(identity) for identity in before} == before


@quick
@given(story=st.lists(readings, max_size=30))
def test_what_the_lift_does_makes_no_difference_to_the_water(story: list[Step]) -> None:
    """Hydrants and the lift share no rule: each is judged as if the other were not there."""
    together, alone = Player().play(story), Player()
    passed = 0.0
    for step in story:
        passed += step.after
        if step.signal.startswith("hydrant"):
            alone.play([replace(step, after=passed)])
            passed = 0.0
    alone.effects += alone.engine.advance(at(together.now))
    assert by_kind(of_water(alone.effects)) == by_kind(of_water(together.effects))


def of_water(effects: list[Effect]) -> list[Effect]:
    return [
        effect
        for effect in effects
        if (isinstance(effect, RecordTransition) and effect.transition.alarm.system == "water")
        or (isinstance(effect, Annunciate) and effect.alarm.system == "water")
    ]
