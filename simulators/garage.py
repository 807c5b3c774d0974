"""The underground garage: detectors, exhaust fans, shutters and doors in fire zones, and chargers for vehicles.

A fire in a zone grows as a drawn story does, smoke first and then heat, so that two detectors of different kinds
speak one after the other, and then the zone's linkage acts; it is no fire model.
"""

from __future__ import annotations

import math
import random
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import click

from firewatch.model.contract import Reading
from simulators.process import Simulation, process_options, read_options, run_process
from simulators.scenario import Step
from simulators.site import SimulatedSite, SiteDevice

SMOKE_ALARM_PERCENT_PER_M = 12.0
"""From which obscuration the drawn detector alarms."""
SMOKE_AFTER_SECONDS, SMOKE_PER_SECOND = 2.0, 2.0
HEAT_AFTER_SECONDS, HEAT_CELSIUS_PER_SECOND, HOTTEST_CELSIUS = 10.0, 2.5, 160.0
SMOKE_SPREAD_SECONDS = 30.0
"""How much later smoke reaches each further smoke detector of a zone."""
CO_AFTER_SECONDS, CO_PER_SECOND, MOST_CO = 5.0, 4.0, 300.0
FLAME_AFTER_SECONDS = 20.0
LINKAGE_AFTER_SECONDS = 30.0
"""By then smoke and heat have both spoken, so that the panel drives fan, shutter and door (GB 50116-2013 4.1.6)."""
DOOR_CLOSES_SECONDS, SHUTTER_HALF_SECONDS, SHUTTER_DOWN_SECONDS = 3.0, 5.0, 15.0
"""How long after that the door is closed and the shutter is half and all the way down."""
DETECTOR_KINDS = ("smoke_detector", "heat_detector", "flame_detector", "co_detector")
LINKED_KINDS = ("smoke_fan", "fire_shutter", "fire_door")
FULL_POWER_KW = 7.0
CABLE_RISE_CELSIUS = 22.0
SHORTEST_CHARGE, LONGEST_CHARGE = timedelta(minutes=2), timedelta(minutes=20)


def ambient_celsius(now: datetime, zone: ZoneInfo) -> float:
    """A garage's air: 20 degrees, two more in the afternoon and two less before dawn."""
    local = now.astimezone(zone)
    return 20.0 - 2.0 * math.cos((local.hour + local.minute / 60 - 3) / 24 * math.tau)


def ambient_co_mg_per_m3(now: datetime, zone: ZoneInfo) -> float:
    """Carbon monoxide of ordinary traffic: 2, and up to 8 when people leave and come home."""
    local = now.astimezone(zone)
    hour = local.hour + local.minute / 60
    return 2.0 + 6.0 * max(math.exp(-((hour - rush) ** 2)) for rush in (8.0, 18.5))


