"""Out of service with an end, for one rule or all that is said of a subject: tables at the engine, over restarts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Priority
from firewatch.model.command import OutOfService, ReturnSubjectToService, ReturnToService, Shelve
from firewatch.model.effect import RecordTransition
from firewatch.rules.spec import RuleSpec
from tests.unit.engine.test_hiding import DOOR, by, door, low
from tests.unit.engine.world import BAD, LOW, World, at, rule

HYDRANT = "s/hydrant-1"


def out(until: float | None, name: str | None = "low", subject: str = HYDRANT) -> OutOfService:
    end: datetime | None = None if until is None else at(until)
    return OutOfService(name, subject, "li", "new valve", "WO-7", end)


def back(subject: str = HYDRANT) -> ReturnSubjectToService:
    return ReturnSubjectToService(subject, "wang", "repaired")


def shadow(name: str = "tried") -> RuleSpec:
    return low(name, 0.08, mode="shadow")


def milder(name: str = "lower") -> RuleSpec:
    return low(name, 0.08)


def times(world: World) -> list[tuple[str, float]]:
    """The reason and the second of every record."""
    return [
        (str(one.transition.reason), (one.transition.transition_time - at(0)).total_seconds())
        for one in world.effects
        if isinstance(one, RecordTransition)
    ]


def test_a_maintenance_ends_at_its_time_however_late_the_engine_looks_and_what_is_active_is_told_then() -> None:
    world = World(low())
    world.command(0, out(3600))
    world.hear(1, "hydrant-1/pressure", 0.05)
    assert world.advance(1799) == []
    assert world.advance(1800) == ["low unacknowledged (maintenance_reminded)"]
    assert world.advance(3599) == []
    assert world.advance(9000) == ["! low", "low unacknowledged (maintenance_ended)"]
    assert times(world)[-2:] == [("maintenance_reminded", 1800), ("maintenance_ended", 3600)]


def test_a_maintenance_with_nothing_to_tell_ends_and_leaves_no_alarm() -> None:
    world = World(low())
    world.hear(1, "hydrant-1/pressure", 0.09)
    world.command(2, out(3602))
    assert world.advance(3602) == ["low normal (maintenance_reminded)", "low normal (maintenance_ended)"]
    assert world.standing() == []
    assert world.advance(99_999) == []


@pytest.mark.parametrize("down_at", [100, 1900])
def test_what_fell_due_while_firewatch_was_down_was_due_then(down_at: float) -> None:
    world = World(low())
    world.command(0, out(3600))
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.advance(down_at)
    again = world.restarted()
    assert again.engine.snapshot() == world.engine.snapshot()
    assert "! low" in again.resume(5000)
    assert times(again)[-1] == ("maintenance_ended", 3600)
    assert [reason for reason, _ in [*times(world), *times(again)]].count("maintenance_reminded") == 1
    assert again.alarm("low").out_of_service is None


def test_the_end_comes_after_a_restart_and_a_reload_with_another_rule_too() -> None:
    world = World(low())
    world.command(0, out(3600))
    world.hear(1, "hydrant-1/pressure", 0.05)
    again = world.restarted()
    again.resume(100)
    again.reload(200, low(limit=0.06))
    assert again.alarm("low").hidden
    assert again.advance(3600) == [
        "! low",
        "low unacknowledged (maintenance_reminded)",
        "low unacknowledged (maintenance_ended)",
    ]


def test_what_has_no_end_from_old_times_stays_out_until_somebody_returns_it() -> None:
    world = World(low())
    world.command(0, out(None))
    again = world.restarted()
    again.resume(90_000_000)
    assert again.standing() == ["low normal unknown"]
    assert again.command(90_000_001, ReturnToService(again.alarm("low").alarm_id, "li", "done"))


def test_at_its_end_actuators_are_asked_for_what_could_not_be_asked_before() -> None:
    world = World(door())
    world.command(0, out(600, "door", "s/lift"))
    world.hear(1, DOOR, "open")
    assert world.advance(599) == ["door unacknowledged (maintenance_reminded)"]
    assert world.advance(600) == ["! door", "> door hold_door", "door unacknowledged (maintenance_ended)"]
    assert world.advance(660) == ["> door hold_door"]


def test_at_its_end_nothing_is_asked_for_again_that_was_begun_before() -> None:
    world = World(door())
    world.hear(1, DOOR, "open")
    world.command(2, out(50, "door", "s/lift"))
    assert world.advance(50)[:2] == ["! door", "door unacknowledged (maintenance_reminded)"]
    assert [command.action for command in world.commands()] == ["hold_door"]


def test_a_prolonged_maintenance_ends_at_its_new_end() -> None:
    world = World(low())
    world.command(0, out(3600))
    world.advance(3500)
    assert world.command(3500, out(7200)) == ["low normal (taken_out_of_service)"]
    with pytest.raises(RefusedCommandError, match="out of service already, by li"):
        world.command(3501, out(7000))
    assert world.advance(5399) == []
    assert world.advance(5400) == ["low normal (maintenance_reminded)"]
    assert world.advance(7200) == ["low normal (maintenance_ended)"]


# -- all that is said of a subject -------------------------------------------------------------------------------------


def test_a_subject_is_taken_out_and_returned_whole_and_its_shadows_and_others_are_left_alone() -> None:
    world = World(low(), milder(), shadow())
    for hydrant in ("hydrant-1", "hydrant-2"):
        world.hear(1, f"{hydrant}/pressure", 0.05)
    assert world.command(2, out(3600, None)) == [
        "low unacknowledged (taken_out_of_service)",
        "lower unacknowledged (taken_out_of_service)",
    ]
    assert {alarm.subject for alarm in world.engine.alarms() if alarm.hidden} == {HYDRANT}
    assert world.command(3, back()) == [
        "! low",
        "! lower",
        "low unacknowledged (returned_to_service)",
        "lower unacknowledged (returned_to_service)",
    ]


def test_a_subject_is_taken_out_whole_though_one_of_its_rules_is_out_for_longer() -> None:
    world = World(low(), milder())
    world.command(0, out(9000))
    assert world.command(1, out(3600, None)) == ["lower normal (taken_out_of_service)"]
    with pytest.raises(RefusedCommandError, match="out of service already"):
        world.command(2, out(3600, None))
    assert world.command(3, out(9000, None)) == ["lower normal (taken_out_of_service)"]
    assert world.advance(9000)[-1].endswith("(maintenance_ended)")
    assert world.standing() == []


def test_nobody_is_told_of_what_is_next_to_be_taken_out_or_is_explained_by_what_returns_with_it() -> None:
    world = World(low("effect", 0.08, **by("low", "subject")), low())
    world.hear(1, "hydrant-1/pressure", 0.05)
    assert world.alarm("effect").suppressed_by == world.alarm("low").alarm_id
    assert "! effect" not in world.command(2, out(3600, None))
    assert world.alarm("effect").suppressed_by is None
    returned = world.command(3, back())
    assert "! low" in returned
    assert "! effect" not in returned
    assert world.alarm("effect").suppressed_by == world.alarm("low").alarm_id


def test_what_was_explained_before_it_was_taken_out_is_explained_when_it_returns() -> None:
    world = World(low("effect", 0.03, **by("low", "subject")), low())
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.command(2, out(3600, "effect"))
    world.hear(3, "hydrant-1/pressure", 0.02)
    assert "! effect" not in world.advance(3600)
    assert world.alarm("effect").suppressed_by == world.alarm("low").alarm_id


def test_returning_what_is_in_service_is_refused() -> None:
    world = World(low())
    world.hear(1, "hydrant-1/pressure", 0.05)
    before = world.engine.snapshot()
    with pytest.raises(RefusedCommandError, match="Nothing about s/hydrant-1 is out of service"):
        world.command(1, back())
    assert world.engine.snapshot() == before


@pytest.mark.parametrize(
    ("rules", "command", "why"),
    [
        ((shadow(),), out(3600, None), "No live rule judges s/hydrant-1"),
        ((low(),), out(3600, None, "s/hydrant-9"), "No live rule judges s/hydrant-9"),
        ((low(),), out(3600, "lwo"), "No live rule lwo judges s/hydrant-1"),
        ((low(),), out(0, None), "cannot end at"),
        ((low(),), out(-1, None), "cannot end at"),
        ((low(), milder()), out(31 * 86_400 + 1, None), "at most 31 days"),
    ],
)
def test_what_cannot_be_taken_out_leaves_all_as_it_is(
    rules: tuple[RuleSpec, ...], command: OutOfService, why: str
) -> None:
    world = World(*rules)
    world.advance(0)
    before = world.engine.snapshot()
    with pytest.raises(RefusedCommandError, match=why):
        world.command(0, command)
    assert world.engine.snapshot() == before


def test_what_tells_of_a_rule_that_failed_stays_in_service(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Any, *_: Any) -> Any:
        raise ZeroDivisionError

    world = World(LOW)
    monkeypatch.setattr(type(world.engine._running[0].evaluator), "observe", fail)
    for running in world.engine._running:
        running.observe = running.evaluator.observe
    world.hear(1, "hydrant-1/pressure", 0.05)
    trouble = world.alarm("rule-failed-low")
    assert trouble.subject == HYDRANT
    assert world.command(2, out(3600, None)) == ["low normal (taken_out_of_service)"]
    assert not world.alarm("rule-failed-low").hidden
    assert world.command(3, out(3600, "rule-failed-low")) == ["rule-failed-low unacknowledged (taken_out_of_service)"]


def test_a_subject_whose_rule_is_gone_since_is_returned_in_a_replay_as_it_was() -> None:
    world = World(low())
    world.command(0, out(3600))
    again = world.restarted(milder())
    assert again.command(1, back()) == ["low normal (returned_to_service)"]
    assert again.resume(2) == []
    assert again.standing() == []


def test_what_is_taken_out_twice_in_one_moment_goes_on_being_numbered() -> None:
    world = World(low())
    for _ in range(2):
        world.command(5, out(3600))
        world.command(5, back())
    numbers = [one.transition.number for one in world.effects if isinstance(one, RecordTransition)]
    assert numbers == [1, 2, 3, 4]


# -- fire --------------------------------------------------------------------------------------------------------------


def test_a_fire_alarm_that_rises_leaves_its_shelf_in_the_same_moment() -> None:
    ladder = [
        {"when": {"low": {"signal": "pressure", "limit": 0.07}}, "priority": "low"},
        {"when": {"low": {"signal": "pressure", "limit": 0.03}}, "priority": "highest"},
    ]
    fire = rule("fire", {"device": "pressure_transmitter"}, None, ladder=ladder, shelving={"allowed": True})
    world = World(fire)
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.command(2, Shelve(world.alarm("fire").alarm_id, "li", "nuisance"))
    assert world.hear(3, "hydrant-1/pressure", 0.02) == [
        "! fire",
        "fire unacknowledged (condition_active)",
        "fire unacknowledged (shelf_ended)",
    ]
    assert world.alarm("fire").priority is Priority.HIGHEST
    with pytest.raises(RefusedCommandError, match="nobody would see the fire"):
        world.command(4, Shelve(world.alarm("fire").alarm_id, "li", "nuisance"))


def test_a_rule_that_becomes_one_of_fire_ends_the_shelf_of_its_alarm() -> None:
    world = World(low())
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.command(2, Shelve(world.alarm("low").alarm_id, "li", "nuisance"))
    fire: dict[str, Any] = {"class": "fire", "shelving": {"allowed": True}}
    told = world.reload(3, low(**fire))
    assert told == ["! low", "low unacknowledged (rule_changed)", "low unacknowledged (shelf_ended)"]


def test_an_unknown_condition_ends_no_maintenance_and_is_told_at_its_end() -> None:
    world = World(low())
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.command(2, out(3602))
    world.hear(3, "hydrant-1/pressure", BAD)
    assert world.standing() == ["low unacknowledged unknown"]
    assert "! low" in world.advance(3602)
