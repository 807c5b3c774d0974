"""Lift controllers: cars that serve floors, open and close their doors, and stand while the door is held.

A controller follows the telemetry of its lift's door controller, as the wire between the two would carry it: while
the door is held, the car stays where it is with its door open.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import click
import msgspec

from firewatch.model.contract import OneReading, Reading
from simulators.process import Simulation, process_options, read_options, run_process
from simulators.scenario import Step
from simulators.site import SimulatedSite

TOP_FLOOR = 18
ENTRANCE_FLOOR = 1
FLOOR_TIME = timedelta(seconds=1.5)
DOOR_TIME = timedelta(seconds=2)
SHORTEST_STAY_SECONDS, LONGEST_STAY_SECONDS = 6.0, 20.0


class LiftCar:
    """One car. It stands at the entrance with its door open until it is first asked to move on."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._until: datetime | None = None
        self._target = ENTRANCE_FLOOR
        self._called_floor: int | None = None
        self.floor = ENTRANCE_FLOOR
        self.door = "open"
        self.held = False

    @property
    def moving(self) -> bool:
        """Whether the car travels."""
        return self.door == "closed" and self.floor != self._target

    def call(self, floor: int, now: datetime) -> None:
        """Bring the car to a floor and keep it there, door open, until `release`."""
        self._called_floor = min(max(floor, 1), TOP_FLOOR)
        if self.door == "open":
            self._until = now

    def release(self) -> None:
        """Let the car serve its passengers again."""
        self._called_floor = None

    def advance(self, now: datetime) -> None:
        """Move on to `now`; a time already passed changes nothing."""
        if self._until is None:
            self._until = now + self._stay()
        while self._until <= now:
            self._until += self._next_phase()

    def measure(self, now: datetime) -> Sequence[Reading]:
        """What the controller reports."""
        self.advance(now)
        return [
            Reading(signal="floor", value=self.floor),
            Reading(signal="door", value=self.door),
            Reading(signal="moving", value=self.moving),
            Reading(signal="at_floor", value=not self.moving),
            Reading(signal="over_travel", value=False),
            Reading(signal="emergency_button", value=False),
        ]

    def _next_phase(self) -> timedelta:
        """End the present phase and begin the next; returns how long that lasts."""
        match self.door:
            case "open" if self.held or self._called_floor == self.floor:
                return FLOOR_TIME
            case "open":
                self.door = "closing"
                return DOOR_TIME
            case "closing" if self.held:
                self.door = "opening"
                return DOOR_TIME
            case "closing":
                self.door = "closed"
                self._target = self._next_target()
                return FLOOR_TIME
            case "closed" if self.floor != self._target:
                self.floor += 1 if self._target > self.floor else -1
                return FLOOR_TIME
            case "closed":
                self.door = "opening"
                return DOOR_TIME
            case _:
                self.door = "open"
                return self._stay()

    def _next_target(self) -> int:
        if self._called_floor is not None:
            return self._called_floor
        if self.floor != ENTRANCE_FLOOR and self._chance.random() < 0.6:
            return ENTRANCE_FLOOR
        return self._chance.choice([floor for floor in range(1, TOP_FLOOR + 1) if floor != self.floor])

    def _stay(self) -> timedelta:
        return timedelta(seconds=self._chance.uniform(SHORTEST_STAY_SECONDS, LONGEST_STAY_SECONDS))


class LiftSimulation(Simulation):
    """The lift controllers of a site, each wired to the door controller of its lift."""

    def __init__(self, site: SimulatedSite, seed: int = 1) -> None:
        cars = {device: LiftCar(seed + zlib.crc32(device.id.encode())) for device in site.of_kind("lift_controller")}
        by_asset = {device.asset: car for device, car in cars.items() if device.asset is not None}
        self._cars = {device.id: car for device, car in cars.items()}
        self._behind_door = {
            device.id: by_asset[device.asset] for device in site.of_kind("door_controller") if device.asset in by_asset
        }
        super().__init__(cars, verbs=frozenset({"call"}))

    def do(self, step: Step, now: datetime) -> None:
        """Play `call`, and let the car go again at `normal`."""
        car = self._cars.get(step.who)
        if car is None:
            return
        if step.do == "call" and step.floor is not None:
            car.call(step.floor, now)
        elif step.do == "normal":
            car.release()

    def hears(self) -> tuple[str, ...]:
        """The door controllers."""
        return tuple(self._behind_door)

    def heard(self, device: str, payload: bytes) -> None:
        """Take whether the door is held."""
        reading = msgspec.json.decode(payload, type=OneReading)
        if reading.signal == "held" and isinstance(reading.value, bool):
            self._behind_door[device].held = reading.value


@click.command()
@process_options
def main(**options: str) -> None:
    """Simulate the lift controllers of a site."""
    prepared = read_options("lift", **options)  # type: ignore[arg-type]
    run_process(prepared, LiftSimulation(prepared.site))


if __name__ == "__main__":
    main()
