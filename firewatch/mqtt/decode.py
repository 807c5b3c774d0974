"""From an MQTT message to observations, an actuator's answer, or a rejection that says why.

Promises: no input raises; one bad reading never costs the others of its message; a reading is never dropped because
of its time; every value handed on is of its signal's type, in its signal's unit, and finite. What device makers have
to know of it (retained messages, clocks, backlog) stands in docs/mqtt-contract/.

A lag is not always a wrong clock. After an outage of firewatch the broker delivers what it kept, and after an outage
of its own network a device sends what it kept, both with the times of then. So a reading from the past counts as
backlog, judged by its own time, until the first fresh one of the same device shows that the queue is worked off
(brokers deliver each topic in order), for a bounded time after connecting or after the device's birth: see `device.py`.

A clock that is ahead, be it within the limit, must not put an alarm off: no reading is judged by a time after its
arrival.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, NamedTuple

import msgspec

from firewatch.config.settings import IngestSettings
from firewatch.config.units import converter as unit_converter
from firewatch.errors import RefusedCommandError
from firewatch.model.command import ActuatorAnswer
from firewatch.model.contract import (
    PAYLOAD_LIMIT_BYTES,
    READINGS_LIMIT,
    AnswerMessage,
    DeviceState,
    DrillReadingMessage,
    DutyCheckMessage,
    Instant,
    ManyReadings,
    OneReading,
    Reading,
)
from firewatch.model.contract import Sequence as SequenceNumber
from firewatch.model.control_room import DutyQuestion
from firewatch.model.observation import Observation, Quality
from firewatch.model.seat import ONE_SEAT, ControlRoom
from firewatch.model.site import DERIVED_SIGNALS, Inventory
from firewatch.model.topic import DEFAULT_PREFIX, Channel, Topic, parse, topic_filter
from firewatch.mqtt.device import (
    BACKLOG_LIMIT,
    DEVICE_BACKLOG_LIMIT,
    DeviceClocks,
    Times,
    WatchedDevice,
    heard,
    in_utc,
    reported,
)
from firewatch.mqtt.rejection import RejectionReason, printable, rejection
from firewatch.mqtt.signal import Converter, RefusedError
from firewatch.mqtt.vendor import VendorReader
from firewatch.ports import Rejection

Decoded = list[Observation] | ActuatorAnswer | Rejection


class PayloadDecoder:
    """Reads what the devices of an inventory send. It remembers, for each device, whether it is online and whether
    its clock can be believed, so that changes of these become observations of `online` and `clock_fault`.

    `notice` hears of whatever is worth counting beside the answer of `decode`: single bad readings of a message whose
    other readings are good, and wrong clocks. `ask` hears of every question whether anybody is at a seat of `room`;
    RefusedCommandError from it is a rejection. `rehearse` hears of every reading of a drill, with the drill's id and
    the reading's place in it; it says False where that drill does not go on. All are called before `decode` returns.
    `subscriptions` are the topic filters to subscribe to: the contract's channels and every vendor's topic.
    """

    def __init__(
        self,
        inventory: Inventory,
        settings: IngestSettings,
        prefix: str = DEFAULT_PREFIX,
        *,
        notice: Callable[[Rejection], None],
        converter: Converter = unit_converter,
        room: ControlRoom = ONE_SEAT,
        ask: Callable[[DutyQuestion], object] | None = None,
        rehearse: Callable[[str, int, Observation], bool] | None = None,
    ) -> None:
        self._prefix = prefix
        self._notice = notice
        self._skew_limit = settings.clock_skew_limit
        self._least_skew = -settings.clock_skew_limit
        self._clocks = DeviceClocks(settings.clock_skew_limit, notice)
        self._devices: dict[str, WatchedDevice] = {}
        self._routes: dict[str, _Route] = {}
        self._ask = ask
        self._rehearse = rehearse
        vendor_topics = self._add_devices(inventory, converter)
        channels = [Channel.TELEMETRY, Channel.STATE, Channel.ANSWER]
        if ask is not None:
            self._add_seats(inventory, room)
            channels.append(Channel.DUTY_CHECK)
        if rehearse is not None:
            channels.append(Channel.DRILL)
        self.subscriptions = (*(topic_filter(channel, prefix) for channel in channels), *vendor_topics)

    def connected(self, now: datetime) -> None:
        """Say that a connection to the broker was made: what it kept meanwhile is about to come."""
        for device in self._devices.values():
            device.expect_backlog(now + BACKLOG_LIMIT)

    def decode(self, message_topic: str, payload: bytes, retain: bool, receive_time: datetime) -> Decoded:
        """Read one message that arrived at `receive_time` (aware, UTC)."""
        route = self._routes.get(message_topic)
        if route is None:
            return self._refuse_topic(message_topic, payload, receive_time)
        device, read, retainable = route
        if not payload:
            return rejection(RejectionReason.EMPTY_PAYLOAD, message_topic, payload, receive_time)
        if len(payload) > PAYLOAD_LIMIT_BYTES:
            detail = f"{len(payload)} bytes, the limit is {PAYLOAD_LIMIT_BYTES}"
            return rejection(RejectionReason.TOO_LONG, message_topic, payload, receive_time, detail)
        if retain and not retainable:
            return rejection(RejectionReason.RETAINED, message_topic, payload, receive_time)
        try:
            return read(device, payload, retain, receive_time)
        except RefusedError as refused:
            return rejection(refused.reason, message_topic, payload, receive_time, refused.detail)

    def _read_telemetry(self, device: WatchedDevice, payload: bytes, retain: bool, receive_time: datetime) -> Decoded:
        try:
            message = _decode_one(payload)
        except _UNREADABLE as error:
            if b'"readings"' in payload:
                return self._read_many(device, payload, receive_time)
            raise _refusal(error, payload) from None
        reader = device.signals.get(message.signal)
        if reader is None:
            raise _unknown_signal(message.signal, device)
        quality = message.quality
        value = reader.take(message.value, message.unit, quality)
        source_time = in_utc(message.time)
        if (
            device.settled
            and source_time is not None
            and self._least_skew <= receive_time - source_time <= self._skew_limit
        ):
            event_time = source_time if source_time < receive_time else receive_time  # noqa: FURB136  (min is slower)
            return [Observation(reader.id, value, quality, source_time, receive_time, event_time, message.seq)]
        observations: list[Observation] = []
        times = self._clocks.judge(device, message.time, receive_time, observations)
        heard(device, times, receive_time, observations)
        observations.append(
            Observation(
                reader.id,
                value,
                times.quality(quality),
                times.source_time,
                receive_time,
                times.event_time,
                message.seq,
            )
        )
        return observations

    def _read_many(self, device: WatchedDevice, payload: bytes, receive_time: datetime) -> Decoded:
        time, sequence, readings, refused = _split(payload)
        observations: list[Observation] = []
        times = self._clocks.judge(device, time, receive_time, observations)
        good = []
        for reading in readings:
            try:
                good.append(self._observe(device, reading, times, sequence, receive_time))
            except RefusedError as error:
                refused.append(error)
        return self._finish(device, payload, times, receive_time, observations, good, refused)

    def _observe(
        self, device: WatchedDevice, reading: Reading, message: Times, sequence: int | None, receive_time: datetime
    ) -> Observation:
        reader = device.signals.get(reading.signal)
        if reader is None:
            raise _unknown_signal(reading.signal, device)
        value = reader.take(reading.value, reading.unit, reading.quality)
        times = message if reading.time is None else self._clocks.place(device, reading.time, message, receive_time)
        return Observation(
            reader.id,
            value,
            times.quality(reading.quality),
            times.source_time,
            receive_time,
            times.event_time,
            sequence,
        )

    def _read_vendor(
        self, vendor: VendorReader, device: WatchedDevice, payload: bytes, receive_time: datetime
    ) -> Decoded:
        try:
            message = vendor.read(payload, receive_time)
        except _UNREADABLE as error:
            raise _refusal(error, payload) from None
        observations: list[Observation] = []
        times = self._clocks.judge(device, message.time, receive_time, observations)
        good = [
            Observation(
                reader.id,
                value,
                times.quality(quality),
                times.source_time,
                receive_time,
                times.event_time,
                message.sequence,
            )
            for reader, value, quality in message.readings
        ]
        return self._finish(device, payload, times, receive_time, observations, good, message.refused)

    def _finish(
        self,
        device: WatchedDevice,
        payload: bytes,
        times: Times,
        receive_time: datetime,
        observations: list[Observation],
        good: list[Observation],
        refused: list[RefusedError],
    ) -> list[Observation]:
        """Put the good readings behind what they say about the device, and give notice of the others. A message
        without any good reading is refused for its first bad one, if nothing else follows from it.
        """
        if good:
            heard(device, times, receive_time, observations)
            observations += good
        elif not observations:
            raise refused.pop(0)
        for error in refused:
            self._notice(rejection(error.reason, device.telemetry_topic, payload, receive_time, error.detail))
        return observations

    def _read_state(self, device: WatchedDevice, payload: bytes, retain: bool, receive_time: datetime) -> Decoded:
        try:
            message = _decode_state(payload)
        except _UNREADABLE as error:
            raise _refusal(error, payload) from None
        observations: list[Observation] = []
        if message.online and message.time is not None and not retain:
            device.excused_until = receive_time + DEVICE_BACKLOG_LIMIT
            self._clocks.judge(device, message.time, receive_time, observations)
        reported(device, message.online, message.time, receive_time, observations)
        return observations

    def _read_answer(self, device: WatchedDevice, payload: bytes, retain: bool, receive_time: datetime) -> Decoded:
        if not device.actions:
            raise RefusedError(RejectionReason.UNEXPECTED_ANSWER, f"{device.id} has no actions")
        try:
            message = _decode_answer(payload)
        except _UNREADABLE as error:
            raise _refusal(error, payload) from None
        return ActuatorAnswer(
            command_id=printable(message.id),
            device=device.id,
            state=message.state,
            detail=printable(message.detail),
            source_time=in_utc(message.time) or receive_time,
            receive_time=receive_time,
        )

    def _read_question(self, seat: AskedSeat, payload: bytes, retain: bool, receive_time: datetime) -> Decoded:
        try:
            message = _decode_question(payload)
        except _UNREADABLE as error:
            raise _refusal(error, payload) from None
        assert self._ask is not None
        limit = timedelta(minutes=message.minutes)
        question = DutyQuestion(printable(message.id), seat.site, seat.seat, printable(message.asked_by), limit)
        try:
            self._ask(question)
        except RefusedCommandError as error:
            raise RefusedError(RejectionReason.TOO_OFTEN, str(error)) from None
        return []

    def _read_rehearsed(self, device: WatchedDevice, payload: bytes, retain: bool, receive_time: datetime) -> Decoded:
        """A reading of a drill tells nothing about the device, its clock or its connection."""
        try:
            message = _decode_rehearsed(payload)
        except _UNREADABLE as error:
            raise _refusal(error, payload) from None
        reader = device.signals.get(message.signal)
        if reader is None:
            raise _unknown_signal(message.signal, device)
        value = reader.take(message.value, None, Quality.GOOD)
        source_time = in_utc(message.time) or receive_time
        event_time = min(source_time, receive_time)
        observation = Observation(reader.id, value, Quality.GOOD, source_time, receive_time, event_time)
        assert self._rehearse is not None
        if not self._rehearse(message.drill, message.index, observation):
            raise RefusedError(RejectionReason.NO_DRILL, f"the drill {printable(message.drill)} does not go on")
        return []

    def _refuse_topic(self, topic: str, payload: bytes, receive_time: datetime) -> Rejection:
        parts = parse(topic, self._prefix)
        if parts is None or parts.channel in _OWN_CHANNELS:
            return rejection(RejectionReason.BAD_TOPIC, topic, payload, receive_time)
        detail = f"{parts.site}/{parts.device}"
        known = self._devices.get(detail)
        if known is not None:
            detail += f" publishes its telemetry under {known.telemetry_topic}, says the site file"
        return rejection(RejectionReason.UNKNOWN_DEVICE, topic, payload, receive_time, detail)

    def _add_devices(self, inventory: Inventory, converter: Converter) -> list[str]:
        """Build the table of topics; returns the vendors' topics."""
        for site in inventory.sites:
            for device in site.devices:
                standard = {
                    channel: Topic(channel, site.id, device.id).name(self._prefix)
                    for channel in (Channel.TELEMETRY, Channel.STATE, Channel.ANSWER, Channel.DRILL)
                }
                telemetry = device.topic or standard[Channel.TELEMETRY]
                watched = WatchedDevice(site.id, device, inventory.kinds[device.kind], telemetry, converter)
                self._devices[watched.id] = watched
                read: _Read = self._read_telemetry
                if device.decoder is not None:
                    read = self._vendor_read(VendorReader(device.decoder, watched.signals))
                self._routes[telemetry] = (watched, read, False)
                self._routes[standard[Channel.STATE]] = (watched, self._read_state, True)
                self._routes[standard[Channel.ANSWER]] = (watched, self._read_answer, False)
                if self._rehearse is not None:
                    self._routes[standard[Channel.DRILL]] = (watched, self._read_rehearsed, False)
        return [device.topic for site in inventory.sites for device in site.devices if device.topic is not None]

    def _add_seats(self, inventory: Inventory, room: ControlRoom) -> None:
        for site in inventory.sites:
            for seat in room.seats:
                if not seat.sites or site.id in seat.sites:
                    name = Topic(Channel.DUTY_CHECK, site.id, seat.id).name(self._prefix)
                    self._routes[name] = (AskedSeat(site.id, seat.id), self._read_question, False)

    def _vendor_read(self, vendor: VendorReader) -> _Read:
        return lambda device, payload, retain, receive_time: self._read_vendor(vendor, device, payload, receive_time)


