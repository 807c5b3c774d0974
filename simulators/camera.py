"""Cameras: what happens before them, drawn and served as video streams that any viewer opens.

A cabin camera sees its lift's door open and close and the floor change (it follows the controller's telemetry),
residents who ride now and then, and whatever the scenario brings in. The cameras themselves report no readings over
MQTT, only that they are there: what is in their pictures is for firewatch to see.
"""

from __future__ import annotations

import asyncio
import random
import threading
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import click
import msgspec

from firewatch.model.contract import ManyReadings, Reading
from simulators.drawing import ENTRY_SECONDS, CabinScene, LaneScene, Picture, draw_cabin, draw_lane
from simulators.process import Simulation, process_options, read_options, run_process
from simulators.scenario import Step
from simulators.site import SimulatedSite, SiteDevice
from simulators.stream import StreamServer

FRAMES_PER_SECOND = 5.0
"""As many as firewatch looks at by default; a compound's cameras together must not use up a small machine."""
DOOR_SECONDS = 2.0
PASSING_POSITION = 0.55
"""Where an e-bike is seen that only passes: half-way in the door."""
RIDE_PROBABILITY = 0.6
"""How likely someone gets in or out when a lift's door opens."""
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(seconds=90)
"""Between two people who walk along the fire lane."""
WALK_TIME = timedelta(seconds=6)
VERBS = frozenset(
    {
        "e_bike_enters",
        "e_bike_leaves",
        "e_bike_passes",
        "resident_enters",
        "resident_leaves",
        "vehicle_enters",
        "vehicle_leaves",
        "freeze_picture",
    }
)


class Visitor:
    """Something that comes into a picture and leaves it the way it came; it may turn round half-way."""

    def __init__(self) -> None:
        self.present = False
        self._position = 0.0

    def advance(self, seconds: float) -> None:
        """Move on."""
        way = seconds / ENTRY_SECONDS
        self._position = min(max(self._position + (way if self.present else -way), 0.0), 1.0)

    @property
    def position(self) -> float | None:
        """From 0 (out of sight) to 1 (at its place); None when it is not there."""
        return self._position if self.present or self._position > 0 else None


class Show:
    """What is before one camera."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._time: datetime | None = None
        self._passing = False
        self.visitors = {name: Visitor() for name in ("e_bike", "resident", "vehicle")}

    def do(self, verb: str) -> None:
        """Bring something in or out; an e-bike has its resident beside it."""
        name, _, movement = verb.rpartition("_")
        if movement == "passes":
            self._passing = True
            return
        self.visitors[name].present = movement == "enters"
        if name == "e_bike":
            self.visitors["resident"].present = movement == "enters"

    def e_bike_position(self) -> float | None:
        """Where the e-bike is in the frame to be drawn; one that passes is in a single frame."""
        passing, self._passing = self._passing, False
        return PASSING_POSITION if passing else self.visitors["e_bike"].position

    def advance(self, now: datetime) -> float:
        """Move on to `now`; returns the seconds that passed."""
        seconds = 0.0 if self._time is None else max((now - self._time).total_seconds(), 0.0)
        self._time = now if self._time is None else max(self._time, now)
        for visitor in self.visitors.values():
            visitor.advance(seconds)
        return seconds


class CabinShow(Show):
    """What is before a cabin camera; the lift stands at the entrance, door open, until its controller is heard."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._floor = 1
        self._door = "open"
        self._opening = 1.0

    def controller_says(self, floor: int, door: str) -> None:
        """Take where the lift is; when its door has opened, someone may get in or out."""
        opened = door == "open" and self._door != "open"
        self._floor, self._door = floor, door
        if opened and not self.visitors["e_bike"].present and self._chance.random() < RIDE_PROBABILITY:
            resident = self.visitors["resident"]
            resident.present = not resident.present

    def picture(self, now: datetime, overlay: str) -> Picture:
        """What the camera shows."""
        change = self.advance(now) / DOOR_SECONDS
        self._opening += change if self._door in ("open", "opening") else -change
        self._opening = min(max(self._opening, 0.0), 1.0)
        return draw_cabin(
            CabinScene(
                e_bike=self.e_bike_position(),
                resident=self.visitors["resident"].position,
                door_opening=self._opening,
                floor=self._floor,
                overlay=overlay,
            )
        )


