from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from firewatch.engine.engine import Engine
from firewatch.engine.snapshot import Judged, SnapshotError
from tests.unit.engine.world import ALL, E_BIKE, INVENTORY, LOW, SILENT, SLOW_LOW, World, act, at, rule, words

STRICTER = rule("low", {"device": "pressure_transmitter"}, {"low": {"signal": "pressure", "limit": 0.06}})
ABSENT = [{"absence": {"after": "15s"}}]
REWORDED = LOW.model_copy(update={"advice": LOW.text})


def busy() -> World:
    """Two alarms stand, an e-bike is suspected, a delay is pending."""
    world = World(*ALL)
    world.hear(1, "hydrant-2/pressure", 0.05)
    world.hear(2, "smoke-1/alarm", True)
    world.hear(8, "hydrant-1/pressure", 0.05)
    world.hear(9, "cam/e_bike", 0.9)
    return world


def test_a_restored_engine_is_the_one_it_was() -> None:
    world = busy()
    again = world.restarted()
    assert again.engine.snapshot() == world.engine.snapshot()
    assert again.engine.alarms() == world.engine.alarms()
    assert again.engine.next_wake() == world.engine.next_wake()
    for now in range(10, 60, 3):
        assert again.hear(now, "cam/e_bike", 0.9) == world.hear(now, "cam/e_bike", 0.9)
    assert again.engine.snapshot() == world.engine.snapshot()


def test_a_snapshot_is_versioned_json_that_carries_the_time() -> None:
    written = msgspec.json.decode(busy().engine.snapshot())
    assert (written["version"], written["now"]) == (3, "2026-03-01T08:00:09Z")


@pytest.mark.parametrize(
    ("damaged", "words_"),
    [
        (b"", "damaged"),
        (b"{", "damaged"),
        (b'{"version": 99, "now": "2026-03-01T08:00:09Z", "instances": []}', "has format 99"),
        (b'{"version": 2, "now": "yesterday", "instances": []}', "damaged"),
        (b"\xff\xfe", "damaged"),
    ],
)
def test_what_is_no_snapshot_is_refused_and_changes_nothing(damaged: bytes, words_: str) -> None:
    engine = Engine(ALL, INVENTORY)
    before = engine.snapshot()
    with pytest.raises(SnapshotError, match=words_):
        engine.restore(damaged)
    assert engine.snapshot() == before


def test_a_snapshot_of_format_1_is_read_and_its_alarms_and_commands_go_on() -> None:
    written = (Path(__file__).parent / "snapshot-format-1.json").read_bytes()
    engine = Engine((LOW, E_BIKE), INVENTORY)
    engine.restore(written)
    world = World(LOW, E_BIKE, engine=engine)
    engine.resume(at(10))
    assert world.standing() == ["low unacknowledged unknown", "e-bike unacknowledged unknown"]
    assert world.hear(11, "hydrant-2/pressure", 0.09) == ["low rtn_unacknowledged (condition_inactive)"]
    assert "> door release_door" in world.hear(12, "cam/e_bike", 0.0)


