"""A day of a camera watch with a detector that is told what to see and streams that are told what to do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import numpy as np
import pytest

from firewatch.config.settings import VisionSettings
from firewatch.errors import ConfigError
from firewatch.model.observation import Observation, Quality
from firewatch.model.site import Device, Site
from firewatch.model.text import LocalText
from firewatch.testing.clock import START, FakeClock
from firewatch.vision.capture import Capture
from firewatch.vision.detector import Box, Detection, Pixels
from firewatch.vision.watch import STOP_SECONDS, CameraWatch

TEXT = LocalText(zh="示例", en="Sample")
SITE = Site("sample", TEXT, TEXT, TEXT, TEXT, "Asia/Shanghai", (), (), ())
BASE = "http://127.0.0.1:1/"


def camera(name: str, kind: str = "lift_camera", stream: str | None = None) -> tuple[Site, Device]:
    return SITE, Device(id=name, kind=kind, label=TEXT, building="tower-a", stream=stream or f"{name}.mjpg")


class FakeStream:
    """Delivers its `level` as a grey picture, over and over. `alive` lets each frame differ a little, as a sensor's
    noise does; `hanging` makes everything wait; `gone` refuses to open and ends what is open.
    """

    def __init__(self) -> None:
        self.level = 10
        self.alive = True
        self.hanging = threading.Event()
        self.release = threading.Event()
        self.gone = False
        self.opened = 0
        self._frames = 0

    def open(self) -> Capture | None:
        if self.hanging.is_set():
            self.release.wait(30)
        if self.gone:
            return None
        self.opened += 1
        return self

    def grab(self) -> bool:
        if self.hanging.is_set():
            self.release.wait(30)
        time.sleep(0.002)
        return not self.gone

    def retrieve(self) -> Pixels | None:
        frame = np.full((48, 64, 3), self.level, np.uint8)
        if self.alive:
            self._frames += 1
            frame[0, 0] = self._frames % 250
        return frame

    def close(self) -> None:
        pass


class LevelDetector:
    """Sees what is written for the picture's grey level; `fails` makes it raise."""

    def __init__(self) -> None:
        self.fails = False
        self.looks = 0

    def detect(self, frame: Pixels) -> list[Detection]:
        self.looks += 1
        if self.fails:
            raise RuntimeError("out of memory")
        level = int(frame[-1, -1, 0])
        return [Detection(label, score, Box(5, 5, 30, 30)) for label, score in SEEN.get(level, {}).items()]


EMPTY, E_BIKE, MOTORBIKE, PERSON, CAR, FAINT = 10, 60, 90, 120, 150, 180
SEEN = {
    E_BIKE: {"bicycle": 0.9, "person": 0.8},
    MOTORBIKE: {"motorbike": 0.7, "bicycle": 0.2},
    PERSON: {"person": 0.95},
    CAR: {"car": 0.85},
    FAINT: {"bicycle": 0.12},
}


class World:
    """A watch over fakes, and everything it said."""

    def __init__(self, *cameras: tuple[Site, Device]) -> None:
        self.clock = FakeClock()
        self.detector = LevelDetector()
        self.streams = {f"{BASE}{device.stream}": FakeStream() for _, device in cameras}
        self.heard: list[Observation] = []
        self.watch = CameraWatch(
            cameras,
            VisionSettings(stream_base_url=BASE, frames_per_second=30),
            self.clock,
            self.heard.extend,
            detector=self.detector,
            open_capture=lambda address: self.streams[address].open(),
        )

    def stream(self, name: str = "cam") -> FakeStream:
        return self.streams[f"{BASE}{name}.mjpg"]

    def values(self, signal: str, device: str = "cam") -> list[object]:
        return [seen.value for seen in self.heard if seen.signal == f"sample/{device}/{signal}"]

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < deadline, "it did not happen within 5 s"
            time.sleep(0.005)

    def until_heard(self, signal: str, value: object, device: str = "cam") -> Observation:
        self.until(lambda: value in self.values(signal, device))
        return next(seen for seen in self.heard if seen.signal == f"sample/{device}/{signal}" and seen.value == value)


