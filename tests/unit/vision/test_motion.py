"""When a picture counts as changed."""

from __future__ import annotations

import numpy as np
import pytest

from firewatch.vision.motion import MotionGate
from simulators.drawing import CabinScene, LaneScene, draw_cabin, draw_lane


def test_the_first_picture_counts_as_moved() -> None:
    assert MotionGate().moved(draw_cabin(CabinScene()))


def test_the_same_picture_has_not_moved() -> None:
    gate = MotionGate()
    gate.moved(draw_cabin(CabinScene()))
    assert not gate.moved(draw_cabin(CabinScene()))


def test_the_ticking_clock_in_the_corner_is_no_motion() -> None:
    gate = MotionGate()
    gate.moved(draw_cabin(CabinScene(overlay="2025-01-01 11:11:11")))
    assert not gate.moved(draw_cabin(CabinScene(overlay="2025-01-01 11:11:28")))


def test_a_sensors_noise_is_no_motion() -> None:
    noise = np.random.default_rng(7)
    still = draw_cabin(CabinScene())
    gate = MotionGate()
    for _ in range(5):
        noisy = np.clip(still + noise.normal(0, 12, still.shape), 0, 255).astype(np.uint8)
        moved = gate.moved(noisy)
    assert not moved


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (draw_cabin(CabinScene(door_opening=1)), draw_cabin(CabinScene(door_opening=1, e_bike=0.25))),
        (draw_cabin(CabinScene(e_bike=0.6)), draw_cabin(CabinScene(e_bike=0.65))),
        (draw_cabin(CabinScene()), draw_cabin(CabinScene(resident=1))),
        (draw_lane(LaneScene()), draw_lane(LaneScene(car=0.2))),
    ],
    ids=["e-bike appears", "e-bike moves on", "person appears", "car appears"],
)
def test_what_comes_in_or_moves_is_motion(before: np.ndarray, after: np.ndarray) -> None:
    gate = MotionGate()
    gate.moved(before)
    assert gate.moved(after)


def test_a_change_too_slow_for_one_step_adds_up() -> None:
    gate = MotionGate()
    steps = [gate.moved(np.full((480, 640, 3), level, np.uint8)) for level in range(100, 131)]
    assert steps[:2] == [True, False]
    assert sum(steps) == 3
