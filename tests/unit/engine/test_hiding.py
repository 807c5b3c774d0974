"""Latched, shelved, suppressed, out of service, told again: tables at the engine, over time, restarts and reloads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from firewatch.engine.suppression import without_circles
from firewatch.errors import RefusedCommandError
from firewatch.model.command import OutOfService, Reset, ReturnToService, Shelve, Unshelve
from firewatch.rules.spec import RuleSpec
from tests.unit.engine.world import BAD, E_BIKE, World, act, at, rule

HIDING = {"class": "supervisory"}


def low(name: str = "low", limit: float = 0.07, **fields: Any) -> RuleSpec:
    when = {"low": {"signal": "pressure", "limit": limit}}
    return rule(name, {"device": "pressure_transmitter"}, when, **(HIDING | fields))


def smoke(name: str = "smoke", **fields: Any) -> RuleSpec:
    when = {"state": {"signal": "smoke_detector/alarm", "is": True}}
    return rule(name, {"asset": "fire_zone"}, when, **(HIDING | fields))


def by(cause: str, same: str = "site") -> dict[str, Any]:
    return {"suppressed_by": [{"rule": cause, "same": same}]}


def shelve(world: World, now: float, name: str = "low", seconds: float | None = 60) -> list[str]:
    duration = None if seconds is None else timedelta(seconds=seconds)
    return world.command(now, Shelve(world.alarm(name).alarm_id, "li", "nuisance", duration))


def take_out(world: World, now: float, name: str = "low", subject: str = "s/hydrant-1") -> list[str]:
    return world.command(now, OutOfService(name, subject, "li", "work order 7"))


def put_back(world: World, now: float, name: str = "low") -> list[str]:
    return world.command(now, ReturnToService(world.alarm(name).alarm_id, "wang", "repaired"))


DOOR = "controller/door"


def door(**fields: Any) -> RuleSpec:
    """A rule that holds a lift's door, again and again, while it is open."""
    actions = {
        "active": [{**act("door_controller", "hold_door"), "every": "60s"}],
        "inactive": [act("door_controller", "release_door")],
    }
    opened = {"state": {"signal": "lift_controller/door", "is": "open"}}
    return rule("door", {"asset": "lift"}, opened, actions=actions, **(HIDING | fields))


# -- suppression by design ---------------------------------------------------------------------------------------------

ROOF, BASEMENT, SMOKE_1, SMOKE_2 = "s/hydrant-1", "s/hydrant-2", "s/smoke-1", "s/smoke-2"


@pytest.mark.parametrize(
    ("cause", "same", "hidden"),
    [
        (low("cause", 0.02), "subject", {BASEMENT}),
        (low("cause", 0.02), "asset", {BASEMENT}),
        (low("cause", 0.02), "building", {BASEMENT, SMOKE_1, SMOKE_2}),
        (low("cause", 0.02), "site", {ROOF, BASEMENT, SMOKE_1, SMOKE_2}),
        (smoke("cause"), "subject", set()),
        (smoke("cause"), "asset", {SMOKE_1, SMOKE_2}),
        (smoke("cause"), "building", {BASEMENT, SMOKE_1, SMOKE_2}),
    ],
    ids=lambda value: value.scope.asset[0] if isinstance(value, RuleSpec) and value.scope.asset else None,
)
def test_a_cause_hides_what_is_as_near_as_the_rule_says(cause: RuleSpec, same: str, hidden: set[str]) -> None:
    device = rule(
        "device",
        {"device": "smoke_detector"},
        {"state": {"signal": "alarm", "is": True}},
        **by("cause", same),
        **HIDING,
    )
    world = World(cause, low(**by("cause", same)), device)
    world.hear(1, "hydrant-2/pressure", 0.01)
    world.hear(1, "smoke-1/alarm", True)
    world.hear(2, "hydrant-1/pressure", 0.05)
    world.hear(2, "smoke-2/alarm", True)
    assert {alarm.subject for alarm in world.engine.alarms() if alarm.hidden} == hidden


def test_what_is_explained_from_the_beginning_is_told_the_moment_it_is_not_any_more() -> None:
    world = World(smoke(), low(**by("smoke")))
    world.hear(1, "smoke-1/alarm", True)
    assert world.hear(2, "hydrant-1/pressure", 0.05) == ["low unacknowledged (condition_active)"]
    assert world.alarm("low").suppressed_by == world.alarm("smoke").alarm_id
    assert world.hear(9, "smoke-1/alarm", False) == [
        "! low",
        "smoke unacknowledged (condition_unknown)",
        "low unacknowledged (unsuppressed)",
    ]
    assert world.alarm("low").suppressed_by is None


