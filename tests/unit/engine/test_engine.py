from __future__ import annotations

import pytest

from firewatch.engine.engine import Engine
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import alarm_id
from firewatch.model.effect import Annunciate, RecordTransition
from tests.unit.engine.world import (
    ALL,
    BAD,
    CONFIRMED,
    E_BIKE,
    INVENTORY,
    LOW,
    SILENT,
    SLOW_LOW,
    SMOKE,
    START,
    World,
    act,
    at,
    reading,
    rule,
)


def test_the_e_bike_story() -> None:
    world = World(E_BIKE)
    assert world.hear(0, "controller/door", "open") == []
    assert world.hear(0, "cam/e_bike", 0.02) == []
    assert world.hear(12.0, "cam/e_bike", 0.9, picture="p1") == ["> door hold_door"]
    assert world.hear(12.2, "cam/e_bike", 0.8, picture="p2") == [
        "! e-bike",
        "> speaker play",
        "e-bike unacknowledged (condition_active)",
    ]
    alarm = world.alarm("e-bike")
    assert (alarm.picture, alarm.value, alarm.subject, alarm.system) == ("p2", 0.8, "s/lift", "lift")
    assert (alarm.onset_time, alarm.clock.source_time, alarm.clock.decided_time) == (at(12), at(12.2), at(12.2))
    for tenths in range(124, 200, 2):
        assert world.hear(tenths / 10, "cam/e_bike", 0.3) == []
    assert world.acknowledge(20, alarm.alarm_id) == ["e-bike acknowledged (acknowledged)"]
    for tenths in range(202, 268, 2):
        assert world.hear(tenths / 10, "cam/e_bike", 0.0) == []
    assert world.hear(26.8, "cam/e_bike", 0.0) == ["> door release_door", "e-bike normal (condition_inactive)"]
    assert world.standing() == []


def test_a_suspicion_that_is_not_confirmed_releases_the_door_and_tells_nobody() -> None:
    world = World(E_BIKE)
    world.hear(12.0, "cam/e_bike", 0.9)
    assert world.hear(12.2, "cam/e_bike", 0.0) == []
    assert world.advance(14.4) == ["> door release_door"]
    assert world.standing() == []


def test_suspicion_confirmation_and_end_of_a_session_share_their_cause() -> None:
    world = World(E_BIKE)
    for tenths in range(120, 124, 2):
        world.hear(tenths / 10, "cam/e_bike", 0.9)
    for tenths in range(124, 200, 2):
        world.hear(tenths / 10, "cam/e_bike", 0.0)
    assert [command.action for command in world.commands()] == ["hold_door", "play", "release_door"]
    assert {command.cause for command in world.commands()} == {alarm_id("e-bike", "s/lift", at(12))}
    assert len({command.command_id for command in world.commands()}) == 3


def test_the_second_visit_has_commands_of_its_own() -> None:
    world = World(E_BIKE)
    for start in (0, 60):
        for frame in range(50):
            world.hear(start + frame / 5, "cam/e_bike", 0.9 if frame < 5 else 0.0)
    identities = [command.command_id for command in world.commands()]
    assert len(identities) == len(set(identities)) == 6
    assert world.alarm("e-bike").activations == 2


def test_the_door_is_held_while_the_camera_is_silent() -> None:
    world = World(E_BIKE)
    world.hear(12.0, "cam/e_bike", 0.9)
    world.hear(12.2, "cam/e_bike", 0.9)
    assert world.advance(3600) == ["e-bike unacknowledged (condition_unknown)"]
    assert world.hear(3601, "cam/e_bike", 0.0) == ["e-bike unacknowledged (condition_known)"]
    assert world.hear(3605, "cam/e_bike", 0.0) == []
    assert world.hear(3608, "cam/e_bike", 0.0) == [
        "> door release_door",
        "e-bike rtn_unacknowledged (condition_inactive)",
    ]


def test_text_names_the_place_the_device_and_the_value_in_both_languages() -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.0512345)
    alarm = world.alarm("low")
    assert alarm.text.zh == "A座·屋顶栓：0.0512345 MPa（屋顶栓）"
    assert alarm.text.en == "Tower A, roof hydrant: 0.0512345 MPa (roof hydrant)"
    assert (alarm.building, alarm.unit, alarm.subject) == ("tower", "MPa", "s/hydrant-1")


