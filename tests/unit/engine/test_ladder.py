"""How alarms follow a ladder: up is an onset, down is only recorded."""

from __future__ import annotations

import pytest

from tests.unit.engine.world import BAD, World, at, rule

CO = rule(
    "co",
    {"device": "pressure_transmitter"},
    None,
    ladder=[
        {"when": {"high": {"signal": "pressure", "limit": 20}}, "priority": "low"},
        {
            "when": {"high": {"signal": "pressure", "limit": 50}},
            "priority": "medium",
            "on_delay": "5s",
            "text": {"zh": "二级 {value}", "en": "second {value}"},
        },
        {
            "when": {"high": {"signal": "pressure", "limit": 80}},
            "priority": "highest",
            "advice": {"zh": "撤离", "en": "leave"},
        },
    ],
)
SIGNAL = "hydrant-1/pressure"


def test_the_alarm_follows_the_most_severe_step_up_and_down() -> None:
    world = World(CO)
    assert world.hear(0, SIGNAL, 30.0) == ["! co", "co unacknowledged (condition_active)"]
    identity = world.alarm("co").alarm_id
    assert (world.alarm("co").priority, world.alarm("co").step) == ("low", 0)
    world.acknowledge(1, identity)
    assert world.hear(2, SIGNAL, 60.0) == []
    assert world.advance(7) == ["! co", "co unacknowledged (condition_active)"]
    alarm = world.alarm("co")
    assert (alarm.priority, alarm.step, alarm.text.en, alarm.alarm_id) == ("medium", 1, "second 60", identity)
    world.acknowledge(8, identity)
    assert world.hear(9, SIGNAL, 90.0) == ["! co", "co unacknowledged (condition_active)"]
    assert (world.alarm("co").priority, world.alarm("co").advice.en) == ("highest", "leave")
    world.acknowledge(10, identity)
    assert world.hear(11, SIGNAL, 60.0) == ["co acknowledged (stepped_down)"]
    assert (world.alarm("co").priority, world.alarm("co").text.en) == ("medium", "second 60")
    assert world.hear(12, SIGNAL, 30.0) == ["co acknowledged (stepped_down)"]
    assert world.alarm("co").activations == 3
    assert world.hear(13, SIGNAL, 10.0) == ["co normal (condition_inactive)"]


def test_unknown_never_steps_down() -> None:
    world = World(CO)
    world.hear(0, SIGNAL, 90.0)
    assert world.hear(1, SIGNAL, BAD) == ["co unacknowledged (condition_unknown)"]
    assert world.advance(86_400) == []
    assert world.alarm("co").priority == "highest"
    assert world.hear(86_401, SIGNAL, 30.0) == [
        "co unacknowledged (condition_known)",
        "co unacknowledged (stepped_down)",
    ]


def test_a_severe_step_after_a_return_begins_the_same_alarm_anew() -> None:
    world = World(CO)
    world.hear(0, SIGNAL, 30.0)
    world.hear(1, SIGNAL, 10.0)
    assert world.hear(2, SIGNAL, 90.0) == ["! co", "co unacknowledged (condition_active)"]
    assert (world.alarm("co").onset_time, world.alarm("co").activations) == (at(0), 2)


def test_a_ladder_that_lost_its_severe_step_to_a_reload_is_judged_anew() -> None:
    world = World(CO)
    world.hear(0, SIGNAL, 90.0)
    shorter = CO.model_copy(update={"ladder": CO.ladder[:1]})
    assert world.reload(1, shorter) == ["co unacknowledged (condition_unknown)"]
    assert world.hear(2, SIGNAL, 90.0) == ["co unacknowledged (condition_known)", "co unacknowledged (stepped_down)"]
    assert (world.alarm("co").priority, world.alarm("co").step) == ("low", 0)


@pytest.mark.parametrize("restart", [False, True])
def test_an_alarm_that_is_over_may_have_begun_at_a_step_that_is_gone(*, restart: bool) -> None:
    world = World(CO)
    world.hear(0, SIGNAL, 90.0)
    shorter = CO.model_copy(update={"ladder": CO.ladder[:1]})
    world.reload(1, shorter)
    assert world.hear(2, SIGNAL, 10.0) == ["co rtn_unacknowledged (condition_inactive)"]
    world = world.restarted() if restart else world
    assert (world.resume(3) if restart else world.reload(3, shorter)) == ["co rtn_unacknowledged (rule_changed)"]
    assert world.alarm("co").priority == "low"


def test_a_ladder_survives_a_restart_in_the_middle_of_a_delay() -> None:
    world = World(CO)
    world.hear(0, SIGNAL, 60.0)
    again = world.restarted()
    assert again.advance(5) == ["! co", "co unacknowledged (condition_active)"]
    assert again.alarm("co").priority == "medium"