def test_what_came_first_is_told_first_and_hidden_later() -> None:
    world = World(smoke(), low(**by("smoke")))
    assert world.hear(1, "hydrant-1/pressure", 0.05) == ["! low", "low unacknowledged (condition_active)"]
    assert world.hear(2, "smoke-1/alarm", True) == [
        "! smoke",
        "smoke unacknowledged (condition_active)",
        "low unacknowledged (suppressed)",
    ]


def test_what_is_over_before_its_cause_needs_nobody() -> None:
    world = World(smoke(), low(**by("smoke")))
    world.hear(1, "smoke-1/alarm", True)
    world.hear(2, "hydrant-1/pressure", 0.05)
    assert world.hear(3, "hydrant-1/pressure", 0.09) == ["low normal (condition_inactive)"]
    assert world.hear(4, "smoke-1/alarm", False) == ["smoke unacknowledged (condition_unknown)"]


def test_a_cause_explains_only_as_long_as_somebody_can_tell_that_it_is_active() -> None:
    world = World(smoke(), low(**by("smoke")))
    world.hear(1, "smoke-1/alarm", True)
    world.hear(2, "hydrant-1/pressure", 0.05)
    assert "! low" in world.hear(3, "smoke-1/alarm", BAD)
    assert "low unacknowledged (suppressed)" in world.hear(4, "smoke-1/alarm", True)


def test_one_of_two_causes_is_enough_and_the_alarm_names_one_that_is_active() -> None:
    causes = [{"rule": "smoke", "same": "site"}, {"rule": "cause", "same": "site"}]
    world = World(smoke(), low("cause", 0.02), low(suppressed_by=causes))
    world.hear(1, "smoke-1/alarm", True)
    world.hear(2, "hydrant-2/pressure", 0.01)
    world.hear(3, "hydrant-1/pressure", 0.05)
    roof = next(alarm for alarm in world.engine.alarms() if alarm.subject == ROOF)
    assert roof.suppressed_by == world.alarm("smoke").alarm_id
    assert "! low" not in world.hear(4, "smoke-1/alarm", False)
    roof = next(alarm for alarm in world.engine.alarms() if alarm.subject == ROOF)
    assert roof.suppressed_by == world.alarm("cause").alarm_id


@pytest.mark.parametrize("hide", [shelve, lambda world, now, name: take_out(world, now, name, "s/zone")])
def test_a_cause_that_an_operator_hides_explains_nothing(hide: Any) -> None:
    world = World(smoke(), low(**by("smoke")))
    world.hear(1, "smoke-1/alarm", True)
    world.hear(2, "hydrant-1/pressure", 0.05)
    assert "! low" in hide(world, 3, "smoke")


def test_a_shadow_explains_nothing() -> None:
    world = World(smoke(mode="shadow"), low(**by("smoke")))
    world.hear(1, "smoke-1/alarm", True)
    assert "! low" in world.hear(2, "hydrant-1/pressure", 0.05)


def test_rules_that_explain_each_other_hide_nothing() -> None:
    world = World(smoke(**by("low")), low(**by("smoke")), low("third", **by("smoke")))
    assert "! smoke" in world.hear(1, "smoke-1/alarm", True)
    assert world.hear(2, "hydrant-1/pressure", 0.05) == [
        "! low",
        "low unacknowledged (condition_active)",
        "third unacknowledged (condition_active)",
    ]


@pytest.mark.parametrize(
    ("named", "followed"),
    [
        ({"a": "b", "b": "c"}, {("a", "b"), ("b", "c")}),
        ({"a": "a"}, set()),
        ({"a": "b", "b": "c", "c": "a", "d": "a"}, {("d", "a")}),
        ({"a": "bc", "b": "c", "c": ""}, {("a", "b"), ("a", "c"), ("b", "c")}),
    ],
)
def test_what_closes_a_circle_is_not_followed(named: dict[str, str], followed: set[tuple[str, str]]) -> None:
    rules = [low(name, suppressed_by=[{"rule": other} for other in others]) for name, others in named.items()]
    assert without_circles(rules) == followed


