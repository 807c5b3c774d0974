"""What simulated actuators do when they are asked, and what can be wrong with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from firewatch.config.project import load_project
from firewatch.config.settings import Settings
from firewatch.model.contract import AnswerMessage, CommandMessage
from simulators.actuator import CommandedDevice
from simulators.actuators import MAKERS, access_door, door_controller, exhaust_fan, recorder_channel
from simulators.lift import LiftCar
from simulators.loudspeaker import Loudspeaker, Sound, announcement, evacuation
from simulators.scenario import Scenario, Step, parse_scenario
from simulators.site import SiteDevice

START = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def command(action: str, identifier: str = "c1", attempt: int = 1, **parameters) -> CommandMessage:
    return CommandMessage(id=identifier, action=action, parameters=parameters, time=START, attempt=attempt)


def said(answers: list[AnswerMessage]) -> list[tuple[str, str, str]]:
    return [(answer.id, answer.state.value, answer.detail) for answer in answers]


def values(device: CommandedDevice, seconds: float) -> dict[str, object]:
    return {reading.signal: reading.value for reading in device.measure(at(seconds))}


def step(line: str) -> Step:
    story: Scenario = parse_scenario(f"name: {{zh: 甲, en: A}}\nsteps:\n  - {{at: 0s, who: x, {line}}}\n")
    return story.steps[0]


def heard(device: CommandedDevice, seconds: float) -> list[tuple[str, str, str]]:
    """Everything that it answers until then, woken when it wants to be."""
    answers: list[AnswerMessage] = []
    while (wake := device.next_wake()) is not None and wake <= at(seconds):
        answers += device.advance(wake)
    return said(answers)


# -- what kinds declare is what is simulated --

KINDS = load_project(Settings()).inventory.kinds
COMMANDED = sorted(name for name, kind in KINDS.items() if kind.actions)


def made(kind: str) -> CommandedDevice:
    return LiftCar(1) if kind == "lift_controller" else MAKERS[kind](SiteDevice(id="x", kind=kind))


@pytest.mark.parametrize("kind", COMMANDED)
def test_every_kind_that_takes_commands_is_simulated_with_all_its_actions_and_signals(kind: str) -> None:
    device = made(kind)
    assert device.words.keys() == {action.name for action in KINDS[kind].actions}
    assert {reading.signal for reading in device.measure(START)} == {signal.name for signal in KINDS[kind].signals}


@pytest.mark.parametrize(
    ("kind", "action"),
    [(kind, action.name) for kind in COMMANDED for action in KINDS[kind].actions if action.proof is not None],
)
def test_every_action_is_shown_by_the_signal_that_is_to_prove_it_in_time(kind: str, action: str) -> None:
    device = made(kind)
    declared = KINDS[kind].action(action)
    assert declared is not None
    assert declared.proof is not None
    device.measure(at(0))
    device.command(command(action, floor=5.0, text_en="Leave the building", tone_seconds=8.0), at(0))
    latest = declared.proof.within.total_seconds()
    shown = []
    for second in range(int(latest) + 1):
        device.advance(at(second))
        shown.append(values(device, second)[declared.proof.signal])
    assert declared.proof.value in shown


# -- faults --


def test_a_deaf_actuator_neither_answers_nor_acts() -> None:
    door = door_controller()
    door.play(step("do: turn_deaf"))
    assert door.command(command("hold_door"), at(0)) == []
    assert values(door, 1) == {"held": False}
    door.play(step("do: normal"))
    assert said(door.command(command("hold_door"), at(2)))[-1] == ("c1", "done", "held")


def test_one_that_only_answers_says_that_it_is_done_and_does_nothing() -> None:
    door = door_controller()
    door.play(step("do: only_answer"))
    assert said(door.command(command("hold_door"), at(0))) == [("c1", "accepted", ""), ("c1", "done", "held")]
    assert values(door, 1) == {"held": False}
    assert said(door.command(command("hold_door"), at(1))) == [("c1", "done", "held")], (
        "sent again it is answered again"
    )


def test_what_was_only_said_is_done_with_a_later_attempt_once_the_fault_is_over() -> None:
    door = door_controller()
    door.play(step("do: only_answer"))
    door.command(command("hold_door"), at(0))
    door.command(command("hold_door", attempt=2), at(3))
    assert values(door, 4) == {"held": False}
    door.play(step("do: normal"))
    door.command(command("hold_door", attempt=3), at(6))
    assert values(door, 7) == {"held": True}


def test_a_later_attempt_of_what_was_done_changes_nothing() -> None:
    horn = Loudspeaker("horn")
    horn.command(command("play", text_en="Leave"), at(0))
    end = horn.next_wake()
    assert said(horn.command(command("play", attempt=2, text_en="Leave"), at(0.1))) == [("c1", "accepted", "playing")]
    assert horn.next_wake() == end
    assert heard(horn, 60) == [("c1", "done", "played")]
    assert said(horn.command(command("play", attempt=3, text_en="Leave"), at(61))) == [("c1", "done", "played")]
    assert values(horn, 61) == {"playing": False}


def test_a_later_attempt_of_what_a_newer_command_took_the_place_of_is_not_done() -> None:
    door = door_controller()
    door.play(step("do: only_answer"))
    door.command(command("hold_door", "h"), at(0))
    door.play(step("do: normal"))
    door.command(command("release_door", "r"), at(1))
    assert said(door.command(command("hold_door", "h", attempt=2), at(2))) == [("h", "done", "held")]
    assert values(door, 3) == {"held": False}


def test_one_that_acts_late_accepts_at_once_and_acts_later() -> None:
    door = door_controller()
    door.play(step("do: act_late, by: 5s"))
    assert said(door.command(command("hold_door"), at(0))) == [("c1", "accepted", "")]
    assert door.advance(at(4.9)) == []
    assert values(door, 4.9) == {"held": False}
    assert heard(door, 5)[-1] == ("c1", "done", "held")
    assert values(door, 5) == {"held": True}


def test_one_that_fails_says_so_and_does_nothing() -> None:
    fan = exhaust_fan()
    fan.play(step("do: fail_commands"))
    assert said(fan.command(command("ventilate"), at(0))) == [("c1", "failed", "out of order")]
    assert heard(fan, 60) == []
    assert values(fan, 60)["speed"] == "stopped"


# -- single kinds --


def test_a_fan_takes_its_time_to_speed_and_to_stop() -> None:
    fan = exhaust_fan()
    assert said(fan.command(command("exhaust_smoke"), at(0))) == [("c1", "accepted", "")]
    assert values(fan, 1)["speed"] == "stopped"
    assert heard(fan, 10) == [("c1", "done", "exhausting")]
    assert values(fan, 10) == {"speed": "high", "fault": False, "automatic": True}
    fan.command(command("stop", "c2"), at(20))
    assert heard(fan, 40) == [("c2", "done", "stopped")]
    assert values(fan, 40)["speed"] == "stopped"


def test_a_recorder_ends_by_itself() -> None:
    recorder = recorder_channel()
    recorder.command(command("start_recording", max_seconds=60.0), at(0))
    assert values(recorder, 59) == {"recording": True}
    assert values(recorder, 60) == {"recording": False}


def test_a_door_that_was_released_stays_so_until_it_is_secured() -> None:
    door = access_door()
    door.command(command("release"), at(0))
    assert values(door, 3600) == {"released": True, "position": "closed"}
    door.command(command("secure", "c2"), at(3601))
    assert values(door, 3602)["released"] is False


def test_an_evacuation_broadcast_goes_on_by_turns_until_it_is_stopped() -> None:
    horn = Loudspeaker("horn")
    evacuate = command("evacuate", text_zh="请立即疏散", tone_seconds=8.0, message_seconds=10.0, messages_after_tone=1)
    assert said(horn.command(evacuate, at(0))) == [("c1", "accepted", "playing")]
    sounds = []
    for second in range(1, 60, 2):
        horn.advance(at(second))
        sounds.append(horn.sound)
    assert sounds[:9] == [Sound.TONE] * 4 + [Sound.VOICE] * 5
    assert sounds[9:18] == sounds[:9]
    assert values(horn, 60) == {"playing": True}
    assert said(horn.command(command("stop", "c2"), at(60))) == [("c1", "done", "stopped"), ("c2", "done", "stopped")]
    assert (horn.sound, values(horn, 60), horn.next_wake()) == (Sound.SILENCE, {"playing": False}, None)


@pytest.mark.parametrize("tone", [None, -1.0, 0.0, 3.0, 8.0, 20.0, 90.0, "long", True])
@pytest.mark.parametrize("message", [None, 1.0, 10.0, 30.0, 500.0])
@pytest.mark.parametrize("text", ["", "请", "请立即疏散，" * 30])
def test_whatever_is_asked_bursts_and_messages_are_as_long_as_the_standard_wants(tone, message, text) -> None:
    """GB 50116-2013 4.8: 8 to 20 s, and 10 to 30 s; one or two messages after a burst."""
    parameters = {"tone_seconds": tone, "message_seconds": message}
    asked = command(
        "evacuate", text_zh=text, **{name: value for name, value in parameters.items() if value is not None}
    )
    parts = list(islice(evacuation(asked), 12))
    for sound, length in parts:
        least, most = (8, 20) if sound is Sound.TONE else (10, 30)
        assert timedelta(seconds=least) <= length <= timedelta(seconds=most)
    letters = "".join("t" if sound is Sound.TONE else "v" for sound, _ in parts)
    assert letters == "tvv" * 4


def test_an_announcement_without_words_is_a_tone() -> None:
    assert next(announcement(command("play"))) == (Sound.TONE, timedelta(seconds=8))


def test_a_lift_that_is_sent_to_a_floor_stands_there_with_its_door_open_until_it_is_released() -> None:
    car = LiftCar(1)
    car.measure(at(0))
    assert said(car.command(command("go_to_floor", floor=5.0), at(0))) == [("c1", "accepted", "")]
    assert heard(car, 60) == [("c1", "done", "arrived")]
    assert {name: values(car, 3600)[name] for name in ("floor", "door", "recalled")} == {
        "floor": 5,
        "door": "open",
        "recalled": True,
    }
    assert said(car.command(command("release", "c2"), at(3600))) == [("c2", "done", "released")]
    assert values(car, 3600)["recalled"] is False
    assert any(values(car, second)["moving"] for second in range(3600, 3700))


def test_a_lift_on_its_way_turns_to_where_it_is_sent() -> None:
    car = LiftCar(1)
    second = next(second for second in range(1000) if values(car, second)["moving"])
    car.command(command("go_to_floor", floor=1.0), at(second))
    assert heard(car, second + 60) == [("c1", "done", "arrived")]
    assert values(car, second + 60)["floor"] == 1


def test_a_lift_whose_door_is_held_stays_although_it_is_sent_away() -> None:
    car = LiftCar(1)
    car.measure(at(0))
    car.held = True
    car.command(command("go_to_floor", floor=5.0), at(0))
    assert heard(car, 120) == []
    assert values(car, 120)["floor"] == 1


@pytest.mark.parametrize("floor", [None, 0.0, 99.0, "up", True])
def test_a_lift_goes_to_no_floor_that_it_does_not_have(floor) -> None:
    car = LiftCar(1)
    assert said(car.command(command("go_to_floor", **({} if floor is None else {"floor": floor})), at(0))) == [
        ("c1", "failed", "no such floor")
    ]
