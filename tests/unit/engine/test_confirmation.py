"""What an operator confirms, while the alarm stands and for a day after it."""

from __future__ import annotations

import pytest

from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Confirmation, Verdict
from firewatch.model.command import Confirm
from firewatch.model.effect import RecordTransition
from tests.unit.engine.test_hiding import low
from tests.unit.engine.world import World, at

DAY = 86_400


def over(acknowledged: bool = True) -> tuple[World, str]:
    """A world with an alarm that returned at second 3, and its id."""
    world = World(low())
    world.hear(1, "hydrant-1/pressure", 0.05)
    identity = world.alarm("low").alarm_id
    if acknowledged:
        world.acknowledge(2, identity)
    world.hear(3, "hydrant-1/pressure", 0.09)
    return world, identity


def confirm(identity: str, verdict: Verdict = Verdict.FALSE) -> Confirm:
    return Confirm(identity, "wang", verdict, "steam")


def numbers(world: World) -> list[int]:
    return [one.transition.number for one in world.effects if isinstance(one, RecordTransition)]


def test_what_returned_before_anybody_was_there_is_confirmed_afterwards() -> None:
    world, identity = over()
    assert world.standing() == []
    assert world.command(3 + DAY, confirm(identity)) == ["low normal (confirmed)"]
    record = world.effects[-1].transition  # type: ignore[union-attr]
    assert record.alarm.confirmation == Confirmation("wang", at(3 + DAY), Verdict.FALSE, "steam")
    assert (record.alarm.acknowledged_by, record.number) == ("li", 4)
    assert world.standing() == []


def test_what_was_acknowledged_after_its_return_is_confirmed_afterwards() -> None:
    world, identity = over(acknowledged=False)
    with pytest.raises(RefusedCommandError, match="Acknowledge it first"):
        world.command(4, confirm(identity))
    world.acknowledge(5, identity)
    assert world.command(6, confirm(identity)) == ["low normal (confirmed)"]


@pytest.mark.parametrize("then", [3 + DAY + 1, 30 * DAY])
def test_after_a_day_it_is_too_late(then: float) -> None:
    world, identity = over()
    with pytest.raises(RefusedCommandError, match="within the last day"):
        world.command(then, confirm(identity))


def test_a_confirmation_is_corrected_and_numbered_on_over_a_restart() -> None:
    world, identity = over()
    world.command(4, confirm(identity))
    again = world.restarted()
    assert again.engine.snapshot() == world.engine.snapshot()
    again.resume(5)
    with pytest.raises(RefusedCommandError, match="confirmed as false already, by wang"):
        again.command(6, confirm(identity))
    assert again.command(7, confirm(identity, Verdict.REAL)) == ["low normal (confirmed)"]
    assert [*numbers(world), *numbers(again)] == [1, 2, 3, 4, 5]


def test_it_goes_on_being_numbered_where_the_very_same_onset_is_heard_again() -> None:
    world, identity = over()
    world.command(4, confirm(identity))
    world.reload(5, low("other", 0.01))
    world.reload(6, low())
    world.hear(6, "hydrant-1/pressure", 0.05, event=1)
    assert world.alarm("low").alarm_id == identity
    assert world.alarm("low").confirmation is None
    assert numbers(world) == [1, 2, 3, 4, 5]
    with pytest.raises(RefusedCommandError, match="Acknowledge it first"):
        world.command(7, confirm(identity))


def test_what_was_closed_with_its_rule_is_confirmed_afterwards() -> None:
    world = World(low())
    world.hear(1, "hydrant-1/pressure", 0.05)
    identity = world.alarm("low").alarm_id
    world.acknowledge(2, identity)
    again = world.restarted(low("other", 0.01))
    again.resume(3)
    assert again.command(4, confirm(identity)) == ["low normal (confirmed)"]


def test_a_refused_confirmation_changes_nothing() -> None:
    world, identity = over(acknowledged=False)
    world.advance(4)
    before = world.engine.snapshot()
    for wrong in (identity, "none"):
        with pytest.raises(RefusedCommandError):
            world.command(4, confirm(wrong))
    assert world.engine.snapshot() == before


def test_only_so_many_that_are_over_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firewatch.engine.engine.OVER_LIMIT", 2)
    world = World(low())
    identities = []
    for begin in (10, 20, 30):
        world.hear(begin, "hydrant-1/pressure", 0.05)
        identities.append(world.alarm("low").alarm_id)
        world.acknowledge(begin + 1, identities[-1])
        world.hear(begin + 2, "hydrant-1/pressure", 0.09)
    with pytest.raises(RefusedCommandError):
        world.command(40, confirm(identities[0]))
    for identity in identities[1:]:
        world.command(40, confirm(identity))
