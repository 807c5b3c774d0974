"""The sample compound on a good day, and its cameras' pictures."""

from __future__ import annotations

import cv2

from simulators.drawing import CabinScene, LaneScene, Picture, draw_cabin, draw_lane
from tests.unit.web.world import INVENTORY, World

NORMAL = {
    "e_bike": 0.0,
    "person": 0.0,
    "vehicle": 0.0,
    "floor": 1.0,
    "door": "closed",
    "smoke": 0.1,
    "temperature": 21.4,
    "co": 2.0,
    "power": 0.0,
    "cable_temperature": 24.0,
    "residual_current": 1.2,
    "level": 3.2,
    "pressure": 0.35,
    "position": "open",
    "online": True,
}
"""By the signal's name; every other signal is boolean and false."""


def everything_normal(world: World) -> None:
    """Every signal of every device is heard, every camera has a picture."""
    for site in INVENTORY.sites:
        for device in site.devices:
            for signal in (*INVENTORY.kinds[device.kind].signals, "online", "clock_fault"):
                name = signal if isinstance(signal, str) else signal.name
                world.observe(f"{site.id}/{device.id}/{name}", NORMAL.get(name, False))
            if device.stream:
                lift = device.id.endswith("lane-camera") is False
                world.live.frames[f"{site.id}/{device.id}"] = jpeg(
                    draw_cabin(CabinScene(overlay=device.id)) if lift else draw_lane(LaneScene(overlay=device.id))
                )


def e_bike_picture() -> bytes:
    """The cabin with an e-bike in it."""
    return jpeg(draw_cabin(CabinScene(e_bike=1, resident=1, door_opening=1, overlay="a-lift-2-camera")))


def jpeg(picture: Picture) -> bytes:
    done, encoded = cv2.imencode(".jpg", picture)
    assert done
    return encoded.tobytes()
