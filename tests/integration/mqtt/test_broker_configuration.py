"""The broker configuration that is shipped for production does what it says."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import aiomqtt
import pytest
from prometheus_client import CollectorRegistry

from firewatch.app.port import free_port
from firewatch.config.settings import MqttSettings
from firewatch.model.topic import Channel, Topic
from firewatch.mqtt.session import MqttSession
from firewatch.telemetry import Telemetry
from tests.brokers import Broker, mosquitto_command

FOLDER = Path(__file__).parents[3] / "config" / "broker"
DIFFERENT = {
    "listener",
    "allow_anonymous",
    "password_file",
    "acl_file",
    "persistence_location",
    "user",
    "log_type",
}
"""What the two configurations may say differently: who may connect, where files are, how much is logged."""


def options(name: str) -> dict[str, str]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    pairs = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    return {key: value for key, value in pairs if key not in DIFFERENT}


def test_tests_run_with_the_delay_and_loss_of_production() -> None:
    assert options("mosquitto-loopback.conf") == options("mosquitto.conf")


@pytest.fixture
def production(tmp_path: Path) -> Iterator[Broker]:
    """Mosquitto with the production configuration, its files in a folder of the test's."""
    port = free_port()
    command = mosquitto_command(tmp_path, port)
    passwords, rights = tmp_path / "passwords", tmp_path / "acl.conf"
    tool = shutil.which("mosquitto_passwd")
    assert tool, "mosquitto_passwd comes with mosquitto"
    for number, user in enumerate(("firewatch", "tank-1", "pump-1")):
        create = ["-c"] if number == 0 else []
        subprocess.run([tool, "-b", *create, str(passwords), user, f"{user}-secret"], check=True, capture_output=True)
    shutil.copy(FOLDER / "acl.conf", rights)
    for file in (passwords, rights):
        file.chmod(0o600)
    config = (FOLDER / "mosquitto.conf").read_text(encoding="utf-8")
    for old, new in (
        ("listener 1883 ", f"listener {port} "),
        ("/etc/mosquitto/passwords", str(passwords)),
        ("/etc/mosquitto/acl.conf", str(rights)),
        ("/var/lib/mosquitto/", f"{tmp_path}/"),
    ):
        config = re.sub(rf"^(?!#)(.*){re.escape(old)}", rf"\g<1>{new}", config, flags=re.MULTILINE)
    (tmp_path / "mosquitto.conf").write_text(config + "user root\n", encoding="utf-8")
    broker = Broker(command, tmp_path, port)
    broker.start()
    yield broker
    broker.kill()


@pytest.mark.slow
@pytest.mark.mosquitto
async def test_a_device_may_send_its_own_telemetry_and_no_other_and_only_firewatch_commands(
    production: Broker,
) -> None:
    heard: list[tuple[str, bytes]] = []
    telemetry = Telemetry(CollectorRegistry())
    session = MqttSession(
        MqttSettings(url=production.url, username="firewatch", password="firewatch-secret"),  # type: ignore[arg-type]
        ["firewatch/v1/telemetry/+/+"],
        on_messages=lambda messages: heard.extend((message.topic, message.payload) for message in messages),
        on_connection=lambda *_: None,
        telemetry=telemetry,
    )
    task = asyncio.ensure_future(session.run())

    def device(user: str) -> aiomqtt.Client:
        return aiomqtt.Client("127.0.0.1", production.port, username=user, password=f"{user}-secret")

    async def forge(user: str, topic: str) -> None:
        with suppress(aiomqtt.MqttError):  # Mosquitto ends the connection
            async with device(user) as client:
                await client.publish(topic, b"forged", qos=1)

    try:
        async with device("tank-1") as tank, device("pump-1") as pump, asyncio.timeout(20):
            session.publish("firewatch/v1/alarm/sample/0011223344556677", b"")
            assert await session.drained(timedelta(seconds=15))
            await pump.subscribe("firewatch/v1/command/sample/pump-1", qos=1)
            await forge("pump-1", "firewatch/v1/telemetry/sample/tank-1")
            await forge("tank-1", "firewatch/v1/command/sample/pump-1")
            await tank.publish("firewatch/v1/telemetry/sample/tank-1", b"genuine", qos=1)
            while not heard:
                await asyncio.sleep(0.01)
            session.publish("firewatch/v1/command/sample/pump-1", b"genuine")
            async for message in pump.messages:
                assert message.payload == b"genuine"
                break
            while not session._probe.finished:
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    assert heard == [("firewatch/v1/telemetry/sample/tank-1", b"genuine")]
    assert telemetry.registry.get_sample_value("firewatch_broker_findings_total") == 0


@pytest.mark.slow
@pytest.mark.mosquitto
async def test_firewatch_may_read_which_alarms_the_broker_still_shows(production: Broker) -> None:
    retained: list[Topic] = []
    alarm = Topic(Channel.ALARM, "sample", "0011223344556677")
    for _ in range(2):
        session = MqttSession(
            MqttSettings(url=production.url, username="firewatch", password="firewatch-secret"),  # type: ignore[arg-type]
            ["firewatch/v1/telemetry/+/+"],
            on_messages=lambda _: None,
            on_connection=lambda *_: None,
            telemetry=Telemetry(CollectorRegistry()),
            on_retained_alarm=retained.append,
        )
        task = asyncio.ensure_future(session.run())
        session.publish(alarm.name(), b"{}", retain=True)
        assert await session.drained(timedelta(seconds=15))
        async with asyncio.timeout(15):
            while not session._probe.finished:
                await asyncio.sleep(0.01)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    assert retained == [alarm]
