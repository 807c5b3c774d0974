"""One device as the decoder knows it: what it may send, whether it is online, whether its clock can be believed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from firewatch.model.observation import Observation, Quality, signal_id
from firewatch.model.site import CLOCK_FAULT, ONLINE, Device, DeviceKind
from firewatch.mqtt.rejection import RejectionReason, rejection
from firewatch.mqtt.signal import Converter, SignalReader
from firewatch.ports import Rejection

BACKLOG_LIMIT = timedelta(minutes=10)
"""How long after connecting old readings may be the broker's backlog (12 million of them at 20,000 a second)."""

DEVICE_BACKLOG_LIMIT = timedelta(minutes=1)
"""How long after its birth message a device may send what it kept while it was away."""

ABSURD_SKEW = timedelta(days=366)
"""A time further away than this comes from a clock that was never set, not from a backlog."""


class WatchedDevice:
    """What is known of one device. `settled` means: online, its clock can be believed, and no backlog of its is waited
    for, so that a fresh reading changes nothing here. Until `backlog_until` its readings from the past may be what the
    broker kept; it is None once a fresh reading showed that this is worked off. `excused_until` is the same for what
    the device itself kept while it was away; only time ends it, since a device may send its news first.
    """

    __slots__ = (
        "actions",
        "backlog_until",
        "clock_fault",
        "clock_fault_id",
        "excused_until",
        "id",
        "offline_time",
        "online",
        "online_id",
        "settled",
        "signals",
        "telemetry_topic",
    )

    def __init__(self, site: str, device: Device, kind: DeviceKind, telemetry_topic: str, convert: Converter) -> None:
        self.id = f"{site}/{device.id}"
        self.telemetry_topic = telemetry_topic
        self.actions = kind.actions
        self.signals = {signal.name: SignalReader(site, device.id, signal, convert) for signal in kind.signals}
        self.online_id = signal_id(site, device.id, ONLINE.name)
        self.clock_fault_id = signal_id(site, device.id, CLOCK_FAULT.name)
        self.online: bool | None = None
        self.offline_time: datetime | None = None
        self.clock_fault: bool | None = None
        self.backlog_until: datetime | None = None
        self.excused_until: datetime | None = None
        self.settled = False

    def expect_backlog(self, until: datetime | None) -> None:
        """Take readings from the past for the broker's backlog until then; None: no longer."""
        self.backlog_until = until
        self._judge_settled()

    def becomes(self, *, online: bool | None = None, clock_fault: bool | None = None) -> None:
        """Note a change."""
        self.online = self.online if online is None else online
        self.clock_fault = self.clock_fault if clock_fault is None else clock_fault
        self._judge_settled()

    def _judge_settled(self) -> None:
        self.settled = self.online is True and self.clock_fault is False and self.backlog_until is None


class Times(msgspec.Struct, frozen=True, gc=False):
    """The times of an observation, and whether the device's clock could be believed. `fresh` is that of a believed
    clock which shows the present, within the limit.
    """

    source_time: datetime
    event_time: datetime
    believed: bool
    fresh: bool

    def quality(self, said: Quality) -> Quality:
        """The device's own verdict, lowered where its clock cannot be believed."""
        return said if self.believed or said is Quality.BAD else Quality.UNCERTAIN


