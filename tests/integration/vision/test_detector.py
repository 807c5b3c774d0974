"""What the shipped detector sees: in drawn scenes, and in real clips with their known misses."""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from firewatch.vision.detector import LOWEST_SCORE, Detection, MobileNetSsd, Pixels
from firewatch.vision.tile import look_closer, squares
from simulators.drawing import CabinScene, LaneScene, draw_cabin, draw_lane

TWO_WHEELERS = {"bicycle", "motorbike"}
VEHICLES = TWO_WHEELERS | {"car", "bus"}
ENTER = 0.55
"""The score that starts a camera session."""

pytestmark = pytest.mark.slow

Clip = Callable[[str, int], Iterator[Pixels]]


def best(detections: list[Detection], labels: set[str]) -> float:
    return max((found.score for found in detections if found.label in labels), default=0.0)


def look(detector: MobileNetSsd, frame: Pixels) -> list[Detection]:
    """The full frame and all its squares."""
    return look_closer(detector, frame, detector.detect(frame), lambda _: False)


@pytest.mark.parametrize("size", [0.7, 0.85, 1.0, 1.15])
@pytest.mark.parametrize("with_resident", [False, True])
def test_a_drawn_e_bike_is_seen_on_its_whole_way_in(detector: MobileNetSsd, size: float, with_resident: bool) -> None:
    scores = {}
    for position in (0.35, 0.5, 0.65, 0.8, 1.0):
        resident = position if with_resident else None
        scene = CabinScene(e_bike=position, resident=resident, door_opening=1.0, e_bike_size=size)
        scores[position] = best(detector.detect(draw_cabin(scene)), TWO_WHEELERS)
    assert min(scores.values()) >= ENTER, scores
    assert scores[1.0] >= 0.95


@pytest.mark.parametrize("position", [0.5, 0.7, 1.0])
def test_a_drawn_resident_is_seen(detector: MobileNetSsd, position: float) -> None:
    frame = draw_cabin(CabinScene(resident=position, door_opening=1.0))
    assert best(detector.detect(frame), {"person"}) >= 0.8


@pytest.mark.parametrize(
    "scene",
    [
        *(CabinScene(door_opening=opening) for opening in (0.0, 0.3, 0.6, 1.0)),
        *(CabinScene(resident=position, door_opening=1.0) for position in (0.3, 0.6, 1.0)),
        CabinScene(resident=1.0, floor=18, overlay="b-lift-1-camera 2025-01-01 08:00:00"),
    ],
    ids=str,
)
def test_a_cabin_without_an_e_bike_shows_no_vehicle_even_on_a_closer_look(
    detector: MobileNetSsd, scene: CabinScene
) -> None:
    assert best(look(detector, draw_cabin(scene)), VEHICLES) < LOWEST_SCORE


def test_a_frame_of_another_size_is_seen_too(detector: MobileNetSsd) -> None:
    scene = CabinScene(e_bike=1.0, resident=1.0, door_opening=1.0)
    for width, height in ((320, 240), (1280, 720)):
        assert best(detector.detect(draw_cabin(scene, width, height)), TWO_WHEELERS) >= ENTER


@pytest.mark.parametrize("position", [0.6, 1.0])
def test_a_drawn_car_in_the_fire_lane_is_seen_as_a_car(detector: MobileNetSsd, position: float) -> None:
    assert best(detector.detect(draw_lane(LaneScene(car=position))), {"car"}) >= 0.9


@pytest.mark.parametrize("scene", [LaneScene(), LaneScene(resident=0.5), LaneScene(resident=1.0)], ids=str)
def test_a_free_fire_lane_shows_no_vehicle(detector: MobileNetSsd, scene: LaneScene) -> None:
    assert best(look(detector, draw_lane(scene)), VEHICLES) < LOWEST_SCORE


def test_boxes_lie_within_the_picture(detector: MobileNetSsd) -> None:
    found = detector.detect(draw_cabin(CabinScene(e_bike=0.4, resident=0.4, door_opening=1.0)))
    assert found
    for detection in found:
        box = detection.box
        assert 0 <= box.left < box.right <= 640
        assert 0 <= box.top < box.bottom <= 480


def test_no_real_pedestrian_is_taken_for_an_e_bike(detector: MobileNetSsd, clip: Clip) -> None:
    scores = [best(detector.detect(frame), TWO_WHEELERS) for frame in clip("people-one-by-one.mp4", 10)]
    closer = [best(look(detector, frame), TWO_WHEELERS) for frame in clip("people-one-by-one.mp4", 100)]
    assert max(scores + closer) < ENTER


def test_no_real_car_is_taken_for_an_e_bike(detector: MobileNetSsd, clip: Clip) -> None:
    assert max(best(look(detector, frame), TWO_WHEELERS) for frame in clip("car-park.mp4", 20)) < ENTER