def test_a_suppression_goes_on_over_a_restart_and_ends_after_it() -> None:
    world = World(smoke(), low(**by("smoke")))
    world.hear(1, "smoke-1/alarm", True)
    world.hear(2, "hydrant-1/pressure", 0.05)
    again = world.restarted()
    assert again.resume(5) == []
    assert again.alarm("low").hidden
    assert "! low" in again.hear(6, "smoke-1/alarm", False)


def test_new_rules_hide_and_show_at_once() -> None:
    world = World(smoke(), low())
    world.hear(1, "smoke-1/alarm", True)
    world.hear(2, "hydrant-1/pressure", 0.05)
    assert world.reload(3, smoke(), low(**by("smoke"))) == ["low unacknowledged (suppressed)"]
    assert world.reload(4, smoke(), low()) == ["! low", "low unacknowledged (unsuppressed)"]
    assert world.reload(5, smoke(), low(**by("smoke"))) == ["low unacknowledged (suppressed)"]
    assert "! low" in world.reload(6, low(**by("smoke")))


def test_a_rule_changed_while_firewatch_was_down_shows_what_it_no_longer_explains() -> None:
    world = World(smoke(), low(**by("smoke")))
    world.hear(1, "smoke-1/alarm", True)
    world.hear(2, "hydrant-1/pressure", 0.05)
    again = world.restarted(smoke(), low())
    assert "! low" in again.resume(5)


# -- shelves -----------------------------------------------------------------------------------------------------------


def test_a_shelf_ends_at_its_time_however_late_the_engine_looks() -> None:
    world = World(low())
    world.hear(1, "hydrant-1/pressure", 0.05)
    assert shelve(world, 5) == ["low unacknowledged (shelved)"]
    assert world.advance(64.9) == []
    assert world.advance(99) == ["! low", "low unacknowledged (shelf_ended)"]
    assert world.effects[-1].transition.transition_time == at(65)  # type: ignore[union-attr]


def test_a_shelf_that_ended_while_firewatch_was_down_ended_then() -> None:
    world = World(low())
    world.hear(1, "hydrant-1/pressure", 0.05)
    shelve(world, 5)
    again = world.restarted()
    assert again.alarm("low").shelf == world.alarm("low").shelf
    assert again.resume(500) == ["! low", "low unacknowledged (shelf_ended)"]
    record = again.effects[-1].transition  # type: ignore[union-attr]
    assert (record.transition_time, record.number) == (at(65), 3)


def test_onsets_on_the_shelf_belong_to_one_record_and_are_counted() -> None:
    world = World(low())
    world.hear(1, "hydrant-1/pressure", 0.05)
    shelve(world, 2)
    identity = world.alarm("low").alarm_id
    world.acknowledge(3, identity)
    for now in (4, 6, 8):
        assert world.hear(now, "hydrant-1/pressure", 0.09) == ["low normal (condition_inactive)"]
        assert world.hear(now + 1, "hydrant-1/pressure", 0.05) == ["low unacknowledged (condition_active)"]
    assert (world.alarm("low").alarm_id, world.alarm("low").activations) == (identity, 4)
    world.hear(20, "hydrant-1/pressure", 0.09)
    assert world.standing() == ["low normal inactive"]
    assert world.advance(62) == ["low normal (shelf_ended)"]
    assert world.standing() == []
    assert "! low" in world.hear(70, "hydrant-1/pressure", 0.05)
    assert world.alarm("low").alarm_id != identity


@pytest.mark.parametrize(
    ("fields", "seconds", "may"),
    [
        ({}, 8 * 3600, True),
        ({}, 8 * 3600 + 1, False),
        ({"shelving": {"at_most": "1min"}}, 60, True),
        ({"shelving": {"at_most": "1min"}}, 61, False),
        ({"shelving": {"allowed": False}}, 1, False),
        ({"class": "fire"}, 1, False),
        ({"class": "fire", "shelving": {"allowed": True}}, 1, False),
        ({"class": "fire", "shelving": {"allowed": True}, "priority": "low"}, 1, True),
        ({"class": "trouble"}, None, True),
    ],
)
def test_a_rule_says_whether_and_for_how_long_it_may_be_shelved(
    fields: dict[str, Any], seconds: float | None, may: bool
) -> None:
    world = World(low(**fields))
    world.hear(1, "hydrant-1/pressure", 0.05)
    before = world.engine.snapshot()
    if may:
        assert shelve(world, 1, seconds=seconds) == ["low unacknowledged (shelved)"]
    else:
        with pytest.raises(RefusedCommandError, match="shelved"):
            shelve(world, 1, seconds=seconds)
        assert world.engine.snapshot() == before