def test_a_delay_keeps_its_original_start_over_an_outage() -> None:
    world = World(SLOW_LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    again = world.restarted()
    assert words(again.engine.resume(at(600))) == ["! slow-low", "slow-low unacknowledged (condition_active)"]
    assert again.alarm("slow-low").clock.decided_time == at(11)


def test_silence_during_an_outage_of_firewatch_is_nobodys_fault() -> None:
    world = World(SILENT)
    world.hear(1, "hydrant-1/pressure", 0.5)
    again = world.restarted()
    assert again.engine.resume(at(600)) == []
    assert again.engine.next_wake() == at(615)
    assert again.advance(615) == ["! silent"] * 2 + ["silent unacknowledged (condition_active)"] * 2


def test_silence_that_was_told_before_an_outage_stands() -> None:
    world = World(SILENT)
    world.advance(20)
    again = world.restarted()
    assert again.engine.resume(at(600)) == []
    assert again.standing() == ["silent unacknowledged active"] * 2
    assert again.hear(601, "hydrant-1/pressure", 0.5) == ["silent rtn_unacknowledged (condition_inactive)"]


def test_a_held_door_is_released_after_a_restart() -> None:
    world = World(E_BIKE)
    world.hear(1.0, "cam/e_bike", 0.9)
    world.hear(1.2, "cam/e_bike", 0.9)
    again = world.restarted()
    again.engine.resume(at(30))
    told = [word for fifth in range(50) for word in again.hear(31 + fifth / 5, "cam/e_bike", 0.0)]
    assert told == ["> door release_door", "e-bike rtn_unacknowledged (condition_inactive)"]


def test_a_suspicion_is_rejected_after_a_restart_and_the_door_released() -> None:
    world = World(E_BIKE)
    world.hear(1.0, "cam/e_bike", 0.9)
    again = world.restarted()
    assert words(again.engine.resume(at(30))) == ["> door release_door"]


def test_rules_that_did_not_change_are_restored_and_the_report_names_the_others() -> None:
    world = busy()
    engine = Engine(
        [STRICTER, SLOW_LOW, E_BIKE, rule("new", {"asset": "lift"}, {"absence": {"after": "5s"}})], INVENTORY
    )
    report = engine.restore(world.engine.snapshot())
    assert report.now == at(9)
    assert report.restored == 3
    assert report.added == (Judged("new", "s/lift"),)
    assert report.changed == (Judged("low", "s/hydrant-1"), Judged("low", "s/hydrant-2"))
    assert {judged.rule for judged in report.removed} == {"silent", "smoke", "confirmed"}
    assert report.closing_alarms == tuple(alarm.alarm_id for alarm in world.engine.alarms() if alarm.rule == "smoke")
    assert {alarm.alarm_id for alarm in engine.alarms()} == {alarm.alarm_id for alarm in world.engine.alarms()}


def test_new_words_are_no_other_rule() -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    engine = Engine([REWORDED], INVENTORY)
    assert engine.restore(world.engine.snapshot()).changed == ()


def test_an_alarm_of_a_changed_rule_is_judged_anew() -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.hear(1, "hydrant-2/pressure", 0.065)
    again = world.restarted(STRICTER)
    assert words(again.engine.resume(at(5))) == ["low unacknowledged (condition_unknown)"] * 2
    assert again.hear(6, "hydrant-1/pressure", 0.05) == ["low unacknowledged (condition_known)"]
    assert again.hear(7, "hydrant-2/pressure", 0.065) == ["low rtn_unacknowledged (condition_inactive)"]


def test_a_new_onset_of_a_changed_rule_is_told_if_the_alarm_had_returned() -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.hear(2, "hydrant-1/pressure", 0.5)
    again = world.restarted(STRICTER)
    again.engine.resume(at(5))
    assert again.hear(6, "hydrant-1/pressure", 0.05) == ["! low", "low unacknowledged (condition_active)"]


def test_the_door_held_on_the_suspicion_of_a_rule_that_was_changed_is_released() -> None:
    world = World(E_BIKE)
    world.hear(1.0, "cam/e_bike", 0.9)
    changed = E_BIKE.model_copy(update={"on_delay": SLOW_LOW.on_delay})
    again = world.restarted(changed)
    assert words(again.engine.resume(at(5))) == ["> door release_door"]


def test_an_alarm_of_a_removed_rule_is_closed_and_what_it_held_is_let_go() -> None:
    world = World(LOW, E_BIKE)
    world.hear(1, "hydrant-1/pressure", 0.05)
    world.hear(1, "cam/e_bike", 0.9)
    again = world.restarted(SILENT)
    assert again.standing() == ["low unacknowledged active"]
    assert words(again.engine.resume(at(5))) == ["> door release_door", "low normal (rule_removed)"]
    assert again.standing() == []


def test_an_acknowledgement_that_is_replayed_after_its_rule_was_removed_tells_the_same_again() -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    again = world.restarted(SILENT)
    identity = again.engine.alarms()[0].alarm_id
    assert again.acknowledge(2, identity) == ["low acknowledged (acknowledged)"]
    assert words(again.engine.resume(at(5))) == ["low normal (rule_removed)"]


def test_a_rule_that_comes_back_takes_its_alarm_back() -> None:
    world = World(LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    without = world.restarted(SILENT)
    again = without.restarted(LOW)
    assert again.hear(5, "hydrant-1/pressure", 0.5) == ["low rtn_unacknowledged (condition_inactive)"]


def test_a_state_that_no_longer_fits_costs_its_own_rule_and_no_other() -> None:
    world = World(LOW, SLOW_LOW)
    world.hear(1, "hydrant-1/pressure", 0.05)
    snapshot = msgspec.json.decode(world.engine.snapshot())
    snapshot["instances"][0]["state"] = {"type": "reading", "condition": "burning"}
    engine = Engine([LOW, SLOW_LOW], INVENTORY)
    report = engine.restore(msgspec.json.encode(snapshot))
    assert (report.changed, report.restored) == ((Judged("low", "s/hydrant-1"),), 3)


def test_a_state_that_lost_its_parts_does_not_keep_the_engine_from_starting() -> None:
    silences = rule("silences", {"device": "pressure_transmitter"}, {"k_of_n": {"k": 1, "within": "1s", "of": ABSENT}})
    snapshot = msgspec.json.decode(World(silences, LOW).engine.snapshot())
    snapshot["instances"][0]["state"] |= {"leaves": [], "spans": []}
    engine = Engine([silences, LOW], INVENTORY)
    assert engine.restore(msgspec.json.encode(snapshot)).changed == (Judged("silences", "s/hydrant-1"),)
    assert words(engine.resume(at(100))) == []
    assert words(engine.advance(at(200)))[0] == "! silences"


def test_commands_that_were_sent_are_not_sent_again() -> None:
    twice = rule(
        "twice",
        {"asset": "lift"},
        {"state": {"signal": "lift_controller/door", "is": "open"}},
        actions={"active": [act("door_controller", "hold_door"), act("door_controller", "hold_door")]},
    )
    world = World(twice)
    assert world.hear(1, "controller/door", "open") == [
        "! twice",
        "> door hold_door",
        "twice unacknowledged (condition_active)",
    ]


def test_the_timers_of_many_flaps_do_not_pile_up() -> None:
    world = World(SLOW_LOW, SILENT)
    for second in range(2000):
        world.hear(second * 1.0, "hydrant-1/pressure", 0.05 if second % 2 else 0.5)
    assert len(world.engine._heap) < 100
