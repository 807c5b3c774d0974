"""Which alarms are one event, and which of them call for people: stories told at the engine."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from firewatch.alarms.incident import GAP
from firewatch.engine.engine import Engine
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Alarm
from firewatch.model.command import Acknowledge, AcknowledgeIncident, OutOfService, ReturnToService, Shelve, Unshelve
from firewatch.model.effect import Annunciate
from firewatch.model.site import Device, Inventory
from firewatch.rules.spec import RuleSpec
from tests.unit.engine.world import INVENTORY, SITE, World, at, both, reading, rule

MINUTE = 60.0
TROUBLE: dict[str, Any] = {"class": "trouble"}
LONG = GAP.total_seconds() + 1


def smoke(name: str = "smoke", **fields: Any) -> RuleSpec:
    """One alarm for each of the garage's four detectors."""
    when = {"state": {"signal": "alarm", "is": True}}
    return rule(name, {"device": "smoke_detector"}, when, **TROUBLE | fields)


def low(name: str = "low", **fields: Any) -> RuleSpec:
    """One hydrant is in the tower, the other in the garage."""
    when = {"low": {"signal": "pressure", "limit": 0.07}}
    return rule(name, {"device": "pressure_transmitter"}, when, **{"class": "supervisory"} | fields)


def told(world: World) -> list[str]:
    """How people were told since the last time this was asked: `calls` or `grouped`, and of what."""
    effects, world.effects = world.effects, []
    return [
        f"{'grouped' if effect.grouped else 'calls'} {effect.alarm.rule} {effect.alarm.subject.removeprefix('s/')}"
        for effect in effects
        if isinstance(effect, Annunciate)
    ]


def places(world: World) -> dict[str, tuple[str, int]]:
    """The incident's first alarm and the place in it, for each alarm that stands."""
    alarms = {alarm.alarm_id: alarm for alarm in world.engine.alarms()}
    return {_name(alarm): (_first(alarm, alarms), alarm.incident_number) for alarm in alarms.values()}


def _name(alarm: Alarm) -> str:
    return f"{alarm.rule} {alarm.subject.removeprefix('s/')}"


def _first(alarm: Alarm, alarms: dict[str, Alarm]) -> str:
    first = alarms.get(alarm.incident)
    return _name(first) if first is not None else "?"


def alarm_of(world: World, subject: str, rule_id: str | None = None) -> Alarm:
    (alarm,) = [a for a in world.engine.alarms() if a.subject == f"s/{subject}" and rule_id in (None, a.rule)]
    return alarm


def acknowledge(world: World, now: float, *subjects: str) -> None:
    for subject in subjects:
        world.command(now, Acknowledge(alarm_of(world, subject).alarm_id, "li"))


def trip(world: World, now: float, *detectors: int) -> list[str]:
    for detector in detectors:
        world.hear(now, f"smoke-{detector}/alarm", True)
    return told(world)


def test_the_alarms_of_one_building_system_and_class_are_one_incident_that_calls_once() -> None:
    world = World(smoke())
    assert trip(world, 1, 3, 1) == ["calls smoke smoke-3", "grouped smoke smoke-1"]
    assert trip(world, 2, 2) == ["grouped smoke smoke-2"]
    assert places(world) == {
        "smoke smoke-3": ("smoke smoke-3", 1),
        "smoke smoke-1": ("smoke smoke-3", 2),
        "smoke smoke-2": ("smoke smoke-3", 3),
    }
    [incident] = world.engine.incidents()
    assert (incident.incident, incident.count) == (alarm_of(world, "smoke-3").alarm_id, 3)
    assert (incident.begun_time, incident.last_onset_time) == (at(1), at(2))


@pytest.mark.parametrize(
    "other",
    [
        rule("other", {"device": "pressure_transmitter"}, {"low": {"signal": "pressure", "limit": 0.07}}, **TROUBLE),
        smoke("other", **{"class": "supervisory"}),
    ],
    ids=["another building and system", "another class"],
)
def test_what_is_elsewhere_or_of_another_class_is_an_incident_of_its_own(other: RuleSpec) -> None:
    world = World(smoke(), other)
    world.hear(1, "smoke-1/alarm", True)
    world.hear(1, "hydrant-1/pressure", 0.05)
    assert len({alarm.incident for alarm in world.engine.alarms()}) == 2
    assert [word.split()[0] for word in told(world)] == ["calls", "calls"]


@pytest.mark.parametrize(
    ("pause", "incidents"), [(GAP.total_seconds(), 1), (LONG, 2)], ids=["just within the gap", "after it"]
)
def test_after_a_quiet_while_the_next_alarm_is_another_event(pause: float, incidents: int) -> None:
    world = World(smoke())
    trip(world, 1, 1)
    trip(world, 1 + pause, 2)
    assert len(world.engine.incidents()) == incidents


