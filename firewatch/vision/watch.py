"""All cameras of a daemon: one reading thread each, one thread for the detector, observations out.

One picture is looked at at a time, on one core: the alarm path shares the machine. A camera that hangs, lies or fails
holds up only itself. Its scores then become bad readings, because a picture that cannot be believed is no sign that
a lift is empty.
"""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from urllib.parse import urljoin, urlsplit

import cv2

from firewatch.config.settings import VisionSettings
from firewatch.errors import ConfigError
from firewatch.model.observation import Observation, Quality, Value, signal_id
from firewatch.model.site import ONLINE, Device, Site
from firewatch.ports import Clock, PartStatus, Picture
from firewatch.telemetry import Telemetry
from firewatch.telemetry.events import CameraOffline, CameraOnline, FrameDecided, FrameFailed
from firewatch.vision.camera import Camera, CameraReader, WaitingFrame, run_in_thread
from firewatch.vision.capture import OpenCapture, open_stream
from firewatch.vision.detector import LOWEST_SCORE, Detection, Detector, MobileNetSsd
from firewatch.vision.evidence import boxed, encode, picture_id
from firewatch.vision.health import PictureState
from firewatch.vision.tile import look_closer

SURE_SCORE = 0.55
"""From here a closer look adds nothing: a session is entered (`CameraSessionSpec.enter`)."""

CLOSER_LOOK_EVERY = timedelta(seconds=0.5)
"""How often a moving picture in which nothing was seen is searched in squares, which costs three more looks."""

REPORT_EVERY = timedelta(seconds=5)
"""How often a camera says how its picture is when nothing changes, as every device does."""

STOP_SECONDS = 2.0

_IDLE_SECONDS = 0.2
_SCHEMES = ("http", "https", "rtsp", "rtsps")

_VOTES = {
    "lift_camera": ("e_bike", frozenset({"bicycle", "motorbike"})),
    "lane_camera": ("vehicle", frozenset({"bicycle", "motorbike", "car", "bus"})),
}
"""By the camera's kind: the signal it votes with, and the classes that count for it."""

_PERSON = "person"
_PICTURE_FAULT = "picture_fault"


