"""The list that every kind of condition passes, whatever it is: what `rules.evaluator.Evaluator` promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firewatch.model.alarm import ConditionState
from firewatch.model.observation import Quality
from firewatch.model.site import SignalType
from firewatch.rules.absence import AbsenceEvaluator
from firewatch.rules.camera_session import CameraSessionEvaluator
from firewatch.rules.change import ChatterEvaluator, StateChangedEvaluator
from firewatch.rules.coincidence import CoincidenceEvaluator
from firewatch.rules.count import CountEvaluator
from firewatch.rules.delay import DelayEvaluator
from firewatch.rules.deviation import DeviationEvaluator
from firewatch.rules.difference import DifferenceEvaluator
from firewatch.rules.duty_cycle import DutyCycleEvaluator
from firewatch.rules.evaluator import Evaluator
from firewatch.rules.expression import ExpressionEvaluator
from firewatch.rules.ladder import LadderEvaluator
from firewatch.rules.limit import LimitEvaluator
from firewatch.rules.logic import Formula, LogicEvaluator
from firewatch.rules.rate_of_change import RateOfChangeEvaluator
from firewatch.rules.schedule import ScheduleEvaluator
from firewatch.rules.sequence import OmissionEvaluator, SequenceEvaluator
from firewatch.rules.spec import (
    AbsenceSpec,
    CameraSessionSpec,
    ChatterSpec,
    CountSpec,
    DeviationSpec,
    DifferenceSpec,
    DutyCycleSpec,
    ExpressionSpec,
    LimitSpec,
    RateOfChangeSpec,
    ScheduleSpec,
    StateChangedSpec,
    StateSpec,
    StuckSpec,
)
from firewatch.rules.state import StateEvaluator
from firewatch.rules.states import DeviationState
from firewatch.rules.stuck import StuckEvaluator
from tests.unit.rules.drive import BAD, Drive, at, reading

LIMIT = LimitSpec.model_validate({"signal": "x", "limit": 0.5, "deadband": 0.2})
TRUE = StateSpec.model_validate({"signal": "x", "is": True})
SESSION = CameraSessionSpec.model_validate({"signal": "x", "quiet": "3s", "hold": "4s"})


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def high(signal: str = "s/d/x") -> LimitEvaluator:
    return LimitEvaluator("high", signal, LIMIT)


def high_above(limit: float, signal: str = "s/d/x") -> LimitEvaluator:
    return LimitEvaluator("high", signal, LimitSpec.model_validate({"signal": "x", "limit": limit, "deadband": 0.1}))


def session(*, guard: bool = False) -> CameraSessionEvaluator:
    return CameraSessionEvaluator("s/d/x", SESSION, StateEvaluator("s/e/x", TRUE) if guard else None)


def silence() -> AbsenceEvaluator:
    return AbsenceEvaluator(("s/d/x", "s/e/x"), AbsenceSpec.model_validate({"after": "6s"}))


def rate(**spec: object) -> RateOfChangeEvaluator:
    return RateOfChangeEvaluator("s/d/x", RateOfChangeSpec.model_validate({"signal": "x", "within": "5s", **spec}))


def difference(**spec: object) -> DifferenceEvaluator:
    form = {"signal": "x", "minus": "y", "deadband": 0.2, "max_age": "4s", **spec}
    return DifferenceEvaluator("s/d/x", "s/e/x", DifferenceSpec.model_validate(form))


class LearntDeviation(DeviationEvaluator):
    """Begins with what it learnt a week before the stories. An hour ends three seconds after they begin."""

    def __init__(self) -> None:
        form = {"signal": "x", "apart": 0.3, "deadband": 0.1, "weeks": 2, "learn_weeks": 1}
        super().__init__("s/d/x", DeviationSpec.model_validate(form), timezone(seconds(-3)))

    def initial(self) -> DeviationState:
        state = DeviationState()
        for hour, usual in ((-1, 0.2), (0, 0.2), (1, 0.9), (2, 0.9)):
            then = (hour - 7 * 24) * 3600.0
            state, _ = self.observe(state, reading("s/d/x", usual, then), at(then))
        return DeviationState(history=state.history)


def stuck(**spec: object) -> StuckEvaluator:
    return StuckEvaluator("s/d/x", StuckSpec.model_validate({"signal": "x", "after": "6s", **spec}))


def state_changed(**spec: object) -> StateChangedEvaluator:
    return StateChangedEvaluator("s/d/x", StateChangedSpec.model_validate({"signal": "x", "hold": "4s", **spec}))


def chatter() -> ChatterEvaluator:
    return ChatterEvaluator("s/d/x", ChatterSpec.model_validate({"signal": "x", "changes": 3, "within": "6s"}))


def logic(formula: Formula, *leaves: Evaluator[Any]) -> LogicEvaluator:
    return LogicEvaluator(formula, leaves)


def none_of(*leaves: Evaluator[Any]) -> LogicEvaluator:
    return logic(Formula("not", (Formula("any", (LEAF[0], LEAF[1])),)), *leaves)


def window() -> ScheduleEvaluator:
    """Open for three seconds, then for the rest of the day but for a second."""
    windows = [{"from": "08:00:02", "to": "08:00:05"}, {"from": "08:00:06"}]
    return ScheduleEvaluator(ScheduleSpec.model_validate({"windows": windows}), "UTC")


def count(inner: Evaluator[Any], *, at_least: int = 2) -> CountEvaluator:
    spec = {"of": {"state": {"signal": "x", "is": True}}, "at_least": at_least, "within": "6s"}
    return CountEvaluator(inner, CountSpec.model_validate(spec))


def duty(inner: Evaluator[Any]) -> DutyCycleEvaluator:
    spec = {"of": {"state": {"signal": "x", "is": True}}, "share": 0.4, "within": "6s"}
    return DutyCycleEvaluator(inner, DutyCycleSpec.model_validate(spec))


def expression() -> ExpressionEvaluator:
    spec = ExpressionSpec.model_validate(
        {"cel": "x > 0.5 || x + y > 1", "signals": {"x": "x", "y": "y"}, "max_age": "4s"}
    )
    numbers = {"x": SignalType.NUMBER, "y": SignalType.NUMBER}
    return ExpressionEvaluator(spec, {"x": "s/d/x", "y": "s/e/x"}, numbers)


LEAF = tuple(Formula(leaf=place) for place in range(4))
ALL, ANY = (Formula(kind, LEAF[:2]) for kind in ("all", "any"))
NOT = Formula("not", LEAF[:1])
ALL_BUT = Formula("all", (LEAF[0], Formula("not", (LEAF[1],))))


@dataclass(frozen=True)
class Kind:
    """A kind of condition. `hears` says that it listens for signs of life and not for values: then a reading of bad
    quality or one that comes late is as good as any.
    """

    make: Callable[[], Evaluator[Any]]
    hears: bool = False


KINDS = {
    "high": Kind(high),
    "low": Kind(lambda: LimitEvaluator("low", "s/d/x", LIMIT)),
    "state": Kind(lambda: StateEvaluator("s/d/x", TRUE)),
    "rate of change": Kind(lambda: rate(rises_by=0.3, deadband=0.2)),
    "rate of change both ways": Kind(lambda: rate(rises_by=0.5, falls_by=0.3)),
    "difference above": Kind(lambda: difference(above=0.3)),
    "difference below": Kind(lambda: difference(below=-0.3)),
    "difference apart": Kind(lambda: difference(apart=0.3)),
    "deviation": Kind(LearntDeviation),
    "stuck": Kind(lambda: stuck(band=0.2)),
    "stuck at one value": Kind(stuck),
    "state changed": Kind(state_changed),
    "state changed to true": Kind(lambda: state_changed(to=[True, 0.9])),
    "chatter": Kind(chatter),
    "delayed rate of change": Kind(lambda: DelayEvaluator(rate(rises_by=0.3), seconds(3), seconds(2))),
    "delayed difference": Kind(lambda: DelayEvaluator(difference(apart=0.3), seconds(3), seconds(2))),
    "delayed state changed": Kind(lambda: DelayEvaluator(state_changed(), seconds(3), seconds(2))),
    "delayed chatter": Kind(lambda: DelayEvaluator(chatter(), seconds(1), seconds(2))),
    "k of n changes": Kind(lambda: CoincidenceEvaluator([state_changed(), stuck(), chatter()], 2, seconds(5))),
    "all": Kind(lambda: logic(ALL, high(), high("s/e/x"))),
    "any": Kind(lambda: logic(ANY, high(), high("s/e/x"))),
    "not": Kind(lambda: logic(NOT, high())),
    "all but": Kind(lambda: logic(ALL_BUT, high_above(0.3), high_above(0.7))),
    "none of": Kind(lambda: none_of(high(), high("s/e/x"))),
    "not a k of n": Kind(lambda: logic(NOT, CoincidenceEvaluator([high(), high("s/e/x")], 2, seconds(5)))),
    "not silent": Kind(lambda: logic(NOT, silence()), hears=True),
    "all in a window": Kind(lambda: logic(ALL, window(), high())),
    "all out of a window": Kind(lambda: logic(ALL_BUT, high(), window())),
    "delayed none of": Kind(lambda: DelayEvaluator(none_of(high(), high("s/e/x")), seconds(3), seconds(2))),
    "sequence": Kind(lambda: SequenceEvaluator(high(), high("s/e/x"), seconds(4))),
    "sequence of one signal": Kind(lambda: SequenceEvaluator(high_above(0.3), high_above(0.7), seconds(4))),
    "sequence after silence": Kind(lambda: SequenceEvaluator(silence(), high(), seconds(4)), hears=True),
    "sequence of none of": Kind(lambda: SequenceEvaluator(none_of(high(), high("s/e/x")), high(), seconds(4))),
    "omission": Kind(lambda: OmissionEvaluator(high(), high("s/e/x"), seconds(4))),
    "omission of one signal": Kind(lambda: OmissionEvaluator(high_above(0.3), high_above(0.7), seconds(4))),
    "omission in a window": Kind(lambda: OmissionEvaluator(window(), high(), seconds(1))),
    "delayed omission": Kind(
        lambda: DelayEvaluator(OmissionEvaluator(high(), high("s/e/x"), seconds(4)), seconds(1), seconds(2))
    ),
    "count": Kind(lambda: count(high())),
    "count of one": Kind(lambda: count(high(), at_least=1)),
    "count of any": Kind(lambda: count(CoincidenceEvaluator([high(), high("s/e/x")], 1, seconds(0), tell_each=True))),
    "count of silences": Kind(lambda: count(silence(), at_least=1), hears=True),
    "count of none of": Kind(lambda: count(none_of(high(), high("s/e/x")))),
    "delayed count": Kind(lambda: DelayEvaluator(count(high()), seconds(1), seconds(2))),
    "duty cycle": Kind(lambda: duty(high())),
    "duty cycle of silence": Kind(lambda: duty(silence()), hears=True),
    "duty cycle of an omission": Kind(lambda: duty(OmissionEvaluator(high(), high("s/e/x"), seconds(1)))),
    "delayed duty cycle": Kind(lambda: DelayEvaluator(duty(high()), seconds(1), seconds(2))),
    "expression": Kind(expression),
    "delayed expression": Kind(lambda: DelayEvaluator(expression(), seconds(3), seconds(2))),
    "composed": Kind(
        lambda: logic(
            Formula("any", (Formula("not", (ALL_BUT,)), Formula("all", (LEAF[2], LEAF[3])))),
            high(),
            OmissionEvaluator(high(), high("s/e/x"), seconds(2)),
            count(duty(high("s/e/x")), at_least=1),
            SequenceEvaluator(window(), none_of(high("s/f/x"), expression()), seconds(4)),
        )
    ),
    "count of composed": Kind(
        lambda: count(logic(ALL_BUT, duty(high()), SequenceEvaluator(high(), high("s/e/x"), seconds(4))))
    ),
    "k of n composed": Kind(
        lambda: CoincidenceEvaluator([duty(high()), none_of(high(), high("s/e/x")), count(high())], 2, seconds(5))
    ),
    "absence": Kind(silence, hears=True),
    "camera session": Kind(session),
    "guarded camera session": Kind(lambda: session(guard=True)),
    "k of n": Kind(lambda: CoincidenceEvaluator([high(), high("s/e/x"), high("s/f/x")], 2, seconds(5))),
    "any of": Kind(lambda: CoincidenceEvaluator([high(), high("s/e/x")], 1, seconds(0), tell_each=True)),
    "k of n with absence": Kind(lambda: CoincidenceEvaluator([high(), silence()], 1, seconds(5)), hears=True),
    "delayed limit": Kind(lambda: DelayEvaluator(high(), seconds(3), seconds(2))),
    "delayed absence": Kind(lambda: DelayEvaluator(silence(), seconds(3), seconds(2)), hears=True),
    "delayed camera session": Kind(lambda: DelayEvaluator(session(), seconds(1), seconds(2))),
    "delayed k of n": Kind(
        lambda: DelayEvaluator(CoincidenceEvaluator([high(), high("s/e/x")], 2, seconds(5)), seconds(3), seconds(0))
    ),
    "ladder": Kind(lambda: LadderEvaluator({0: high_above(0.3), 2: high_above(0.7)})),
    "ladder of delays": Kind(
        lambda: LadderEvaluator(
            {
                0: DelayEvaluator(high_above(0.3), seconds(1), seconds(3)),
                1: DelayEvaluator(high_above(0.7), seconds(3), seconds(2)),
            }
        )
    ),
    "ladder with absence": Kind(lambda: LadderEvaluator({0: silence(), 1: high_above(0.3, "s/d/x")}), hears=True),
    "any of delayed": Kind(
        lambda: CoincidenceEvaluator(
            [DelayEvaluator(high(name), seconds(3), seconds(2)) for name in ("s/d/x", "s/e/x")],
            1,
            seconds(0),
            tell_each=True,
        )
    ),
}

pytestmark = pytest.mark.slow

each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
quick = settings(max_examples=25, deadline=None)


@dataclass(frozen=True)
class Heard:
    """A step of a story: `after` seconds later a reading comes that is `late_by` seconds old."""

    after: float
    signal: int
    value: float | bool | str
    late_by: float


steps = st.builds(
    Heard,
    after=st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 9.0]),
    signal=st.integers(0, 2),
    value=st.sampled_from([0.0, 0.2, 0.4, 0.9, 0.9, True, False, BAD]),
    late_by=st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.5, 2.0, 6.0]),
)
values = st.sampled_from([0.0, 0.4, 0.9, True, False])
newest = st.sampled_from([[score, last] for score in (0.0, 0.4, 0.9) for last in (score, BAD, True, False)])
stories = st.lists(steps, max_size=20)


def play(drive: Drive, story: list[Heard], *, start: float = 0.0) -> float:
    """Hear a story out; returns the time at its end."""
    now = start
    for step in story:
        now += step.after
        signals = drive.evaluator.signals
        drive.hear(now, step.value, signal=signals[step.signal % len(signals)], event=now - step.late_by)
    return now


RANK = {ConditionState.INACTIVE: 0, ConditionState.UNKNOWN: 1, ConditionState.ACTIVE: 2}


@each_kind
@quick
@given(story=stories)
def test_an_observation_of_bad_quality_never_clears(kind: Kind, story: list[Heard]) -> None:
    drive = Drive(kind.make())
    now = play(drive, story)
    if kind.hears:
        return
    for signal in drive.evaluator.signals:
        _, changes = drive.evaluator.observe(drive.state, reading(signal, BAD, now), at(now))
        assert ConditionState.INACTIVE not in [change.condition for change in changes]


@each_kind
@quick
@given(story=stories, newest=newest, value=values, by=st.sampled_from([0.25, 1.0, 4.0, 20.0]))
def test_a_late_observation_may_raise_and_never_clears(
    kind: Kind, story: list[Heard], newest: list[float | str], value: float, by: float
) -> None:
    drive = Drive(kind.make())
    now = play(drive, story)
    if kind.hears:
        return
    for signal in drive.evaluator.signals:
        for last in newest:  # whatever comes below is older than these
            drive.hear(now, last, signal=signal)
        before = drive.condition
        _, changes = drive.evaluator.observe(drive.state, reading(signal, value, now, event=now - by), at(now))
        for change in changes:
            assert RANK[change.condition] >= RANK[before]


@each_kind
@quick
@given(story=stories)
def test_an_observation_that_comes_twice_changes_nothing(kind: Kind, story: list[Heard]) -> None:
    drive = Drive(kind.make())
    now = 0.0
    for step in story:
        now += step.after
        signal = drive.evaluator.signals[step.signal % len(drive.evaluator.signals)]
        observation = reading(signal, step.value, now, event=now - step.late_by)
        drive.take(observation, now)
        assert drive.evaluator.observe(drive.state, observation, at(now)) == (drive.state, ())


@each_kind
@quick
@given(story=stories, cut=st.integers(0, 20))
def test_a_snapshot_in_between_changes_nothing(kind: Kind, story: list[Heard], cut: int) -> None:
    straight, interrupted = Drive(kind.make()), Drive(kind.make())
    play(straight, story)
    now = play(interrupted, story[:cut])
    kept = msgspec.json.encode(interrupted.state)
    interrupted.state = msgspec.json.decode(kept, type=interrupted.evaluator.state_type)
    assert msgspec.json.encode(interrupted.state) == kept
    play(interrupted, story[cut:], start=now)
    assert (interrupted.told, interrupted.state) == (straight.told, straight.state)


@each_kind
@quick
@given(story=stories, pauses=st.lists(st.sampled_from([0.1, 1.0, 2.5, 7.0]), max_size=5))
def test_it_makes_no_difference_how_often_time_is_told(kind: Kind, story: list[Heard], pauses: list[float]) -> None:
    often, seldom = Drive(kind.make()), Drive(kind.make())
    now = 0.0
    for step in story:
        for pause in pauses:
            if pause < step.after:
                often.advance(now + pause)
        now += step.after
        for drive in (often, seldom):
            signal = drive.evaluator.signals[step.signal % len(drive.evaluator.signals)]
            drive.hear(now, step.value, signal=signal, event=now - step.late_by)
    assert (often.told, often.state) == (seldom.told, seldom.state)


@each_kind
@quick
@given(story=stories, passes=st.sampled_from([0.0, 1.0, 30.0, 100_000.0]))
def test_waking_makes_progress(kind: Kind, story: list[Heard], passes: float) -> None:
    drive = Drive(kind.make())
    now = play(drive, story)
    state, _ = drive.evaluator.wake(drive.state, at(now + passes))
    following = drive.evaluator.next_wake(state)
    assert following is None or following > at(now + passes)
    assert following is None or drive.evaluator.keeps_time


@each_kind
@quick
@given(story=stories)
def test_an_evaluator_that_says_nothing_returns_the_state_it_was_given(kind: Kind, story: list[Heard]) -> None:
    drive = Drive(kind.make())
    now = play(drive, story)
    drive.advance(now)
    due = drive.evaluator.next_wake(drive.state)
    state, changes = drive.evaluator.wake(drive.state, at(now))
    assert due is None or due > at(now)
    assert (state is drive.state, changes) == (True, ())


@each_kind
@quick
@given(story=stories)
def test_changes_tell_a_story_that_hangs_together(kind: Kind, story: list[Heard]) -> None:
    """Whoever follows the changes knows the condition, and every beginning has its onset."""
    drive = Drive(kind.make())
    play(drive, story)
    known, step = ConditionState.UNKNOWN, 0
    for change in drive.told:
        if change.phase in ("suspected", "rejected"):
            continue
        begins = change.phase == "active"
        assert change.condition is not known or begins or change.step != step
        assert not begins or change.onset_time is not None
        assert change.condition is ConditionState.ACTIVE or change.phase in (None, "inactive")
        known, step = change.condition, change.step
    assert known is drive.condition


@each_kind
def test_bad_quality_is_not_a_value(kind: Kind) -> None:
    evaluator = kind.make()
    observation = reading(evaluator.signals[0], BAD, 1)
    assert observation.quality is Quality.BAD
    state, changes = evaluator.observe(evaluator.initial(), observation, at(1))
    assert kind.hears or (state.condition is ConditionState.UNKNOWN and changes == ())
