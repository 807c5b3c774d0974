"""The fire water supply: one pipe network with its pumps, tank, valves and transmitters.

The figures are plausible for two towers of 18 storeys and chosen so that something can be watched within minutes;
they are no hydraulic calculation. From GB 50974-2014: the jockey pump starts 0.07 to 0.10 MPa above the main pumps.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime

import click
import msgspec

from firewatch.model.contract import Reading
from simulators.process import Simulation, process_options, read_options, run_process
from simulators.scenario import Step
from simulators.site import SimulatedSite, SiteDevice

JOCKEY_START_MPA, JOCKEY_STOP_MPA = 0.82, 0.88
MAIN_START_MPA, MAIN_STOP_MPA = 0.74, 0.90
ROOF_HEAD_MPA = 0.54
"""What the climb to the roof costs: 54 m at about 0.01 MPa a metre."""
SEEP_MPA_PER_SECOND = 0.00015
"""A tight network: the jockey pump starts eight or nine times an hour."""
JOCKEY_MPA_PER_SECOND = 0.005
MAIN_MPA_PER_SECOND = 0.05
SECOND_PUMP_AFTER_SECONDS = 5.0
TANK_FULL_M = 3.0
TANK_REFILL_M_PER_SECOND = 0.002
TANK_M_PER_MPA = 0.4
"""How far the tank sinks for each MPa that leaks away."""
NOISE_MPA = 0.001
LONGEST_STEP_SECONDS = 1.0

_encode = msgspec.json.Encoder().encode


class WaterSupply:
    """The network's state, moved on by `advance`. `leak_mpa_per_second` is what a leak takes from the pressure."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._time: datetime | None = None
        self._below_main_start_seconds = 0.0
        self.pressure_mpa = 0.85
        self.tank_level_m = TANK_FULL_M
        self.leak_mpa_per_second = 0.0
        self.jockey_running = False
        self.main_running = [False, False]

    def advance(self, now: datetime) -> None:
        """Move on to `now`; a time already passed changes nothing."""
        if self._time is None:
            self._time = now
        remaining = (now - self._time).total_seconds()
        self._time = max(self._time, now)
        while remaining > 0:
            self._advance_seconds(min(remaining, LONGEST_STEP_SECONDS))
            remaining -= LONGEST_STEP_SECONDS

    def _advance_seconds(self, seconds: float) -> None:
        gain = JOCKEY_MPA_PER_SECOND * self.jockey_running + MAIN_MPA_PER_SECOND * sum(self.main_running)
        loss = SEEP_MPA_PER_SECOND + self.leak_mpa_per_second
        self.pressure_mpa = min(max(self.pressure_mpa + (gain - loss) * seconds, 0.0), 1.0)
        sinking = self.leak_mpa_per_second * TANK_M_PER_MPA - TANK_REFILL_M_PER_SECOND
        self.tank_level_m = min(max(self.tank_level_m - sinking * seconds, 0.0), TANK_FULL_M)
        self._switch_pumps(seconds)

    def _switch_pumps(self, seconds: float) -> None:
        if self.pressure_mpa < JOCKEY_START_MPA:
            self.jockey_running = True
        elif self.pressure_mpa > JOCKEY_STOP_MPA:
            self.jockey_running = False
        if self.pressure_mpa < MAIN_START_MPA:
            self._below_main_start_seconds += seconds
            self.main_running[0] = True
            if self._below_main_start_seconds > SECOND_PUMP_AFTER_SECONDS:
                self.main_running[1] = True
        else:
            self._below_main_start_seconds = 0.0
        if self.pressure_mpa > MAIN_STOP_MPA:
            self.main_running = [False, False]

    def pump_room_pressure_mpa(self) -> float:
        """What the transmitter in the pump room shows."""
        return self._shown(self.pressure_mpa)

    def roof_pressure_mpa(self) -> float:
        """What a transmitter at a roof hydrant shows."""
        return self._shown(self.pressure_mpa - ROOF_HEAD_MPA)

    def _shown(self, pressure_mpa: float) -> float:
        return round(max(pressure_mpa + self._chance.gauss(0, NOISE_MPA), 0.0), 4)


class WaterDevice:
    """One device on the network."""

    def __init__(self, supply: WaterSupply, read: Callable[[WaterSupply], Sequence[Reading]]) -> None:
        self._supply = supply
        self._read = read

    def measure(self, now: datetime) -> Sequence[Reading]:
        """Its readings at that time."""
        self._supply.advance(now)
        return self._read(self._supply)


class WaterSimulation(Simulation):
    """The water devices of a site, on one network."""

    def __init__(self, site: SimulatedSite, seed: int = 1) -> None:
        self._supply = WaterSupply(seed)
        pumps = [device.id for device in site.of_kind("pump") if "jockey" not in device.tags]
        models = {
            device: WaterDevice(self._supply, _reader(device, pumps))
            for device in site.of_kind("water_tank", "pressure_transmitter", "pump", "signal_valve", "flow_switch")
        }
        super().__init__(
            models,
            assets=site.assets_of_kind("water_supply"),
            verbs=frozenset({"leak"}),
            encode=acme_payload,
        )

    def do(self, step: Step, now: datetime) -> None:
        """Play `leak`, and `normal` for the whole supply."""
        if step.do == "leak" and step.rate is not None:
            self._supply.advance(now)
            self._supply.leak_mpa_per_second = step.rate
        elif step.do == "normal" and step.who in self.assets:
            self._supply.leak_mpa_per_second = 0.0


def _reader(device: SiteDevice, main_pumps: list[str]) -> Callable[[WaterSupply], Sequence[Reading]]:
    match device.kind:
        case "water_tank":
            return lambda supply: [Reading(signal="level", value=round(supply.tank_level_m, 3), unit="m")]
        case "pressure_transmitter" if "hydrant" in device.tags:
            return lambda supply: [Reading(signal="pressure", value=supply.roof_pressure_mpa(), unit="MPa")]
        case "pressure_transmitter":
            # This make reports in kPa, as many do: the contract lets a reading carry its own unit.
            return lambda supply: [
                Reading(signal="pressure", value=round(supply.pump_room_pressure_mpa() * 1000, 1), unit="kPa")
            ]
        case "pump" if device.id in main_pumps:
            number = min(main_pumps.index(device.id), 1)
            return lambda supply: _pump_readings(running=supply.main_running[number])
        case "pump":
            return lambda supply: _pump_readings(running=supply.jockey_running)
        case "signal_valve":
            return lambda _: [Reading(signal="position", value="open")]
        case _:
            return lambda supply: [Reading(signal="flowing", value=supply.leak_mpa_per_second > 0)]


def _pump_readings(*, running: bool) -> Sequence[Reading]:
    return [Reading(signal="running", value=running), Reading(signal="fault", value=False)]


def acme_payload(readings: Sequence[Reading], time: datetime, sequence: int) -> bytes:
    """What the vendor's transmitter sends: pressure in kPa, time in milliseconds since 1970, `st` 0 while well."""
    value = readings[0].value
    pressure_kpa = round(value * 1000, 1) if isinstance(value, float | int) else None
    state = 0 if pressure_kpa is not None else 1
    return _encode({"d": {"p": pressure_kpa, "st": state}, "ts": int(time.timestamp() * 1000), "n": sequence})


@click.command()
@process_options
def main(**options: str) -> None:
    """Simulate the fire water supply of a site."""
    prepared = read_options("water", **options)  # type: ignore[arg-type]
    run_process(prepared, WaterSimulation(prepared.site))


if __name__ == "__main__":
    main()