class CameraWatch:
    """Watches cameras until stopped. `on_observations` is called from the detector's thread."""

    def __init__(
        self,
        cameras: Sequence[tuple[Site, Device]],
        settings: VisionSettings,
        clock: Clock,
        on_observations: Callable[[list[Observation]], None],
        *,
        telemetry: Telemetry | None = None,
        detector: Detector | None = None,
        open_capture: OpenCapture = open_stream,
    ) -> None:
        """Load the detector (MobileNet-SSD unless another is given); nothing is opened yet.

        Raises:
            ConfigError: a camera's kind or stream address cannot be used.
            StartError: the detector's weights are missing or not the expected file.
        """
        self._clock = clock
        self._on_observations = on_observations
        self._telemetry = telemetry
        self._frame_seconds = 1 / settings.frames_per_second
        self._bell = threading.Event()
        self._stopping = threading.Event()
        self._ended: list[Future[None]] = []
        self._posts = [_Post(site, device, clock.now()) for site, device in cameras]
        self._by_name = {post.camera.name: post.camera for post in self._posts}
        self._readers = [
            CameraReader(
                post.camera,
                _address(post.camera, settings.stream_base_url),
                clock,
                open_capture,
                self._bell,
                self._stopping,
            )
            for post in self._posts
        ]
        self._detector = detector or MobileNetSsd()

    def start(self) -> None:
        """Open every camera and look."""
        cv2.setNumThreads(1)
        self._ended = [reader.start() for reader in self._readers]
        self._ended += [run_in_thread("camera detector", self._look), run_in_thread("camera pace", self._pace)]

    def stop(self) -> None:
        """End all threads. One that hangs in the network for over 2 s is left to die with the process."""
        self._stopping.set()
        self._bell.set()
        concurrent.futures.wait(self._ended, timeout=STOP_SECONDS)

    def frame(self, device: str) -> bytes | None:
        """The newest picture (JPEG) of a camera `site/device`; None while there is none."""
        camera = self._by_name.get(device)
        return camera.newest_jpeg(self._clock.now()) if camera else None

    def take_picture(self, picture_id: str) -> Picture | None:
        """The picture that an observation names, with what was seen marked in it; None once it is too old."""
        for post in self._posts:
            picture = post.camera.picture(picture_id)
            if picture is not None:
                return picture
        return None

    def parts(self) -> list[PartStatus]:
        """How the detector and each camera are."""
        now = self._clock.now()
        looking = bool(self._ended) and not any(ended.done() for ended in self._ended)
        detail = f"watches {len(self._posts)} cameras" if looking else "does not run"
        return [PartStatus("camera detector", looking, detail), *(post.status(now) for post in self._posts)]

    def _pace(self) -> None:
        while not self._stopping.wait(self._frame_seconds):
            for reader in self._readers:
                reader.due.set()

    def _look(self) -> None:
        while not self._stopping.is_set():
            self._bell.clear()
            now = self._clock.now()
            for post in self._posts:
                self._hand_over(self._report(post, now))
            chosen = self._most_urgent(now)
            if chosen is None:
                self._bell.wait(_IDLE_SECONDS)
            else:
                self._hand_over(self._decide(chosen))

    def _hand_over(self, observations: list[Observation]) -> None:
        if observations and not self._stopping.is_set():
            self._on_observations(observations)

    def _most_urgent(self, now: datetime) -> _Post | None:
        urgencies = [(post.camera.urgency(now), post) for post in self._posts]
        waiting = [(urgency, post) for urgency, post in urgencies if urgency is not None]
        return max(waiting, key=lambda entry: entry[0])[1] if waiting else None

    def _report(self, post: _Post, now: datetime) -> list[Observation]:
        state = post.camera.state(now)
        if state is PictureState.AWAITED or (state is post.reported and now - post.reported_time < REPORT_EVERY):
            return []
        if state is not post.reported:
            self._tell_change(post, state)
        post.reported, post.reported_time = state, now
        observations = [
            post.observation(ONLINE.name, state is not PictureState.MISSING, now, now),
            post.observation(_PICTURE_FAULT, state.fault, now, now),
        ]
        return observations + post.unknown_scores(now) if state.fault else observations

    def _tell_change(self, post: _Post, state: PictureState) -> None:
        if self._telemetry is not None:
            name = post.camera.name
            self._telemetry.emit(CameraOffline(name, str(state)) if state.fault else CameraOnline(name))

    def _decide(self, post: _Post) -> list[Observation]:
        frame = post.camera.take_waiting()
        if frame is None:
            return []
        try:
            detections = self._detections(post, frame)
        except Exception as error:  # whatever a picture does to the detector, the other cameras are still watched
            return self._failed(post, error)
        now = self._clock.now()
        vote = _best(detections, post.votes)
        post.camera.decided(vote, frame.taken_time, now)
        post.failure = ""
        if self._telemetry is not None:
            self._telemetry.emit(FrameDecided(post.camera.name, (now - frame.taken_time).total_seconds()))
        if post.camera.state(now).fault:
            return []
        picture = self._keep_evidence(post, frame, detections) if vote >= LOWEST_SCORE else None
        return [
            post.observation(post.vote_signal, vote, frame.taken_time, now, picture),
            post.observation(_PERSON, _best(detections, {_PERSON}), frame.taken_time, now),
        ]

    def _detections(self, post: _Post, frame: WaitingFrame) -> list[Detection]:
        """What is in the frame: in the full picture, and in its squares if something may be there unseen."""
        seen = self._detector.detect(frame.pixels)
        if _best(seen, post.votes) >= SURE_SCORE:
            return seen
        searched_lately = frame.taken_time - post.searched_time < CLOSER_LOOK_EVERY
        if not post.camera.likely(frame.taken_time) and (not frame.moved or searched_lately):
            return seen
        post.searched_time = frame.taken_time
        return look_closer(self._detector, frame.pixels, seen, lambda found: _best(found, post.votes) >= SURE_SCORE)

    def _failed(self, post: _Post, error: Exception) -> list[Observation]:
        now = self._clock.now()
        post.camera.decided(0.0, now, now)
        first = not post.failure
        post.failure = f"its last picture could not be looked at: {error}"[:200]
        if first and self._telemetry is not None:
            self._telemetry.emit(FrameFailed(post.camera.name, post.failure))
        return post.unknown_scores(now)

    def _keep_evidence(self, post: _Post, frame: WaitingFrame, detections: list[Detection]) -> str:
        picture = Picture(
            picture_id=picture_id(post.camera.site.id, post.camera.device.id, frame.taken_time),
            device=post.camera.name,
            taken_time=frame.taken_time,
            jpeg=encode(boxed(frame.pixels, detections)),
        )
        post.camera.keep(picture)
        return picture.picture_id


class _Post:
    """One camera as the detector's thread knows it. Only `status` is called from elsewhere."""

    def __init__(self, site: Site, device: Device, start_time: datetime) -> None:
        if device.kind not in _VOTES:
            raise ConfigError(
                f"{site.id}/{device.id}: cameras of kind {device.kind} are unknown to the detector; "
                f"use one of {', '.join(_VOTES)}"
            )
        self.camera = Camera(site, device, start_time)
        self.vote_signal, self.votes = _VOTES[device.kind]
        self.reported = PictureState.AWAITED
        self.reported_time = start_time
        self.searched_time = start_time - CLOSER_LOOK_EVERY
        self.failure = ""

    def observation(
        self, name: str, value: Value | None, source_time: datetime, now: datetime, picture: str | None = None
    ) -> Observation:
        return Observation(
            signal=signal_id(self.camera.site.id, self.camera.device.id, name),
            value=value,
            quality=Quality.BAD if value is None else Quality.GOOD,
            source_time=source_time,
            receive_time=now,
            event_time=source_time,
            picture=picture,
        )

    def unknown_scores(self, now: datetime) -> list[Observation]:
        return [self.observation(name, None, now, now) for name in (self.vote_signal, _PERSON)]

    def status(self, now: datetime) -> PartStatus:
        state = self.camera.state(now)
        return PartStatus(
            name=f"camera {self.camera.name}",
            ready=state is PictureState.GOOD and not self.failure,
            detail=self.failure or str(state),
            vital=False,
        )


def _best(detections: Sequence[Detection], labels: frozenset[str] | set[str]) -> float:
    return max((found.score for found in detections if found.label in labels), default=0.0)


def _address(camera: Camera, base: str) -> str:
    address = urljoin(base, camera.device.stream or "")
    if camera.device.stream is None or urlsplit(address).scheme not in _SCHEMES:
        raise ConfigError(
            f"{camera.name}: `stream` has to be an address that begins with {', '.join(f'{s}://' for s in _SCHEMES)}, "
            "or a name below vision.stream_base_url"
        )
    return address