def test_an_incident_goes_on_as_long_as_alarms_keep_coming_and_calls_again_now_and_then() -> None:
    world = World(smoke())
    story = {0: 1, 8: 2, 16: 3, 24: 4}
    heard = [word for minute, detector in story.items() for word in trip(world, minute * MINUTE, detector)]
    assert heard == ["calls smoke smoke-1", "grouped smoke smoke-2", "calls smoke smoke-3", "grouped smoke smoke-4"]
    assert len(world.engine.incidents()) == 1


def test_when_none_of_its_alarms_stands_an_incident_is_over_and_forgotten() -> None:
    world = World(smoke())
    trip(world, 1, 1)
    world.hear(2, "smoke-1/alarm", False)
    acknowledge(world, 3, "smoke-1")
    assert world.engine.incidents() == []
    assert trip(world, 4, 1) == ["calls smoke smoke-1"]
    assert places(world) == {"smoke smoke-1": ("smoke smoke-1", 1)}


def test_the_first_out_is_known_after_it_is_over() -> None:
    world = World(smoke())
    trip(world, 1, 3, 1)
    first = alarm_of(world, "smoke-3")
    world.hear(2, "smoke-3/alarm", False)
    acknowledge(world, 3, "smoke-3")
    [incident] = world.engine.incidents()
    assert (incident.incident, incident.first_out.subject, incident.first_out.stands) == (
        first.alarm_id,
        "s/smoke-3",
        False,
    )
    assert alarm_of(world, "smoke-1").incident == first.alarm_id
    assert trip(world, 4, 2) == ["grouped smoke smoke-2"]
    assert alarm_of(world, "smoke-2").incident_number == 3


def test_something_more_urgent_calls_and_then_covers_what_is_less() -> None:
    world = World(smoke(priority="low"), smoke("worse", priority="high"), smoke("worst", priority="highest"))
    world.hear(1, "smoke-1/alarm", True)
    assert told(world) == ["calls smoke smoke-1", "calls worse smoke-1", "calls worst smoke-1"]
    assert trip(world, 2, 2) == ["grouped smoke smoke-2", "grouped worse smoke-2", "grouped worst smoke-2"]


def test_after_all_was_acknowledged_the_next_onset_calls() -> None:
    world = World(smoke())
    trip(world, 1, 1, 2)
    acknowledge(world, 2, "smoke-1")
    assert trip(world, 3, 3) == ["grouped smoke smoke-3"], "one of them still calls"
    acknowledge(world, 4, "smoke-2", "smoke-3")
    assert trip(world, 5, 4) == ["calls smoke smoke-4"]
    assert alarm_of(world, "smoke-4").incident_number == 4, "it is the same event all the same"


def test_what_is_left_unacknowledged_of_less_urgency_covers_nothing_more_urgent() -> None:
    world = World(smoke("mild", priority="low"), smoke("grave", priority="high"))
    world.hear(1, "smoke-1/alarm", True)
    world.command(2, Acknowledge(alarm_of(world, "smoke-1", "grave").alarm_id, "li"))
    told(world)
    assert trip(world, 3, 2) == ["calls grave smoke-2", "grouped mild smoke-2"]


def test_an_alarm_that_comes_again_unseen_is_grouped_and_after_a_while_calls_again() -> None:
    world = World(smoke())
    trip(world, 1, 1)
    world.hear(2, "smoke-1/alarm", False)
    assert trip(world, 3, 1) == ["grouped smoke smoke-1"]
    world.hear(4, "smoke-1/alarm", False)
    assert trip(world, 4 * 3600, 1) == ["calls smoke smoke-1"], "nobody may have been there in the night"


def test_fire_calls_whatever_else_calls_already() -> None:
    fire = smoke("fire", priority="low", **{"class": "fire"})
    world = World(smoke(priority="highest"), fire)
    world.hear(1, "smoke-1/alarm", True)
    assert told(world) == ["calls smoke smoke-1", "calls fire smoke-1"]
    assert len(world.engine.incidents()) == 2, "one card for the fire, one for the trouble"


# -- hidden alarms -----------------------------------------------------------------------------------------------------


def test_what_an_alarm_suppresses_joins_its_incident_wherever_it_is() -> None:
    by_smoke: dict[str, Any] = {"suppressed_by": [{"rule": "smoke", "same": "site"}]}
    world = World(smoke(), low(**by_smoke))
    trip(world, 1, 1)
    world.hear(2, "hydrant-1/pressure", 0.05)
    world.hear(2, "hydrant-2/pressure", 0.05)
    assert told(world) == []
    assert places(world) == {
        "smoke smoke-1": ("smoke smoke-1", 1),
        "low hydrant-1": ("smoke smoke-1", 2),
        "low hydrant-2": ("smoke smoke-1", 3),
    }
    acknowledge(world, 3, "smoke-1")
    world.hear(4, "smoke-1/alarm", False)
    assert told(world) == ["calls low hydrant-1", "grouped low hydrant-2"]