class LaneShow(Show):
    """What is before a camera on a fire lane; people walk past it now and then."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._walker_time: datetime | None = None

    def picture(self, now: datetime, overlay: str) -> Picture:
        """What the camera shows."""
        self._let_people_pass(now)
        self.advance(now)
        return draw_lane(
            LaneScene(
                car=self.visitors["vehicle"].position,
                e_bike=self.e_bike_position(),
                resident=self.visitors["resident"].position,
                overlay=overlay,
            )
        )

    def _let_people_pass(self, now: datetime) -> None:
        resident = self.visitors["resident"]
        pause = SHORTEST_PAUSE + (LONGEST_PAUSE - SHORTEST_PAUSE) * self._chance.random()
        if self._walker_time is None:
            self._walker_time = now + pause
        elif now >= self._walker_time:
            resident.present = not resident.present
            self._walker_time = now + (WALK_TIME if resident.present else pause)


class Camera:
    """One camera: a show, the writing in the corner, and whether its picture is frozen. Safe to use from threads."""

    def __init__(self, device: SiteDevice, zone: ZoneInfo, show: CabinShow | LaneShow) -> None:
        self._device = device
        self._zone = zone
        self._show = show
        self._lock = threading.Lock()
        self._frozen = False
        self._last: Picture | None = None

    def measure(self, now: datetime) -> Sequence[Reading]:
        """A camera reports nothing by itself."""
        return []

    def do(self, verb: str) -> None:
        """Play a verb of a scenario."""
        with self._lock:
            if verb in ("freeze_picture", "normal"):
                self._frozen = verb == "freeze_picture"
            elif verb in VERBS:
                self._show.do(verb)

    def controller_says(self, floor: int, door: str) -> None:
        """Take where the lift is, if this is a cabin camera."""
        with self._lock:
            if isinstance(self._show, CabinShow):
                self._show.controller_says(floor, door)

    def picture(self, now: datetime) -> Picture:
        """What it shows; the same again while it is frozen."""
        with self._lock:
            if self._last is None or not self._frozen:
                overlay = f"{self._device.id}  {now.astimezone(self._zone):%Y-%m-%d %H:%M:%S}"
                self._last = self._show.picture(now, overlay)
            return self._last


class CameraSimulation(Simulation):
    """The cameras of a site. A scenario speaks of a cabin camera by its own id or its lift's."""

    def __init__(self, site: SimulatedSite, seed: int = 1) -> None:
        zone = site.zone()

        def camera(device: SiteDevice) -> Camera:
            show = CabinShow if device.kind == "lift_camera" else LaneShow
            return Camera(device, zone, show(seed + zlib.crc32(device.id.encode())))

        cameras = {device: camera(device) for device in site.of_kind("lift_camera", "lane_camera")}
        in_lift = {device.asset: camera for device, camera in cameras.items() if device.asset is not None}
        self._known = in_lift | {device.id: camera for device, camera in cameras.items()}
        self._watching = {
            device.id: in_lift[device.asset] for device in site.of_kind("lift_controller") if device.asset in in_lift
        }
        self.cameras = {device.id: camera for device, camera in cameras.items()}
        super().__init__(cameras, assets=tuple(in_lift), verbs=VERBS)

    def do(self, step: Step, now: datetime) -> None:
        """Play a step before one camera."""
        camera = self._known.get(step.who)
        if camera is not None:
            camera.do(step.do)

    def hears(self) -> tuple[str, ...]:
        """The lift controllers."""
        return tuple(self._watching)

    def heard(self, device: str, payload: bytes) -> None:
        """Take where a lift is."""
        told = {reading.signal: reading.value for reading in msgspec.json.decode(payload, type=ManyReadings).readings}
        floor, door = told.get("floor"), told.get("door")
        if isinstance(floor, int | float) and isinstance(door, str):
            self._watching[device].controller_says(int(floor), door)


def _present(camera: Camera) -> Callable[[], Picture]:
    return lambda: camera.picture(datetime.now(UTC))


@asynccontextmanager
async def serving(cameras: dict[str, Camera], port: int) -> AsyncIterator[StreamServer]:
    """Serve the cameras' streams on loopback."""
    draw = {name: _present(camera) for name, camera in cameras.items()}
    server = StreamServer("127.0.0.1", port, draw, FRAMES_PER_SECOND)
    server.start()
    try:
        yield server
    finally:
        await asyncio.to_thread(server.stop)


@click.command()
@process_options
@click.option("--port", type=click.IntRange(0, 65535), default=8090, show_default=True, help="The video server's port.")
def main(port: int, **options: str) -> None:
    """Simulate the cameras of a site: http://127.0.0.1:PORT/CAMERA.mjpg."""
    prepared = read_options("camera", **options)  # type: ignore[arg-type]
    simulation = CameraSimulation(prepared.site)
    try:
        run_process(prepared, simulation, serving(simulation.cameras, port))
    except OSError as error:
        raise click.ClickException(f"port {port}: {error.strerror}; choose another with --port") from error


if __name__ == "__main__":
    main()