class DeviceClocks:
    """Judges every device's clock by the messages that arrive."""

    def __init__(self, skew_limit: timedelta, notice: Callable[[Rejection], None]) -> None:
        self.skew_limit = skew_limit
        self._notice = notice

    def judge(
        self, device: WatchedDevice, claimed: datetime | None, receive_time: datetime, changes: list[Observation]
    ) -> Times:
        """The times of a message that claims to be sent at `claimed` (None: it cannot be read); if the verdict on the
        device's clock changes, the observation of `clock_fault` is added to `changes`.
        """
        source_time = None if claimed is None else in_utc(claimed)
        skew = None if source_time is None else receive_time - source_time
        if source_time is None or skew is None or abs(skew) > ABSURD_SKEW:
            shown = "cannot be read" if claimed is None else f"is {claimed.isoformat()}"
            self._blame(device, RejectionReason.IMPLAUSIBLE_TIME, f"the time {shown}", receive_time, changes)
            return Times(source_time or receive_time, receive_time, believed=False, fresh=False)
        if abs(skew) <= self.skew_limit:
            if device.clock_fault is not False:
                device.becomes(clock_fault=False)
                changes.append(_derived(device.clock_fault_id, False, source_time, receive_time, receive_time))
            return Times(source_time, min(source_time, receive_time), believed=True, fresh=True)
        if skew > self.skew_limit and self._excused(device, receive_time):
            return Times(source_time, source_time, believed=True, fresh=False)
        direction = "behind" if skew > timedelta() else "ahead"
        self._blame(device, RejectionReason.CLOCK_SKEW, f"the clock is {abs(skew)} {direction}", receive_time, changes)
        return Times(source_time, receive_time, believed=False, fresh=False)

    def place(self, device: WatchedDevice, own: datetime, message: Times, receive_time: datetime) -> Times:
        """The times of a reading that has a time of its own inside its message: it may be old, but not from the
        future, and not better than the message's.
        """
        source_time = in_utc(own)
        if source_time is None or not -self.skew_limit <= receive_time - source_time <= ABSURD_SKEW:
            detail = f"a reading's time is {own.isoformat()}"
            self._notice(rejection(RejectionReason.IMPLAUSIBLE_TIME, device.telemetry_topic, b"", receive_time, detail))
            return Times(source_time or receive_time, receive_time, believed=False, fresh=False)
        event_time = min(source_time, receive_time) if message.believed else receive_time
        return Times(source_time, event_time, message.believed, message.fresh)

    def _excused(self, device: WatchedDevice, receive_time: datetime) -> bool:
        if device.clock_fault:
            return False
        return any(until is not None and receive_time < until for until in (device.backlog_until, device.excused_until))

    def _blame(
        self,
        device: WatchedDevice,
        reason: RejectionReason,
        detail: str,
        receive_time: datetime,
        changes: list[Observation],
    ) -> None:
        self._notice(rejection(reason, device.telemetry_topic, b"", receive_time, detail))
        if not device.clock_fault:
            device.becomes(clock_fault=True)
            changes.append(_derived(device.clock_fault_id, True, receive_time, receive_time, receive_time))


def heard(device: WatchedDevice, times: Times, receive_time: datetime, changes: list[Observation]) -> None:
    """Telemetry came: unless it was sent before the device was last seen offline, the device is online. Fresh
    telemetry also shows that nothing older of this device is left with the broker, which keeps a topic's order.
    """
    if times.fresh and device.backlog_until is not None:
        device.expect_backlog(None)
    if device.online is True or (device.offline_time is not None and times.event_time <= device.offline_time):
        return
    device.becomes(online=True)
    changes.append(_derived(device.online_id, True, times.source_time, receive_time, times.event_time))


def reported(
    device: WatchedDevice, online: bool, said: datetime | None, receive_time: datetime, changes: list[Observation]
) -> None:
    """Birth or will came. The broker's order counts here, not the device's clock, so it is judged by its arrival."""
    device.becomes(online=online)
    device.offline_time = None if online else receive_time
    source_time = None if said is None else in_utc(said)
    changes.append(_derived(device.online_id, online, source_time or receive_time, receive_time, receive_time))


def in_utc(time: datetime) -> datetime | None:
    """The same instant in UTC; None where the calendar ends before it."""
    if time.tzinfo is UTC:
        return time
    try:
        return time.astimezone(UTC)
    except OverflowError:
        return None


def _derived(
    signal: str, value: bool, source_time: datetime, receive_time: datetime, event_time: datetime
) -> Observation:
    return Observation(signal, value, Quality.GOOD, source_time, receive_time, event_time)