class GarageAir:
    """The air of one fire zone; `fire_time` is when it caught fire, None while it has not."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self.fire_time: datetime | None = None

    def smoke_percent_per_m(self, now: datetime, distance: int = 0) -> float:
        """Obscuration at the nearest smoke detector (`distance` 0) or at one further away."""
        after_seconds = SMOKE_AFTER_SECONDS + distance * SMOKE_SPREAD_SECONDS
        return min(0.3 + self.burned_seconds(now, after_seconds) * SMOKE_PER_SECOND, 60.0)

    def celsius(self, now: datetime) -> float:
        """Temperature under the ceiling."""
        risen = self.burned_seconds(now, HEAT_AFTER_SECONDS) * HEAT_CELSIUS_PER_SECOND
        return min(ambient_celsius(now, self._zone) + risen, HOTTEST_CELSIUS)

    def co_mg_per_m3(self, now: datetime) -> float:
        """Carbon monoxide."""
        risen = self.burned_seconds(now, CO_AFTER_SECONDS) * CO_PER_SECOND
        return min(ambient_co_mg_per_m3(now, self._zone) + risen, MOST_CO)

    def burned_seconds(self, now: datetime, after_seconds: float) -> float:
        """How long it has burned, counted from so long after it caught fire; 0 before."""
        if self.fire_time is None:
            return 0.0
        return max((now - self.fire_time).total_seconds() - after_seconds, 0.0)


class GarageDetector:
    """A detector in the air of its zone; `distance` counts those of its kind that are nearer to a fire."""

    def __init__(self, kind: str, air: GarageAir, seed: int, distance: int = 0) -> None:
        self._distance = distance
        self._kind = kind
        self._air = air
        self._chance = random.Random(seed)

    def measure(self, now: datetime) -> Sequence[Reading]:
        """What it reports."""
        match self._kind:
            case "smoke_detector":
                smoke = self._around(self._air.smoke_percent_per_m(now, self._distance), 0.05)
                alarm = smoke >= SMOKE_ALARM_PERCENT_PER_M
                return [Reading(signal="alarm", value=alarm), Reading(signal="smoke", value=smoke, unit="%/m")]
            case "flame_detector":
                return [Reading(signal="alarm", value=self._air.burned_seconds(now, FLAME_AFTER_SECONDS) > 0)]
            case "heat_detector":
                return [Reading(signal="temperature", value=self._around(self._air.celsius(now), 0.1), unit="degC")]
            case _:
                return [Reading(signal="co", value=self._around(self._air.co_mg_per_m3(now), 0.2), unit="mg/m3")]

    def _around(self, value: float, deviation: float) -> float:
        return round(max(value + self._chance.gauss(0, deviation), 0.0), 2)


class LinkedDevice:
    """An exhaust fan, shutter or fire door that the panel drives once a fire in its zone is confirmed."""

    def __init__(self, kind: str, air: GarageAir) -> None:
        self._kind = kind
        self._air = air

    def measure(self, now: datetime) -> Sequence[Reading]:
        """What it reports."""
        driven_seconds = self._air.burned_seconds(now, LINKAGE_AFTER_SECONDS)
        fault = Reading(signal="fault", value=False)
        match self._kind:
            case "smoke_fan":
                running = Reading(signal="running", value=driven_seconds > 0)
                return [running, fault, Reading(signal="automatic", value=True)]
            case "fire_shutter" if driven_seconds >= SHUTTER_DOWN_SECONDS:
                return [Reading(signal="position", value="down"), fault]
            case "fire_shutter":
                half = driven_seconds >= SHUTTER_HALF_SECONDS
                return [Reading(signal="position", value="half" if half else "up"), fault]
            case _:
                closed = driven_seconds >= DOOR_CLOSES_SECONDS
                return [Reading(signal="position", value="closed" if closed else "open"), fault]


class Charger:
    """A charger: a vehicle comes, charges, goes; the cable warms up and cools down with the power."""

    def __init__(self, zone: ZoneInfo, seed: int) -> None:
        self._zone = zone
        self._chance = random.Random(seed)
        self._charging = self._chance.random() < 0.5
        self._until: datetime | None = None
        self._time: datetime | None = None
        self._rise_celsius = 0.0

    def measure(self, now: datetime) -> Sequence[Reading]:
        """What it reports."""
        self._advance(now)
        power = max(FULL_POWER_KW + self._chance.gauss(0, 0.05), 0.0) if self._charging else 0.0
        cable = ambient_celsius(now, self._zone) + self._rise_celsius + self._chance.gauss(0, 0.1)
        residual = abs(1.5 + self._chance.gauss(0, 0.2)) if self._charging else 0.0
        return [
            Reading(signal="power", value=round(power, 2), unit="kW"),
            Reading(signal="cable_temperature", value=round(cable, 1), unit="degC"),
            Reading(signal="residual_current", value=round(residual, 2), unit="mA"),
            Reading(signal="charging", value=self._charging),
        ]

    def _advance(self, now: datetime) -> None:
        if self._until is None or self._time is None:
            self._until, self._time = now + self._phase(), now
        if now >= self._until:
            self._charging = not self._charging
            self._until = now + self._phase()
        seconds = max((now - self._time).total_seconds(), 0.0)
        target = CABLE_RISE_CELSIUS if self._charging else 0.0
        self._rise_celsius += (target - self._rise_celsius) * (1 - math.exp(-seconds / 60))
        self._time = max(self._time, now)

    def _phase(self) -> timedelta:
        return SHORTEST_CHARGE + (LONGEST_CHARGE - SHORTEST_CHARGE) * self._chance.random()


class GarageSimulation(Simulation):
    """The garage devices of a site: one air a fire zone."""

    def __init__(self, site: SimulatedSite, seed: int = 1) -> None:
        zone = site.zone()
        self._airs = {asset: GarageAir(zone) for asset in site.assets_of_kind("fire_zone")}
        elsewhere = GarageAir(zone)

        def air(device: SiteDevice) -> GarageAir:
            return self._airs.get(device.asset or "", elsewhere)

        def detector(device: SiteDevice) -> GarageDetector:
            alike = [other for other in site.of_kind(device.kind) if other.asset == device.asset]
            return GarageDetector(device.kind, air(device), _seed(seed, device), alike.index(device))

        detectors = {device: detector(device) for device in site.of_kind(*DETECTOR_KINDS)}
        linked = {
            device: LinkedDevice(device.kind, air(device))
            for device in site.of_kind(*LINKED_KINDS)
            if device.asset in self._airs
        }
        chargers = {device: Charger(zone, _seed(seed, device)) for device in site.of_kind("ev_charger")}
        super().__init__({**detectors, **linked, **chargers}, assets=tuple(self._airs), verbs=frozenset({"burn"}))

    def do(self, step: Step, now: datetime) -> None:
        """Play `burn` in a zone, and put the fire out at `normal`."""
        air = self._airs.get(step.who)
        if air is not None:
            air.fire_time = now if step.do == "burn" else None


def _seed(seed: int, device: SiteDevice) -> int:
    return seed + zlib.crc32(device.id.encode())


@click.command()
@process_options
def main(**options: str) -> None:
    """Simulate a site's garage: what detects, what linkage drives, and the chargers."""
    prepared = read_options("garage", **options)  # type: ignore[arg-type]
    run_process(prepared, GarageSimulation(prepared.site))


if __name__ == "__main__":
    main()
