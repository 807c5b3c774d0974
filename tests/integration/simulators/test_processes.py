"""The simulators as they run: processes on a real broker."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from datetime import UTC, datetime

import cv2
import msgspec
import psutil
import pytest

from firewatch.app.port import free_port
from firewatch.model.contract import AnswerMessage, CommandMessage, DeviceState, ManyReadings, OneReading
from simulators.site import read_site
from tests.integration.simulators.world import REPOSITORY, SAMPLE_SITE, listening

pytestmark = pytest.mark.slow

SITE = read_site(SAMPLE_SITE)
GARAGE = [
    d.id
    for d in SITE.of_kind("smoke_detector", "heat_detector", "flame_detector", "co_detector", "ev_charger", "smoke_fan")
]
BUILDING = [d.id for d in SITE.of_kind("electrical_monitor", "gas_detector", "duty_desk", "gateway")]
WATER = [d.id for d in SITE.of_kind("water_tank", "pressure_transmitter", "pump", "signal_valve", "flow_switch")]


def state(payload: bytes) -> DeviceState:
    return msgspec.json.decode(payload, type=DeviceState)


def sequence(payload: bytes) -> int | None:
    many = b'"readings"' in payload
    return msgspec.json.decode(payload, type=ManyReadings if many else OneReading).seq


def answers(payloads: list[bytes]) -> list[tuple[str, str, str]]:
    decoded = [msgspec.json.decode(payload, type=AnswerMessage) for payload in payloads]
    return [(answer.id, answer.state.value, answer.detail) for answer in decoded]


def command(action: str, identifier: str, **parameters) -> bytes:
    message = CommandMessage(id=identifier, action=action, parameters=parameters, time=datetime.now(UTC))
    return msgspec.json.encode(message)


@pytest.mark.parametrize(
    ("name", "devices"),
    [("garage", GARAGE), ("building", BUILDING), ("water", [d for d in WATER if d != "hydrant-b-roof"])],
)
async def test_every_device_is_born_and_reports_in_the_contracts_words_with_rising_numbers(
    broker, simulator, name, devices
):
    async with listening(broker) as (heard, _):
        simulator(name)
        await heard.until(lambda: all(len(heard.on("telemetry", device)) >= 3 for device in devices))
        for device in devices:
            assert [state(payload).online for payload in heard.on("state", device)] == [True]
            numbers = [sequence(payload) for payload in heard.on("telemetry", device)]
            assert numbers == list(range(1, len(numbers) + 1))


async def test_the_vendors_device_knows_only_its_own_topic(broker, simulator):
    async with listening(broker) as (heard, _):
        simulator("water")
        await heard.until(lambda: any(topic == "vendor/acme/hb01/up" for topic, _ in heard.messages))
        await heard.until(lambda: heard.on("telemetry", "tank-1"))
        assert not heard.on("state", "hydrant-b-roof")
        assert not heard.on("telemetry", "hydrant-b-roof")


async def test_a_killed_process_leaves_every_devices_will(broker, simulator):
    async with listening(broker) as (heard, _):
        process = simulator("actuators")
        doors = [device.id for device in SITE.of_kind("door_controller", "loudspeaker")]
        await heard.until(lambda: all(heard.on("telemetry", device) for device in doors))
        process.kill()
        await heard.until(lambda: all(len(heard.on("state", device)) == 2 for device in doors))
        assert all(state(heard.on("state", device)[-1]) == DeviceState(online=False) for device in doors)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_process_told_to_stop_says_goodbye_and_ends(broker, simulator, number):
    async with listening(broker) as (heard, _):
        process = simulator("lift")
        await heard.until(lambda: heard.on("telemetry", "a-lift-1-controller"))
        process.send_signal(number)
        assert await asyncio.to_thread(process.wait, 10) == 0
        await heard.until(lambda: len(heard.on("state", "a-lift-1-controller")) == 2)
        farewell = state(heard.on("state", "a-lift-1-controller")[-1])
        assert not farewell.online
        assert farewell.time is not None


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.02, 0.04])
async def test_a_process_stopped_while_it_connects_ends_too(broker, seconds):
    arguments = ["--broker", broker.url, "--site", str(SAMPLE_SITE)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators.lift", *arguments, cwd=REPOSITORY, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    assert b"4 devices" in await process.stderr.readline()
    await asyncio.sleep(seconds)
    process.terminate()
    await asyncio.wait_for(process.communicate(), 15)
    assert process.returncode == 0


async def test_actuators_do_a_command_once_and_answer_it_every_time(broker, simulator):
    async with listening(broker) as (heard, client):
        simulator("actuators")
        await heard.until(lambda: heard.on("telemetry", "a-lift-1-door"))
        topic = "firewatch/v1/command/sample/a-lift-1-door"
        await client.publish(topic, command("hold_door", "hold-1", max_seconds=60.0), qos=1)
        await heard.until(lambda: len(heard.on("answer", "a-lift-1-door")) == 2)
        await heard.until(lambda: b'"value":true' in heard.on("telemetry", "a-lift-1-door")[-1])
        await client.publish(topic, command("release_door", "release-1"), qos=1)
        await heard.until(lambda: len(heard.on("answer", "a-lift-1-door")) == 4)
        await client.publish(topic, command("hold_door", "hold-1", max_seconds=60.0), qos=1)
        await heard.until(lambda: len(heard.on("answer", "a-lift-1-door")) == 5)
        assert answers(heard.on("answer", "a-lift-1-door")) == [
            ("hold-1", "accepted", ""),
            ("hold-1", "done", "held"),
            ("release-1", "accepted", ""),
            ("release-1", "done", "released"),
            ("hold-1", "done", "held"),
        ]
        told = len(heard.on("telemetry", "a-lift-1-door"))
        await heard.until(lambda: len(heard.on("telemetry", "a-lift-1-door")) >= told + 3)
        assert b'"value":false' in heard.on("telemetry", "a-lift-1-door")[-1]


async def test_a_door_lets_go_by_itself(broker, simulator):
    async with listening(broker) as (heard, client):
        simulator("actuators")
        await heard.until(lambda: heard.on("telemetry", "a-lift-1-door"))
        hold = command("hold_door", "hold-1", max_seconds=0.5)
        await client.publish("firewatch/v1/command/sample/a-lift-1-door", hold, qos=1)
        await heard.until(lambda: any(b'"value":true' in told for told in heard.on("telemetry", "a-lift-1-door")))
        await heard.until(lambda: b'"value":false' in heard.on("telemetry", "a-lift-1-door")[-1])


async def test_a_broken_command_stops_nothing(broker, simulator):
    async with listening(broker) as (heard, client):
        simulator("actuators")
        topic = "firewatch/v1/command/sample/a-lift-1-loudspeaker"
        await heard.until(lambda: heard.on("telemetry", "a-lift-1-loudspeaker"))
        for broken in (b"", b"{", b'{"id":1}', b"\xff"):
            await client.publish(topic, broken, qos=1)
        await client.publish(topic, command("play", "p", tone_seconds=0.3), qos=1)
        await heard.until(lambda: len(heard.on("answer", "a-lift-1-loudspeaker")) == 2)
        assert answers(heard.on("answer", "a-lift-1-loudspeaker")) == [
            ("p", "accepted", "playing"),
            ("p", "done", "played"),
        ]


async def test_a_lift_whose_door_is_held_stays(broker, simulator, tmp_path):
    scenario = tmp_path / "story.yaml"
    scenario.write_text(
        "name: {zh: 甲, en: A}\nsteps:\n"
        "  - {at: 1s, who: a-lift-1-controller, do: call, floor: 5}\n"
        "  - {at: 1s, who: b-lift-1-controller, do: call, floor: 5}\n"
    )
    async with listening(broker) as (heard, client):
        simulator("actuators")
        await heard.until(lambda: heard.on("telemetry", "b-lift-1-door"))
        hold = command("hold_door", "hold-1", max_seconds=120.0)
        await client.publish("firewatch/v1/command/sample/b-lift-1-door", hold, qos=1)
        await heard.until(lambda: b'"value":true' in heard.on("telemetry", "b-lift-1-door")[-1])
        simulator("lift", "--scenario", str(scenario))

        def moved(lift: str) -> bool:
            return any(b'"value":"closing"' in told for told in heard.on("telemetry", f"{lift}-controller"))

        await heard.until(lambda: moved("a-lift-1"))
        told = len(heard.on("telemetry", "b-lift-1-controller"))
        await heard.until(lambda: len(heard.on("telemetry", "b-lift-1-controller")) >= told + 5)
        assert not moved("b-lift-1")


async def test_a_step_follows_an_actuators_answer_across_processes(broker, simulator, tmp_path):
    scenario = tmp_path / "story.yaml"
    scenario.write_text(
        "name: {zh: 甲, en: A}\nsteps:\n"
        "  - {after: {device: a-lift-2-loudspeaker, action: play, state: accepted}, delay: 100ms,\n"
        "     who: tank-1, do: set, signal: level, value: 0.25}\n"
    )
    async with listening(broker) as (heard, client):
        simulator("water", "--scenario", str(scenario))
        simulator("actuators", "--scenario", str(scenario))
        await heard.until(lambda: heard.on("telemetry", "a-lift-2-loudspeaker") and heard.on("telemetry", "tank-1"))
        assert b'"value":0.25' not in heard.on("telemetry", "tank-1")[-1]
        await client.publish("firewatch/v1/command/sample/a-lift-2-loudspeaker", command("play", "p"), qos=1)
        await heard.until(lambda: b'"value":0.25' in heard.on("telemetry", "tank-1")[-1])


async def test_faults_of_a_scenario_reach_the_broker(broker, simulator, tmp_path):
    scenario = tmp_path / "story.yaml"
    scenario.write_text(
        "name: {zh: 甲, en: A}\nsteps:\n"
        "  - {at: 0s, who: garage-smoke-1, do: send_raw, payload: '{{'}\n"
        "  - {at: 0s, who: garage-smoke-1, do: send_raw, topic: telemetry/sample/ghost, payload: 'x', repeat: 70000}\n"
        "  - {at: 0s, who: garage-co-1, do: fall_silent}\n"
        "  - {at: 0s, who: garage-co-2, do: go_offline}\n"
        "  - {at: 2s, who: garage-co-2, do: normal}\n"
    )
    async with listening(broker) as (heard, _):
        simulator("garage", "--scenario", str(scenario))
        await heard.until(lambda: b"{{" in heard.on("telemetry", "garage-smoke-1"))
        await heard.until(lambda: b"x" * 70000 in heard.on("telemetry", "ghost"))
        await heard.until(lambda: [state(s).online for s in heard.on("state", "garage-co-2")][-2:] == [False, True])
        assert [state(s).online for s in heard.on("state", "garage-co-1")] == [True]
        silent, others = len(heard.on("telemetry", "garage-co-1")), len(heard.on("telemetry", "garage-heat-1"))
        await heard.until(lambda: len(heard.on("telemetry", "garage-heat-1")) >= others + 5)
        assert len(heard.on("telemetry", "garage-co-1")) == silent


async def test_devices_come_back_after_the_broker_was_away(broker, simulator):
    async with listening(broker) as (heard, _):
        simulator("garage")
        await heard.until(lambda: heard.on("telemetry", "garage-heat-1"))
    broker.stop()
    broker.start()
    async with listening(broker) as (heard, _):
        await heard.until(lambda: all(heard.on("telemetry", device) for device in GARAGE))


async def test_cameras_are_born_and_served_as_streams_that_opencv_opens(broker, simulator):
    port = free_port()
    async with listening(broker) as (heard, _):
        simulator("camera", "--port", str(port))
        await heard.until(lambda: heard.on("state", "garage-lane-camera"))
    for camera in SITE.of_kind("lift_camera", "lane_camera"):
        capture = cv2.VideoCapture(f"http://127.0.0.1:{port}/{camera.stream}")
        read, frame = capture.read()
        capture.release()
        assert read, camera.id
        assert frame.shape == (480, 640, 3)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("{at: 0s, who: ghost, do: normal}", "ghost"),
        ("{at: 0s, who: garage-smoke-1, do: e_bike_enters}", "does not understand"),
    ],
)
def test_a_scenario_that_does_not_fit_is_refused_before_anything_starts(simulator, broker, tmp_path, step, message):
    scenario = tmp_path / "story.yaml"
    scenario.write_text(f"name: {{zh: 甲, en: A}}\nsteps:\n  - {step}\n")
    arguments = ["--broker", broker.url, "--site", str(SAMPLE_SITE), "--scenario", str(scenario)]
    ended = subprocess.run(
        [sys.executable, "-m", "simulators.garage", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert ended.returncode == 1
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_firewatch_simulate_leaves_no_process_behind(broker, number, tmp_path):
    arguments = ["simulate", "--broker", broker.url, "--site", str(SAMPLE_SITE), "water", "garage"]
    process = subprocess.Popen([sys.executable, "-m", "firewatch", *arguments], cwd=tmp_path)
    async with listening(broker) as (heard, _):
        await heard.until(lambda: heard.on("telemetry", "tank-1") and heard.on("telemetry", "garage-heat-1"))
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) == 2
        process.send_signal(number)
        code = await asyncio.to_thread(process.wait, 10)
        assert code == (-9 if number is signal.SIGKILL else 0)
        await heard.until(lambda: not any(child.is_running() for child in children))
