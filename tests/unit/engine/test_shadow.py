"""A shadow rule judges, is recorded and counted; nobody is told and nothing is done, until it is promoted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from firewatch.errors import RefusedCommandError
from firewatch.model.effect import RecordTransition
from firewatch.rules.spec import Mode, RuleSpec
from tests.unit.engine.world import BAD, E_BIKE, LOW, SLOW_LOW, World, act, rule


def shadow(spec: RuleSpec) -> RuleSpec:
    return spec.model_copy(update={"mode": Mode.SHADOW})


def visit(world: World, start: float) -> list[str]:
    return [*world.hear(start, "cam/e_bike", 0.9), *world.hear(start + 0.2, "cam/e_bike", 0.9)]


def test_a_shadow_alarm_is_recorded_and_counted_and_nothing_else() -> None:
    world = World(shadow(E_BIKE))
    assert visit(world, 1) == ["e-bike unacknowledged (condition_active)"]
    (record,) = [effect.transition for effect in world.effects if isinstance(effect, RecordTransition)]
    assert record.alarm.shadow
    assert world.engine.alarms() == []
    assert [alarm.alarm_id for alarm in world.engine.shadow_alarms()] == [record.alarm_id]
    assert world.engine.shadow_counts() == {"e-bike": 1}


def test_nobody_can_acknowledge_what_nobody_was_told() -> None:
    world = World(shadow(LOW))
    world.hear(1, "hydrant-1/pressure", 0.05)
    with pytest.raises(RefusedCommandError, match="no standing alarm"):
        world.acknowledge(2, world.engine.shadow_alarms()[0].alarm_id)


def test_a_shadow_beside_its_live_rule_has_alarms_of_its_own() -> None:
    live = World(LOW)
    live.hear(1, "hydrant-1/pressure", 0.05)
    beside = World(shadow(LOW))
    beside.hear(1, "hydrant-1/pressure", 0.05)
    assert beside.engine.shadow_alarms()[0].alarm_id != live.alarm("low").alarm_id


def test_a_promoted_rule_tells_at_once_what_stands_and_acts() -> None:
    world = World(shadow(E_BIKE))
    visit(world, 1)
    assert world.reload(3, E_BIKE) == [
        "! e-bike",
        "> speaker play",
        "e-bike normal (promoted)",
        "e-bike unacknowledged (condition_active)",
    ]
    assert world.standing() == ["e-bike unacknowledged active"]
    assert world.engine.shadow_alarms() == []
    assert world.report.rules[0].annunciated == (world.alarm("e-bike").alarm_id,)


def test_a_promoted_rule_that_cannot_see_tells_that_it_stands_and_is_unknown() -> None:
    world = World(shadow(LOW))
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.hear(2, "hydrant-1/pressure", BAD)
    assert world.reload(3, LOW)[0] == "! low"
    assert world.standing() == ["low unacknowledged unknown"]


def test_a_promoted_rule_says_nothing_of_what_is_over() -> None:
    world = World(shadow(LOW))
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.hear(2, "hydrant-1/pressure", 0.5)
    assert world.reload(3, LOW) == []


@pytest.mark.parametrize("latched", [False, True])
def test_each_shadow_alarm_ends_with_its_condition_as_nobody_will_ever_answer_it(*, latched: bool) -> None:
    world = World(shadow(LOW).model_copy(update={"latched": latched, "realarm_after": timedelta(seconds=10)}))
    for second in (1, 100, 200):
        assert world.hear(second, "hydrant-1/pressure", 0.05) == ["low unacknowledged (condition_active)"]
        assert world.hear(second + 50, "hydrant-1/pressure", 0.5) == ["low normal (condition_inactive)"]
    assert world.engine.shadow_alarms() == []
    assert world.engine.shadow_counts() == {"low": 3}


def test_a_rule_that_became_a_shadow_while_firewatch_was_down_tells_nobody_again() -> None:
    repeated = LOW.model_copy(update={"realarm_after": timedelta(seconds=10)})
    world = World(repeated)
    world.hear(1, "hydrant-1/pressure", 0.05)
    assert "! low" not in world.restarted(shadow(repeated)).resume(100)


def test_a_promoted_rule_keeps_its_running_delay() -> None:
    world = World(shadow(SLOW_LOW))
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.reload(6, SLOW_LOW)
    assert world.advance(11)[0] == "! slow-low"


def test_a_demoted_rule_closes_its_alarm_lets_go_and_judges_on_in_silence() -> None:
    world = World(E_BIKE)
    visit(world, 1)
    world.acknowledge(2, world.alarm("e-bike").alarm_id)
    assert world.reload(3, shadow(E_BIKE)) == [
        "> door release_door",
        "e-bike normal (demoted)",
        "e-bike unacknowledged (condition_active)",
    ]
    assert world.standing() == []
    assert len(world.engine.shadow_alarms()) == 1


def test_a_rule_that_was_live_before_acts_again_when_it_is_promoted() -> None:
    world = World(E_BIKE)
    visit(world, 1)
    world.reload(3, shadow(E_BIKE))
    assert world.reload(4, E_BIKE)[:2] == ["! e-bike", "> speaker play"]
    assert len({command.command_id for command in world.commands()}) == len(world.commands())


def test_a_rule_promoted_while_it_cannot_see_acts_as_soon_as_it_can() -> None:
    door = rule(
        "door",
        {"asset": "lift"},
        {"state": {"signal": "lift_controller/door", "is": "open"}},
        actions={"active": [act("door_controller", "hold_door")]},
    )
    world = World(shadow(door))
    world.hear(1, "controller/door", "open")
    world.hear(2, "controller/door", BAD)
    assert "> door hold_door" not in world.reload(3, door)
    assert world.hear(4, "controller/door", "open")[0] == "> door hold_door"


def test_promoting_and_demoting_again_and_again_numbers_every_record_once() -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    for second in range(2, 8):
        world.reload(second, shadow(LOW) if second % 2 == 0 else LOW)
    numbers = [
        (effect.transition.alarm_id, effect.transition.number)
        for effect in world.effects
        if isinstance(effect, RecordTransition)
    ]
    assert len(numbers) == len(set(numbers)) == 13
    assert world.standing() == ["low unacknowledged active"]


def test_a_change_of_mode_while_firewatch_was_down_is_one_by_reload() -> None:
    world = World(shadow(LOW))
    world.hear(1, "hydrant-1/pressure", 0.05)
    again = world.restarted(LOW)
    told = [type(effect).__name__ for effect in again.engine.advance(world.engine._now)]
    assert told == []
    effects = again._took(again.engine.resume(world.engine._now))
    assert effects == ["! low", "low normal (promoted)", "low unacknowledged (condition_active)"]