_OWN_CHANNELS = (Channel.COMMAND, Channel.ALARM, Channel.DRILL_ALARM, Channel.DUTY_ANSWER)
"""Those that firewatch alone publishes on."""


class AskedSeat(NamedTuple):
    """A seat of the control room, asked in the name of a site."""

    site: str
    seat: str


_Read = Callable[[Any, bytes, bool, datetime], Decoded]
_Route = tuple[WatchedDevice | AskedSeat, _Read, bool]
"""The device or seat, how to read it, and whether a retained message of the topic is the truth of now."""


class _LooseReadings(msgspec.Struct, forbid_unknown_fields=True):
    """`ManyReadings` with its readings left unread, so that a bad one does not cost the others."""

    time: Instant
    readings: Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1, max_length=READINGS_LIMIT)]
    seq: SequenceNumber | None = None


_decode_one = msgspec.json.Decoder(OneReading).decode
_decode_many = msgspec.json.Decoder(ManyReadings).decode
_decode_loose = msgspec.json.Decoder(_LooseReadings).decode
_decode_reading = msgspec.json.Decoder(Reading).decode
_decode_state = msgspec.json.Decoder(DeviceState).decode
_decode_answer = msgspec.json.Decoder(AnswerMessage).decode
_decode_rehearsed = msgspec.json.Decoder(DrillReadingMessage).decode
_decode_question = msgspec.json.Decoder(DutyCheckMessage).decode

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""All that reading arbitrary bytes as JSON raises."""


def _split(payload: bytes) -> tuple[datetime, int | None, Sequence[Reading], list[RefusedError]]:
    try:
        message = _decode_many(payload)
        return message.time, message.seq, message.readings, []
    except _UNREADABLE:
        pass
    try:
        loose = _decode_loose(payload)
    except _UNREADABLE as error:
        raise _refusal(error, payload) from None
    readings: list[Reading] = []
    refused: list[RefusedError] = []
    for raw in loose.readings:
        try:
            readings.append(_decode_reading(raw))
        except _UNREADABLE as error:
            refused.append(_refusal(error, bytes(raw)))
    return loose.time, loose.seq, readings, refused


_NOT_A_NUMBER = re.compile(rb"[:\[,]\s*[+-]?(?:nan|inf(?:inity)?)\b", re.IGNORECASE)


def _refusal(error: Exception, payload: bytes) -> RefusedError:
    """Name what the JSON library found."""
    text = str(error)
    if not isinstance(error, msgspec.ValidationError):
        if _NOT_A_NUMBER.search(payload):
            return RefusedError(
                RejectionReason.NOT_FINITE, 'JSON has no NaN or Infinity; send null with quality "bad" instead'
            )
        return RefusedError(RejectionReason.BROKEN_JSON, text)
    for mark, reason in _MARKS:
        if mark in text:
            return RefusedError(reason, text)
    return RefusedError(RejectionReason.WRONG_TYPE, text)


_MARKS = (
    ("out of range", RejectionReason.NOT_FINITE),
    ("missing required field", RejectionReason.MISSING_FIELD),
    ("RFC3339", RejectionReason.IMPLAUSIBLE_TIME),
    ("timezone component", RejectionReason.IMPLAUSIBLE_TIME),
    (".unit`", RejectionReason.UNKNOWN_UNIT),
)
"""What the library's messages say, and what that means here."""


def _unknown_signal(name: str, device: WatchedDevice) -> RefusedError:
    if any(name == signal.name for signal in DERIVED_SIGNALS):
        return RefusedError(RejectionReason.UNKNOWN_SIGNAL, f'"{name}" is derived by firewatch, devices do not send it')
    known = ", ".join(device.signals)
    return RefusedError(RejectionReason.UNKNOWN_SIGNAL, f'{device.id} has no signal "{name}"; it has {known}')
