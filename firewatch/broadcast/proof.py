"""Which second signals show that an actuator did what it was asked, by what its kind declares (`proof`)."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from firewatch.model.command import ActuatorCommand
from firewatch.model.observation import Observation, Quality, Value, signal_id
from firewatch.model.site import Device, Inventory, Site


class Expected(msgspec.Struct, frozen=True):
    """What proves a command: each of `signals` comes to have `value` `within` that time of it."""

    signals: tuple[str, ...]
    value: Value
    within: timedelta

    def is_met_by(self, observation: Observation) -> bool:
        """Whether one of the signals says so. A reading that is not good, or has no value, never does."""
        return observation.quality is Quality.GOOD and observation.value == self.value


class Proofs:
    """Finds what proves a command in an inventory."""

    def __init__(self, inventory: Inventory) -> None:
        self._kinds = inventory.kinds
        self._devices = {
            f"{site.id}/{device.id}": (site, device) for site in inventory.sites for device in site.devices
        }

    def of(self, command: ActuatorCommand) -> Expected | None:
        """What proves it; None if its action declares nothing, or nothing that is found at this place."""
        found = self._devices.get(command.device)
        if found is None:
            return None
        site, device = found
        action = self._kinds[device.kind].action(command.action)
        if action is None or action.proof is None:
            return None
        signals = _signals(action.proof.signal, site, device)
        return Expected(signals, action.proof.value, action.proof.within) if signals else None


def _signals(declared: str, site: Site, device: Device) -> tuple[str, ...]:
    """Those of the device itself, or of every device of the declared kind in its asset."""
    kind, _, name = declared.rpartition("/")
    if not kind:
        return (signal_id(site.id, device.id, name),)
    return tuple(
        signal_id(site.id, other.id, name)
        for other in site.devices
        if other.kind == kind and other.asset == device.asset is not None
    )