def test_what_is_hidden_calls_for_nobody_so_the_next_one_does() -> None:
    world = World(smoke())
    trip(world, 1, 1)
    world.command(2, Shelve(alarm_of(world, "smoke-1").alarm_id, "li", "welding", timedelta(minutes=5)))
    assert trip(world, 3, 2) == ["calls smoke smoke-2"]
    world.advance(2 + 5 * MINUTE)
    assert told(world) == ["grouped smoke smoke-1"], "shown again, it is one of those that call"


def test_what_is_shown_again_calls_if_nothing_else_does() -> None:
    world = World(smoke())
    trip(world, 1, 1)
    identity = alarm_of(world, "smoke-1").alarm_id
    world.command(2, Shelve(identity, "li", "welding", timedelta(minutes=5)))
    world.command(3, Unshelve(identity, "li"))
    assert told(world) == ["calls smoke smoke-1"]


def test_an_alarm_out_of_service_joins_at_its_onset_and_keeps_its_incident() -> None:
    world = World(smoke())
    world.command(1, OutOfService("smoke", "s/smoke-1", "li", "painting"))
    assert alarm_of(world, "smoke-1").incident == "", "nothing has happened yet"
    trip(world, 2, 2)
    assert trip(world, 3, 1) == []
    assert places(world)["smoke smoke-1"] == ("smoke smoke-2", 2)
    world.hear(4, "smoke-1/alarm", False)
    world.hear(5, "smoke-1/alarm", True)
    assert places(world)["smoke smoke-1"] == ("smoke smoke-2", 2)
    world.command(2 + LONG, ReturnToService(alarm_of(world, "smoke-1").alarm_id, "li", "done"))
    assert told(world) == ["calls smoke smoke-1"], "the incident called longer ago than a call is good for"
    [incident] = world.engine.incidents()
    assert incident.count == 2


def test_shadow_alarms_are_part_of_no_incident() -> None:
    world = World(smoke(mode="shadow"), smoke("live"))
    trip(world, 1, 1)
    [shadow] = world.engine.shadow_alarms()
    assert (shadow.incident, shadow.incident_number) == ("", 0)
    assert alarm_of(world, "smoke-1").incident_number == 1
    world.reload(2, smoke(), smoke("live"))
    assert places(world) == {"live smoke-1": ("live smoke-1", 1), "smoke smoke-1": ("live smoke-1", 2)}
    world.reload(3, smoke(mode="shadow"), smoke("live"))
    [shadow] = world.engine.shadow_alarms()
    assert (shadow.incident, shadow.incident_number) == ("", 0)


# -- told again --------------------------------------------------------------------------------------------------------


def test_being_told_again_is_grouped_only_while_the_last_call_is_recent() -> None:
    world = World(smoke(realarm_after="5min"))
    trip(world, 0, 1)
    trip(world, 60, 2, 3)
    world.advance(299)
    assert told(world) == []
    world.advance(300)
    assert told(world) == ["calls smoke smoke-1"]
    world.advance(360)
    assert told(world) == ["grouped smoke smoke-2", "grouped smoke smoke-3"]
    world.advance(600)
    assert told(world) == ["calls smoke smoke-1"]


# -- a whole incident is acknowledged ----------------------------------------------------------------------------------


def acknowledge_incident(world: World, now: float, seen: int, subject: str = "smoke-1") -> list[str]:
    incident = alarm_of(world, subject).incident
    return world.command(now, AcknowledgeIncident(incident, "li", seen, "a drill of the fire brigade"))


def test_what_was_seen_of_an_incident_is_acknowledged_and_nothing_else() -> None:
    world = World(smoke())
    trip(world, 1, 1, 2, 3)
    world.hear(2, "smoke-2/alarm", False)
    assert acknowledge_incident(world, 3, seen=2) == [
        "smoke acknowledged (acknowledged)",
        "smoke normal (acknowledged)",
    ]
    assert [alarm_of(world, f"smoke-{n}").state for n in (1, 3)] == ["acknowledged", "unacknowledged"]
    assert (alarm_of(world, "smoke-1").acknowledged_by, alarm_of(world, "smoke-1").acknowledge_comment) == (
        "li",
        "a drill of the fire brigade",
    )
    assert acknowledge_incident(world, 4, seen=3) == ["smoke acknowledged (acknowledged)"]
    assert trip(world, 5, 4) == ["calls smoke smoke-4"]