def test_an_alarm_about_one_of_several_devices_names_that_one() -> None:
    world = World(SMOKE)
    world.hear(1, "smoke-3/alarm", True)
    assert world.alarm("smoke").text.en == "Garage, zone 1: yes  (smoke 3)"


def test_an_acknowledgement_does_not_hide_the_next_device() -> None:
    world = World(SMOKE)
    for n in (1, 2, 3, 4):
        world.hear(0, f"smoke-{n}/alarm", False)
    world.hear(1, "smoke-1/alarm", True)
    world.acknowledge(2, world.alarm("smoke").alarm_id)
    assert world.hear(3, "smoke-2/alarm", True) == ["! smoke", "smoke unacknowledged (condition_active)"]
    assert world.hear(4, "smoke-1/alarm", False) == []
    assert world.hear(5, "smoke-2/alarm", False) == ["smoke rtn_unacknowledged (condition_inactive)"]


def test_two_detectors_confirm_a_fire() -> None:
    world = World(CONFIRMED)
    world.hear(0, "smoke-1/alarm", True)
    assert world.hear(30, "smoke-2/alarm", True) == ["! confirmed", "confirmed unacknowledged (condition_active)"]
    assert world.alarm("confirmed").onset_time == at(30)


def test_a_device_that_falls_silent_keeps_its_alarm_and_gets_another() -> None:
    world = World(LOW, SILENT)
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.hear(1, "hydrant-2/pressure", 0.5)
    world.advance(10)
    world.hear(14, "hydrant-2/pressure", 0.5)
    assert world.advance(16) == ["! silent", "silent unacknowledged (condition_active)"]
    assert world.standing() == ["low unacknowledged active", "silent unacknowledged active"]


def test_devices_that_were_never_heard_are_reported() -> None:
    world = World(SILENT)
    assert world.engine.next_wake() == at(15)
    assert world.advance(15) == ["! silent"] * 2 + ["silent unacknowledged (condition_active)"] * 2