def test_an_unshelved_alarm_is_told_at_once() -> None:
    world = World(low())
    world.hear(1, "hydrant-1/pressure", 0.05)
    shelve(world, 2)
    identity = world.alarm("low").alarm_id
    assert world.command(3, Unshelve(identity, "wang")) == ["! low", "low unacknowledged (unshelved)"]
    assert world.advance(90) == []


def test_a_shelf_stays_over_a_reload_that_changes_the_rule() -> None:
    world = World(low())
    world.hear(1, "hydrant-1/pressure", 0.05)
    shelve(world, 2)
    world.reload(3, low(limit=0.06))
    assert world.alarm("low").hidden
    assert world.hear(4, "hydrant-1/pressure", 0.05) == ["low unacknowledged (condition_known)"]
    assert world.advance(62) == ["! low", "low unacknowledged (shelf_ended)"]


def test_a_shelf_and_a_cause_change_nothing_for_actuators() -> None:
    world = World(smoke(), door(**by("smoke")))
    world.hear(1, "smoke-1/alarm", True)
    assert world.hear(2, DOOR, "open") == ["> door hold_door", "door unacknowledged (condition_active)"]
    shelve(world, 3, "door")
    assert world.hear(4, DOOR, "closed")[0] == "> door release_door"
    assert world.hear(5, DOOR, "open")[0] == "> door hold_door"


# -- out of service ----------------------------------------------------------------------------------------------------


def test_what_is_out_of_service_is_listed_before_anything_happened_and_stays_so_over_restarts() -> None:
    world = World(low())
    world.hear(1, "hydrant-1/pressure", 0.09)
    assert take_out(world, 2) == ["low normal (taken_out_of_service)"]
    alarm = world.alarm("low")
    assert (alarm.state, alarm.condition, alarm.activations, alarm.hidden) == ("normal", "inactive", 0, True)
    again = world.restarted()
    again.resume(90_000)
    assert again.hear(90_001, "hydrant-1/pressure", 0.05) == ["low unacknowledged (condition_active)"]
    assert again.alarm("low").onset_time == at(90_001)
    returned = ReturnToService(alarm.alarm_id, "wang", "repaired")
    assert again.command(90_002, returned) == ["! low", "low unacknowledged (returned_to_service)"]


def test_what_is_not_judged_yet_is_taken_out_as_unknown() -> None:
    world = World(low())
    take_out(world, 2)
    assert world.standing() == ["low normal unknown"]
    assert world.hear(3, "hydrant-1/pressure", 0.09) == ["low normal (condition_known)"]


@pytest.mark.parametrize(
    ("rules", "name", "subject"),
    [
        ((low(),), "lwo", "s/hydrant-1"),
        ((low(),), "low", "s/hydrant-9"),
        ((low(mode="shadow"),), "low", "s/hydrant-1"),
    ],
)
def test_what_nothing_judges_cannot_be_taken_out(rules: tuple[RuleSpec, ...], name: str, subject: str) -> None:
    with pytest.raises(RefusedCommandError, match="nothing to take out"):
        take_out(World(*rules), 1, name, subject)


def test_what_is_out_of_service_asks_actuators_for_nothing_until_it_is_back_and_still_stands() -> None:
    world = World(door())
    take_out(world, 1, "door", "s/lift")
    assert world.hear(2, DOOR, "open") == ["door unacknowledged (condition_active)"]
    assert world.hear(3, DOOR, "closed") == ["door normal (condition_inactive)"]
    world.hear(4, DOOR, "open")
    assert world.advance(300) == []
    assert put_back(world, 301, "door") == ["! door", "> door hold_door", "door unacknowledged (returned_to_service)"]
    assert world.advance(361) == ["> door hold_door"]


def test_a_camera_that_is_out_of_service_holds_no_door_on_suspicion() -> None:
    world = World(E_BIKE)
    take_out(world, 1, "e-bike", "s/lift")
    world.hear(2, "cam/e_bike", 0.9)
    world.hear(2.2, "cam/e_bike", 0.9)
    assert world.standing() == ["e-bike unacknowledged active"]
    assert world.commands() == []


def test_what_was_begun_before_stays_and_is_let_go_with_its_condition() -> None:
    world = World(door())
    world.hear(1, DOOR, "open")
    take_out(world, 2, "door", "s/lift")
    assert world.advance(61) == ["> door hold_door"]
    again = world.restarted()
    again.resume(70)
    assert again.hear(71, DOOR, "closed")[0] == "> door release_door"
    assert again.hear(72, DOOR, "open") == ["door unacknowledged (condition_active)"]