def test_a_small_real_bicycle_needs_the_closer_look(detector: MobileNetSsd, clip: Clip) -> None:
    """A car park from above, the bicycle about a tenth of the picture's width."""
    full, closer = [], []
    for frame in clip("person-bicycle-car.gif", 3):
        seen = detector.detect(frame)
        full.append(best(seen, TWO_WHEELERS))
        closer.append(best(look_closer(detector, frame, seen, lambda _: False), TWO_WHEELERS))
    assert sum(score >= ENTER for score in full) == 0
    assert sum(score >= ENTER for score in closer) >= len(closer) // 4
    assert sum(score >= LOWEST_SCORE for score in closer) >= len(closer) * 0.75


def test_a_covered_e_bike_is_a_known_miss(detector: MobileNetSsd, still: Callable[[str], Pixels]) -> None:
    """Stated in docs/cameras.md. Should this fail because it is seen at last: rejoice, and correct the page."""
    assert best(look(detector, still("lift-covered-ebike.png")), TWO_WHEELERS) < LOWEST_SCORE


class CaffeReader:
    """The shipped network as OpenCV 4 reads it: class number and score of everything seen, the surest first."""

    def __init__(self) -> None:
        folder = importlib.resources.files("NVRChannel") / "NVRChannel"
        network = (folder / "MobileNetSSD_deploy.prototxt").read_bytes()
        shipped = b"confidence_threshold: 0.25"
        assert shipped in network
        network = network.replace(shipped, f"confidence_threshold: {LOWEST_SCORE}".encode())
        weights = (folder / "MobileNetSSD_deploy.caffemodel").read_bytes()
        self._net = cv2.dnn.readNetFromCaffe(np.frombuffer(network, np.uint8), np.frombuffer(weights, np.uint8))

    def look(self, frame: Pixels) -> list[tuple[str, float, list[float]]]:
        self._net.setInput(cv2.dnn.blobFromImage(frame, 1 / 127.5, (300, 300), (127.5, 127.5, 127.5)))
        height, width = frame.shape[:2]
        labels = {2: "bicycle", 6: "bus", 7: "car", 14: "motorbike", 15: "person"}
        return [
            (
                labels[int(row[1])],
                row[2],
                [share * side for share, side in zip(row[3:], (width, height) * 2, strict=True)],
            )
            for row in self._net.forward()[0, 0].tolist()
            if int(row[1]) in labels
        ]


@pytest.fixture(scope="module")
def caffe_reader() -> CaffeReader:
    if not hasattr(cv2.dnn, "readNetFromCaffe"):
        pytest.skip("this OpenCV reads no Caffe networks (5 and later)")
    return CaffeReader()


def assert_the_same(detector: MobileNetSsd, caffe_reader: CaffeReader, frame: Pixels) -> int:
    """The full frame and its squares show both readers the same; the number of things seen."""
    height, width = frame.shape[:2]
    parts = [frame, *(frame[at.top : at.bottom, at.left : at.right] for at in squares(width, height))]
    seen = 0
    for part in parts:
        found, expected = detector.detect(part), caffe_reader.look(part)
        assert [detection.label for detection in found] == [label for label, _, _ in expected]
        for detection, (_, score, edges) in zip(found, expected, strict=True):
            assert detection.score == pytest.approx(score, abs=0.0005)
            box = detection.box
            within = np.clip(edges, 0, (part.shape[1], part.shape[0]) * 2)
            assert (box.left, box.top, box.right, box.bottom) == pytest.approx(within, abs=0.6)
        seen += len(found)
    return seen


def test_drawn_scenes_look_the_same_to_opencvs_caffe_reader(detector: MobileNetSsd, caffe_reader: CaffeReader) -> None:
    cabins = [CabinScene(e_bike=at, resident=at, door_opening=1.0) for at in (None, 0.35, 0.65, 1.0)]
    frames = [*map(draw_cabin, cabins), *(draw_lane(LaneScene(car=at)) for at in (None, 0.6, 1.0))]
    assert sum(assert_the_same(detector, caffe_reader, frame) for frame in frames) > len(frames)


@pytest.mark.parametrize(
    ("name", "step"), [("car-park.mp4", 80), ("people-one-by-one.mp4", 120), ("person-bicycle-car.gif", 10)]
)
def test_real_frames_look_the_same_to_opencvs_caffe_reader(
    detector: MobileNetSsd, caffe_reader: CaffeReader, clip: Clip, name: str, step: int
) -> None:
    assert sum(assert_the_same(detector, caffe_reader, frame) for frame in clip(name, step)) > 0


def test_a_kept_model_sees_the_same(detector: MobileNetSsd, tmp_path: Path) -> None:
    frame = draw_cabin(CabinScene(e_bike=1.0, resident=1.0, door_opening=1.0))
    MobileNetSsd(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    assert MobileNetSsd(tmp_path).detect(frame) == detector.detect(frame)