def test_an_on_delay_fires_at_its_deadline_even_if_nobody_called_then() -> None:
    world = World(SLOW_LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    assert world.engine.next_wake() == at(11)
    told = world.hear(50, "hydrant-1/pressure", 0.05)
    assert told == ["! slow-low", "slow-low unacknowledged (condition_active)"]
    (record,) = [effect.transition for effect in world.effects if isinstance(effect, RecordTransition)]
    assert (record.transition_time, record.alarm.onset_time) == (at(11), at(1))


def test_an_on_delay_that_is_over_when_the_reading_arrives_fires_at_once() -> None:
    world = World(SLOW_LOW)
    assert world.hear(100, "hydrant-1/pressure", 0.05, event=80) == [
        "! slow-low",
        "slow-low unacknowledged (condition_active)",
    ]
    assert world.engine.next_wake() is None


def test_people_are_told_before_commands_and_records_whatever_the_number_of_rules() -> None:
    world = World(SMOKE, CONFIRMED)
    world.hear(0, "smoke-1/alarm", True)
    assert world.hear(1, "smoke-2/alarm", True) == [
        "! smoke",
        "! confirmed",
        "smoke unacknowledged (condition_active)",
        "confirmed unacknowledged (condition_active)",
    ]


def test_time_never_goes_backwards_inside() -> None:
    world = World(LOW)
    world.advance(100)
    world.hear(50, "hydrant-1/pressure", 0.05)
    assert world.alarm("low").clock.decided_time == at(100)


def test_after_a_call_the_next_wake_is_later() -> None:
    world = World(*ALL)
    for now in range(0, 60, 3):
        world.hear(now, "hydrant-1/pressure", 0.05 if now % 2 else 0.5)
        wake = world.engine.next_wake()
        assert wake is None or wake > at(now)


def test_a_reading_nobody_judges_changes_nothing() -> None:
    world = World(LOW)
    before = world.engine.snapshot()
    assert world.hear(0, "speaker/playing", True) == []
    assert world.engine.snapshot() == before


def test_bad_quality_keeps_the_alarm_and_says_so() -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    assert world.hear(2, "hydrant-1/pressure", BAD) == ["low unacknowledged (condition_unknown)"]
    assert world.hear(3, "hydrant-1/pressure", 0.06) == ["low unacknowledged (condition_known)"]


def test_after_normal_a_new_onset_is_another_alarm() -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    first = world.alarm("low").alarm_id
    world.acknowledge(2, first)
    world.hear(3, "hydrant-1/pressure", 0.5)
    world.hear(4, "hydrant-1/pressure", 0.05)
    assert world.alarm("low").alarm_id == alarm_id("low", "s/hydrant-1", at(4)) != first


def test_a_refused_command_changes_nothing() -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    identity = world.alarm("low").alarm_id
    world.acknowledge(2, identity)
    before = world.engine.snapshot()
    with pytest.raises(RefusedCommandError):
        world.acknowledge(2, identity)
    with pytest.raises(RefusedCommandError, match="no standing alarm nothing"):
        world.acknowledge(2, "nothing")
    assert world.engine.snapshot() == before


def test_what_fell_due_before_a_refused_command_is_not_lost() -> None:
    world = World(SLOW_LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    with pytest.raises(RefusedCommandError):
        world.acknowledge(20, "nothing")
    assert world.engine.next_wake() == at(20)
    again = world.restarted()
    for engine_world in (world, again):
        assert engine_world.advance(20) == ["! slow-low", "slow-low unacknowledged (condition_active)"]
        assert engine_world.engine.next_wake() is None


def test_an_alarm_can_be_acknowledged_at_the_moment_it_falls_due() -> None:
    world = World(SLOW_LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    assert world.acknowledge(11, alarm_id("slow-low", "s/hydrant-1", at(1))) == [
        "! slow-low",
        "slow-low unacknowledged (condition_active)",
        "slow-low acknowledged (acknowledged)",
    ]


def test_the_same_onset_told_again_goes_on_with_its_numbers() -> None:
    """Late data can bring the very onset of an alarm that was closed; its records must not collide."""
    world = World(CONFIRMED)
    world.hear(0, "smoke-1/alarm", True)
    world.hear(1, "smoke-2/alarm", True)
    identity = world.alarm("confirmed").alarm_id
    world.acknowledge(2, identity)
    for n in (1, 2, 3, 4):
        world.hear(70, f"smoke-{n}/alarm", False)
    world.advance(200)
    world.hear(201, "smoke-3/alarm", True, event=1)
    assert [effect.alarm.alarm_id for effect in world.effects if isinstance(effect, Annunciate)] == [identity] * 2
    numbers = [effect.transition.number for effect in world.effects if isinstance(effect, RecordTransition)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_an_action_reaches_the_nearest_devices_of_its_kind() -> None:
    smoke = rule(
        "sound",
        {"device": "pressure_transmitter"},
        {"low": {"signal": "pressure", "limit": 0.07}},
        actions={"active": [act("loudspeaker", "play"), act("pressure_transmitter", "test")]},
    )
    world = World(smoke)
    assert [word for word in world.hear(1, "hydrant-1/pressure", 0.0) if word.startswith(">")] == [
        "> speaker play",
        "> hydrant-1 test",
    ]


def test_a_scope_can_be_narrowed_by_site_building_and_tag() -> None:
    def judged(**narrower: object) -> list[str]:
        scoped = rule(
            "low", {"device": "pressure_transmitter", **narrower}, {"low": {"signal": "pressure", "limit": 1}}
        )
        world = World(scoped)
        world.hear(0, "hydrant-1/pressure", 0.0)
        world.hear(0, "hydrant-2/pressure", 0.0)
        return [alarm.subject for alarm in world.engine.alarms()]

    assert sorted(judged()) == ["s/hydrant-1", "s/hydrant-2"]
    assert judged(buildings=["garage"]) == ["s/hydrant-2"]
    assert judged(tags=["roof"]) == ["s/hydrant-1"]
    assert judged(sites=["elsewhere"]) == []


def test_an_engine_without_rules_does_nothing_and_waits_for_nothing() -> None:
    engine = Engine([], INVENTORY)
    assert engine.start(START) == []
    assert engine.observe(reading("hydrant-1/pressure", 0.0, 1), at(1)) == []
    assert engine.next_wake() is None
