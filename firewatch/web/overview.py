"""The present, put together from the inventory and the live view: devices with their last values, and the status."""

from __future__ import annotations

from firewatch.alarms.drill import DrillNews
from firewatch.model.alarm import AlarmClass, AlarmState
from firewatch.model.control_room import DutyCheck
from firewatch.model.observation import signal_id
from firewatch.model.site import Device, Inventory, Signal, Site
from firewatch.ports import Clock, CommandRecord, LiveView
from firewatch.web.document import (
    ClassCount,
    DeviceCount,
    DeviceView,
    LastReading,
    Readiness,
    SignalView,
    SiteView,
    Snapshot,
    Status,
)

_UNSEEN = (AlarmState.UNACKNOWLEDGED, AlarmState.RTN_UNACKNOWLEDGED, AlarmState.LATCHED_UNACKNOWLEDGED)


class Overview:
    """Answers from memory; nothing here waits."""

    def __init__(self, inventory: Inventory, live: LiveView, clock: Clock) -> None:
        self._inventory = inventory
        self._live = live
        self._clock = clock
        self._signals = {
            signal_id(site.id, device.id, signal.name): (site, device, signal)
            for site in inventory.sites
            for device in site.devices
            for signal in inventory.kinds[device.kind].all_signals
        }

    def sites(self) -> list[SiteView]:
        """Every compound, without its devices."""
        return [
            SiteView(
                id=site.id,
                label=site.label,
                district=site.district,
                street=site.street,
                community=site.community,
                time_zone=site.time_zone,
                buildings=site.buildings,
                assets=site.assets,
            )
            for site in self._inventory.sites
        ]

    def devices(self) -> list[DeviceView]:
        """Every device with its last values, in the order of the site files."""
        return [self._device(site, device) for site in self._inventory.sites for device in site.devices]

    def signal(self, identity: str) -> SignalView:
        """One signal of the inventory, by its identity."""
        return self._signal(*self._signals[identity])

    def readiness(self) -> Readiness:
        """Ready when every vital part is, and at least one has reported."""
        parts = [part for part in self._live.parts() if part.vital]
        waiting = [part for part in parts if not part.ready]
        return Readiness(ready=bool(parts) and not waiting, waiting_for=waiting)

    def status(self, screens: int) -> Status:
        """How the daemon is."""
        online = [device.online for device in self.devices()]
        return Status(
            now=self._clock.now(),
            ready=self.readiness().ready,
            parts=self._live.parts(),
            alarms=self._alarm_counts(),
            devices=DeviceCount(online=online.count(True), offline=online.count(False), unknown=online.count(None)),
            rejection_counts=self._live.rejection_counts(),
            rejections=self._live.rejections(),
            screens=screens,
        )

    def snapshot(
        self, commands: list[CommandRecord], duty_checks: list[DutyCheck], drill: DrillNews | None
    ) -> Snapshot:
        """Everything a screen shows."""
        return Snapshot(
            now=self._clock.now(),
            sites=self.sites(),
            devices=self.devices(),
            alarms=self._live.alarms(),
            commands=commands,
            duty_checks=duty_checks,
            drill=drill,
            parts=self._live.parts(),
            rejections=self._live.rejections(),
            rejection_counts=self._live.rejection_counts(),
        )

    def _alarm_counts(self) -> dict[str, ClassCount]:
        return {alarm_class.value: self._count(alarm_class) for alarm_class in AlarmClass}

    def _count(self, alarm_class: AlarmClass) -> ClassCount:
        alarms = [alarm for alarm in self._live.alarms() if alarm.alarm_class is alarm_class]
        told = [alarm for alarm in alarms if not alarm.hidden]
        unseen = sum(alarm.state in _UNSEEN for alarm in told)
        return ClassCount(standing=len(told), unacknowledged=unseen, hidden=len(alarms) - len(told))

    def _device(self, site: Site, device: Device) -> DeviceView:
        kind = self._inventory.kinds[device.kind]
        online = self._live.last(signal_id(site.id, device.id, "online"))
        return DeviceView(
            site=site.id,
            device=device.id,
            kind=device.kind,
            kind_label=kind.label,
            label=device.label,
            system=kind.system,
            building=device.building,
            asset=device.asset,
            tags=device.tags,
            camera=device.stream is not None,
            actions=tuple(action.name for action in kind.actions),
            online=online.value if online is not None and isinstance(online.value, bool) else None,
            signals=[self._signal(site, device, signal) for signal in kind.all_signals],
        )

    def _signal(self, site: Site, device: Device, signal: Signal) -> SignalView:
        identity = signal_id(site.id, device.id, signal.name)
        last = self._live.last(identity)
        return SignalView(
            signal=identity,
            name=signal.name,
            label=signal.label,
            type=signal.type,
            unit=signal.unit,
            supervisory=signal.supervisory,
            last=None
            if last is None
            else LastReading(
                value=last.value,
                quality=last.quality,
                source_time=last.source_time,
                receive_time=last.receive_time,
            ),
        )