def test_an_acknowledgement_of_what_is_over_or_seen_is_refused_and_changes_nothing() -> None:
    world = World(smoke())
    trip(world, 1, 1, 2)
    acknowledge(world, 2, "smoke-1")
    before = world.engine.snapshot()
    with pytest.raises(RefusedCommandError, match="Of the first 1 alarms"):
        acknowledge_incident(world, 2, seen=1)
    with pytest.raises(RefusedCommandError, match="No alarm of the incident nothing stands"):
        world.command(2, AcknowledgeIncident("nothing", "li", 5))
    assert world.engine.snapshot() == before


def test_an_acknowledgement_that_is_replayed_after_its_rule_was_removed_tells_the_same_again() -> None:
    world = World(smoke())
    trip(world, 1, 1, 2)
    again = world.restarted(low())
    assert acknowledge_incident(again, 2, seen=2) == ["smoke acknowledged (acknowledged)"] * 2
    again.resume(3)
    assert again.engine.incidents() == []


# -- restarts, reloads, cost -------------------------------------------------------------------------------------------


def test_a_restart_changes_nothing_about_what_calls() -> None:
    world = World(smoke())
    trip(world, 1, 1)
    again = world.restarted()
    assert again.engine.snapshot() == world.engine.snapshot()
    assert trip(again, 2, 2) == trip(world, 2, 2) == ["grouped smoke smoke-2"]
    assert again.engine.snapshot() == world.engine.snapshot()


def test_a_grouped_alarm_held_back_by_a_refusal_is_grouped_after_a_restart_too() -> None:
    slow = smoke(on_delay="10s")
    world = World(slow)
    for detector in (1, 2):
        world.hear(1, f"smoke-{detector}/alarm", True)
    with pytest.raises(RefusedCommandError):
        world.acknowledge(12, "nothing")
    again = world.restarted()
    assert again.engine.snapshot() == world.engine.snapshot()
    again.advance(12)
    assert told(again) == ["calls smoke smoke-1", "grouped smoke smoke-2"]


def test_a_reload_keeps_the_incident_and_one_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(smoke())
    trip(world, 1, 1)
    world.reload(2, smoke(), low())
    assert trip(world, 3, 2) == ["grouped smoke smoke-2"]
    before = world.engine.snapshot()

    def fail(*_: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(Engine, "_settled", fail)
    with pytest.raises(RuntimeError):
        world.reload(4, low())
    monkeypatch.undo()
    world.advance(4)
    expected = msgspec.json.decode(before)
    assert msgspec.json.decode(world.engine.snapshot())["incidents"] == expected["incidents"]
    assert trip(world, 5, 3) == ["grouped smoke smoke-3"]
    assert alarm_of(world, "smoke-3").incident_number == 3


def test_the_alarms_of_a_snapshot_from_before_there_were_incidents_are_each_their_own() -> None:
    world = World(smoke())
    trip(world, 1, 1, 2)
    old = msgspec.json.decode(world.engine.snapshot())
    old["version"] = 2
    del old["incidents"]
    for record in old["instances"]:
        if "standing" in record:
            del record["standing"]["alarm"]["incident"], record["standing"]["alarm"]["incident_number"]
    engine = Engine(world.rules, INVENTORY)
    engine.restore(msgspec.json.encode(old))
    again = World(*world.rules, engine=engine)
    assert places(again) == {"smoke smoke-1": ("smoke smoke-1", 1), "smoke smoke-2": ("smoke smoke-2", 1)}
    assert again.restarted().engine.snapshot() == again.engine.snapshot()
    assert trip(again, 2, 3) == ["calls smoke smoke-3"]


def test_an_onset_takes_no_more_steps_with_more_alarms_before_it() -> None:
    count = 1_000
    devices = tuple(Device(f"d-{n}", "smoke_detector", both("d"), "garage") for n in range(count))
    inventory = Inventory(sites=(replace(SITE, devices=devices, assets=()),), kinds=INVENTORY.kinds)
    engine = Engine([smoke()], inventory)
    engine.start(at(0))
    calls = [_calls(partial(engine.observe, reading(f"d-{n}/alarm", True, 1), at(1))) for n in range(count)]
    [incident] = engine.incidents()
    assert incident.count == count
    assert max(calls[-100:]) <= max(calls[1:100])


def _calls(function: Callable[[], object]) -> int:
    """How many functions are called, C's as well."""
    counted = Counter[str]()
    sys.setprofile(lambda _, event, __: counted.update([event]))
    try:
        function()
    finally:
        sys.setprofile(None)
    return counted["call"] + counted["c_call"]
