"""Pictures kept for the operator."""

from __future__ import annotations

import re
from datetime import timedelta

import numpy as np

from firewatch.ports import Picture
from firewatch.testing.clock import START
from firewatch.vision.detector import Box, Detection
from firewatch.vision.evidence import KEPT_PICTURES, PictureRing, boxed, encode, picture_id


def test_a_pictures_name_is_safe_in_an_address_and_tells_camera_and_time() -> None:
    name = picture_id("sample", "a-lift-2-camera", START + timedelta(milliseconds=1234))
    assert name == "sample-a-lift-2-camera-20250101t000001234z"
    assert re.fullmatch(r"[a-z0-9-]+", name)


def test_the_ring_keeps_the_newest_and_lets_the_oldest_go() -> None:
    ring = PictureRing()
    for number in range(KEPT_PICTURES + 1):
        ring.keep(Picture(str(number), "sample/camera", START, b""))
    assert ring.get("0") is None
    assert ring.get("1") is not None
    assert ring.get(str(KEPT_PICTURES)) is not None


def test_boxes_are_drawn_on_a_copy() -> None:
    frame = np.full((120, 160, 3), 90, np.uint8)
    marked = boxed(frame, [Detection("bicycle", 0.98, Box(20, 30, 100, 110))])
    assert (frame == 90).all()
    assert (marked[30, 60] != 90).any()
    assert (marked[80, 60] == 90).all()


def test_a_box_at_the_pictures_edge_is_no_problem() -> None:
    frame = np.full((120, 160, 3), 90, np.uint8)
    assert boxed(frame, [Detection("person", 1.0, Box(0, 0, 160, 120))]).shape == frame.shape


def test_a_frame_becomes_a_jpeg() -> None:
    assert encode(np.zeros((10, 10, 3), np.uint8)).startswith(b"\xff\xd8")
