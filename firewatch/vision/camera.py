"""One camera: the thread that reads its stream, and what is known about its picture.

The newest frame wins: frames are read as fast as they come, so none waits in a buffer, and one that the detector has
no time for is replaced by the next. A stream that ends or hangs is opened again, with growing pauses.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from itertools import chain, repeat

import cv2
import msgspec
import numpy as np

from firewatch.model.site import Device, Site
from firewatch.ports import Clock, Picture
from firewatch.vision.capture import Capture, OpenCapture
from firewatch.vision.detector import LOWEST_SCORE, Pixels
from firewatch.vision.evidence import PictureRing, encode
from firewatch.vision.health import PictureHealth, PictureState
from firewatch.vision.motion import MotionGate

LOOK_EVERY = timedelta(seconds=1)
"""A still picture is looked at this often, so that an e-bike standing still keeps being seen."""

LIKELY_FOR = timedelta(seconds=10)
"""After a vote every frame is looked at for this long: past a session's `hold` of 7 s."""

_WATCHED_FOR = timedelta(seconds=5)
_FIRST_PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0)
_LONGEST_PAUSE_SECONDS = 4.0


class WaitingFrame(msgspec.Struct, frozen=True):
    """A frame for the detector. `moved`: the picture changed since one was last looked at."""

    pixels: Pixels
    taken_time: datetime
    moved: bool


class Camera:
    """What is known about one camera. All methods may be called from any thread and return at once."""

    def __init__(self, site: Site, device: Device, start_time: datetime) -> None:
        self.site = site
        self.device = device
        self.name = f"{site.id}/{device.id}"
        self._lock = threading.Lock()
        self._gate = MotionGate()
        self._health = PictureHealth(start_time)
        self._ring = PictureRing()
        self._newest: Pixels | None = None
        self._jpeg: bytes | None = None
        self._watched_time = start_time - _WATCHED_FOR
        self._waiting: WaitingFrame | None = None
        self._offered_time = start_time - LOOK_EVERY
        self._decided_time = start_time
        self._vote_time = start_time - LIKELY_FOR

    def took(self, pixels: Pixels, now: datetime) -> bool:
        """A frame came; True if the detector should look at it."""
        moved = self._gate.moved(pixels)
        with self._lock:
            changed = self._newest is None or not np.array_equal(self._newest, pixels)
            self._health.saw(changed, now)
            self._newest, self._jpeg = pixels, None
            watched = now - self._watched_time < _WATCHED_FOR
            wanted = moved or self._waiting is not None or self._likely(now) or now - self._offered_time >= LOOK_EVERY
            if wanted:
                moved = moved or (self._waiting is not None and self._waiting.moved)
                self._waiting = WaitingFrame(pixels, now, moved)
                self._offered_time = now
        if watched:
            jpeg = encode(pixels)
            with self._lock:
                self._jpeg = jpeg
        return wanted

    def urgency(self, now: datetime) -> float | None:
        """How urgently the waiting frame should be looked at; None if none waits.

        The longest unattended camera comes first, and one that showed something counts as waiting four times as
        long: it is preferred, and none starves.
        """
        with self._lock:
            if self._waiting is None:
                return None
            unattended_seconds = (now - self._decided_time).total_seconds()
            return unattended_seconds * (4.0 if self._likely(now) else 1.0)

    def take_waiting(self) -> WaitingFrame | None:
        """The waiting frame, to be looked at now."""
        with self._lock:
            waiting, self._waiting = self._waiting, None
            return waiting

    def likely(self, now: datetime) -> bool:
        """Whether something was seen lately."""
        with self._lock:
            return self._likely(now)

    def decided(self, score: float, taken_time: datetime, now: datetime) -> None:
        """The detector looked at a frame; `score` is the best of what the camera votes with."""
        with self._lock:
            self._decided_time = now
            if score >= LOWEST_SCORE:
                self._vote_time = taken_time

    def state(self, now: datetime) -> PictureState:
        """How the picture is."""
        with self._lock:
            return self._health.state(now)

    def keep(self, picture: Picture) -> None:
        """Keep a picture as evidence."""
        with self._lock:
            self._ring.keep(picture)

    def picture(self, picture_id: str) -> Picture | None:
        """A kept picture."""
        with self._lock:
            return self._ring.get(picture_id)

    def newest_jpeg(self, now: datetime) -> bytes | None:
        """The newest frame as JPEG. While someone asks, the reading thread encodes every frame ahead."""
        with self._lock:
            self._watched_time = now
            newest, jpeg = self._newest, self._jpeg
        if newest is None or jpeg is not None:
            return jpeg
        return encode(newest)

    def _likely(self, now: datetime) -> bool:
        return now - self._vote_time < LIKELY_FOR


class CameraReader:
    """The thread that keeps a camera's stream open. `bell` is set whenever the detector should look; `due` is set
    from outside, at the rate at which frames are wanted, so that the rate holds even while the clock stands still.
    """

    def __init__(
        self,
        camera: Camera,
        address: str,
        clock: Clock,
        open_capture: OpenCapture,
        bell: threading.Event,
        stopping: threading.Event,
    ) -> None:
        self._camera = camera
        self._address = address
        self._clock = clock
        self._open_capture = open_capture
        self._bell = bell
        self._stopping = stopping
        self.due = threading.Event()
        self.due.set()

    def start(self) -> Future[None]:
        """Read until stopped; the future is done when the thread has ended."""
        return run_in_thread(f"camera {self._camera.name}", self._run)

    def _run(self) -> None:
        pauses = self._pauses()
        while not self._stopping.is_set():
            if self._watch_stream():
                pauses = self._pauses()
            self._stopping.wait(next(pauses))

    def _watch_stream(self) -> bool:
        """Open the stream and read it to its end; True if any frame came."""
        try:
            capture = self._open_capture(self._address)
            if capture is None:
                return False
            with contextlib.closing(capture):
                return self._read(capture)
        except (cv2.error, OSError, ValueError):
            return False

    def _pauses(self) -> chain[float]:
        return chain(_FIRST_PAUSES_SECONDS, repeat(_LONGEST_PAUSE_SECONDS))

    def _read(self, capture: Capture) -> bool:
        """Read until the stream ends; True if any frame came."""
        any_frame = False
        while not self._stopping.is_set() and capture.grab():
            if not self.due.is_set():
                continue
            self.due.clear()
            now = self._clock.now()
            pixels = capture.retrieve()
            if pixels is None:
                break
            any_frame = True
            if self._camera.took(pixels, now):
                self._bell.set()
        return any_frame


def run_in_thread(name: str, work: Callable[[], None]) -> Future[None]:
    """Start a thread that never keeps the process alive; the future is done when the thread has ended."""
    ended: Future[None] = Future()

    def run() -> None:
        try:
            work()
        finally:
            ended.set_result(None)

    threading.Thread(target=run, name=name, daemon=True).start()
    return ended
