"""Commands that are given again and again while their phase lasts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from firewatch.rules.spec import Mode
from tests.unit.engine.world import BAD, World, act, at, rule, words

HOLD = rule(
    "hold",
    {"device": "lift_controller"},
    {"state": {"signal": "door", "is": "blocked"}},
    actions={
        "active": [
            {**act("door_controller", "hold_door"), "every": "60s"},
            {**act("loudspeaker", "play"), "every": "100s"},
        ],
        "inactive": [act("door_controller", "release_door")],
    },
)
DOOR = "controller/door"


def begun() -> World:
    world = World(HOLD)
    world.hear(1, DOOR, "blocked")
    return world


def test_each_is_given_again_at_its_own_pace_until_the_phase_is_over() -> None:
    world = begun()
    assert world.engine.next_wake() == at(61)
    told = [(second, world.advance(second)) for second in range(2, 200)]
    assert [(second, word) for second, heard in told for word in heard] == [
        (61, "> door hold_door"),
        (101, "> speaker play"),
        (121, "> door hold_door"),
        (181, "> door hold_door"),
    ]
    assert "> door release_door" in world.hear(201, DOOR, "open")
    assert world.advance(86_400) == []


def test_each_time_is_a_command_of_its_own() -> None:
    world = begun()
    world.advance(700)
    identities = [command.command_id for command in world.commands()]
    assert len(identities) == len(set(identities)) > 15


def test_repetitions_survive_a_restart_and_those_missed_are_given_once() -> None:
    world = begun()
    world.advance(61)
    again = world.restarted()
    assert words(again.engine.resume(at(400))) == ["> door hold_door", "> speaker play"]
    assert again.advance(401) == ["> speaker play"]
    assert again.advance(421) == ["> door hold_door"]


def test_what_began_while_firewatch_was_down_is_asked_for_once_and_goes_on_from_there() -> None:
    world = World(HOLD.model_copy(update={"on_delay": timedelta(seconds=20)}))
    world.hear(1, DOOR, "blocked")
    again = world.restarted()
    assert words(again.engine.resume(at(3600))) == [
        "! hold",
        "> door hold_door",
        "> speaker play",
        "hold unacknowledged (condition_active)",
    ]
    assert again.advance(3620) == []
    assert again.advance(3621) == ["> door hold_door", "> speaker play"]


@pytest.mark.parametrize(
    "changed", [{"mode": Mode.SHADOW}, {"on_delay": timedelta(seconds=1)}], ids=["shadow", "judged anew"]
)
def test_a_rule_that_was_changed_while_firewatch_was_down_repeats_nothing(changed: dict[str, object]) -> None:
    again = begun().restarted(HOLD.model_copy(update=changed))
    assert "> door hold_door" not in again.resume(400)


def test_nothing_is_repeated_while_nobody_can_tell_whether_it_still_holds() -> None:
    world = begun()
    world.hear(30, DOOR, BAD)
    assert world.advance(3600) == []
    world.hear(3601, DOOR, "blocked")
    assert world.advance(3661) == ["> door hold_door"]


def test_a_reload_lets_the_pace_go_on() -> None:
    world = begun()
    assert world.reload(30, HOLD) == []
    assert world.advance(61) == ["> door hold_door"]


def test_a_second_visit_has_a_pace_of_its_own() -> None:
    world = begun()
    world.hear(30, DOOR, "open")
    world.hear(40, DOOR, "blocked")
    assert world.advance(99) == []
    assert world.advance(100) == ["> door hold_door"]


def test_what_ends_is_not_repeated() -> None:
    with pytest.raises(ValidationError, match="what ends does not last"):
        rule(
            "wrong",
            {"device": "lift_controller"},
            {"state": {"signal": "door", "is": "open"}},
            actions={"inactive": [{**act("door_controller", "release_door"), "every": "60s"}]},
        )
