"""The connection to the MQTT broker: paho-mqtt driven by the event loop, without a thread.

Promises: a message is acknowledged only when `acknowledge` is called for it, so that whatever was not yet safe comes
again after a reconnect or restart; what `publish` took reaches the broker, over reconnects too, as long as no more
than `OUTBOX_LIMIT` messages wait, unless it was replaced or withdrawn; connecting is tried for ever. It leaves to its
caller what messages mean.

Back-pressure: `pause` stops reading, so the kernel's buffers fill and the broker keeps the rest in the session's
queue. The connection is kept alive meanwhile.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from firewatch.config.settings import MqttSettings
from firewatch.errors import BrokerError
from firewatch.model.topic import Channel, Topic, parse, topic_filter
from firewatch.mqtt.broker import broker_address, client_id, password, tls_context
from firewatch.mqtt.inspection import OWN_TOPICS, BrokerInspection, DelayProbe
from firewatch.mqtt.outbox import Outbox, OutgoingMessage
from firewatch.mqtt.packet import IncomingMessage, PacketSplitter, pubacks
from firewatch.mqtt.wire import BufferedSocket, open_socket
from firewatch.telemetry.events import (
    BrokerConnected,
    BrokerDisconnected,
    BrokerUnreachable,
    MessagesReceived,
    MessagesRepeated,
    PublishDropped,
    PublishRefused,
)
from firewatch.telemetry.telemetry import Telemetry

CONNECT_TIMEOUT_SECONDS = 10.0
"""How long an attempt to connect may take, from the name's resolution to the broker's word."""

RETRY_SECONDS = (0.2, 15.0)
"""The first and the longest wait between two attempts to connect; each wait is twice the one before, less a random
part of up to half, so that many clients do not come back at the same instant."""

STABLE_SECONDS = 5.0
"""A connection that lasted as long is a good one: after it the first wait counts again."""

OUTBOX_LIMIT = 20_000
"""How many messages may wait for the broker."""

OUTGOING_WINDOW = 500
"""How many published messages may be unacknowledged by the broker at a time."""

SESSION_EXPIRY_SECONDS = 7 * 24 * 3600
"""How long an MQTT 5 broker is asked to keep the session; with 3.1.1 the broker decides."""

_PINGREQ = b"\xc0\x00"


class MqttSession:
    """One session with one broker. Everything must be called in the event loop's thread.

    `on_messages` is called at once with all messages of one read. `on_connection` is called with True before the
    first message of a connection, and with False when it ended or could not be made, with a sentence about it.
    `on_retained_alarm` is called, at every connection, for each alarm that the broker holds on the alarm feed, so that
    one that does not stand any more, and whose clearing was lost, can be cleared. Messages of the alarm feed never
    come to `on_messages`.
    An error raised by one of them ends `run`.
    """

    def __init__(
        self,
        settings: MqttSettings,
        subscriptions: Sequence[str],
        *,
        on_messages: Callable[[list[IncomingMessage]], None],
        on_connection: Callable[[bool, str], None],
        telemetry: Telemetry,
        on_retained_alarm: Callable[[Topic], None] | None = None,
    ) -> None:
        """Raise ConfigError where the settings cannot work, before anything is connected."""
        self._address = broker_address(settings)
        self._tls = tls_context(settings) if self._address.tls else None
        self._settings = settings
        self._subscriptions = tuple(subscriptions)
        self._alarm_topics = f"{settings.prefix}{Channel.ALARM}/"
        self._not_input = ("$SYS/", self._alarm_topics)
        if on_retained_alarm is not None:
            self._subscriptions += (topic_filter(Channel.ALARM, settings.prefix),)
        self._on_retained_alarm = on_retained_alarm
        self._on_messages = on_messages
        self._on_connection = on_connection
        self._telemetry = telemetry
        self._inspection = BrokerInspection(telemetry)
        self._password = password(settings)
        self._client = self._new_client()
        self._probe = DelayProbe(self._send_probe, self._inspection.delayed)
        self._socket: BufferedSocket | None = None
        self._epoch = 0
        self._connected = False
        self._connack_seen = False
        self._session_kept = False
        self._subscribe_mid: int | None = None
        self._accepted: asyncio.Future[str] | None = None
        self._lost: asyncio.Future[str] | None = None
        self._paused = False
        self._splitter = self._new_splitter()
        self._unacknowledged: set[int] = set()
        self._outbox = Outbox(OUTBOX_LIMIT)
        self._in_flight: dict[int, OutgoingMessage] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(self) -> None:
        """Stay connected until cancelled, then disconnect cleanly; the broker keeps the session. May be run again."""
        clock = asyncio.get_running_loop().time
        wait = RETRY_SECONDS[0]
        try:
            while True:
                delay = wait * random.uniform(0.5, 1.0)
                wait = min(2 * wait, RETRY_SECONDS[1])
                try:
                    await self._connect()
                except BrokerError as error:
                    reason = str(error)
                    self._telemetry.emit(
                        BrokerUnreachable(address=str(self._address), reason=reason, retry_seconds=round(delay, 2))
                    )
                else:
                    connected_at = clock()
                    reason = await self._serve()
                    self._telemetry.emit(BrokerDisconnected(address=str(self._address), reason=reason))
                    lasted_seconds = clock() - connected_at
                    self._inspection.ended(lasted_seconds, self._settings.client_id)
                    if lasted_seconds >= STABLE_SECONDS:
                        wait = RETRY_SECONDS[0]
                self._on_connection(False, f"{self._address}: {reason}")
                await asyncio.sleep(delay)
        finally:
            self._client.disconnect()
            self._drop_connection()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, replaces: str | None = None) -> None:
        """Send a message at QoS 1, now or as soon as the broker can be reached, unless a later one that `replaces` the
        same key comes first: see `ports.Publisher`.
        """
        given_up = self._outbox.put(OutgoingMessage(topic, payload, retain, replaces))
        self._idle.clear()
        if given_up is not None:
            self._telemetry.emit(PublishDropped(topic=given_up.topic, waiting=len(self._outbox)))
        self._send_waiting()
        self._flush()

    def withdraw(self, key: str) -> None:
        """Do not send, or after a lost connection send again, what was published as replacing this key."""
        self._outbox.withdraw(key)
        for mid in [mid for mid, message in self._in_flight.items() if message.key == key]:
            del self._in_flight[mid]
        self._send_waiting()

    def acknowledge(self, messages: Iterable[IncomingMessage]) -> None:
        """Tell the broker that these are safe; it forgets them."""
        if not self._connected or self._socket is None:
            return
        epoch = self._epoch
        mids = [message.mid for message in messages if message.qos and message.epoch == epoch]
        self._unacknowledged.difference_update(mids)
        self._socket.put(pubacks(mids))
        self._flush()

    def pause(self) -> None:
        """Leave further messages with the broker; at most one more read for each connection may be handed over."""
        self._paused = True
        if self._socket is not None and self._connected:
            self._socket.stop_reading()

    def resume(self) -> None:
        """Read again."""
        if not self._paused:
            return
        self._paused = False
        if self._socket is not None:
            self._socket.drained = False
            self._socket.start_reading(self._on_readable)
            asyncio.get_running_loop().call_soon(self._on_readable)

    async def drained(self, limit: timedelta) -> bool:
        """Wait, while `run` runs, until the broker has acknowledged everything published; False if it did not within
        `limit`.
        """
        try:
            async with asyncio.timeout(limit.total_seconds()):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    # ------------------------------------------------------------ connecting

    def _new_client(self) -> _Client:
        settings = self._settings
        is_v5 = settings.protocol == "5"
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id(settings),
            clean_session=None if is_v5 else False,
            protocol=MQTTProtocolVersion.MQTTv5 if is_v5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.max_inflight_messages_set(0)  # the outbox counts
        client.username_pw_set(settings.username, self._password)
        client.on_connect = self._on_connack
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_suback
        client.on_publish = self._on_puback
        return client

    async def _connect(self) -> None:
        """Make a connection that the broker has accepted.

        Raises:
            BrokerError: it did not come about.
        """
        loop = asyncio.get_running_loop()
        self._epoch += 1
        # A new client, because paho would send what was unacknowledged again even if it was replaced or withdrawn.
        self._client = self._new_client()
        self._probe.stop()
        self._outbox.give_back(list(self._in_flight.values()))
        self._in_flight.clear()
        self._unacknowledged.clear()
        self._splitter = self._new_splitter()
        self._lost = loop.create_future()
        self._accepted = loop.create_future()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                self._socket = await open_socket(self._address.host, self._address.port, self._tls, self._splitter)
                self._client.prepared = self._socket
                self._client.connect(**self._connect_arguments())
                self._socket.start_reading(self._on_readable)
                self._flush()
                await asyncio.wait({self._accepted, self._lost}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            self._drop_connection()
            raise BrokerError(f"no answer within {CONNECT_TIMEOUT_SECONDS:g} s") from None
        except OSError as error:
            self._drop_connection()
            raise BrokerError(error.strerror or str(error)) from None
        if not self._accepted.done():
            raise BrokerError(self._lost.result())

    def _connect_arguments(self) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "host": self._address.host,
            "port": self._address.port,
            "keepalive": max(1, round(self._settings.keep_alive.total_seconds())),
        }
        if self._settings.protocol == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_EXPIRY_SECONDS
            arguments |= {"clean_start": False, "properties": properties}
        return arguments

    async def _serve(self) -> str:
        """Keep the connection alive until it ends; returns why it did."""
        assert self._lost is not None
        loop = asyncio.get_running_loop()
        ping_interval = self._settings.keep_alive.total_seconds() / 2
        housekeeping_interval = min(1.0, ping_interval / 2)
        next_ping = loop.time() + ping_interval
        while not self._lost.done():
            await asyncio.wait({self._lost}, timeout=housekeeping_interval)
            socket = self._socket
            if self._lost.done() or socket is None:
                continue
            if socket.drained and not self._paused:
                self._client.loop_misc()
            elif loop.time() >= next_ping:
                # paho would take the broker for dead, because its answer waits behind what is not read yet.
                socket.put(_PINGREQ)
                next_ping = loop.time() + ping_interval
            self._flush()
        return self._lost.result()

    def _end(self, reason: str) -> None:
        self._connected = False
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(reason)

    def _fail(self, error: Exception) -> None:
        """An error of the caller's, or of firewatch's own: `run` raises it."""
        self._connected = False
        if self._lost is not None and not self._lost.done():
            self._lost.set_exception(error)
        self._drop_connection()

    def _drop_connection(self) -> None:
        self._connected = False
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # ------------------------------------------------------------ reading and writing

    def _on_readable(self) -> None:
        socket = self._socket
        if socket is None or socket.fileno() < 0:
            return
        if self._paused and self._connected and not socket.broken:
            socket.stop_reading()
            return
        socket.allow_read()
        try:
            while self._client.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS and socket.pending():
                pass
        except Exception as error:  # paho meets a malformed packet with many kinds of error
            self._end(f"the broker sent what is not MQTT: {error!r}")
            self._drop_connection()
            return
        try:
            self._take_connack()
            self._hand_over()
        except Exception as error:
            self._fail(error)
            return
        self._send_waiting()
        self._probe.go_on()
        self._flush()
        if socket.hidden():
            asyncio.get_running_loop().call_soon(self._on_readable)

    def _hand_over(self) -> None:
        splitter = self._splitter
        if not splitter.messages or not self._connected:
            return
        arrived, splitter.messages = splitter.messages, []
        unacknowledged = self._unacknowledged
        batch = []
        repeated = 0
        for message in arrived:
            if message.topic.startswith(self._not_input):
                self._take_aside(message)
                continue
            if message.qos:
                if message.mid in unacknowledged:
                    repeated += 1
                    continue
                unacknowledged.add(message.mid)
            batch.append(message)
        if repeated:
            self._telemetry.emit(MessagesRepeated(count=repeated))
        if batch:
            self._telemetry.emit(MessagesReceived(count=len(batch)))
            self._on_messages(batch)

    def _take_aside(self, message: IncomingMessage) -> None:
        """Take what the broker tells about itself, and the alarm feed as the broker holds it."""
        if not message.topic.startswith(self._alarm_topics):
            self._inspection.told(message.topic, message.payload)
            return
        if message.qos and self._socket is not None:
            self._socket.put(pubacks([message.mid]))
        topic = parse(message.topic, self._settings.prefix)
        if message.retain and topic is not None and self._on_retained_alarm is not None:
            self._on_retained_alarm(topic)

    def _new_splitter(self) -> PacketSplitter:
        return PacketSplitter(self._epoch, is_v5=self._settings.protocol == "5")

    def _send_waiting(self) -> None:
        while self._connected and len(self._in_flight) < OUTGOING_WINDOW:
            message = self._outbox.pop()
            if message is None:
                break
            info = self._client.publish(message.topic, message.payload, qos=1, retain=message.retain)
            self._in_flight[info.mid] = message
        if not self._in_flight and not self._outbox:
            self._idle.set()

    def _flush(self) -> None:
        if self._socket is not None:
            self._client.loop_write()
            self._socket.flush()

    # ------------------------------------------------------------ what paho calls while it reads

    def _on_connack(self, _c: Any, _u: Any, flags: paho.ConnectFlags, reason: ReasonCode, _p: Any) -> None:
        if reason.is_failure:
            self._end(f"the broker refused the connection: {reason}")
        else:
            self._session_kept = flags.session_present
            self._connack_seen = True

    def _take_connack(self) -> None:
        """Go into service. Not in `_on_connack`, because an error of the caller's must not pass through paho."""
        if not self._connack_seen:
            return
        self._connack_seen = False
        self._connected = True
        assert self._accepted is not None
        self._accepted.set_result("accepted")
        self._telemetry.emit(BrokerConnected(address=str(self._address), session_kept=self._session_kept))
        self._inspection.connected(self._session_kept)
        self._on_connection(True, f"{self._address}: connected")
        self._subscribe(self._subscriptions, 1)
        self._subscribe(OWN_TOPICS, 0)

    def _subscribe(self, filters: Sequence[str], qos: int) -> None:
        if self._settings.protocol == "5":
            _, mid = self._client.subscribe([(name, SubscribeOptions(qos=qos)) for name in filters])
        else:
            _, mid = self._client.subscribe([(name, qos) for name in filters])
        if filters is self._subscriptions:
            self._subscribe_mid = mid

    def _on_suback(self, _c: Any, _u: Any, mid: int, answers: list[ReasonCode], _p: Any) -> None:
        if mid == self._subscribe_mid:
            self._inspection.granted(self._subscriptions, answers)
            self._probe.begin()

    def _send_probe(self) -> int:
        # Below the alarm channel, because another topic might be forbidden, for which some brokers end the connection;
        # deeper than alarms are, because nobody, least of all this session, should get it.
        topic = f"{self._alarm_topics}probe/{self._settings.client_id}/delay"
        if self._socket is not None:
            self._socket.delay_acknowledgements()
        return self._client.publish(topic, b"", qos=1).mid

    def _on_puback(self, _c: Any, _u: Any, mid: int, reason: ReasonCode, _p: Any) -> None:
        if self._probe.takes(mid, asyncio.get_running_loop().time()):
            return
        message = self._in_flight.pop(mid, None)
        if reason.is_failure and message is not None:
            self._telemetry.emit(PublishRefused(topic=message.topic, reason=str(reason)))

    def _on_disconnect(self, _c: Any, _u: Any, _flags: Any, reason: ReasonCode, _p: Any) -> None:
        self._end(f"the connection ended: {reason}")


class _Client(paho.Client):
    """paho's client on a socket that is connected already, because its own way of connecting blocks."""

    prepared: BufferedSocket

    def _create_socket(self) -> BufferedSocket:
        return self.prepared