def test_what_was_begun_on_suspicion_before_is_let_go_too() -> None:
    world = World(E_BIKE)
    world.hear(1, "cam/e_bike", 0.9)
    take_out(world, 1.1, "e-bike", "s/lift")
    world.hear(1.2, "cam/e_bike", 0.9)
    for second in range(2, 12):
        world.hear(second, "cam/e_bike", 0.0)
    assert [command.action for command in world.commands()] == ["hold_door", "release_door"]


def test_what_was_begun_before_is_not_begun_again_by_putting_it_back() -> None:
    world = World(door())
    world.hear(1, DOOR, "open")
    take_out(world, 2, "door", "s/lift")
    assert put_back(world, 3, "door") == ["! door", "door unacknowledged (returned_to_service)"]


def test_what_is_put_back_unseen_asks_as_soon_as_it_is_seen() -> None:
    world = World(door())
    take_out(world, 1, "door", "s/lift")
    world.hear(2, DOOR, "open")
    world.hear(3, DOOR, BAD)
    assert put_back(world, 4, "door") == ["! door", "door unacknowledged (returned_to_service)"]
    assert world.hear(5, DOOR, "open") == ["> door hold_door", "door unacknowledged (condition_known)"]


# -- latched, and told again -------------------------------------------------------------------------------------------


def test_a_latched_alarm_stays_over_a_restart_until_it_is_reset() -> None:
    world = World(low(latched=True))
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.acknowledge(2, world.alarm("low").alarm_id)
    world.hear(3, "hydrant-1/pressure", 0.09)
    again = world.restarted()
    assert again.standing() == ["low latched_acknowledged inactive"]
    assert again.command(9, Reset(world.alarm("low").alarm_id, "li")) == ["low normal (reset)"]


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        ([0.05], "only a latched alarm is reset"),
        ([0.05, BAD], "only a latched alarm is reset"),
        ([0.05, 0.09, BAD], "its condition is unknown"),
    ],
)
def test_no_reset_while_it_is_active_or_nobody_can_tell(heard: list[Any], why: str) -> None:
    world = World(low(latched=True))
    for now, value in enumerate(heard):
        world.hear(now, "hydrant-1/pressure", value)
    with pytest.raises(RefusedCommandError, match=why):
        world.command(3, Reset(world.alarm("low").alarm_id, "li"))


def test_an_unanswered_alarm_is_told_again_and_after_an_outage_once() -> None:
    world = World(low(realarm_after="60s"))
    world.hear(1, "hydrant-1/pressure", 0.05)
    assert world.advance(130) == ["! low", "! low", "low unacknowledged (realarmed)", "low unacknowledged (realarmed)"]
    again = world.restarted()
    assert again.resume(5000) == ["! low", "low unacknowledged (realarmed)"]
    assert again.advance(5059) == []
    assert again.advance(5060) == ["! low", "low unacknowledged (realarmed)"]
    again.acknowledge(5061, again.alarm("low").alarm_id)
    assert again.advance(9999) == []


@pytest.mark.parametrize("begun", ["a delay ran out", "a shelf ended"])
def test_what_people_are_told_of_at_a_start_is_told_once_and_again_from_there(begun: str) -> None:
    """Not for each time that it would have been told while firewatch was down."""
    rule_of_it = low(realarm_after="60s", **({"on_delay": "20s"} if begun == "a delay ran out" else {}))
    world = World(rule_of_it)
    world.hear(1, "hydrant-1/pressure", 0.05)
    if begun == "a shelf ended":
        world.command(2, Shelve(world.alarm("low").alarm_id, "li", "welding", timedelta(seconds=30)))
    again = world.restarted()
    assert [word for word in again.resume(5000) if word == "! low"] == ["! low"]
    assert again.advance(5059) == []
    assert again.advance(5060) == ["! low", "low unacknowledged (realarmed)"]


def test_a_shelf_puts_off_telling_again() -> None:
    world = World(low(realarm_after="60s"))
    world.hear(1, "hydrant-1/pressure", 0.05)
    shelve(world, 2, seconds=600)
    assert world.advance(602) == ["! low", "low unacknowledged (shelf_ended)"]
    assert world.advance(662) == ["! low", "low unacknowledged (realarmed)"]
