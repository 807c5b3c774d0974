"""One simulated device on its own MQTT connection, as a real one would be: birth, will, telemetry, commands.

A device that loses the broker comes back by itself. What it measures and answers is decided by a pure model;
this module only carries it. A vendor's device (one with a topic of its own) sends its vendor's payload and knows
neither birth nor will.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable
from urllib.parse import quote, unquote, urlsplit

import aiomqtt
import msgspec

from firewatch.model.contract import (
    AnswerMessage,
    CommandMessage,
    DeviceState,
    ManyReadings,
    OneReading,
    Reading,
)
from firewatch.model.topic import Channel, Topic
from simulators.fault import FAULT_VERBS, Faults, RawMessage, raw_message
from simulators.scenario import Step
from simulators.site import SiteDevice

RECONNECT_INTERVAL = timedelta(seconds=1)
GOODBYE_TIMEOUT = timedelta(seconds=2)
SOFTWARE = "firewatch-simulator 1"

_encode = msgspec.json.Encoder().encode
_decode_command = msgspec.json.Decoder(CommandMessage).decode
_log = logging.getLogger(__name__)


class Model(Protocol):
    """What one device does, without clock or network."""

    def measure(self, now: datetime) -> Sequence[Reading]:
        """What its sensors read at that time; empty for a device that reports nothing by itself."""
        ...


@runtime_checkable
class Actuator(Model, Protocol):
    """A device that also does something when asked."""

    def command(self, message: CommandMessage, now: datetime) -> list[AnswerMessage]:
        """Take a command; what it answers at once. The same id again is answered again and not done again."""
        ...

    def advance(self, now: datetime) -> list[AnswerMessage]:
        """Do what has fallen due; what it answers to earlier commands."""
        ...

    def next_wake(self) -> datetime | None:
        """When `advance` has something to do next."""
        ...


Encode = Callable[[Sequence[Reading], datetime, int], bytes]
"""Readings, the device's time and a sequence number in, a payload out."""


def contract_payload(readings: Sequence[Reading], time: datetime, sequence: int) -> bytes:
    """The payload of firewatch's own contract: one reading or many."""
    if len(readings) == 1:
        reading = readings[0]
        return _encode(
            OneReading(
                time=time,
                signal=reading.signal,
                value=reading.value,
                unit=reading.unit,
                quality=reading.quality,
                seq=sequence,
            )
        )
    return _encode(ManyReadings(time=time, readings=list(readings), seq=sequence))