@pytest.fixture
def world() -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(*cameras: tuple[Site, Device]) -> World:
        made.append(World(*(cameras or (camera("cam"),))))
        made[-1].watch.start()
        return made[-1]

    yield make
    for each in made:
        for stream in each.streams.values():
            stream.release.set()
        each.watch.stop()


@pytest.mark.parametrize(
    ("kind", "level", "signal", "value"),
    [
        ("lift_camera", E_BIKE, "e_bike", 0.9),
        ("lift_camera", MOTORBIKE, "e_bike", 0.7),
        ("lift_camera", CAR, "e_bike", 0.0),
        ("lift_camera", E_BIKE, "person", 0.8),
        ("lift_camera", PERSON, "person", 0.95),
        ("lane_camera", CAR, "vehicle", 0.85),
        ("lane_camera", E_BIKE, "vehicle", 0.9),
        ("lane_camera", EMPTY, "vehicle", 0.0),
    ],
)
def test_a_camera_reports_the_best_score_of_what_its_kind_looks_for(
    world: Callable[..., World], kind: str, level: int, signal: str, value: float
) -> None:
    made = world(camera("cam", kind))
    made.stream().level = level
    seen = made.until_heard(signal, value)
    assert seen.quality is Quality.GOOD
    assert (seen.source_time, seen.event_time, seen.receive_time) == (START, START, START)


def test_a_camera_says_that_it_is_online_and_well_with_its_first_picture(world: Callable[..., World]) -> None:
    made = world()
    made.until_heard("e_bike", 0.0)
    assert made.values("online") == [True]
    assert made.values("picture_fault") == [False]


def test_a_voting_frame_has_its_picture_and_an_empty_one_has_none(world: Callable[..., World]) -> None:
    made = world()
    assert made.until_heard("e_bike", 0.0).picture is None
    made.stream().level = FAINT
    name = made.until_heard("e_bike", 0.12).picture
    assert name
    picture = made.watch.take_picture(name)
    assert picture
    assert (picture.device, picture.taken_time) == ("sample/cam", START)
    assert picture.jpeg.startswith(b"\xff\xd8")


def test_people_alone_are_not_kept_in_pictures(world: Callable[..., World]) -> None:
    made = world()
    made.stream().level = PERSON
    made.until_heard("person", 0.95)
    assert all(seen.picture is None for seen in made.heard)


def test_a_picture_that_was_never_taken_is_none(world: Callable[..., World]) -> None:
    made = world()
    assert made.watch.take_picture("sample-cam-20250101t000000000z") is None
    assert made.watch.frame("sample/another") is None


def test_the_newest_frame_can_be_looked_at(world: Callable[..., World]) -> None:
    made = world()
    made.until(lambda: made.watch.frame("sample/cam") is not None)
    assert (made.watch.frame("sample/cam") or b"").startswith(b"\xff\xd8")


def test_a_still_picture_is_looked_at_once_a_second(world: Callable[..., World]) -> None:
    made = world()
    made.until_heard("e_bike", 0.0)
    for count in (2, 3):
        made.clock.advance(timedelta(seconds=1))
        made.until(lambda: len(made.values("e_bike")) == count)  # noqa: B023


def test_while_something_was_seen_every_frame_is_looked_at(world: Callable[..., World]) -> None:
    made = world()
    made.stream().level = E_BIKE
    made.until(lambda: len(made.values("e_bike")) >= 5)
    assert made.clock.now() == START


@pytest.mark.slow
def test_a_stream_that_ends_is_opened_again(world: Callable[..., World]) -> None:
    made = world()
    made.until_heard("e_bike", 0.0)
    made.stream().gone = True
    made.clock.advance(timedelta(seconds=5))
    made.until_heard("online", False)
    made.until_heard("picture_fault", True)
    assert made.until_heard("e_bike", None).quality is Quality.BAD
    assert not made.watch.parts()[1].ready
    made.stream().gone = False
    made.until(lambda: made.values("online")[-1] is True and made.values("picture_fault")[-1] is False)
    assert made.stream().opened >= 2


