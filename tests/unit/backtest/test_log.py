"""Transitions become what people were told of."""

from __future__ import annotations

import pytest

from firewatch.backtest.log import is_confirmation, told_of
from firewatch.model.alarm import AlarmTransition, Verdict
from firewatch.model.command import Acknowledge, Confirm, OutOfService
from firewatch.model.effect import RecordTransition
from tests.unit.engine.world import LOW, SILENT, SMOKE, World, at


def told(world: World, start: float = 0, end: float = 1000) -> list[tuple[str, float, float | None]]:
    """(rule, told, until) in seconds."""
    return [
        (
            one.rule,
            (one.told_time - at(0)).total_seconds(),
            None if one.until_time is None else (one.until_time - at(0)).total_seconds(),
        )
        for one in told_of(_transitions(world), at(start), at(end))
    ]


def _transitions(world: World) -> list[AlarmTransition]:
    return [effect.transition for effect in world.effects if isinstance(effect, RecordTransition)]


def test_every_onset_is_told_of_whether_or_not_anybody_acknowledges() -> None:
    quiet, busy = World(LOW), World(LOW)
    for world in (quiet, busy):
        for second, pressure in enumerate([0.5, 0.05, 0.5, 0.05, 0.05, 0.5]):
            world.hear(second, "hydrant-1/pressure", pressure)
            if world is busy and second == 2:
                world.acknowledge(2.5, world.alarm("low").alarm_id)
    assert told(quiet) == told(busy) == [("low", 1, 2), ("low", 3, 5)]


def test_an_alarm_that_still_stands_has_no_end() -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    assert told(world) == [("low", 1, None)]


def test_only_what_was_told_in_the_time_counts_and_its_end_may_come_later() -> None:
    world = World(LOW)
    for second, pressure in enumerate([0.5, 0.05, 0.5, 0.05, 0.05, 0.5]):
        world.hear(second, "hydrant-1/pressure", pressure)
    assert told(world, start=1.5, end=4) == [("low", 3, 5)]
    assert told(world, start=0, end=3) == [("low", 1, 2)]


def test_a_second_device_of_the_same_asset_is_told_again() -> None:
    world = World(SMOKE)
    for quiet in (3, 4):
        world.hear(0, f"smoke-{quiet}/alarm", False)
    world.hear(1, "smoke-1/alarm", True)
    world.hear(2, "smoke-2/alarm", True)
    world.hear(3, "smoke-1/alarm", False)
    world.hear(4, "smoke-2/alarm", False)
    assert told(world) == [("smoke", 1, 2), ("smoke", 2, 4)]


def test_what_stays_hidden_until_it_is_over_was_not_told() -> None:
    world = World(LOW)
    world.command(0, OutOfService("low", "s/hydrant-1", "li", "WO-7"))
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.hear(2, "hydrant-1/pressure", 0.5)
    assert told(world) == []


def test_silence_is_told_at_its_deadline() -> None:
    world = World(SILENT)
    world.hear(1, "hydrant-1/pressure", 0.5)
    world.advance(60)
    assert told(world) == [("silent", 15, None), ("silent", 16, None)]


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([Verdict.REAL], True),
        ([Verdict.FALSE], False),
        ([Verdict.TEST], False),
        ([Verdict.FALSE, Verdict.REAL], True),
        ([Verdict.REAL, Verdict.FALSE], False),
    ],
)
@pytest.mark.parametrize("seconds", [3, 5, 3600])
def test_the_last_verdict_counts_while_the_alarm_stands_and_after_it(
    verdicts: list[Verdict], expected: bool, seconds: float
) -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    identity = world.alarm("low").alarm_id
    world.acknowledge(2, identity)
    if seconds > 4:
        world.hear(4, "hydrant-1/pressure", 0.5)
    for verdict in verdicts:
        world.command(seconds, Confirm(identity, "wang", verdict))
    (one,) = told_of(_transitions(world), at(0), at(10))
    assert one.confirmed is expected


def test_a_verdict_counts_more_than_the_word_in_the_acknowledgement() -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.command(2, Acknowledge(world.alarm("low").alarm_id, "li", "#confirmed"))
    world.command(3, Confirm(world.alarm("low").alarm_id, "wang", Verdict.FALSE))
    (one,) = told_of(_transitions(world), at(0), at(10))
    assert not one.confirmed


def test_a_verdict_is_on_the_onset_that_was_confirmed_and_on_no_later_one() -> None:
    world = World(LOW)
    for now, pressure in [(1, 0.05), (4, 0.5), (5, 0.05)]:
        world.hear(now, "hydrant-1/pressure", pressure)
        if now == 1:
            world.acknowledge(2, world.alarm("low").alarm_id)
            world.command(3, Confirm(world.alarm("low").alarm_id, "wang", Verdict.REAL))
    assert [one.confirmed for one in told_of(_transitions(world), at(0), at(10))] == [True, False]


def test_an_acknowledgement_may_confirm() -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.command(2, Acknowledge(world.alarm("low").alarm_id, "li", "leak found #Confirmed"))
    (one,) = told_of(_transitions(world), at(0), at(10))
    assert one.confirmed


@pytest.mark.parametrize(
    ("comment", "expected"),
    [("", False), ("confirmed", False), ("not confirmed", False), ("#confirmed leak", True), ("现场#属实", True)],
)
def test_only_the_marked_word_confirms(comment: str, expected: bool) -> None:
    assert is_confirmation(comment) is expected
