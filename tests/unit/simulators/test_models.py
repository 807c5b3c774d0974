"""The simulators' pure parts: time goes in, readings come out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firewatch.model.contract import CommandMessage, ManyReadings, OneReading, Reading
from firewatch.model.observation import Quality
from simulators.actuators import ActuatorSimulation, door_controller
from simulators.building import BuildingSimulation
from simulators.camera import CameraSimulation, Visitor
from simulators.device import Broker, contract_payload
from simulators.fault import Faults, raw_message
from simulators.garage import Charger, GarageAir, GarageDetector, GarageSimulation
from simulators.lift import TOP_FLOOR, LiftCar, LiftSimulation
from simulators.loudspeaker import Loudspeaker, announcement_time
from simulators.scenario import Step, parse_scenario
from simulators.site import read_site
from simulators.water import JOCKEY_START_MPA, JOCKEY_STOP_MPA, WaterSimulation, WaterSupply, acme_payload

SITE = read_site(Path(__file__).parents[3] / "config/sites/sample.yaml")
START = datetime(2025, 6, 1, 4, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def step(line: str) -> Step:
    return parse_scenario(f"name: {{zh: 甲, en: A}}\nsteps: [{{at: 0s, {line}}}]").steps[0]


def values(readings) -> dict:
    return {reading.signal: reading.value for reading in readings}


def test_every_device_of_the_sample_compound_is_simulated_once():
    simulations = (
        WaterSimulation(SITE),
        LiftSimulation(SITE),
        GarageSimulation(SITE),
        BuildingSimulation(SITE),
        CameraSimulation(SITE),
        ActuatorSimulation(SITE),
    )
    simulated = [device.id for simulation in simulations for device in simulation.models]
    assert sorted(simulated) == sorted(device.id for device in SITE.devices)


# Water


@given(
    seed=st.integers(0, 1000),
    leak=st.floats(0, 5),
    gaps=st.lists(st.floats(0, 300), min_size=1, max_size=15),
)
def test_pressures_and_the_tank_are_never_negative(seed, leak, gaps):
    supply, seconds = WaterSupply(seed), 0.0
    supply.leak_mpa_per_second = leak
    for gap in gaps:
        seconds += gap
        supply.advance(at(seconds))
        assert supply.roof_pressure_mpa() >= 0
        assert supply.pump_room_pressure_mpa() >= 0
        assert supply.tank_level_m >= 0


def test_the_jockey_pump_alone_keeps_the_pressure_of_a_tight_network():
    supply, switched = WaterSupply(1), 0
    for second in range(1800):
        before = supply.jockey_running
        supply.advance(at(second))
        switched += supply.jockey_running != before
        assert JOCKEY_START_MPA - 0.01 < supply.pressure_mpa < JOCKEY_STOP_MPA + 0.01
        assert not any(supply.main_running)
    assert 4 <= switched < 2 * 6, "a tight network starts the pump less than 12 times an hour"


def test_a_leak_starts_the_main_pumps_one_after_the_other():
    supply = WaterSupply(1)
    supply.advance(at(0))
    supply.leak_mpa_per_second = 0.12
    started = {}
    for tenth in range(300):
        supply.advance(at(tenth / 10))
        for number, running in enumerate(supply.main_running):
            if running:
                started.setdefault(number, tenth / 10)
    assert started[0] < started[1]


def test_a_time_already_passed_changes_nothing():
    supply = WaterSupply(1)
    supply.advance(at(0))
    supply.advance(at(60))
    pressure = supply.pressure_mpa
    supply.advance(at(10))
    assert supply.pressure_mpa == pressure


def test_the_same_seed_gives_the_same_readings():
    def readings():
        simulation = WaterSimulation(SITE, seed=3)
        return [[*model.measure(at(second))] for second in range(20) for model in simulation.models.values()]

    assert readings() == readings()


def test_a_leak_of_the_scenario_takes_the_roof_hydrants_below_their_limit_and_normal_ends_it():
    simulation = WaterSimulation(SITE)
    roof = next(model for device, model in simulation.models.items() if device.id == "hydrant-a-roof")
    flow = next(model for device, model in simulation.models.items() if device.id == "flow-a")
    roof.measure(at(0))
    simulation.do(step("who: water-supply, do: leak, rate: 0.12"), at(0))
    assert min(values(roof.measure(at(second)))["pressure"] for second in range(30)) < 0.07
    assert values(flow.measure(at(30))) == {"flowing": True}
    simulation.do(step("who: water-supply, do: normal"), at(30))
    assert values(flow.measure(at(31))) == {"flowing": False}
    assert values(roof.measure(at(90)))["pressure"] > 0.07


def test_the_vendor_speaks_kilopascals_and_milliseconds():
    payload = acme_payload([Reading(signal="pressure", value=0.3125)], datetime.fromtimestamp(1764035000.123, UTC), 17)
    assert msgspec.json.decode(payload) == {"d": {"p": 312.5, "st": 0}, "ts": 1764035000123, "n": 17}


def test_the_vendor_has_no_pressure_to_tell_when_its_reading_is_bad():
    payload = acme_payload([Reading(signal="pressure", value=None, quality=Quality.BAD)], START, 1)
    assert msgspec.json.decode(payload)["d"] == {"p": None, "st": 1}


# Lift


@given(seed=st.integers(0, 10_000), gaps=st.lists(st.floats(0.1, 30), min_size=1, max_size=40))
def test_a_lift_never_moves_with_its_door_open_nor_leaves_its_shaft(seed, gaps):
    car, seconds, floor = LiftCar(seed), 0.0, 1
    for gap in gaps:
        seconds += gap
        told = values(car.measure(at(seconds)))
        assert told["door"] == "closed" or not told["moving"]
        assert 1 <= told["floor"] <= TOP_FLOOR
        assert told["door"] in ("open", "opening", "closing", "closed")
        floor = told["floor"]
    assert floor == car.floor


def test_a_lift_left_alone_serves_floors():
    car = LiftCar(1)
    assert {values(car.measure(at(second)))["floor"] for second in range(600)} > {1}


def test_a_held_door_stays_open_and_its_lift_where_it_is():
    car = LiftCar(1)
    car.measure(at(0))
    car.held = True
    assert all(values(car.measure(at(second)))["door"] == "open" for second in range(300))
    car.held = False
    assert any(values(car.measure(at(300 + second)))["door"] == "closed" for second in range(60))


def test_a_door_that_is_closing_opens_again_when_it_is_held():
    car = LiftCar(1)
    tenth = next(tenth for tenth in range(300) if values(car.measure(at(tenth / 10)))["door"] == "closing")
    car.held = True
    doors = [values(car.measure(at(tenth / 10 + later / 10)))["door"] for later in range(100)]
    assert "closed" not in doors
    assert doors[-1] == "open"


@pytest.mark.parametrize("seed", range(5))
def test_a_called_lift_comes_and_waits_with_its_door_open(seed):
    car = LiftCar(seed)
    for second in range(200):
        car.advance(at(second))
    car.call(1, at(200))
    told = values(car.measure(at(400)))
    assert (told["floor"], told["door"]) == (1, "open")
    car.release()
    assert {values(car.measure(at(400 + second)))["floor"] for second in range(300)} > {1}


def test_the_lift_follows_its_own_door_controller_only():
    simulation = LiftSimulation(SITE)
    held = msgspec.json.encode(OneReading(time=START, signal="held", value=True))
    simulation.heard("a-lift-2-door", held)
    cars = {device.id: model for device, model in simulation.models.items()}
    assert cars["a-lift-2-controller"].held
    assert not cars["a-lift-1-controller"].held
    assert set(simulation.hears()) == {f"{lift}-door" for lift in ("a-lift-1", "a-lift-2", "b-lift-1", "b-lift-2")}


# Garage


def test_a_fire_gives_smoke_before_heat_so_that_two_detectors_speak():
    air = GarageAir(SHANGHAI)
    smoke, heat = GarageDetector("smoke_detector", air, 1), GarageDetector("heat_detector", air, 2)
    air.fire_time = at(0)
    smoke_alarm = next(second for second in range(60) if values(smoke.measure(at(second)))["alarm"])
    hot = next(second for second in range(60) if values(heat.measure(at(second)))["temperature"] > 57)
    assert smoke_alarm < hot < 60


def test_smoke_reaches_a_further_detector_after_the_heat_has_spoken():
    air = GarageAir(SHANGHAI)
    far, heat = GarageDetector("smoke_detector", air, 1, distance=1), GarageDetector("heat_detector", air, 2)
    air.fire_time = at(0)
    assert values(heat.measure(at(30)))["temperature"] > 57
    assert not values(far.measure(at(30)))["alarm"]
    assert values(far.measure(at(60)))["alarm"]


def test_a_burst_riser_takes_the_tank_below_its_limit_within_a_minute():
    supply = WaterSupply(1)
    supply.advance(at(0))
    supply.leak_mpa_per_second = 0.12
    supply.advance(at(50))
    assert supply.tank_level_m < 1.5


def test_only_the_burning_zone_burns_and_normal_puts_it_out():
    simulation = GarageSimulation(SITE)
    detectors = {device.id: model for device, model in simulation.models.items()}
    simulation.do(step("who: garage-zone-1, do: burn"), at(0))
    assert values(detectors["garage-smoke-1"].measure(at(30)))["alarm"]
    assert not values(detectors["garage-smoke-3"].measure(at(30)))["alarm"]
    simulation.do(step("who: garage-zone-1, do: normal"), at(31))
    assert not values(detectors["garage-smoke-1"].measure(at(32)))["alarm"]


def test_once_a_fire_is_confirmed_fan_shutter_and_door_of_the_zone_act_and_go_back_when_it_is_out():
    simulation = GarageSimulation(SITE)
    devices = {device.id: model for device, model in simulation.models.items()}
    simulation.do(step("who: garage-zone-1, do: burn"), at(0))

    def states(second: float) -> tuple:
        return (
            values(devices["garage-flame-1"].measure(at(second)))["alarm"],
            values(devices["garage-fan-1"].measure(at(second)))["running"],
            values(devices["garage-shutter-1"].measure(at(second)))["position"],
            values(devices["garage-door-1"].measure(at(second)))["position"],
        )

    assert states(15) == (False, False, "up", "open")
    assert values(devices["garage-heat-1"].measure(at(29)))["temperature"] > 60
    assert states(29) == (True, False, "up", "open")
    assert states(36) == (True, True, "half", "closed")
    assert states(60) == (True, True, "down", "closed")
    assert not values(devices["garage-fan-2"].measure(at(60)))["running"]
    simulation.do(step("who: garage-zone-1, do: normal"), at(61))
    assert states(62) == (False, False, "up", "open")


@given(seed=st.integers(0, 1000), gaps=st.lists(st.floats(0, 5000), min_size=1, max_size=20))
def test_a_charger_gives_power_only_while_charging_and_its_cable_stays_cool(seed, gaps):
    charger, seconds = Charger(SHANGHAI, seed), 0.0
    for gap in gaps:
        seconds += gap
        told = values(charger.measure(at(seconds)))
        assert told["charging"] == (told["power"] > 0)
        assert told["residual_current"] >= 0
        assert 10 < told["cable_temperature"] < 60


@pytest.mark.parametrize("hour", range(24))
def test_an_ordinary_day_stays_far_from_every_alarm(hour):
    air, now = GarageAir(SHANGHAI), datetime(2025, 6, 1, hour, tzinfo=UTC)
    assert 0 < air.co_mg_per_m3(now) < 15
    assert 10 < air.celsius(now) < 30
    assert air.smoke_percent_per_m(now) < 1


# Cameras


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 3)), max_size=20))
def test_a_visitor_stays_between_outside_and_its_place(moves):
    visitor = Visitor()
    for present, seconds in moves:
        visitor.present = present
        visitor.advance(seconds)
        assert visitor.position is None or 0 <= visitor.position <= 1


def test_an_e_bike_is_pushed_in_over_a_second_and_a_half_with_its_resident_and_leaves_again():
    simulation = CameraSimulation(SITE)
    camera = simulation.cameras["a-lift-2-camera"]
    camera.picture(at(0))
    simulation.do(step("who: a-lift-2, do: e_bike_enters"), at(0))
    visitors = camera._show.visitors
    camera.picture(at(0.75))
    assert visitors["e_bike"].position == pytest.approx(0.5)
    camera.picture(at(1.5))
    assert visitors["e_bike"].position == visitors["resident"].position == 1
    simulation.do(step("who: a-lift-2, do: e_bike_leaves"), at(10))
    camera.picture(at(20))
    assert visitors["e_bike"].position is None
    assert visitors["resident"].position is None


def test_what_happens_in_one_lift_is_not_seen_in_another():
    simulation = CameraSimulation(SITE)
    before = simulation.cameras["b-lift-1-camera"].picture(at(0))
    simulation.do(step("who: a-lift-2, do: e_bike_enters"), at(0))
    assert np.array_equal(simulation.cameras["b-lift-1-camera"].picture(at(0)), before)


def test_an_e_bike_that_passes_is_in_a_single_frame():
    simulation = CameraSimulation(SITE)
    camera = simulation.cameras["b-lift-1-camera"]
    empty = camera.picture(at(0))
    simulation.do(step("who: b-lift-1, do: e_bike_passes"), at(0))
    assert not np.array_equal(camera.picture(at(0)), empty)
    assert np.array_equal(camera.picture(at(0)), empty)


def test_a_frozen_picture_stays_the_same_until_it_is_normal_again():
    simulation = CameraSimulation(SITE)
    camera = simulation.cameras["a-lift-1-camera"]
    first = camera.picture(at(0))
    simulation.do(step("who: a-lift-1-camera, do: freeze_picture"), at(0))
    assert np.array_equal(camera.picture(at(5)), first)
    simulation.do(step("who: a-lift-1-camera, do: normal"), at(5))
    assert not np.array_equal(camera.picture(at(5)), first)


def test_residents_ride_when_a_lift_opens_its_door():
    simulation = CameraSimulation(SITE)
    resident = simulation.cameras["b-lift-2-camera"]._show.visitors["resident"]
    rode = set()
    for number in range(40):
        readings = [
            Reading(signal="floor", value=number % 18 + 1),
            Reading(signal="door", value=("closed", "open")[number % 2]),
        ]
        simulation.heard("b-lift-2-controller", msgspec.json.encode(ManyReadings(time=START, readings=readings)))
        rode.add(resident.present)
    assert rode == {True, False}


# Actuators


def command(action: str, identifier: str = "c1", **parameters) -> CommandMessage:
    return CommandMessage(id=identifier, action=action, parameters=parameters, time=START)


def said(answers) -> list[tuple[str, str, str]]:
    return [(answer.id, answer.state.value, answer.detail) for answer in answers]


def test_a_door_is_held_and_released_on_command():
    door = door_controller()
    held = door.command(command("hold_door", "h", max_seconds=60), at(0))
    assert said(held) == [("h", "accepted", ""), ("h", "done", "held")]
    assert values(door.measure(at(1))) == {"held": True}
    assert said(door.command(command("release_door", "r"), at(2)))[-1] == ("r", "done", "released")
    assert values(door.measure(at(3))) == {"held": False}


def test_a_door_lets_go_by_itself_after_the_longest_time_it_was_asked_for():
    door = door_controller()
    door.command(command("hold_door", max_seconds=20), at(0))
    assert door.next_wake() == at(20)
    assert values(door.measure(at(19.9))) == {"held": True}
    assert values(door.measure(at(20))) == {"held": False}
    assert door.next_wake() is None


def test_the_same_command_again_is_answered_again_and_not_done_again():
    door = door_controller()
    door.command(command("hold_door", "h", max_seconds=20), at(0))
    door.command(command("release_door", "r"), at(1))
    assert said(door.command(command("hold_door", "h", max_seconds=20), at(2))) == [("h", "done", "held")]
    assert values(door.measure(at(3))) == {"held": False}


@pytest.mark.parametrize("value", ["long", True, -5.0])
def test_a_door_asked_for_a_senseless_time_still_lets_go(value):
    door = door_controller()
    door.command(command("hold_door", max_seconds=value), at(0))
    assert values(door.measure(at(3600))) == {"held": False}


@pytest.mark.parametrize("actuator", [door_controller(), Loudspeaker("x")])
def test_an_unknown_action_fails(actuator):
    assert said(actuator.command(command("sing"), at(0))) == [("c1", "failed", "unknown action")]


def test_an_announcement_is_accepted_at_once_and_done_at_its_end():
    horn, play = Loudspeaker("horn"), command("play", "p", text_zh="请退出", text_en="Leave", tone_seconds=8.0)
    assert said(horn.command(play, at(0))) == [("p", "accepted", "playing")]
    assert values(horn.measure(at(1))) == {"playing": True}
    end = announcement_time(play).total_seconds()
    assert end > 8
    assert horn.advance(at(end - 0.1)) == []
    assert said(horn.advance(at(end))) == [("p", "done", "played")]
    assert values(horn.measure(at(end))) == {"playing": False}
    assert horn.advance(at(end + 1)) == []


def test_an_announcement_heard_twice_is_played_once():
    horn, play = Loudspeaker("horn"), command("play", "p", text_en="Leave")
    horn.command(play, at(0))
    end = horn.next_wake()
    assert said(horn.command(play, at(3))) == [("p", "accepted", "playing")]
    assert horn.next_wake() == end


def test_stopping_ends_the_announcement_and_answers_both_commands():
    horn = Loudspeaker("horn")
    horn.command(command("play", "p", text_en="Leave"), at(0))
    assert said(horn.command(command("stop", "s"), at(1))) == [("p", "done", "stopped"), ("s", "done", "stopped")]
    assert values(horn.measure(at(1))) == {"playing": False}
    assert said(horn.command(command("stop", "s2"), at(2))) == [("s2", "done", "stopped")]


def test_a_new_announcement_takes_the_place_of_the_one_playing():
    horn = Loudspeaker("horn")
    horn.command(command("play", "p", text_en="Leave"), at(0))
    answers = horn.command(command("play", "q", text_en="Leave now"), at(1))
    assert said(answers) == [("p", "failed", "interrupted"), ("q", "accepted", "playing")]


def test_an_announcement_is_as_long_as_it_is_often():
    once = announcement_time(command("play", text_zh="请退出", tone_seconds=8.0))
    assert announcement_time(command("play", text_zh="请退出", tone_seconds=8.0, repeat=3.0)) == once * 3


def test_the_last_of_many_commands_are_still_known():
    door = door_controller()
    for number in range(3000):
        door.command(command("release_door", f"c{number}"), at(number))
    assert said(door.command(command("release_door", "c2999"), at(4000))) == [("c2999", "done", "released")]
    assert len(door._book._answers) <= 1000


# Faults and payloads

READINGS = [Reading(signal="alarm", value=False), Reading(signal="smoke", value=0.3, unit="%/m")]


@pytest.mark.parametrize(
    ("line", "alarm", "quality"),
    [
        ("do: set, signal: alarm, value: true", True, Quality.GOOD),
        ("do: report_quality, quality: uncertain", False, Quality.UNCERTAIN),
        ("do: report_quality, quality: bad", None, Quality.BAD),
        ("do: call, floor: 1", False, Quality.GOOD),
    ],
)
def test_a_fault_changes_what_is_reported_and_normal_ends_it(line, alarm, quality):
    faults = Faults().after(step(f"who: x, {line}"))
    reported = faults.report(READINGS)[0]
    assert (reported.value, reported.quality) == (alarm, quality)
    assert faults.after(step("who: x, do: normal")).report(READINGS) == READINGS


@pytest.mark.parametrize(("by", "year"), [("-20000d", 1970), ("27000d", 2099)])
def test_a_shifted_clock_shows_another_time(by, year):
    assert Faults().after(step(f"who: x, do: shift_clock, by: {by}")).device_time(START).year == year


def test_faults_add_up():
    faults = Faults().after(step("who: x, do: fall_silent")).after(step("who: x, do: go_offline"))
    assert faults.silent
    assert faults.offline


def test_a_raw_message_is_sent_as_it_is_with_the_time_in_place_of_its_mark():
    raw = raw_message(step("who: x, do: send_raw, payload: 'a$now', repeat: 2, retain: true"), START)
    assert raw.payload == f"a{START.isoformat()}".encode() * 2
    assert raw.retain


def test_one_reading_and_many_are_written_as_the_contract_says():
    one = msgspec.json.decode(contract_payload(READINGS[:1], START, 7), type=OneReading)
    many = msgspec.json.decode(contract_payload(READINGS, START, 7), type=ManyReadings)
    assert (one.signal, one.value, one.seq, one.time) == ("alarm", False, 7, START)
    assert (many.readings, many.seq) == (READINGS, 7)


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("mqtt://127.0.0.1:1999", Broker("127.0.0.1", 1999, "p/")),
        ("mqtt://broker", Broker("broker", 1883, "p/")),
        ("mqtts://u:s%40@broker", Broker("broker", 8883, "p/", username="u", password="s@", tls=True)),
    ],
)
def test_a_broker_address_is_read(url, broker):
    assert Broker.from_url(url, "p/") == broker


@pytest.mark.parametrize("url", ["127.0.0.1:1883", "http://x", "mqtt://", "mqtt://x:port"])
def test_what_is_no_broker_address_is_refused(url):
    with pytest.raises(ValueError, match=r"."):
        Broker.from_url(url, "p/")
