"""The session against the embedded broker and against Mosquitto, as they are shipped."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from prometheus_client import CollectorRegistry

from firewatch.config.settings import IngestSettings, MqttSettings
from firewatch.errors import ConfigError
from firewatch.model.contract import PAYLOAD_LIMIT_BYTES
from firewatch.model.observation import Observation
from firewatch.model.site import Device, DeviceKind, Signal, SignalType
from firewatch.model.topic import Channel, Topic
from firewatch.mqtt.decode import PayloadDecoder
from firewatch.mqtt.packet import IncomingMessage
from firewatch.mqtt.session import MqttSession
from firewatch.ports import Rejection
from firewatch.telemetry import Telemetry
from tests.inventory import LABEL, one_site

pytestmark = pytest.mark.slow

DEADLINE_SECONDS = 20.0
DEADLINE = timedelta(seconds=DEADLINE_SECONDS)
TELEMETRY = "firewatch/v1/telemetry/sample/tank-1"
STATE = "firewatch/v1/state/sample/tank-1"
NAN = b'{"time":"2026-01-01T00:00:00Z","signal":"level","value":NaN}'
FILTERS = ("firewatch/v1/telemetry/+/+", "firewatch/v1/state/+/+", "firewatch/v1/answer/+/+")


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():
            await asyncio.sleep(0.005)


class Listener:
    """A session with everything that it was told; acknowledges at once unless `keep` is set."""

    def __init__(self, url: str, *, keep: bool = False, **settings: Any) -> None:
        self.keep = keep
        self.messages: list[IncomingMessage] = []
        self.connections: list[bool] = []
        self.retained_alarms: list[Topic] = []
        self.telemetry = Telemetry(CollectorRegistry())
        self.session = MqttSession(
            MqttSettings(url=url, **settings),
            FILTERS,
            on_messages=self._take,
            on_connection=lambda connected, _: self.connections.append(connected),
            telemetry=self.telemetry,
            on_retained_alarm=self.retained_alarms.append,
        )

    def _take(self, messages: list[IncomingMessage]) -> None:
        self.messages += messages
        if not self.keep:
            self.session.acknowledge(messages)

    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.messages]

    def count(self, name: str) -> float:
        return self.telemetry.registry.get_sample_value(name) or 0.0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Listener]:
        connections = self.connections.count(True)
        task = asyncio.ensure_future(self.session.run())
        try:
            await until(lambda: task.done() or self.connections.count(True) > connections)
            # The broker has answered the subscriptions once its answer to a later message is here.
            self.session.publish("firewatch/v1/test/ready", b"x")
            assert task.done() or await self.session.drained(DEADLINE)
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def client(broker: Any, **arguments: Any) -> aiomqtt.Client:
    return aiomqtt.Client("127.0.0.1", broker.port, **arguments)


async def publish(broker: Any, topic: str, *payloads: bytes, retain: bool = False) -> None:
    async with client(broker) as device:
        for payload in payloads:
            await device.publish(topic, payload, qos=1, retain=retain)


async def read(broker: Any, topic_filter: str, count: int) -> list[tuple[str, bytes]]:
    """The first messages that a new subscriber gets."""
    messages: list[tuple[str, bytes]] = []
    async with client(broker) as screen, asyncio.timeout(DEADLINE_SECONDS):
        await screen.subscribe(topic_filter, qos=1)
        async for message in screen.messages:
            messages.append((message.topic.value, bytes(message.payload)))  # type: ignore[arg-type]
            if len(messages) == count:
                break
    return messages


@pytest.fixture(params=["nats", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
def broker(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


async def test_messages_arrive_in_order_with_their_topic_and_payload(broker: Any) -> None:
    async with Listener(broker.url).running() as listener:
        await publish(broker, TELEMETRY, *(b"%d" % number for number in range(500)))
        await until(lambda: len(listener.messages) == 500)

        assert listener.payloads() == [b"%d" % number for number in range(500)]
        first = listener.messages[0]
        assert (first.topic, first.qos, first.retain, first.epoch) == (TELEMETRY, 1, False, 1)
        assert listener.count("firewatch_mqtt_received_messages_total") == 500


async def test_what_was_not_acknowledged_comes_again_after_a_restart_and_what_was_does_not(broker: Any) -> None:
    first = Listener(broker.url, keep=True)
    async with first.running():
        await publish(broker, TELEMETRY, b"safe", b"not safe")
        await until(lambda: len(first.messages) == 2)
        first.session.acknowledge(first.messages[:1])

    async with Listener(broker.url).running() as second:
        await until(lambda: second.messages)
        await publish(broker, TELEMETRY, b"later")
        await until(lambda: b"later" in second.payloads())

        assert sorted(second.payloads()) == [b"later", b"not safe"]


async def test_what_is_published_while_firewatch_is_away_arrives_when_it_is_back(broker: Any) -> None:
    async with Listener(broker.url).running():
        pass
    await publish(broker, TELEMETRY, *(b"%d" % number for number in range(300)))

    async with Listener(broker.url).running() as listener:
        await until(lambda: len(listener.messages) == 300)
        assert listener.payloads() == [b"%d" % number for number in range(300)]


async def test_a_broker_that_repeats_what_is_in_work_is_heard_once(nats: Any) -> None:
    listener = Listener(nats.url, keep=True)
    async with listener.running():
        await publish(nats, TELEMETRY, b"in work")
        await until(lambda: listener.messages)
        repeated = "firewatch_mqtt_repeated_messages_total"
        await until(lambda: listener.count(repeated) >= 2)  # its ack_wait is 1 s

        assert listener.payloads() == [b"in work"]


async def test_a_birth_is_kept_for_a_subscriber_that_comes_later(broker: Any) -> None:
    await publish(broker, STATE, b'{"online":true}', retain=True)

    async with Listener(broker.url).running() as listener:
        await until(lambda: listener.messages)
        assert (listener.payloads(), listener.messages[0].retain) == ([b'{"online":true}'], True)


async def test_the_broker_speaks_for_a_device_that_dies(broker: Any) -> None:
    will = aiomqtt.Will(STATE, b'{"online":false}', qos=1, retain=True)
    async with Listener(broker.url).running() as listener:
        async with client(broker, will=will) as device:
            await device.publish(STATE, b'{"online":true}', qos=1, retain=True)
            await until(lambda: listener.payloads() == [b'{"online":true}'])
            device._client.socket().close()  # without a goodbye
            await until(lambda: len(listener.messages) == 2)
            with suppress(aiomqtt.MqttError):
                device._client._sock_close()

        assert listener.payloads()[1] == b'{"online":false}'


async def test_a_broker_that_is_killed_is_found_again_and_nothing_published_meanwhile_is_lost(broker: Any) -> None:
    async with Listener(broker.url).running() as listener:
        broker.kill()
        await until(lambda: listener.connections[-1] is False)
        for number in range(50):
            listener.session.publish(f"firewatch/v1/alarm/sample/{number:016x}", b"%d" % number, retain=True)
        assert not await listener.session.drained(timedelta(seconds=0.05))
        broker.start()
        await until(lambda: listener.connections[-1] is True)
        assert await listener.session.drained(DEADLINE)

        seen = set()
        async with client(broker) as screen, asyncio.timeout(DEADLINE_SECONDS):
            await screen.subscribe("firewatch/v1/alarm/#", qos=1)
            async for message in screen.messages:
                seen.add(message.payload)
                if len(seen) == 50:
                    break
        assert seen == {b"%d" % number for number in range(50)}
        assert listener.count("firewatch_broker_disconnections_total") == 1

        await publish(broker, TELEMETRY, b"after")
        await until(lambda: b"after" in listener.payloads())


async def test_the_last_word_on_an_alarm_wins_over_a_reconnect(broker: Any) -> None:
    topic = "firewatch/v1/alarm/sample/0011223344556677"
    async with Listener(broker.url).running() as listener:
        for number in range(20):
            listener.session.publish(topic, b"%d" % number, retain=True)
        broker.kill()
        for number in range(20, 40):
            listener.session.publish(topic, b"%d" % number, retain=True)
        await until(lambda: listener.connections[-1] is False)
        broker.start()
        assert await listener.session.drained(DEADLINE)

        async with client(broker) as screen, asyncio.timeout(DEADLINE_SECONDS):
            await screen.subscribe(topic, qos=1)
            async for message in screen.messages:
                assert message.payload == b"39"
                break


async def test_waiting_for_everything_to_be_sent_lets_the_last_alarms_out_at_a_clean_stop(broker: Any) -> None:
    async with Listener(broker.url).running() as listener:
        topics = {f"firewatch/v1/alarm/sample/{number:016x}" for number in range(1500)}  # three windows
        for topic in topics:
            listener.session.publish(topic, b"x", retain=True)
        assert await listener.session.drained(DEADLINE)

    assert {topic for topic, _ in await read(broker, "firewatch/v1/alarm/#", 1500)} == topics


async def test_only_the_newest_of_a_command_reaches_the_broker_when_it_is_back_and_none_if_it_was_withdrawn(
    broker: Any,
) -> None:
    def send(key: str, number: int) -> None:
        listener.session.publish(f"firewatch/v1/command/sample/{key}", b"%s %d" % (key.encode(), number), replaces=key)

    async with client(broker, identifier="actuator", clean_session=False) as actuator:
        await actuator.subscribe("firewatch/v1/command/#", qos=1)
    broker.stop()  # which writes the actuator's session to disk
    broker.start()
    async with Listener(broker.url).running() as listener:
        broker.process.send_signal(signal.SIGSTOP)  # the connection stands, but nobody answers
        os.waitpid(broker.process.pid, os.WUNTRACED)
        for key in ("door", "horn"):
            for number in range(3):
                send(key, number)
        assert len(listener.session._in_flight) == 6
        broker.kill()
        await until(lambda: listener.connections[-1] is False)
        for number in range(3, 10):
            send("door", number)
        listener.session.withdraw("horn")
        listener.session.publish("firewatch/v1/command/sample/end", b"end")
        broker.start()
        assert await listener.session.drained(DEADLINE)

        received = []
        async with client(broker, identifier="actuator", clean_session=False) as actuator:
            await actuator.subscribe("firewatch/v1/command/#", qos=1)
            async with asyncio.timeout(DEADLINE_SECONDS):
                async for message in actuator.messages:
                    received.append(message.payload)
                    if message.payload == b"end":
                        break
        assert received == [b"door 9", b"end"]


async def test_the_alarms_that_the_broker_holds_are_told_at_every_connection_and_are_no_input(broker: Any) -> None:
    left = Topic(Channel.ALARM, "sample", "0011223344556677")
    async with Listener(broker.url).running() as before:
        before.session.publish(left.name(), b"{}", retain=True)
        assert await before.session.drained(DEADLINE)

    async with Listener(broker.url).running() as listener:
        await until(lambda: listener.retained_alarms)
        listener.session.publish("firewatch/v1/alarm/sample/8899aabbccddeeff", b"its own", retain=True)
        await until(lambda: listener.session._probe.finished)
        assert listener.retained_alarms == [left]

        for _ in range(3):  # nats-server takes connections while it still reads what it has retained
            broker.stop()
            await until(lambda: listener.connections[-1] is False)
            broker.start()
            with contextlib.suppress(TimeoutError):
                await until(lambda: len(listener.retained_alarms) >= 3)
                break
        assert {topic.device for topic in listener.retained_alarms[1:]} == {left.device, "8899aabbccddeeff"}

        for topic in listener.retained_alarms[1:]:
            listener.session.publish(topic.name(), b"", retain=True)
        assert await listener.session.drained(DEADLINE)
        await publish(broker, TELEMETRY, b"input")
        await until(lambda: listener.messages)
        assert listener.payloads() == [b"input"]

    async with Listener(broker.url).running() as after:
        await publish(broker, TELEMETRY, b"input")
        await until(lambda: after.messages)
        assert after.payloads() == [b"input"]
        assert after.retained_alarms == []


async def test_acknowledgements_of_an_older_connection_are_dropped(broker: Any) -> None:
    listener = Listener(broker.url, keep=True)
    async with listener.running():
        await publish(broker, TELEMETRY, b"a")
        await until(lambda: listener.messages)
    old = list(listener.messages)
    async with listener.running():
        await until(lambda: len(listener.messages) == 2)
        listener.session.acknowledge(old)
    async with listener.running():
        await until(lambda: len(listener.messages) == 3)
        assert [message.epoch for message in listener.messages] == [1, 2, 3]


async def given_up_for_silence(broker: Any) -> None:
    """Connect with a keep-alive of 2 s, say nothing more, and return when the broker has had enough."""
    connect = b"\x10\x12\x00\x04MQTT\x04\x02\x00\x02\x00\x06silent"
    async with asyncio.timeout(DEADLINE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
        writer.write(connect)
        assert await reader.readexactly(4) == b"\x20\x02\x00\x00"  # accepted
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()


async def test_a_paused_session_stays_connected_and_reads_on_after_resuming(broker: Any) -> None:
    async with Listener(broker.url, keep_alive="2s").running() as listener:
        listener.session.pause()
        await publish(broker, TELEMETRY, *(b"%d" % number for number in range(2000)))
        await given_up_for_silence(broker)
        assert listener.messages == []
        listener.session.resume()
        # nats-server repeats what it gets no answer to, so some may come twice.
        await until(lambda: len(set(listener.payloads())) == 2000)

        assert listener.connections == [True]
        first_heard = list(dict.fromkeys(listener.payloads()))
        assert first_heard == [b"%d" % number for number in range(2000)]


async def test_an_error_of_the_receiver_ends_the_session_with_that_error(broker: Any) -> None:
    def fail(messages: list[IncomingMessage]) -> None:
        raise RuntimeError("a mistake in firewatch")

    listener = Listener(broker.url)
    listener.session._on_messages = fail
    task = asyncio.ensure_future(listener.session.run())
    await until(lambda: listener.connections)
    await publish(broker, TELEMETRY, b"x")
    with pytest.raises(RuntimeError, match="a mistake in firewatch"):
        async with asyncio.timeout(DEADLINE_SECONDS):
            await task


async def test_an_unreachable_broker_is_tried_again_and_again(broker: Any) -> None:
    broker.kill()
    listener = Listener(broker.url)
    task = asyncio.ensure_future(listener.session.run())
    await until(lambda: listener.count("firewatch_broker_failed_connections_total") >= 2)
    broker.start()
    await until(lambda: True in listener.connections)
    assert listener.connections[0] is False
    task.cancel()


@pytest.mark.mosquitto
async def test_mqtt_5_does_the_same(mosquitto: Any) -> None:
    first = Listener(mosquitto.url, protocol="5", keep=True)
    async with first.running():
        await publish(mosquitto, TELEMETRY, b"kept")
        await until(lambda: first.messages)
    async with Listener(mosquitto.url, protocol="5").running() as second:
        await until(lambda: second.messages)
        assert second.payloads() == [b"kept"]


@pytest.mark.mosquitto
async def test_a_broker_that_forgot_the_session_is_complained_about(mosquitto: Any) -> None:
    async with Listener(mosquitto.url).running() as listener:
        mosquitto.kill()
        for file in mosquitto.folder.glob("mosquitto.db*"):
            file.unlink()
        await until(lambda: listener.connections[-1] is False)
        mosquitto.start()
        await until(lambda: listener.connections[-1] is True)

        assert listener.count("firewatch_broker_findings_total") == 1


@pytest.mark.mosquitto
@pytest.mark.parametrize(("nodelay", "findings"), [("true", 0), ("false", 1)])
async def test_a_broker_that_holds_small_packets_back_is_complained_about(
    mosquitto: Any, nodelay: str, findings: int
) -> None:
    mosquitto.stop()
    config = mosquitto.folder / "mosquitto.conf"
    config.write_text(config.read_text().replace("set_tcp_nodelay true", f"set_tcp_nodelay {nodelay}"))
    mosquitto.start()
    listener = Listener(mosquitto.url)
    async with listener.running():
        await until(lambda: listener.session._probe.finished)

        assert listener.count("firewatch_broker_findings_total") == findings


@pytest.mark.mosquitto
async def test_two_clients_of_one_name_are_told_apart_from_a_bad_network(mosquitto: Any) -> None:
    listener = Listener(mosquitto.url)
    async with listener.running():
        for attempt in range(1, 4):
            async with client(mosquitto, identifier="firewatch"):
                await until(lambda attempt=attempt: listener.connections.count(False) == attempt)  # type: ignore[misc]
            await until(lambda: listener.connections[-1] is True)

        assert listener.count("firewatch_broker_findings_total") >= 1


async def test_a_connection_made_while_paused_is_accepted_and_reads_on_after_resuming(broker: Any) -> None:
    async with Listener(broker.url, keep_alive="2s").running() as listener:
        listener.session.pause()
        broker.kill()
        listener.session.publish("firewatch/v1/alarm/sample/0011223344556677", b"x")  # writing shows that it is gone
        broker.start()
        await until(lambda: listener.connections.count(True) == 2)
        await publish(broker, TELEMETRY, b"after")
        listener.session.resume()
        await until(lambda: b"after" in listener.payloads())


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A throw-away authority and a certificate for 127.0.0.1."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run([*new, *subject, *files], check=True, capture_output=True)
    return folder


@pytest.mark.mosquitto
async def test_tls_is_spoken_with_the_authority_of_the_settings_and_no_other(
    mosquitto: Any, certificates: Path
) -> None:
    mosquitto.stop()
    config = mosquitto.folder / "mosquitto.conf"
    files = f"certfile {certificates}/certificate.pem\nkeyfile {certificates}/key.pem\n"
    config.write_text(config.read_text().replace("allow_anonymous true", files + "allow_anonymous true"))
    mosquitto.start()
    url = mosquitto.url.replace("mqtt:", "mqtts:")

    async with Listener(url, ca_file=certificates / "certificate.pem").running() as listener:
        context = aiomqtt.TLSParameters(ca_certs=str(certificates / "certificate.pem"))
        async with client(mosquitto, tls_params=context) as device:
            for number in range(300):
                await device.publish(TELEMETRY, b"%d" % number * 200, qos=1)
        await until(lambda: len(listener.messages) == 300)
        assert listener.payloads() == [b"%d" % number * 200 for number in range(300)]

    stranger = Listener(url)
    task = asyncio.ensure_future(stranger.session.run())
    await until(lambda: stranger.count("firewatch_broker_failed_connections_total"))
    task.cancel()
    assert True not in stranger.connections


@pytest.mark.mosquitto
async def test_a_wrong_password_is_an_answer_and_not_a_crash(
    mosquitto: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    passwords = mosquitto.folder / "passwords"
    passwords.write_text("")
    config = mosquitto.folder / "mosquitto.conf"
    config.write_text(
        config.read_text().replace("allow_anonymous true", f"allow_anonymous false\npassword_file {passwords}")
    )
    mosquitto.stop()
    mosquitto.start()
    details: list[str] = []
    session = MqttSession(
        MqttSettings(url=mosquitto.url, username="firewatch", password="open sesame"),  # type: ignore[arg-type]
        FILTERS,
        on_messages=lambda _: None,
        on_connection=lambda _, detail: details.append(detail),
        telemetry=Telemetry(CollectorRegistry()),
    )
    task = asyncio.ensure_future(session.run())
    await until(lambda: details)
    task.cancel()

    assert "refused" in details[0]
    assert "uthor" in details[0]
    assert "sesame" not in details[0] + "".join(capsys.readouterr())


async def test_a_host_that_is_not_there_is_named_in_the_reason(nats: Any) -> None:
    details: list[str] = []
    session = MqttSession(
        MqttSettings(url="mqtt://firewatch.invalid:1883"),
        FILTERS,
        on_messages=lambda _: None,
        on_connection=lambda _, detail: details.append(detail),
        telemetry=Telemetry(CollectorRegistry()),
    )
    task = asyncio.ensure_future(session.run())
    await until(lambda: details)
    task.cancel()
    assert details[0].startswith("mqtt://firewatch.invalid:1883: ")


INVENTORY = one_site(
    Device(id="tank-1", kind="water_tank", label=LABEL, building="tower-a"),
    kinds=(
        DeviceKind(
            kind="water_tank",
            label=LABEL,
            system="water",
            signals=(Signal(name="level", type=SignalType.NUMBER, label=LABEL, unit="m"),),
        ),
    ),
)


@pytest.mark.mosquitto
async def test_bad_input_through_a_real_broker_disturbs_nothing(mosquitto: Any) -> None:
    decoder = PayloadDecoder(INVENTORY, IngestSettings(), notice=lambda _: None)
    async with Listener(mosquitto.url).running() as listener:
        odd = ("firewatch/v1/telemetry/sample/水箱 一", "firewatch/v1/telemetry/%00/$'\"", "firewatch/v1/telemetry//")
        for topic in odd:
            await publish(mosquitto, topic, b"{}")
        await publish(mosquitto, TELEMETRY, b" " * (PAYLOAD_LIMIT_BYTES + 1), NAN, b"\xff\xfe", b"")
        await publish(mosquitto, STATE, b"", retain=True)
        now = datetime.now(UTC)
        good = {"time": now.isoformat(), "signal": "level", "value": 2.5}
        await publish(mosquitto, TELEMETRY, json.dumps(good).encode())
        await until(lambda: len(listener.messages) == len(odd) + 6)

        decoded = [decoder.decode(m.topic, m.payload, m.retain, now) for m in listener.messages]
        reasons = [item.reason for item in decoded if isinstance(item, Rejection)]
        assert reasons == [
            "bad_topic",
            "bad_topic",
            "bad_topic",
            "too_long",
            "not_finite",
            "broken_json",
            "empty_payload",
            "empty_payload",
        ]
        last = decoded[-1]
        assert isinstance(last, list)
        assert isinstance(last[-1], Observation)
        assert (last[-1].signal, last[-1].value) == ("sample/tank-1/level", 2.5)


@pytest.mark.mosquitto
async def test_a_packet_far_beyond_the_limit_is_cut_and_the_next_message_is_read(mosquitto: Any) -> None:
    async with Listener(mosquitto.url).running() as listener:
        await publish(mosquitto, TELEMETRY, b"x" * 250_000, b"next")
        await until(lambda: len(listener.messages) == 2)

        assert PAYLOAD_LIMIT_BYTES < len(listener.messages[0].payload) < 250_001
        assert listener.payloads()[1] == b"next"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"url": None}, "mqtt.url is not set"),
        ({"url": "127.0.0.1:1883"}, "must look like mqtt://host:1883"),
        ({"url": "http://127.0.0.1"}, "must look like mqtt://host:1883"),
        ({"url": "mqtt://127.0.0.1:99999"}, "cannot be read"),
        ({"url": "mqtt://me:secret@127.0.0.1"}, "must not hold a password"),
        ({"url": "mqtt://127.0.0.1", "client_id": "fire.watch"}, "brokers refuse"),
        ({"url": "mqtt://127.0.0.1", "ca_file": "ca.crt"}, "nothing would be encrypted"),
        ({"url": "mqtts://127.0.0.1", "ca_file": "/nowhere/ca.crt"}, "cannot be read"),
        ({"url": "mqtt://127.0.0.1", "username": "a", "password_file": "/nowhere/password"}, "cannot be read"),
        ({"url": "mqtt://127.0.0.1", "password": "secret"}, "without mqtt.username"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_anything_is_connected(
    settings: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError, match=says) as refused:
        MqttSession(
            MqttSettings(**settings),
            FILTERS,
            on_messages=lambda _: None,
            on_connection=lambda *_: None,
            telemetry=Telemetry(CollectorRegistry()),
        )
    assert "secret" not in str(refused.value)