class Broker(msgspec.Struct, frozen=True):
    """Where the broker is and under which prefix the contract's topics lie."""

    host: str
    port: int
    prefix: str
    username: str | None = None
    password: str | None = None
    tls: bool = False
    ca_file: str | None = None

    @classmethod
    def from_url(cls, url: str, prefix: str) -> Broker:
        """Read `mqtt://[user:password@]host[:port]`, or `mqtts://` for TLS.

        Raises:
            ValueError: it is no such address.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError("expected a broker such as mqtt://127.0.0.1:1883")
        tls = parts.scheme == "mqtts"
        return cls(
            host=parts.hostname,
            port=parts.port or (8883 if tls else 1883),
            prefix=prefix,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls=tls,
        )

    def environment(self) -> dict[str, str]:
        """The variables that name this broker to a simulator process without showing a password to everyone."""
        account = ""
        if self.username is not None:
            account = quote(self.username, safe="")
            if self.password is not None:
                account += f":{quote(self.password, safe='')}"
            account += "@"
        host = f"[{self.host}]" if ":" in self.host else self.host
        variables = {"FIREWATCH_SIMULATORS_BROKER": f"mqtt{'s' if self.tls else ''}://{account}{host}:{self.port}"}
        if self.ca_file is not None:
            variables["FIREWATCH_SIMULATORS_CA_FILE"] = self.ca_file
        return variables

    def client(self, identifier: str, will: aiomqtt.Will | None = None) -> aiomqtt.Client:
        """A client, not yet connected. The identifier may hold no dot: NATS refuses it."""
        return aiomqtt.Client(
            self.host,
            self.port,
            identifier=identifier,
            username=self.username,
            password=self.password,
            tls_context=ssl.create_default_context(cafile=self.ca_file) if self.tls else None,
            will=will,
            keepalive=10,
            # Without it a small packet waits for the answer to the one before.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )


class DeviceLink:
    """One device's connection."""

    def __init__(
        self,
        broker: Broker,
        site: str,
        device: SiteDevice,
        model: Model,
        interval: timedelta,
        encode: Encode = contract_payload,
    ) -> None:
        self._broker = broker
        self._site = site
        self._device = device
        self._model = model
        self._actuator = model if isinstance(model, Actuator) else None
        self._interval = interval
        self._encode = encode
        self._faults = Faults()
        self._raw: list[RawMessage] = []
        self._answers: list[AnswerMessage] = []
        self._sequence = 0
        self._lost = False
        self._stopping = False
        self._report_time = datetime.min.replace(tzinfo=UTC)
        self._changed = asyncio.Event()

    def play(self, step: Step, now: datetime) -> None:
        """Play a step of a scenario, and report at once what it changed."""
        if step.do == "send_raw":
            self._raw.append(raw_message(step, now))
        elif step.do in FAULT_VERBS:
            self._faults = self._faults.after(step)
        self.report_now()

    def report_now(self) -> None:
        """Publish readings without waiting for the interval's end."""
        self._report_time = datetime.min.replace(tzinfo=UTC)
        self._changed.set()

    def stop(self) -> None:
        """Say goodbye and let `run` return."""
        self._stopping = True
        self._changed.set()

    async def run(self) -> None:
        """Be connected and report, until `stop`."""
        while not self._stopping:
            try:
                await self._connect_and_report()
            except* aiomqtt.MqttError as errors:
                if not self._lost:
                    _log.warning("%s: no broker: %s", self._device.id, errors.exceptions[0])
                self._lost = True
            await self._pause()

    async def _pause(self) -> None:
        """Wait for the next attempt to connect: a moment, or until a device that was sent offline may come back."""
        await asyncio.sleep(RECONNECT_INTERVAL.total_seconds() * (not self._stopping))
        while self._faults.offline and not self._stopping:
            self._changed.clear()
            await self._changed.wait()

    async def _connect_and_report(self) -> None:
        identifier = f"{self._site}-{self._device.id}"
        async with self._broker.client(identifier, self._will()) as client:
            if self._actuator is not None:
                await client.subscribe(self._topic(Channel.COMMAND), qos=1)
            await self._publish_state(client, online=True)
            if self._lost:
                _log.info("%s: connected again", self._device.id)
            self._lost = False
            self.report_now()
            try:
                async with asyncio.TaskGroup() as tasks:
                    listening = tasks.create_task(self._listen(client))
                    await self._report(client)
                    listening.cancel()
            finally:
                with suppress(aiomqtt.MqttError):
                    await self._publish_state(client, online=False)

    def _will(self) -> aiomqtt.Will | None:
        if self._device.topic is not None:
            return None
        return aiomqtt.Will(self._topic(Channel.STATE), _encode(DeviceState(online=False)), qos=1, retain=True)

    async def _publish_state(self, client: aiomqtt.Client, *, online: bool) -> None:
        if self._device.topic is not None:
            return
        time = self._faults.device_time(datetime.now(UTC))
        state = DeviceState(online=online, time=time, software=SOFTWARE)
        await client.publish(
            self._topic(Channel.STATE),
            _encode(state),
            qos=1,
            retain=True,
            timeout=GOODBYE_TIMEOUT.total_seconds(),
        )

    async def _listen(self, client: aiomqtt.Client) -> None:
        """Take commands; a device without any still notices here that the broker is gone."""
        async for message in client.messages:
            if self._actuator is None:
                continue
            try:
                command = _decode_command(bytes(message.payload))
            except msgspec.MsgspecError as error:
                _log.warning("%s: a command could not be read: %s", self._device.id, error)
                continue
            self._answers += self._actuator.command(command, datetime.now(UTC))
            self.report_now()

    async def _report(self, client: aiomqtt.Client) -> None:
        while not (self._faults.offline or self._stopping):
            self._changed.clear()
            now = datetime.now(UTC)
            await self._publish_answers(client, now)
            await self._publish_raw(client)
            if now >= self._report_time:
                # The first interval is cut short by chance, so that devices started together don't report together.
                share = random.random() if self._sequence == 0 else 1.0
                self._report_time = now + self._interval * share
                await self._publish_readings(client, now)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds_to_wait()):
                    await self._changed.wait()

    async def _publish_answers(self, client: aiomqtt.Client, now: datetime) -> None:
        if self._actuator is None:
            return
        advanced = self._actuator.advance(now)
        if advanced:
            self._report_time = now
        self._answers += advanced
        while self._answers:
            await client.publish(self._topic(Channel.ANSWER), _encode(self._answers[0]), qos=1)
            self._answers.pop(0)

    async def _publish_raw(self, client: aiomqtt.Client) -> None:
        while self._raw:
            raw = self._raw.pop(0)
            topic = self._telemetry_topic() if raw.topic is None else f"{self._broker.prefix}{raw.topic}"
            await client.publish(topic, raw.payload, qos=1, retain=raw.retain)

    async def _publish_readings(self, client: aiomqtt.Client, now: datetime) -> None:
        readings = self._faults.report(self._model.measure(now))
        if not readings or self._faults.silent:
            return
        self._sequence += 1
        payload = self._encode(readings, self._faults.device_time(now), self._sequence)
        await client.publish(self._telemetry_topic(), payload, qos=1)

    def _seconds_to_wait(self) -> float:
        wake = None if self._actuator is None else self._actuator.next_wake()
        until = self._report_time if wake is None else min(wake, self._report_time)
        return max(0.0, (until - datetime.now(UTC)).total_seconds())

    def _telemetry_topic(self) -> str:
        return self._device.topic or self._topic(Channel.TELEMETRY)

    def _topic(self, channel: Channel) -> str:
        return Topic(channel=channel, site=self._site, device=self._device.id).name(self._broker.prefix)
