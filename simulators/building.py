"""What stands in the towers and the control room: fire doors, electrical and gas monitors, the duty desk, gateways.

Nothing happens to them by itself; a scenario sets their signals.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from datetime import datetime

import click

from firewatch.model.contract import Reading
from simulators.process import Simulation, process_options, read_options, run_process
from simulators.site import SimulatedSite, SiteDevice

KINDS = ("fire_door", "electrical_monitor", "gas_detector", "duty_desk", "gateway")
NATURAL_LEAKAGE_MA, CABLE_CELSIUS = 120.0, 35.0
"""A circuit leaks 100 to 200 mA with nothing wrong (GB 50116-2013, note to 9.2.3, unconfirmed)."""
PEOPLE_ON_DUTY = 2


class BuildingDevice:
    """One device in its ordinary state."""

    def __init__(self, device: SiteDevice, seed: int) -> None:
        self._device = device
        self._chance = random.Random(seed)

    def measure(self, now: datetime) -> Sequence[Reading]:
        """What it reports."""
        match self._device.kind:
            case "fire_door":
                position = "open" if "normally-open" in self._device.tags else "closed"
                return [Reading(signal="position", value=position), Reading(signal="fault", value=False)]
            case "electrical_monitor":
                return [
                    Reading(signal="residual_current", value=self._around(NATURAL_LEAKAGE_MA, 3), unit="mA"),
                    Reading(signal="cable_temperature", value=self._around(CABLE_CELSIUS, 0.3), unit="degC"),
                ]
            case "gas_detector":
                return [Reading(signal="concentration", value=self._around(0, 0.2), unit="%")]
            case "duty_desk":
                return [Reading(signal="people", value=PEOPLE_ON_DUTY), Reading(signal="round_done", value=True)]
            case _:
                return [Reading(signal="mains_fault", value=False), Reading(signal="battery_fault", value=False)]

    def _around(self, value: float, deviation: float) -> float:
        return round(max(value + self._chance.gauss(0, deviation), 0.0), 2)


class BuildingSimulation(Simulation):
    """The building devices of a site; a fire zone's own door is the garage's."""

    def __init__(self, site: SimulatedSite, seed: int = 1) -> None:
        zones = site.assets_of_kind("fire_zone")
        devices = [device for device in site.of_kind(*KINDS) if device.asset not in zones]
        super().__init__({device: BuildingDevice(device, seed + zlib.crc32(device.id.encode())) for device in devices})


@click.command()
@process_options
def main(**options: str) -> None:
    """Simulate the fire doors, electrical and gas monitors, duty desk and gateways of a site."""
    prepared = read_options("building", **options)  # type: ignore[arg-type]
    run_process(prepared, BuildingSimulation(prepared.site))


if __name__ == "__main__":
    main()
