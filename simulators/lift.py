"""Lift controllers: cars that serve floors, open and close their doors, and stand while the door is held.

A controller follows the telemetry of its lift's door controller, as the wire between the two would carry it: while
the door is held, the car stays where it is with its door open. Sent to a floor, it goes there without serving others
and stands with its door open until it is released.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import click
import msgspec

from firewatch.model.command import AnswerState
from firewatch.model.contract import AnswerMessage, CommandMessage, OneReading, Reading
from simulators.actuator import ACTUATOR_VERBS, CommandedDevice
from simulators.process import Simulation, process_options, read_options, run_process
from simulators.scenario import Step
from simulators.site import SimulatedSite

TOP_FLOOR = 18
ENTRANCE_FLOOR = 1
FLOOR_TIME = timedelta(seconds=1.5)
DOOR_TIME = timedelta(seconds=2)
SHORTEST_STAY_SECONDS, LONGEST_STAY_SECONDS = 6.0, 20.0


class LiftCar(CommandedDevice):
    """One car. It stands at the entrance with its door open until it is first asked to move on."""

    words = {"go_to_floor": "arrived", "release": "released"}  # noqa: RUF012  (nobody changes it)

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._chance = random.Random(seed)
        self._until: datetime | None = None
        self._target = ENTRANCE_FLOOR
        self._called_floor: int | None = None
        self._sent_floor: int | None = None
        self._sent_id = ""
        self.floor = ENTRANCE_FLOOR
        self.door = "open"
        self.held = False

    @property
    def moving(self) -> bool:
        """Whether the car travels."""
        return self.door == "closed" and self.floor != self._target

    @property
    def recalled(self) -> bool:
        """Whether it stands where it was sent, door open."""
        return self._sent_floor == self.floor and self.door == "open"

    @property
    def _wanted_floor(self) -> int | None:
        return self._called_floor if self._sent_floor is None else self._sent_floor

    def call(self, floor: int, now: datetime) -> None:
        """Bring the car to a floor and keep it there, door open, until `release`."""
        self._called_floor = min(max(floor, 1), TOP_FLOOR)
        if self.door == "open":
            self._until = now

    def release(self) -> None:
        """Let the car serve its passengers again."""
        self._called_floor = None

    def act(self, message: CommandMessage, now: datetime) -> list[AnswerMessage]:
        """Go to a floor, or back to its passengers."""
        if message.action == "release":
            self._sent_floor, self._sent_id = None, ""
            return [self._book.write(message.id, AnswerState.DONE, "released", now)]
        floor = message.parameters.get("floor")
        if isinstance(floor, bool) or not isinstance(floor, int | float) or not 1 <= floor <= TOP_FLOOR:
            return [self._book.write(message.id, AnswerState.FAILED, "no such floor", now)]
        self._sent_floor, self._sent_id = int(floor), message.id
        if self.door == "open":
            self._until = now
        elif self.door == "closed":
            self._target = self._sent_floor
        return [self._book.write(message.id, AnswerState.ACCEPTED, "", now), *self.go_on(now)]

    def next_change(self) -> datetime | None:
        """When the car or its door moves on."""
        return self._until

    def go_on(self, now: datetime) -> list[AnswerMessage]:
        """Move on to `now`, and say so on arrival where it was sent; a time already passed changes nothing."""
        self._move(now)
        if not self.recalled or not self._sent_id:
            return []
        arrived, self._sent_id = self._sent_id, ""
        return [self._book.write(arrived, AnswerState.DONE, "arrived", now)]

    def _move(self, now: datetime) -> None:
        if self._until is None:
            self._until = now + self._stay()
        while self._until <= now:
            self._until += self._next_phase()

    def measure(self, now: datetime) -> Sequence[Reading]:
        """What the controller reports."""
        self._move(now)
        return [
            Reading(signal="floor", value=self.floor),
            Reading(signal="door", value=self.door),
            Reading(signal="moving", value=self.moving),
            Reading(signal="at_floor", value=not self.moving),
            Reading(signal="over_travel", value=False),
            Reading(signal="emergency_button", value=False),
            Reading(signal="recalled", value=self.recalled),
        ]

    def _next_phase(self) -> timedelta:
        """End the present phase and begin the next; returns how long that lasts."""
        match self.door:
            case "open" if self.held or self.floor == self._wanted_floor:
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
                return DOOR_TIME if self._sent_floor is not None else self._stay()

    def _next_target(self) -> int:
        if self._wanted_floor is not None:
            return self._wanted_floor
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
        super().__init__(cars, verbs=ACTUATOR_VERBS | {"call"})

    def do(self, step: Step, now: datetime) -> None:
        """Play `call`, let the car go again at `normal`, and begin or end a fault."""
        car = self._cars.get(step.who)
        if car is None:
            return
        car.play(step)
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