def test_a_frozen_picture_is_a_fault_whose_scores_are_unknown(world: Callable[..., World]) -> None:
    made = world()
    made.stream().alive = False
    made.stream().level = E_BIKE
    made.until_heard("e_bike", 0.9)
    for _ in range(3):
        made.clock.advance(timedelta(seconds=4))
        seen = made.detector.looks
        made.until(lambda: made.detector.looks > seen + 1)  # noqa: B023
    made.until_heard("picture_fault", True)
    made.until_heard("e_bike", None)
    assert made.values("online")[-1] is True
    made.stream().level = EMPTY
    made.until(lambda: made.values("picture_fault")[-1] is False)
    made.until_heard("e_bike", 0.0)


@pytest.mark.slow
def test_a_camera_in_trouble_repeats_that_every_five_seconds(world: Callable[..., World]) -> None:
    made = world()
    made.stream().gone = True
    for count in (1, 2, 3):
        made.clock.advance(timedelta(seconds=5))
        made.until(lambda: made.values("picture_fault") == [True] * count)  # noqa: B023


def test_a_camera_that_hangs_holds_up_only_itself(world: Callable[..., World]) -> None:
    made = world(camera("cam"), camera("other"))
    made.until_heard("e_bike", 0.0, "other")
    made.stream("other").hanging.set()
    made.clock.advance(timedelta(seconds=5))
    made.until_heard("picture_fault", True, "other")
    made.stream("cam").level = E_BIKE
    made.until_heard("e_bike", 0.9, "cam")


def test_a_busy_camera_never_starves_a_quiet_one(world: Callable[..., World]) -> None:
    made = world(camera("cam"), camera("other"))
    made.stream("cam").level = E_BIKE
    made.until_heard("e_bike", 0.9, "cam")
    for count in range(2, 5):
        made.clock.advance(timedelta(seconds=1))
        made.until(lambda: len(made.values("e_bike", "other")) >= count)  # noqa: B023


def test_a_detector_that_fails_makes_scores_unknown_and_is_tried_again(world: Callable[..., World]) -> None:
    made = world()
    made.detector.fails = True
    made.stream().level = E_BIKE
    made.until_heard("e_bike", None)
    assert "out of memory" in made.watch.parts()[1].detail
    made.detector.fails = False
    made.clock.advance(timedelta(seconds=1))
    made.until_heard("e_bike", 0.9)
    assert made.watch.parts()[1].ready


@pytest.mark.slow
def test_stopping_takes_at_most_two_seconds_even_with_a_hanging_camera(world: Callable[..., World]) -> None:
    made = world(camera("cam"), camera("other"))
    made.stream("other").hanging.set()
    made.until_heard("e_bike", 0.0, "cam")
    began = time.monotonic()
    made.watch.stop()
    assert time.monotonic() - began < STOP_SECONDS + 0.5


def test_stopping_ends_every_thread_and_nothing_is_said_afterwards(world: Callable[..., World]) -> None:
    before = set(threading.enumerate())
    made = world()
    made.until_heard("e_bike", 0.0)
    made.watch.stop()
    assert set(threading.enumerate()) <= before
    heard = len(made.heard)
    made.clock.advance(timedelta(seconds=30))
    assert len(made.heard) == heard


def test_a_watch_that_was_never_started_can_be_stopped() -> None:
    World(camera("cam")).watch.stop()


@pytest.mark.parametrize(
    ("kind", "stream", "message"),
    [
        ("smoke_detector", "x.mjpg", "cameras of kind smoke_detector are unknown"),
        ("lift_camera", "file:///etc/passwd", "has to be an address that begins with http://"),
    ],
)
def test_a_camera_that_cannot_be_watched_is_a_configuration_error(kind: str, stream: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        World(camera("cam", kind, stream))
